// How rows are kept, laid over the disk and evicted. state/frozen_rows.h tells the protocol of the
// generations that marks name.
#include "engine/rows/row_table.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/work.h"
#include "format/keys.h"

namespace reco::engine {
namespace {

// What malloc keeps beside each allocation.
constexpr std::size_t kAllocationBytes = 8;

bool BeforeNewer(const NewerPair& a, std::uint32_t other) {
  return a.other < other;
}

void PutNewer(Row& row, const NewerPair& pair) {
  if (row.newer == nullptr) {
    row.newer = std::make_unique<NewerPairs>();
  }
  std::vector<NewerPair>& pairs = row.newer->pairs;
  const auto at = std::lower_bound(pairs.begin(), pairs.end(), pair.other, BeforeNewer);
  if (at != pairs.end() && at->other == pair.other) {
    // The later checkpoint writes it as well: only then is the disk up to date.
    *at = pair;
  } else {
    pairs.insert(at, pair);
  }
}

const NewerPair* FindNewer(const Row& row, std::uint32_t other) {
  if (row.newer == nullptr) {
    return nullptr;
  }
  const std::vector<NewerPair>& pairs = row.newer->pairs;
  const auto at = std::lower_bound(pairs.begin(), pairs.end(), other, BeforeNewer);
  return at != pairs.end() && at->other == other ? &*at : nullptr;
}

// Returns `stored` with the newer pairs laid over it: they replace, add to or remove from it. Both
// ascend.
std::vector<RowPair> Overlay(std::span<const RowPair> stored, std::span<const NewerPair> newer) {
  std::vector<RowPair> merged;
  merged.reserve(stored.size() + newer.size());
  std::size_t next = 0;
  const auto take = [&] {
    if (!newer[next].removed()) {
      merged.push_back({newer[next].other, newer[next].pair});
    }
    ++next;
  };
  for (const RowPair& pair : stored) {
    while (next < newer.size() && newer[next].other < pair.other) {
      take();
    }
    if (next < newer.size() && newer[next].other == pair.other) {
      take();
    } else {
      merged.push_back(pair);
    }
  }
  while (next < newer.size()) {
    take();
  }
  return merged;
}

store::Family FamilyOf(Side side) {
  return side == Side::kUser ? store::Family::kByUser : store::Family::kByItem;
}

// Appends what follows up to the end of the walk.
Status ReadPairs(store::Iterator& rows, std::vector<RowPair>* out) {
  for (; rows.Valid(); rows.Next()) {
    RECO_ASSIGN_OR_RETURN(const format::Pair pair, format::DecodePair(rows.value()));
    out->push_back({format::TrailingOrdinal(rows.key()), pair});
  }
  return rows.status();
}

Status ReadOneStored(const store::Store& store, const store::Snapshot* snapshot,
                     const RowName& name, std::vector<RowPair>* out) {
  out->clear();
  return ReadPairs(
      *store.Scan(FamilyOf(name.side), format::PairPrefix(name.cid, name.owner), snapshot), out);
}

}  // namespace

std::size_t RowSums::memory_bytes() const {
  return sizeof(RowSums) + kAllocationBytes + changes.capacity() * sizeof(WeightChange) +
         (current != nullptr ? current->memory_bytes() : 0) +
         (successor != nullptr ? successor->memory_bytes() : 0);
}

std::size_t Row::memory_bytes() const {
  return sizeof(Row) + kAllocationBytes + pairs.memory_bytes() +
         (pairs.empty() ? 0 : kAllocationBytes) +
         (newer != nullptr ? sizeof(NewerPairs) + 2 * kAllocationBytes +
                                 newer->pairs.capacity() * sizeof(NewerPair)
                           : 0) +
         (sums != nullptr ? sums->memory_bytes() : 0);
}

RowSums& Row::EnsureSums(std::uint32_t model) {
  DropOldSums(model);
  if (sums == nullptr) {
    sums = std::make_unique<RowSums>();
    sums->model = model;
  }
  return *sums;
}

void Row::DropOldSums(std::uint32_t model) {
  if (sums == nullptr || sums->model == model) {
    return;
  }
  DropSums();
  if (sums != nullptr) {
    sums->model = model;  // being built: the changes are still collected
  }
}

void Row::DropSums() {
  if (!building()) {
    sums.reset();
    return;
  }
  // What the build collects is still asked for at its end.
  sums->current.reset();
  sums->successor.reset();
  sums->age = 0;
  sums->stale = false;
}

RowCopy::RowCopy(const Row& row) : complete(row.complete) {
  row.pairs.AppendTo(&pairs);
  if (row.newer != nullptr) {
    newer = row.newer->pairs;
  }
  CountWork(Work::kPairs, pairs.size() + newer.size());
}

std::size_t LowerBound(std::span<const RowPair> pairs, std::uint32_t other) {
  return static_cast<std::size_t>(
      std::lower_bound(pairs.begin(), pairs.end(), other,
                       [](const RowPair& a, std::uint32_t bound) { return a.other < bound; }) -
      pairs.begin());
}

RowTable::RowTable(CollectionContext& context, std::uint32_t cid, Side side)
    : context_(context), cid_(cid), side_(side) {}

RowTable::~RowTable() {
  // Rows of a deleted collection must not weigh on those that stay.
  context_.row_budget.used_bytes.fetch_sub(rows_bytes_);
}

void RowTable::Account(Row& row) {
  const auto bytes = static_cast<std::uint32_t>(row.memory_bytes());
  const std::int64_t change = std::int64_t{bytes} - row.accounted_bytes;
  row.accounted_bytes = bytes;
  rows_bytes_ += change;
  context_.row_budget.used_bytes.fetch_add(change, std::memory_order_relaxed);
}

Row& RowTable::Ensure(std::uint32_t owner, bool complete) {
  std::unique_ptr<Row>& row = rows_.Make(owner);
  if (row == nullptr) {
    row = std::make_unique<Row>();
    row->complete = complete;
    Account(*row);
  }
  return *row;
}

void RowTable::Release(std::uint32_t owner) {
  const auto bytes = static_cast<std::int64_t>(Find(owner)->accounted_bytes);
  rows_bytes_ -= bytes;
  context_.row_budget.used_bytes.fetch_sub(bytes, std::memory_order_relaxed);
  rows_.Erase(owner);
}

// Takes out of `newer` what the disk has by now; to be called before a change. At most once for
// each generation, and in part too: a row that is never at rest must not collect them.
void RowTable::DropDurable(Row& row) const {
  if (row.newer == nullptr || row.newer->durable == durable_generation_) {
    return;
  }
  if (!IsPinned(row)) {
    row.newer.reset();
    return;
  }
  std::erase_if(row.newer->pairs,
                [this](const NewerPair& pair) { return pair.generation <= durable_generation_; });
  row.newer->durable = durable_generation_;
}

// Leaves to the disk what it has of a row that has grown too long to keep.
void RowTable::MakeIncomplete(Row& row, std::uint32_t generation) const {
  if (IsPinned(row)) {
    // Which of the pairs the disk lacks is not known: laid over it, the others change nothing.
    std::vector<RowPair> pairs;
    row.pairs.AppendTo(&pairs);
    for (const RowPair& pair : pairs) {
      PutNewer(row, {pair.other, generation, pair.pair});
    }
  }
  row.pairs.Clear();
  row.complete = false;
  if (row.sums != nullptr) {
    // It was built up from the list, which goes; the sums themselves stay and are kept up.
    row.sums->successor.reset();
  }
}

Status RowTable::ReadFromDisk(std::uint32_t owner, const Row* row,
                              std::vector<RowPair>* out) const {
  RECO_RETURN_IF_ERROR(context_.storage.Readable());
  RECO_RETURN_IF_ERROR(ReadOneStored(*context_.storage.store, nullptr, {cid_, side_, owner}, out));
  // Newer pairs that are durable by now say what the disk says, so the result is the same.
  if (row != nullptr && row->newer != nullptr) {
    *out = Overlay(*out, row->newer->pairs);
  }
  return Status::Ok();
}

Status RowTable::ReadSnapshot(const store::Store& store, const store::Snapshot* snapshot,
                              const RowName& name, const RowCopy& copy, std::vector<RowPair>* out) {
  if (copy.complete) {
    *out = copy.pairs;
    return Status::Ok();
  }
  RECO_RETURN_IF_ERROR(ReadOneStored(store, snapshot, name, out));
  *out = Overlay(*out, copy.newer);
  return Status::Ok();
}

bool RowTable::LoadFromMemory(std::uint32_t owner, std::uint32_t pairs) {
  const Row* row = Find(owner);
  if (row == nullptr && pairs == 0) {
    // Without stored pairs there is nothing to read: the row of a new owner is complete as it is.
    Ensure(owner, true);
    return true;
  }
  if (row == nullptr || !row->complete) {
    return false;
  }
  row->used.store(true, std::memory_order_relaxed);
  return true;
}

Status RowTable::Load(std::uint32_t owner, std::uint32_t pairs) {
  if (LoadFromMemory(owner, pairs)) {
    context_.row_budget.hits.fetch_add(1, std::memory_order_relaxed);
    return Status::Ok();
  }
  RECO_RETURN_IF_ERROR(context_.storage.Readable());
  thread_local std::vector<RowPair> stored;
  RECO_RETURN_IF_ERROR(
      ReadOneStored(*context_.storage.store, nullptr, {cid_, side_, owner}, &stored));
  Complete(owner, stored);
  return Status::Ok();
}

void RowTable::Complete(std::uint32_t owner, std::span<const RowPair> stored) {
  Row& row = Ensure(owner, false);
  if (row.complete) {
    return;
  }
  context_.row_budget.misses.fetch_add(1, std::memory_order_relaxed);
  // Its generation stays: what is new of it still has to be written.
  if (row.newer != nullptr) {
    row.pairs.Assign(Overlay(stored, row.newer->pairs));
    std::erase_if(row.newer->pairs, [](const NewerPair& pair) { return !pair.removed(); });
  } else {
    row.pairs.Assign(stored);
  }
  row.complete = true;
  row.used.store(true, std::memory_order_relaxed);
  Account(row);
}

Status RowTable::ReadStored(const store::Store& store, std::uint32_t cid, Side side,
                            std::span<StoredRow> rows) {
  if (rows.empty()) {
    return Status::Ok();
  }
  const auto walk = store.ScanRows(FamilyOf(side));
  for (StoredRow& row : rows) {
    row.pairs.clear();
    walk->Seek(format::PairPrefix(cid, row.owner));
    RECO_RETURN_IF_ERROR(ReadPairs(*walk, &row.pairs));
  }
  return Status::Ok();
}

Result<std::span<const RowPair>> RowTable::Read(std::uint32_t owner,
                                                std::vector<RowPair>* scratch) const {
  const Row* row = Find(owner);
  if (row != nullptr && row->complete) {
    context_.row_budget.hits.fetch_add(1, std::memory_order_relaxed);
    row->used.store(true, std::memory_order_relaxed);
    scratch->clear();
    row->pairs.AppendTo(scratch);
    return std::span<const RowPair>(*scratch);
  }
  context_.row_budget.misses.fetch_add(1, std::memory_order_relaxed);
  RECO_RETURN_IF_ERROR(ReadFromDisk(owner, row, scratch));
  return std::span<const RowPair>(*scratch);
}

Knowledge RowTable::Lookup(std::uint32_t owner, std::uint32_t other, format::Pair* pair) const {
  const Row* row = Find(owner);
  if (row == nullptr) {
    return Knowledge::kUnknown;
  }
  // A complete row knows its absent pairs, an incomplete one only those it has removed.
  if (row->complete) {
    const std::optional<format::Pair> found = row->pairs.Find(other);
    *pair = found.value_or(*pair);
    return found ? Knowledge::kPresent : Knowledge::kAbsent;
  }
  const NewerPair* newer = FindNewer(*row, other);
  if (newer == nullptr) {
    return Knowledge::kUnknown;
  }
  *pair = newer->pair;
  return newer->removed() ? Knowledge::kAbsent : Knowledge::kPresent;
}

void RowTable::Put(std::uint32_t owner, std::uint32_t other, const format::Pair& pair,
                   std::uint32_t generation, bool fresh) {
  RECO_DCHECK(generation > durable_generation_, "I7");
  Row& row = Ensure(owner, fresh);
  DropDurable(row);
  if (row.complete && row.pairs.size() > kInlinePairsMax) {
    MakeIncomplete(row, generation);
  }
  if (row.complete) {
    row.pairs.Put(other, pair);
  } else {
    PutNewer(row, {other, generation, pair});
  }
  row.newest_dirty = generation;
  row.used.store(true, std::memory_order_relaxed);
  Account(row);
}

void RowTable::Erase(std::uint32_t owner, std::uint32_t other, std::uint32_t generation) {
  RECO_DCHECK(generation > durable_generation_, "I7");
  Row& row = Ensure(owner, false);
  DropDurable(row);
  if (row.complete) {
    row.pairs.Erase(other);
  }
  // Even when no pair is here: it says that the pair on disk is gone.
  PutNewer(row, {other, generation, format::Pair{}});
  row.newest_dirty = generation;
  Account(row);
}

void RowTable::EraseAll(std::uint32_t owner, std::uint32_t generation) {
  RECO_DCHECK(generation > durable_generation_, "I7");
  Row& row = Ensure(owner, true);
  row.pairs.Clear();
  row.newer.reset();
  row.complete = true;
  row.newest_dirty = generation;
  Account(row);
}

void RowTable::set_durable_generation(std::uint32_t generation) {
  RECO_DCHECK(generation >= durable_generation_, "I7");
  durable_generation_ = generation;
}

void RowTable::Evict(std::size_t steps) {
  // Not further than once round: a row that was used since the last look stays.
  const std::size_t looks = std::min<std::size_t>(steps, rows_.end());
  for (std::size_t i = 0; i < looks && context_.row_budget.over(); ++i) {
    CountWork(Work::kEntries, 1);
    // The clock's second chance: a read or write since the last look sets `used` again.
    clock_hand_ = (clock_hand_ + 1) % rows_.end();
    Row* row = Find(clock_hand_);
    if (row != nullptr && !row->used.exchange(false, std::memory_order_relaxed) &&
        Forget(clock_hand_)) {
      context_.row_budget.evictions.fetch_add(1, std::memory_order_relaxed);
    }
  }
}

bool RowTable::Forget(std::uint32_t owner) {
  const Row* row = Find(owner);
  if (row == nullptr) {
    return true;
  }
  // I7; and a row that is being built collects changes that exist nowhere else
  // (RunningSums::TakeOver).
  if (IsPinned(*row) || row->building()) {
    return false;
  }
  Release(owner);
  return true;
}

}  // namespace reco::engine
