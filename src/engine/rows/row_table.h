// RowTable: the write-back cache of one side's rows. A row is an owner's known pairs; rows not in
// memory are read from `by_user` or `by_item`, rows changed since the last checkpoint are pinned
// (I7), so a checkpoint writes pairs whole and nothing on disk is merged (D3). See
// doc/engine/rows.md.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "reco/result.h"

#include "engine/rows/storage.h"
#include "format/records.h"
#include "model/fold_in.h"

namespace reco::engine {

struct RowPair {
  std::uint32_t other = 0;
  format::Pair pair;
};

// A pair that is newer in memory than on disk, and the checkpoint generation that will write it.
struct DirtyMark {
  std::uint32_t other = 0;
  std::uint32_t generation = 0;
};

// A pair of the row that changed while its running sums were being built in the background.
struct WeightChange {
  std::uint32_t other = 0;
  float old_weight = 0;
  float new_weight = 0;
};

// When `complete`, `pairs` holds every pair of the owner; otherwise only those with a dirty mark,
// laid over what is on disk. A mark without a pair says that the pair was removed.
struct Row {
  std::vector<RowPair> pairs;                       // by other
  std::vector<DirtyMark> dirty;                     // by other
  std::unique_ptr<model::Information> information;  // running sums of a long row
  std::unique_ptr<model::Information> successor;    // sums that are being built up to replace them
  std::uint32_t successor_end = 0;                  // pairs with an other below are in `successor`
  std::uint32_t sums_age = 0;                       // events in `information` since it was begun
  bool sums_stale = false;                          // they wait for a background rebuild
  std::vector<WeightChange> changes;                // while `building`
  std::uint32_t newest_dirty = 0;                   // highest generation in `dirty`
  std::size_t accounted_bytes = 0;                  // what the budget knows of
  bool complete = false;
  bool building = false;
  mutable std::atomic<bool> used = true;  // second chance of the eviction clock; a hint

  std::size_t memory_bytes() const;
  void DropSums();
};

// The part of a row that is newer than the disk.
struct RowCopy {
  std::vector<RowPair> pairs;
  std::vector<DirtyMark> dirty;
};

// Names one row of one collection.
struct RowName {
  std::uint32_t cid = 0;
  Side side = Side::kUser;
  std::uint32_t owner = 0;
};

// The knowledge of one pair that takes no read of the disk.
enum class Knowledge : std::uint8_t { kPresent, kAbsent, kUnknown };

// Thread-compatible; Read and Lookup may run concurrently. Refers to its context for as long as it
// lives.
class RowTable {
 public:
  // Rows up to this length are read from disk within a write: about 0.3 us a pair.
  static constexpr std::uint32_t kInlinePairsMax = 2'048;
  // Longer rows keep only their running sums and changed pairs in memory.
  static constexpr std::uint32_t kResidentPairsMax = 65'536;

  RowTable(CollectionContext& context, std::uint32_t cid, Side side);
  ~RowTable();
  RowTable(const RowTable&) = delete;
  RowTable& operator=(const RowTable&) = delete;

  void Grow(std::uint32_t owners);
  // Returns null when nothing of the row is in memory. Valid until Evict.
  Row* Find(std::uint32_t owner) { return owner < rows_.size() ? rows_[owner].get() : nullptr; }
  const Row* Find(std::uint32_t owner) const {
    return owner < rows_.size() ? rows_[owner].get() : nullptr;
  }

  // Makes the row complete in memory when it is not yet; `pairs` is its stored length.
  Status Load(std::uint32_t owner, std::uint32_t pairs);
  // Returns the row as it is now: a view of the cached row, or of `scratch` when it had to be read.
  Result<std::span<const RowPair>> Read(std::uint32_t owner, std::vector<RowPair>* scratch) const;
  // Reads the row as of `snapshot`, with `newer` laid over it. Needs no lock.
  static Status ReadSnapshot(const store::Store& store, const store::Snapshot& snapshot,
                             const RowName& name, const RowCopy& newer, std::vector<RowPair>* out);
  // Returns what is known of one pair without reading the disk; sets `pair` when it is present.
  Knowledge Lookup(std::uint32_t owner, std::uint32_t other, format::Pair* pair) const;

  // Change one pair and mark it for the checkpoint `generation`; they read no disk and cannot fail
  // (I5). `fresh`: the owner has no stored pair at all, so the row is complete from the start.
  void Put(std::uint32_t owner, std::uint32_t other, const format::Pair& pair,
           std::uint32_t generation, bool fresh);
  void Erase(std::uint32_t owner, std::uint32_t other, std::uint32_t generation);

  // Says that marks up to this generation are on disk; they are dropped lazily.
  void set_durable_generation(std::uint32_t generation);
  // Accounts for a change of the row's size made outside (running sums).
  void Account(Row& row);
  // Drops unpinned rows until the budget holds, looking at most at `steps` owners.
  void Evict(std::size_t steps);

  std::uint64_t memory_bytes() const { return static_cast<std::uint64_t>(memory_bytes_); }

 private:
  Row& Ensure(std::uint32_t owner, bool complete);
  void DropDurableMarks(Row& row) const;
  Status ReadFromDisk(std::uint32_t owner, const Row* overlay, std::vector<RowPair>* out) const;

  CollectionContext& context_;
  std::uint32_t cid_;
  Side side_;
  std::uint32_t durable_generation_ = 0;
  std::vector<std::unique_ptr<Row>> rows_;
  std::int64_t memory_bytes_ = 0;
  std::size_t clock_hand_ = 0;
};

// Returns the position of `other` in a row ordered by it; when absent, that of the next, or
// pairs.size().
std::size_t LowerBound(std::span<const RowPair> pairs, std::uint32_t other);
// Returns null when absent.
const format::Pair* FindPair(std::span<const RowPair> pairs, std::uint32_t other);

}  // namespace reco::engine
