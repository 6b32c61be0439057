// IndexRebuild: builds a successor of a live index over the same table, in steps short enough to
// be taken under a shared lock, and swaps nothing itself.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "index/item_index.h"

namespace reco::index {

// The caller's lock guards the live index and its table: [exclusive] needs the index to itself,
// [shared] needs that nobody changes it, [none] touches neither. In this order:
//
//   IndexRebuild rebuild(&live);                               [exclusive] O(1)
//   while (rebuild.Collect(live) == Progress::kMore) {}        [shared]    each about 50 us
//   rebuild.Order();                                           [none]      O(n log n)
//   while (rebuild.Code(live) == Progress::kMore) {}           [shared]    each about 50 us
//   std::unique_ptr<ItemIndex> fresh = rebuild.Finish(live);   [exclusive] about 50 us
//
// and then `fresh` takes the place of `live`. From the constructor on the live index records what
// it is told of; the successor knows all of it after Finish. Giving up is dropping the object.
//
// Confined.
class IndexRebuild {
 public:
  enum class Progress : std::uint8_t {
    kMore,
    kDone,
    kStale,  // the live index was built anew or is another one: give up
  };

  explicit IndexRebuild(ItemIndex* live);

  // The version of the live index at the beginning.
  std::uint64_t version() const { return version_; }
  Progress Collect(const ItemIndex& live);
  void Order();
  Progress Code(const ItemIndex& live);
  // Returns the successor. nullptr: stale, or there have been too many changes since Code() to
  // apply them at once; call Code() again.
  std::unique_ptr<ItemIndex> Finish(const ItemIndex& live);

 private:
  void Apply(const ItemIndex& live, std::size_t count);

  const std::uint64_t version_;
  const std::size_t ordinals_;                           // of the live index at the beginning
  std::shared_ptr<std::vector<std::uint32_t>> changes_;  // written by the live index
  std::unique_ptr<ItemIndex> fresh_;
  std::vector<std::pair<float, std::uint32_t>> order_;  // -norm, ordinal
  std::size_t next_ = 0;                                // ordinal to collect, then row to code
};

}  // namespace reco::index
