#include "tools/admin/import_history.h"

#include <bit>
#include <charconv>
#include <iterator>

namespace reco::admin {
namespace {

constexpr std::string_view kVersion = "2";
constexpr std::uint64_t kEvent = 1;
constexpr std::uint64_t kOtherText = 2;

// The finalizer of SplitMix64 (Steele, Lea, Flood 2014).
std::uint64_t Mixed(std::uint64_t z) {
  z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9U;
  z = (z ^ (z >> 27U)) * 0x94d049bb133111ebU;
  return z ^ (z >> 31U);
}

// Folds in a text with its length, so that no two lists of texts read the same.
std::uint64_t WithText(std::uint64_t hash, std::string_view text) {
  hash = Mixed(hash ^ text.size());
  while (text.size() >= sizeof(std::uint64_t)) {
    std::uint64_t word = 0;
    text.copy(reinterpret_cast<char*>(&word), sizeof(word));
    hash = Mixed(hash ^ word) + word;
    text.remove_prefix(sizeof(word));
  }
  std::uint64_t rest = 0;
  text.copy(reinterpret_cast<char*>(&rest), text.size());
  return Mixed(hash ^ rest);
}

// Takes the word in front of the next blank.
std::string_view TakeWord(std::string_view* text, char end = ' ') {
  const std::size_t at = text->find(end);
  const std::string_view word = text->substr(0, at);
  text->remove_prefix(at == std::string_view::npos ? text->size() : at + 1);
  return word;
}

bool ReadNumber(std::string_view word, int base, std::uint64_t* value) {
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), *value, base);
  return error == std::errc() && end == word.data() + word.size();
}

}  // namespace

std::string Hex(std::uint64_t value) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text(16, '0');
  for (std::size_t i = text.size(); i-- > 0; value >>= 4U) {
    text[i] = kDigits[value & 0xfU];
  }
  return text;
}

std::uint64_t Checksum(const MappedEvent& event) {
  std::uint64_t hash = kEvent;
  for (const std::string_view part : {event.user, event.item, event.weight, event.type}) {
    hash = WithText(hash, part);
  }
  hash = Mixed(hash ^ (event.time_ms ? 1U : 0U) ^ (event.is_skipped ? 2U : 0U));
  return Mixed(hash ^ static_cast<std::uint64_t>(event.time_ms.value_or(0)));
}

std::uint64_t Checksum(std::string_view text) {
  return WithText(kOtherText, text);
}

std::uint64_t Chained(std::uint64_t chain, std::uint64_t checksum) {
  return Mixed(chain + checksum) ^ (chain << 1U | chain >> 63U);
}

void Chain::Add(std::uint64_t checksum) {
  ++records_;
  value_ = Chained(value_, checksum);
  if (std::has_single_bit(records_)) {
    milestones_.push_back(value_);
  }
}

void Sketch::Add(std::uint64_t checksum) {
  if (smallest_.size() == kSketchSize && checksum >= *smallest_.rbegin()) {
    return;
  }
  smallest_.insert(checksum);
  if (smallest_.size() > kSketchSize) {
    smallest_.erase(std::prev(smallest_.end()));
  }
}

std::string Encode(const PastImport& import) {
  std::string text(kVersion);
  text += ' ' + import.run + ' ' + std::to_string(import.records) + ' ' +
          std::to_string(import.lost) + ' ' + Hex(import.chain) +
          (import.is_done ? " done " : " open ");
  for (const std::uint64_t chain : import.milestones) {
    text += Hex(chain) + ',';
  }
  text += ' ';
  for (const std::uint64_t checksum : import.sketch.smallest()) {
    text += Hex(checksum) + ',';
  }
  // Last, since it may hold anything.
  return text + ' ' + import.name;
}

Result<PastImport> Decode(const std::string& text) {
  std::string_view rest = text;
  PastImport import;
  const bool known = TakeWord(&rest) == kVersion;
  import.run = TakeWord(&rest);
  const bool numbers = ReadNumber(TakeWord(&rest), 10, &import.records) &&
                       ReadNumber(TakeWord(&rest), 10, &import.lost) &&
                       ReadNumber(TakeWord(&rest), 16, &import.chain);
  const std::string_view state = TakeWord(&rest);
  import.is_done = state == "done";
  const auto read_list = [&rest](const auto& take) {
    std::string_view list = TakeWord(&rest);
    bool good = true;
    while (good && !list.empty()) {
      std::uint64_t value = 0;
      good = ReadNumber(TakeWord(&list, ','), 16, &value);
      take(value);
    }
    return good;
  };
  const bool lists = read_list([&](std::uint64_t chain) { import.milestones.push_back(chain); }) &&
                     read_list([&](std::uint64_t checksum) { import.sketch.Add(checksum); });
  import.name = rest;
  if (!known || import.run.empty() || !numbers || !lists || (!import.is_done && state != "open")) {
    return Status::InvalidArgument("the key that holds the progress has an unknown value: " +
                                   Quoted(text));
  }
  return import;
}

Comparer::Comparer(const PastImport& past)
    : past_(past), begins_with_it_(past.records == 0), missing_(past.sketch.smallest()) {}

void Comparer::Add(std::uint64_t checksum) {
  chain_.Add(checksum);
  if (chain_.records() == past_.records) {
    begins_with_it_ = chain_.value() == past_.chain;
  }
  missing_.erase(checksum);
}

Comparison Comparer::Outcome() const {
  if (begins_with_it_) {
    return {true, false};
  }
  const std::size_t all = past_.sketch.smallest().size();
  const std::size_t shared = all - missing_.size();
  const std::size_t last = chain_.milestones().size();
  const bool is_cut_off = !has_enough() && last > 0 && last <= past_.milestones.size() &&
                          chain_.milestones()[last - 1] == past_.milestones[last - 1];
  return {false, is_cut_off || (shared > 0 && 2 * shared >= all)};
}

}  // namespace reco::admin
