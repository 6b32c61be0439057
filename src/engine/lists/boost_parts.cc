// Works on words of 64 items: most hold for no item that a boost lifts, and cost a few operations.
#include "engine/lists/boost_parts.h"

#include <algorithm>
#include <array>
#include <bit>
#include <unordered_map>
#include <utility>

namespace reco::engine {
namespace {

constexpr std::size_t kWordBits = 64;
constexpr std::uint64_t kAll = ~std::uint64_t{0};

// A search of all items that takes one in so many is faster than scoring these one by one.
constexpr std::size_t kFewShare = 8;
constexpr std::size_t kFewMin = 1024;
constexpr std::size_t kFewMax = 8192;
// Of all parts together. A search gives the collection's lock back, scoring one by one does not: 15
// to 30 ns an item.
constexpr std::size_t kOneByOneMax = 32'768;

using Words = std::span<const std::uint64_t>;

std::uint64_t WordAt(Words words, std::size_t at) {
  return at < words.size() ? words[at] : 0;
}

template <typename Visit>
void ForEachBit(std::uint64_t word, Visit visit) {
  for (; word != 0; word &= word - 1) {
    visit(static_cast<std::size_t>(std::countr_zero(word)));
  }
}

std::optional<Words> WordsOf(const RuleInForce& rule) {
  return rule.words ? rule.words() : std::nullopt;
}

class Division {
 public:
  // Takes the rules. Returns false when it is not known what one of the boosts holds for.
  bool Take(std::span<const RuleInForce> rules, const RuleInForce* only) {
    for (const RuleInForce& rule : rules) {
      items_end_ = std::max<std::size_t>(items_end_, rule.items_end);
      if (rule.action != Rule::Action::kBoost) {
        continue;
      }
      const auto words = WordsOf(rule);
      if (!words) {
        return false;
      }
      // Each boost begins with the part of the items that it alone holds for; factor and order are
      // exact.
      boosts_.push_back({rule.value, *words, {.factor = rule.value}});
      words_end_ = std::max(words_end_, words->size());
    }
    only_ = only != nullptr ? WordsOf(*only) : std::nullopt;
    return true;
  }

  BoostParts Run() && {
    parts_.boosted.resize(words_end_);
    for (std::size_t at = 0; at < words_end_; ++at) {
      DivideWord(at);
    }
    for (Boost& boost : boosts_) {
      Keep(std::move(boost.alone));
    }
    for (auto& [key, part] : together_) {
      Keep(std::move(part.part));
    }
    FindPlain();
    ChooseOneByOne();
    // Parts that are lifted most come first: they fill the page, and later searches end the sooner.
    std::sort(parts_.lifted.begin(), parts_.lifted.end(),
              [](const BoostPart& a, const BoostPart& b) { return a.factor > b.factor; });
    return std::move(parts_);
  }

 private:
  struct Boost {
    double value;
    Words words;
    BoostPart alone;  // the items that no other boost holds for
  };
  struct Together {
    BoostPart part;
    std::uint64_t boosts;  // that hold for its first item
  };

  std::uint64_t Wanted(std::size_t at) const { return only_ ? WordAt(*only_, at) : kAll; }

  void DivideWord(std::size_t at) {
    std::uint64_t once = 0;
    std::uint64_t twice = 0;
    std::uint64_t out = 0;
    for (const Boost& boost : boosts_) {
      const std::uint64_t word = WordAt(boost.words, at);
      // `once` still holds the boosts before this one.
      twice |= once & word;
      once |= word;
      out |= boost.value == 0 ? word : 0;
    }
    parts_.boosted[at] = once;
    // An item that a boost of 0 takes out is in no part, however others lift it.
    const std::uint64_t wanted = once & ~out & Wanted(at);
    if (wanted == 0) {
      return;
    }
    for (Boost& boost : boosts_) {
      ForEachBit(WordAt(boost.words, at) & wanted & ~twice,
                 [&](std::size_t bit) { boost.alone.items.push_back(ItemAt(at, bit)); });
    }
    if ((wanted & twice) != 0) {
      DivideTogether(at, wanted & twice);
    }
  }

  // The items that several boosts hold for: by the exponent of their factors and two bits more, so
  // that the factors of a part lie within a quarter of each other.
  void DivideTogether(std::size_t at, std::uint64_t word) {
    constexpr int kBelowKey = 50;
    std::array<double, kWordBits> factors;
    std::array<std::uint64_t, kWordBits> holding{};
    factors.fill(1);
    for (std::size_t b = 0; b < boosts_.size(); ++b) {
      ForEachBit(WordAt(boosts_[b].words, at) & word, [&](std::size_t bit) {
        factors[bit] *= boosts_[b].value;
        holding[bit] |= std::uint64_t{1} << (b % kWordBits);
      });
    }
    ForEachBit(word, [&](std::size_t bit) {
      // Positive float64s compare as their bits do, so the top bits name a range of factors.
      const auto key = std::bit_cast<std::uint64_t>(factors[bit]) >> kBelowKey;
      Together& together = together_.try_emplace(key).first->second;
      if (together.part.items.empty()) {
        together = {{.factor = factors[bit], .keeps_order = boosts_.size() <= kWordBits},
                    holding[bit]};
      }
      together.part.factor = std::max(together.part.factor, factors[bit]);
      // One factor for all of them only while the same boosts hold. Above 64 boosts two may share a
      // bit.
      together.part.keeps_order &= together.boosts == holding[bit];
      together.part.items.push_back(ItemAt(at, bit));
    });
  }

  static std::uint32_t ItemAt(std::size_t at, std::size_t bit) {
    return static_cast<std::uint32_t>(at * kWordBits + bit);
  }

  void Keep(BoostPart part) {
    if (!part.items.empty()) {
      parts_.lifted.push_back(std::move(part));
    }
  }

  std::size_t Few() const { return std::clamp(items_end_ / kFewShare, kFewMin, kFewMax); }

  // The smallest parts, for which a search among all has the most to do.
  void ChooseOneByOne() {
    auto& lifted = parts_.lifted;
    std::sort(lifted.begin(), lifted.end(), [](const BoostPart& a, const BoostPart& b) {
      return a.items.size() < b.items.size();
    });
    std::size_t items = parts_.plain ? parts_.plain->size() : 0;
    for (BoostPart& part : lifted) {
      items += part.items.size();
      // Taken from the smallest on until the sum is reached, which bounds how long the lock is
      // kept.
      part.one_by_one = part.items.size() <= Few() && items <= kOneByOneMax;
    }
  }

  void FindPlain() {
    std::vector<std::uint32_t> plain;
    for (std::size_t at = 0; at * kWordBits < items_end_; ++at) {
      ForEachBit(Wanted(at) & ~WordAt(parts_.boosted, at), [&](std::size_t bit) {
        if (at * kWordBits + bit < items_end_) {
          plain.push_back(ItemAt(at, bit));
        }
      });
      // Too many to score one by one: a search among all will do.
      if (plain.size() > Few()) {
        return;
      }
    }
    if (items_end_ > 0) {
      parts_.plain = std::move(plain);
    }
  }

  std::vector<Boost> boosts_;
  std::size_t words_end_ = 0;
  std::size_t items_end_ = 0;  // 0: not known
  std::optional<Words> only_;
  std::unordered_map<std::uint64_t, Together> together_;
  BoostParts parts_;
};

}  // namespace

std::optional<BoostParts> DivideByBoosts(std::span<const RuleInForce> rules,
                                         const RuleInForce* only) {
  Division division;
  if (!division.Take(rules, only)) {
    return std::nullopt;
  }
  return std::move(division).Run();
}

}  // namespace reco::engine
