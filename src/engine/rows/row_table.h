// RowTable: the write-back cache of one side's rows. A row is an owner's known pairs; rows not in
// memory are read from `by_user` or `by_item`; what changed since the last checkpoint is pinned
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

#include "base/sparse_table.h"
#include "engine/rows/packed_pairs.h"
#include "engine/rows/storage.h"
#include "format/records.h"
#include "model/fold_in.h"

namespace reco::engine {

// A pair of an incomplete row that is newer than the disk.
struct NewerPair {
  std::uint32_t other = 0;
  std::uint32_t generation = 0;  // the checkpoint that will write it
  format::Pair pair;             // no events: it was removed

  bool removed() const { return pair.count == 0; }
};

struct NewerPairs {
  std::vector<NewerPair> pairs;  // by other
  std::uint32_t durable = 0;     // those up to this generation were taken out
};

// A pair of the row that changed while its running sums were being built in the background.
struct WeightChange {
  std::uint32_t other = 0;
  float old_weight = 0;
  float new_weight = 0;
};

// What a long row keeps in order not to be read with each write (running_sums.h).
struct RowSums {
  std::uint32_t model = 0;  // the training whose vectors they are over
  std::unique_ptr<model::Information> current;
  std::unique_ptr<model::Information> successor;  // being built up to replace them
  std::uint32_t successor_end = 0;                // pairs with an other below are in `successor`
  std::uint32_t age = 0;                          // events in `current` since it was begun
  bool stale = false;                             // they wait for a background rebuild
  bool building = false;
  bool given_up = false;              // while `building`: its outcome means nothing
  std::vector<WeightChange> changes;  // while `building`

  std::size_t memory_bytes() const;
};

// When `complete`, `pairs` holds every pair of the owner, and `newer` those removed that the disk
// may have still; otherwise `pairs` is empty, and `newer` is to be laid over the disk.
struct Row {
  PackedPairs pairs;
  std::unique_ptr<NewerPairs> newer;  // null when there are none
  std::unique_ptr<RowSums> sums;
  std::uint32_t newest_dirty = 0;     // the last checkpoint that has something to write of it
  std::uint32_t accounted_bytes = 0;  // what the budget knows of
  bool complete = false;
  mutable std::atomic<bool> used = true;  // second chance of the eviction clock; a hint

  std::size_t memory_bytes() const;
  bool building() const { return sums != nullptr && sums->building; }
  // Returns the running sums over the vectors of a model; null when there are none.
  const model::Information* information(std::uint32_t model) const {
    return sums != nullptr && sums->model == model ? sums->current.get() : nullptr;
  }
  RowSums& EnsureSums(std::uint32_t model);
  // Drops those that are of another model.
  void DropOldSums(std::uint32_t model);
  void DropSums();
};

// A row, or when `complete` is false the part of it that is newer than the disk.
struct RowCopy {
  explicit RowCopy(const Row& row);
  RowCopy() = default;

  std::vector<RowPair> pairs;    // when complete
  std::vector<NewerPair> newer;  // otherwise
  bool complete = false;
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
  // Rows up to this length are read from disk within a write, about 0.3 us a pair, and kept whole.
  // Longer rows keep only their running sums and changed pairs in memory.
  static constexpr std::uint32_t kInlinePairsMax = 2'048;

  RowTable(CollectionContext& context, std::uint32_t cid, Side side);
  ~RowTable();
  RowTable(const RowTable&) = delete;
  RowTable& operator=(const RowTable&) = delete;

  // Returns null when nothing of the row is in memory. Valid until Evict or Forget.
  Row* Find(std::uint32_t owner) { return rows_[owner].get(); }
  const Row* Find(std::uint32_t owner) const { return rows_[owner].get(); }

  // Returns the row, made when nothing of it is in memory; `complete`: its owner has no stored
  // pair.
  Row& Ensure(std::uint32_t owner, bool complete);

