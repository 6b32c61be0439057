// How rows are kept, laid over the disk and evicted. state/frozen_rows.h tells the protocol of the
// generations that marks name.
#include "engine/rows/row_table.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "format/keys.h"

namespace reco::engine {
namespace {

bool BeforePair(const RowPair& a, std::uint32_t other) {
  return a.other < other;
}
bool BeforeMark(const DirtyMark& a, std::uint32_t other) {
  return a.other < other;
}

// Notes that a pair differs from the disk until `generation` is durable.
void Mark(Row& row, std::uint32_t other, std::uint32_t generation) {
  row.newest_dirty = std::max(row.newest_dirty, generation);
  const auto at = std::lower_bound(row.dirty.begin(), row.dirty.end(), other, BeforeMark);
  if (at != row.dirty.end() && at->other == other) {
    // The later checkpoint writes it as well: only then is the disk up to date.
    at->generation = generation;
  } else {
    row.dirty.insert(at, DirtyMark{other, generation});
  }
}

bool IsMarked(std::span<const DirtyMark> marks, std::uint32_t other) {
  const auto at = std::lower_bound(marks.begin(), marks.end(), other, BeforeMark);
  return at != marks.end() && at->other == other;
}

bool AllDurable(std::span<const DirtyMark> marks, std::uint32_t durable_generation) {
  return std::ranges::all_of(
      marks, [=](const DirtyMark& mark) { return mark.generation <= durable_generation; });
}

// Returns `stored` with the newer pairs laid over it: marked pairs replace, add to or remove from
// it. All three ascend.
std::vector<RowPair> Overlay(std::span<const RowPair> stored, std::span<const RowPair> newer,
                             std::span<const DirtyMark> marks) {
  std::vector<RowPair> merged;
  merged.reserve(stored.size() + newer.size());
  std::size_t next = 0;
  for (const RowPair& pair : stored) {
    while (next < newer.size() && newer[next].other < pair.other) {
      merged.push_back(newer[next++]);
    }
    if (next < newer.size() && newer[next].other == pair.other) {
      merged.push_back(newer[next++]);
      // Marked, but not among the newer pairs: it was removed.
    } else if (!IsMarked(marks, pair.other)) {
      merged.push_back(pair);
    }
  }
  merged.insert(merged.end(), newer.begin() + static_cast<std::ptrdiff_t>(next), newer.end());
  return merged;
}

Status ReadStored(const store::Store& store, const store::Snapshot* snapshot, const RowName& name,
                  std::vector<RowPair>* out) {
  const auto family = name.side == Side::kUser ? store::Family::kByUser : store::Family::kByItem;
  out->clear();
  const auto rows = store.Scan(family, format::PairPrefix(name.cid, name.owner), snapshot);
  for (; rows->Valid(); rows->Next()) {
    RECO_ASSIGN_OR_RETURN(const format::Pair pair, format::DecodePair(rows->value()));
    out->push_back({format::TrailingOrdinal(rows->key()), pair});
  }
  return rows->status();
}

}  // namespace

std::size_t Row::memory_bytes() const {
  return sizeof(Row) + pairs.capacity() * sizeof(RowPair) + dirty.capacity() * sizeof(DirtyMark) +
         changes.capacity() * sizeof(WeightChange) +
         (information != nullptr ? information->memory_bytes() : 0) +
         (successor != nullptr ? successor->memory_bytes() : 0);
}

void Row::DropSums() {
  information.reset();
  successor.reset();
  sums_age = 0;
  sums_stale = false;
}

std::size_t LowerBound(std::span<const RowPair> pairs, std::uint32_t other) {
  return static_cast<std::size_t>(std::lower_bound(pairs.begin(), pairs.end(), other, BeforePair) -
                                  pairs.begin());
}

const format::Pair* FindPair(std::span<const RowPair> pairs, std::uint32_t other) {
  const std::size_t at = LowerBound(pairs, other);
  return at < pairs.size() && pairs[at].other == other ? &pairs[at].pair : nullptr;
}

RowTable::RowTable(CollectionContext& context, std::uint32_t cid, Side side)
    : context_(context), cid_(cid), side_(side) {}

RowTable::~RowTable() {
  // Rows of a deleted collection must not weigh on those that stay.
  context_.row_budget.used_bytes.fetch_sub(memory_bytes_);
}

void RowTable::Grow(std::uint32_t owners) {
  if (owners > rows_.size()) {
    rows_.resize(owners);
  }
}

void RowTable::Account(Row& row) {
  const std::size_t bytes = row.memory_bytes();
  const auto change =
      static_cast<std::int64_t>(bytes) - static_cast<std::int64_t>(row.accounted_bytes);
  row.accounted_bytes = bytes;
  memory_bytes_ += change;
  context_.row_budget.used_bytes.fetch_add(change, std::memory_order_relaxed);
}

Row& RowTable::Ensure(std::uint32_t owner, bool complete) {
  if (rows_[owner] == nullptr) {
    rows_[owner] = std::make_unique<Row>();
    rows_[owner]->complete = complete;
    Account(*rows_[owner]);
  }
  return *rows_[owner];
}

void RowTable::DropDurableMarks(Row& row) const {
  // All or nothing, by the newest mark: a busy row keeps durable marks a little longer, and no
  // write has to look through them.
  if (row.dirty.empty() || row.newest_dirty > durable_generation_) {
    return;
  }
  RECO_DCHECK(AllDurable(row.dirty, durable_generation_), "I7");
  row.dirty.clear();
  // These pairs were laid over the disk, which now has them.
  if (!row.complete) {
    row.pairs.clear();
  }
}

Status RowTable::ReadFromDisk(std::uint32_t owner, const Row* overlay,
                              std::vector<RowPair>* out) const {
  RECO_RETURN_IF_ERROR(context_.storage.Readable());
  RECO_RETURN_IF_ERROR(ReadStored(*context_.storage.store, nullptr, {cid_, side_, owner}, out));
  // Marks that are durable but not dropped yet say what the disk says, so the result is the same.
  if (overlay != nullptr && !overlay->dirty.empty()) {
    *out = Overlay(*out, overlay->pairs, overlay->dirty);
  }
  return Status::Ok();
}

Status RowTable::ReadSnapshot(const store::Store& store, const store::Snapshot& snapshot,
                              const RowName& name, const RowCopy& newer,
                              std::vector<RowPair>* out) {
  RECO_RETURN_IF_ERROR(ReadStored(store, &snapshot, name, out));
  *out = Overlay(*out, newer.pairs, newer.dirty);
  return Status::Ok();
}

Status RowTable::Load(std::uint32_t owner, std::uint32_t pairs) {
  Row* row = Find(owner);
  if (row != nullptr && row->complete) {
    context_.row_budget.hits.fetch_add(1, std::memory_order_relaxed);
    row->used.store(true, std::memory_order_relaxed);
    return Status::Ok();
  }
  std::vector<RowPair> loaded;
  // Without stored pairs there is nothing to read: the row of a new owner is complete as it is.
  if (pairs > 0 || row != nullptr) {
    context_.row_budget.misses.fetch_add(1, std::memory_order_relaxed);
    loaded.reserve(pairs + 1);
    RECO_RETURN_IF_ERROR(ReadFromDisk(owner, row, &loaded));
  }
  // Marks stay: they still have to be written.
  Row& target = Ensure(owner, true);
  target.pairs = std::move(loaded);
  target.complete = true;
  Account(target);
  return Status::Ok();
}

Result<std::span<const RowPair>> RowTable::Read(std::uint32_t owner,
                                                std::vector<RowPair>* scratch) const {
  const Row* row = Find(owner);
  if (row != nullptr && row->complete) {
    context_.row_budget.hits.fetch_add(1, std::memory_order_relaxed);
    row->used.store(true, std::memory_order_relaxed);
    return std::span<const RowPair>(row->pairs);
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
  if (const format::Pair* found = FindPair(row->pairs, other); found != nullptr) {
    *pair = *found;
    return Knowledge::kPresent;
  }
  // A complete row knows its absent pairs, an incomplete one only those it has removed.
  return row->complete || IsMarked(row->dirty, other) ? Knowledge::kAbsent : Knowledge::kUnknown;
}

void RowTable::Put(std::uint32_t owner, std::uint32_t other, const format::Pair& pair,
                   std::uint32_t generation, bool fresh) {
  RECO_DCHECK(owner < rows_.size(), "I5");
  RECO_DCHECK(generation > durable_generation_, "I7");
  Row& row = Ensure(owner, fresh);
  // Durable marks go before the new one, which would keep them for another checkpoint.
  DropDurableMarks(row);
  if (row.complete && row.pairs.size() > kResidentPairsMax) {
    // Too long to shift on every insert: from now on the disk holds the list.
    std::erase_if(row.pairs,
                  [&row](const RowPair& known) { return !IsMarked(row.dirty, known.other); });
    row.pairs.shrink_to_fit();
    row.complete = false;
    // It was built up from the list, which goes; the sums themselves stay and are kept up.
    row.successor.reset();
  }
  const std::size_t at = LowerBound(row.pairs, other);
  if (at < row.pairs.size() && row.pairs[at].other == other) {
    row.pairs[at].pair = pair;
  } else {
    row.pairs.insert(row.pairs.begin() + static_cast<std::ptrdiff_t>(at), RowPair{other, pair});
  }
  Mark(row, other, generation);
  row.used.store(true, std::memory_order_relaxed);
  Account(row);
}

void RowTable::Erase(std::uint32_t owner, std::uint32_t other, std::uint32_t generation) {
  RECO_DCHECK(owner < rows_.size(), "I5");
  RECO_DCHECK(generation > durable_generation_, "I7");
  Row& row = Ensure(owner, false);
  DropDurableMarks(row);
  const std::size_t at = LowerBound(row.pairs, other);
  if (at < row.pairs.size() && row.pairs[at].other == other) {
    row.pairs.erase(row.pairs.begin() + static_cast<std::ptrdiff_t>(at));
  }
  // Marked even when no pair is here: the mark says that the pair on disk is gone.
  Mark(row, other, generation);
  Account(row);
}

void RowTable::set_durable_generation(std::uint32_t generation) {
  RECO_DCHECK(generation >= durable_generation_, "I7");
  durable_generation_ = generation;
}

void RowTable::Evict(std::size_t steps) {
  if (rows_.empty()) {
    return;
  }
  // Not further than once round: a row that was used since the last look stays.
  const std::size_t looks = std::min(steps, rows_.size());
  for (std::size_t i = 0; i < looks && context_.row_budget.over(); ++i) {
    // The clock's second chance: a read or write since the last look sets `used` again.
    clock_hand_ = (clock_hand_ + 1) % rows_.size();
    const auto owner = static_cast<std::uint32_t>(clock_hand_);
    Row* row = rows_[owner].get();
    // A row that is being built collects changes that exist nowhere else (RunningSums::TakeOver).
    if (row == nullptr || row->building || row->used.exchange(false, std::memory_order_relaxed)) {
      continue;
    }
    if (!row->dirty.empty() && row->newest_dirty > durable_generation_) {
      continue;  // pinned (I7)
    }
    RECO_DCHECK(AllDurable(row->dirty, durable_generation_), "I7");
    const auto bytes = static_cast<std::int64_t>(row->accounted_bytes);
    memory_bytes_ -= bytes;
    context_.row_budget.used_bytes.fetch_sub(bytes, std::memory_order_relaxed);
    rows_[owner].reset();
    context_.row_budget.evictions.fetch_add(1, std::memory_order_relaxed);
  }
}

}  // namespace reco::engine
