// PlaceInList: where one item stands in the list that MakeItemList would make of all items, counted
// without making the list. Knows no collection.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/function_ref.h"
#include "engine/lists/item_list.h"

namespace reco::engine {

// Refers to rules and `before`, which must outlive it. Confined.
class PlaceInList {
 public:
  using Before = FunctionRef<bool(std::uint32_t a, std::uint32_t b)>;

  // Begins with the item that is asked for, which is accepted and which no rule takes out. Rules
  // and `before` as in ItemListRequest; `before` is kept.
  PlaceInList(std::span<const RuleInForce> rules, Before before, std::uint32_t item, double score);

  // Returns true iff an item of this score changes the place when it is accepted. False for most at
  // little cost, so that these need not be asked whether they are.
  bool Concerns(std::uint32_t item, double score) const;
  // Counts an accepted item. To be called once for each that Concerns holds for, in any order.
  void Count(std::uint32_t item, double score);

  // The place among what was counted, from 1.
  std::size_t rank() const;
  // The score under the boosts.
  double score() const { return own_.score; }

 private:
  struct Entry {
    std::uint32_t item = 0;
    double score = 0;  // boosted
    bool buried = false;
  };
  // The best items that a pin holds for, as many as there are pins: the ones before it may take all
  // but one of them.
  struct Pin {
    const RuleInForce* rule;
    std::vector<Entry> best;
  };
  struct Pinned {
    Entry entry;
    std::size_t place;
  };

  Entry EntryOf(std::uint32_t item, double score) const;
  bool Better(const Entry& a, const Entry& b) const;
  bool Above(const Entry& a, const Entry& b) const;
  void OfferToPins(const Entry& entry);
  std::vector<Pinned> ChoosePins() const;

  const std::span<const RuleInForce> rules_;
  const Before before_;
  const bool buries_;
  std::vector<Pin> pins_;
  Entry own_;
  std::size_t counted_ = 1;  // the item itself
  std::size_t above_ = 0;    // before pins are placed
};

}  // namespace reco::engine
