// Counts how many stand above, without pins; then plays the pins through on that number.
#include "engine/lists/place_in_list.h"

#include <algorithm>

namespace reco::engine {

PlaceInList::PlaceInList(std::span<const RuleInForce> rules, Before before, std::uint32_t item,
                         double score)
    : rules_(rules),
      before_(before),
      buries_(std::any_of(rules.begin(), rules.end(), [](const RuleInForce& rule) {
        return rule.action == Rule::Action::kBury;
      })) {
  for (const RuleInForce& rule : rules) {
    if (rule.action == Rule::Action::kPin) {
      pins_.push_back({&rule, {}});
    }
  }
  own_ = EntryOf(item, score);
  OfferToPins(own_);
}

PlaceInList::Entry PlaceInList::EntryOf(std::uint32_t item, double score) const {
  const bool buried =
      buries_ && std::any_of(rules_.begin(), rules_.end(), [item](const RuleInForce& rule) {
        return rule.action == Rule::Action::kBury && rule.holds_for(item);
      });
  return {item, Boost(rules_, item, score).score, buried};
}

bool PlaceInList::Better(const Entry& a, const Entry& b) const {
  return a.score != b.score ? a.score > b.score : before_(a.item, b.item);
}

// Returns true iff `a` stands above `b`. Buried items come behind all others, but for pins they are
// like the others.
bool PlaceInList::Above(const Entry& a, const Entry& b) const {
  return a.buried != b.buried ? b.buried : Better(a, b);
}

bool PlaceInList::Concerns(std::uint32_t item, double score) const {
  // Any item counts when there are pins: one that stands below may be pinned above.
  return !Boost(rules_, item, 0).taken_out && (!pins_.empty() || Above(EntryOf(item, score), own_));
}

void PlaceInList::Count(std::uint32_t item, double score) {
  const Entry entry = EntryOf(item, score);
  ++counted_;
  above_ += Above(entry, own_) ? 1 : 0;
  OfferToPins(entry);
}

void PlaceInList::OfferToPins(const Entry& entry) {
  for (Pin& pin : pins_) {
    // The filter is asked last, and of the few that are good enough.
    const bool full = pin.best.size() == pins_.size();
    if ((full && !Better(entry, pin.best.back())) || !pin.rule->holds_for(entry.item)) {
      continue;
    }
    const auto place = std::find_if(pin.best.begin(), pin.best.end(),
                                    [&](const Entry& other) { return Better(entry, other); });
    pin.best.insert(place, entry);
    pin.best.resize(std::min(pin.best.size(), pins_.size()));
  }
}

// Returns the item that each pin takes, in the order of the rules: the best that it holds for and
// that no pin before has taken, with its place.
std::vector<PlaceInList::Pinned> PlaceInList::ChoosePins() const {
  std::vector<Pinned> chosen;
  for (const Pin& pin : pins_) {
    const auto best = std::find_if(pin.best.begin(), pin.best.end(), [&](const Entry& entry) {
      return std::none_of(chosen.begin(), chosen.end(),
                          [&](const Pinned& pinned) { return pinned.entry.item == entry.item; });
    });
    if (best != pin.best.end()) {
      chosen.push_back({*best, static_cast<std::size_t>(pin.rule->value) - 1});
    }
  }
  return chosen;
}

std::size_t PlaceInList::rank() const {
  const std::vector<Pinned> pinned = ChoosePins();
  // The item's place among those that are not pinned; not placed yet when it is pinned itself.
  bool placed = true;
  std::size_t place = above_;
  for (const Pinned& pin : pinned) {
    placed = placed && pin.entry.item != own_.item;
    // Pinned items leave the places that they had.
    place -= Above(pin.entry, own_) ? 1 : 0;
  }
  std::size_t size = counted_ - pinned.size();
  for (const Pinned& pin : pinned) {
    const std::size_t at = std::min(pin.place, size);
    if (pin.entry.item == own_.item) {
      placed = true;
      place = at;
      // Follows the insertions of MakeItemList: a pin that comes in at or above moves the item down
      // by one.
    } else if (placed && at <= place) {
      ++place;
    }
    ++size;
  }
  return place + 1;
}

}  // namespace reco::engine