  // Ask the processor for a row and the way to it, in this order; hints.
  void PrefetchPage(std::uint32_t owner) const { rows_.PrefetchPage(owner); }
  void PrefetchSlot(std::uint32_t owner) const { rows_.PrefetchValue(owner); }
  void PrefetchRow(std::uint32_t owner) const { __builtin_prefetch(Find(owner)); }

  // Makes the row complete in memory when it is not yet; `pairs` is its stored length.
  Status Load(std::uint32_t owner, std::uint32_t pairs);
  // The same without a read: returns false, and changes nothing, when one is needed.
  bool LoadFromMemory(std::uint32_t owner, std::uint32_t pairs);
  // Makes the row complete by what was read of it, unless it is; `stored` is what the disk holds,
  // or held at the checkpoint that is durable now.
  void Complete(std::uint32_t owner, std::span<const RowPair> stored);
  struct StoredRow {
    std::uint32_t owner = 0;
    std::vector<RowPair> pairs;
  };
  // Reads many rows, distinct and ascending by owner, in one pass over the disk. Needs no lock.
  static Status ReadStored(const store::Store& store, std::uint32_t cid, Side side,
                           std::span<StoredRow> rows);
  // Returns the row as it is now, in `scratch`.
  Result<std::span<const RowPair>> Read(std::uint32_t owner, std::vector<RowPair>* scratch) const;
  // Reads the row as of `snapshot`, with `copy` laid over it; of a complete copy there is nothing
  // to read. Needs no lock.
  static Status ReadSnapshot(const store::Store& store, const store::Snapshot* snapshot,
                             const RowName& name, const RowCopy& copy, std::vector<RowPair>* out);
  // Returns what is known of one pair without reading the disk; sets `pair` when it is present.
  Knowledge Lookup(std::uint32_t owner, std::uint32_t other, format::Pair* pair) const;

  // Change one pair and mark it for the checkpoint `generation`; they read no disk and cannot fail
  // (I5). `fresh`: the owner has no stored pair at all, so the row is complete from the start.
  void Put(std::uint32_t owner, std::uint32_t other, const format::Pair& pair,
           std::uint32_t generation, bool fresh);
  void Erase(std::uint32_t owner, std::uint32_t other, std::uint32_t generation);
  // Erases all pairs of a row, to which none will be added again: it is complete, and empty.
  void EraseAll(std::uint32_t owner, std::uint32_t generation);

  // Says that what was marked up to this generation is on disk; rows notice it later.
  void set_durable_generation(std::uint32_t generation);
  std::uint32_t durable_generation() const { return durable_generation_; }
  // Accounts for a change of the row's size made outside (running sums).
  void Account(Row& row);
  // Drops unpinned rows until the budget holds, looking at most at `steps` owners.
  void Evict(std::size_t steps);
  // Drops what is in memory of a row that nobody will ask for again. Returns false, and drops
  // nothing, while it is pinned or being built.
  bool Forget(std::uint32_t owner);

  // Rows, with their headers and slack, and the way to them.
  std::uint64_t memory_bytes() const {
    return static_cast<std::uint64_t>(rows_bytes_) + rows_.memory_bytes();
  }

 private:
  bool IsPinned(const Row& row) const { return row.newest_dirty > durable_generation_; }
  void Release(std::uint32_t owner);
  void DropDurable(Row& row) const;
  void MakeIncomplete(Row& row, std::uint32_t generation) const;
  Status ReadFromDisk(std::uint32_t owner, const Row* row, std::vector<RowPair>* out) const;

  CollectionContext& context_;
  std::uint32_t cid_;
  Side side_;
  std::uint32_t durable_generation_ = 0;
  SparseTable<std::unique_ptr<Row>> rows_;
  std::int64_t rows_bytes_ = 0;  // of them the budget knows
  std::uint32_t clock_hand_ = 0;
};

// Returns the position of `other` in a row ordered by it; when absent, that of the next, or
// pairs.size().
std::size_t LowerBound(std::span<const RowPair> pairs, std::uint32_t other);

}  // namespace reco::engine
