// The vectors' side of CollectionState: what follows a changed pair in running sums, vectors, Grams
// and indexes, and the rows whose sums are built in the background.
#include <algorithm>
#include <utility>
#include <vector>

#include "base/work.h"
#include "engine/rows/running_sums.h"
#include "engine/state/collection_state.h"

namespace reco::engine {

// The users first, with the items' vectors as they were; then the items with the users' new ones.
// Each row once, in the order of the ordinals, and Grams settled behind each part. Replay keeps all
// of it, or its bits would differ (I6).
void CollectionState::BeginFold() {
  // No vectors before the first training (D14).
  if (model_.id != 0) {
    BeginFold(Side::kUser);
  }
}

void CollectionState::BeginFold(Side which) {
  folding_ = which;
  folded_ = 0;
  owners_.clear();
  for (std::uint32_t i = 0; i < pair_changes_.size() && Follows(which); ++i) {
    owners_.push_back(std::uint64_t{pair_changes_[i].of(which)} << 32U | i);
  }
  std::sort(owners_.begin(), owners_.end());
}

bool CollectionState::FoldSome() {
  // About a millisecond's: a solve takes 1 to 40 us at d = 64, 0.4 ms at 512
  // (bench/model_bench.cc).
  const std::size_t solves = std::clamp<std::size_t>(4'096 / dim_, 4, kSolvesAStep);
  const Side which = *folding_;
  for (std::size_t i = 0; i < solves && folded_ < owners_.size(); ++i) {
    const auto owner = static_cast<std::uint32_t>(owners_[folded_] >> 32U);
    weight_changes_.clear();
    for (; folded_ < owners_.size() && owners_[folded_] >> 32U == owner; ++folded_) {
      const PairChange& change = pair_changes_[static_cast<std::uint32_t>(owners_[folded_])];
      weight_changes_.push_back({change.of(Other(which)), change.old_weight, change.new_weight});
    }
    UpdateSums(which, owner, weight_changes_);
    ResolveDeferred(which, owner);
  }
  side(which).gram.Settle();
  if (folded_ == owners_.size()) {
    folding_.reset();
    if (which == Side::kUser) {
      BeginFold(Side::kItem);
    }
  }
  return folding_.has_value();
}

// Follows the changes of pairs of one row in its running sums.
void CollectionState::UpdateSums(Side which, std::uint32_t ordinal,
                                 std::span<const WeightChange> changes) {
  // Sums of a row that goes as a whole are not kept up on the way.
  if (!Follows(which) || rules_.rated() || IsDeleting(which, ordinal)) {
    return;
  }
  SideState& own = side(which);
  Row& row = *own.rows.Find(ordinal);
  // The partner's vector goes, so that what a build has added of it cannot be taken out again.
  if (deleting_ && row.building()) {
    row.sums->given_up = true;
    own.pending.push_back(ordinal);
  }
  // Nor can it be taken out of sums: they are made anew, here or in the background.
  if (deleting_) {
    SumsOf(which).Drop(row, changes);
  } else if (SumsOf(which).Update(row, own.entities[ordinal].pairs, changes)) {
    own.pending.push_back(ordinal);
  }
}

std::optional<RowCopy> CollectionState::BeginBuild(Side which, std::uint32_t ordinal) {
  // It was queued, and has been deleted or has shrunk since.
  if (model_.id == 0 || !IsLong(which, ordinal)) {
    return std::nullopt;
  }
  SideState& own = side(which);
  Row* row = &own.rows.Ensure(ordinal, false);  // it may have been evicted meanwhile
  // A write has built it, or another build is under way.
  const bool current =
      !rules_.rated() && row->information(model_.id) != nullptr && !row->sums->stale;
  if (row->building() || current) {
    return std::nullopt;
  }
  RowSums& sums = row->EnsureSums(model_.id);
  sums.building = true;
  sums.given_up = false;
  ++own.rows_building;
  if (rules_.rated()) {
    // What is written from now on counts towards the next time.
    sums.age = 0;
    sums.stale = false;
  }
  sums.changes.clear();
  // The caller takes its snapshot under the same lock: disk and copy together are the row of now.
  return RowCopy(*row);
}

std::vector<WeightChange> CollectionState::TakeBuildChanges(Side which, std::uint32_t ordinal,
                                                            std::size_t most_left) {
  Row* row = side(which).rows.Find(ordinal);
  if (row == nullptr || !row->building() || row->sums->changes.size() <= most_left) {
    return {};
  }
  std::vector<WeightChange> changes = std::exchange(row->sums->changes, {});
  side(which).rows.Account(*row);
  return changes;
}

Status CollectionState::SolvePending(Side which, std::uint32_t ordinal) {
  SideState& own = side(which);
  RECO_RETURN_IF_ERROR(own.rows.Load(ordinal, own.entities[ordinal].pairs));
  SolveDeferred(which, ordinal);
  own.gram.Settle();
  MarkSolved(which, ordinal);
  return Status::Ok();
}

// Has the next checkpoint write a vector that changed without an event, of which last_seq_ does not
// tell.
void CollectionState::MarkSolved(Side which, std::uint32_t ordinal) {
  MarkDirty(which, ordinal);
  MarkDirtyOutsideLog();
}

// Ends the building of a row and returns it. Null when it is not in memory, though eviction passes
// over rows that are being built.
Row* CollectionState::EndBuild(Side which, std::uint32_t ordinal) {
  SideState& own = side(which);
  --own.rows_building;
  Row* row = own.rows.Find(ordinal);
  if (row != nullptr) {
    row->EnsureSums(model_.id).building = false;
  }
  return row;
}

void CollectionState::EndSums(Side which, std::uint32_t ordinal,
                              std::unique_ptr<model::Information> sums) {
  SideState& own = side(which);
  Row* row = EndBuild(which, ordinal);
  if (row == nullptr) {
    return;
  }
  if (SumsOf(which).TakeOver(*row, own.entities[ordinal].pairs, std::move(sums))) {
    // Whether writes move it or not: it was left out of a training.
    SolveDeferred(which, ordinal);
    own.gram.Settle();
    MarkSolved(which, ordinal);
    if (!Follows(which)) {
      row->DropSums();
    }
  }
  own.rows.Account(*row);
}

void CollectionState::EndRatedRow(Side which, std::uint32_t ordinal,
                                  std::span<const float> vector) {
  SideState& own = side(which);
  Row* row = EndBuild(which, ordinal);
  if (row == nullptr) {
    return;
  }
  // A row that has become short belongs to the writes again, which solve it from newer pairs.
  if (!vector.empty() && own.entities[ordinal].pairs > kRatedRowMax) {
    SetVector(which, ordinal, vector.data());
    own.gram.Settle();
    MarkSolved(which, ordinal);
  }
  own.rows.Account(*row);
}

// Returns the prediction that the row is drawn to (D28), or null for 0. Valid until the thread's
// next call.
const float* CollectionState::PriorOf(Side which, std::uint32_t ordinal) const {
  thread_local model::AlignedVector<float> prior;
  if (which != Side::kItem || model_.cold == nullptr) {
    return nullptr;
  }
  prior.assign(items_.factors->stride(), 0.0F);
  const ColdItem item = {ordinal, items_.entities[ordinal].pairs, AttributesOf(ordinal)};
  const bool known = model_.cold->Prior(item, {prior.data(), dim_});
  return known ? prior.data() : nullptr;
}

bool CollectionState::SolveRow(Side which, std::uint32_t ordinal, RowFolder& folder,
                               float* x) const {
  const SideState& own = side(which);
  const SideState& partners = side(Other(which));
  const std::uint32_t pairs = own.entities[ordinal].pairs;
  const float* prior = PriorOf(which, ordinal);
  // Without pairs the solution is the prediction itself, or zero.
  if (pairs == 0 && prior != nullptr) {
    std::copy_n(prior, own.factors->stride(), x);
    return true;
  }
  if (pairs == 0) {
    std::fill_n(x, own.factors->stride(), 0.0F);
    return true;
  }
  FoldInTerms terms = TermsOf(which);
  terms.prior = prior;
  const Row* row = own.rows.Find(ordinal);
  // A long row by its sums (D4), any other from its pairs, all of which must be here.
  if (row != nullptr && row->information(model_.id) != nullptr) {
    folder.SolveLong(terms, *row->information(model_.id), pairs, x);
    return true;
  }
  if (row == nullptr || !row->complete || (!rules_.rated() && pairs > RunningSums::LongRow(dim_))) {
    return false;
  }
  thread_local std::vector<model::Neighbor> neighbors;
  neighbors.clear();
  PackedPairs::Reader reader(row->pairs);
  for (RowPair pair; reader.Next(&pair);) {
    neighbors.push_back({partners.factors->row(pair.other), model_.signal.WeightOf(pair.pair)});
  }
  folder.Solve(terms, neighbors, x);
  return true;
}

// Returns true iff a row is left to the background, as the long ones of ratings are (D23). Queues
// it each time that a 64th of it has changed.
bool CollectionState::PutOff(Side which, std::uint32_t ordinal) {
  SideState& own = side(which);
  Row* row = own.rows.Find(ordinal);
  const std::uint32_t pairs = own.entities[ordinal].pairs;
  if (!rules_.rated() || row == nullptr || pairs <= kRatedRowMax) {
    return false;
  }
  RowSums& sums = row->EnsureSums(model_.id);
  if (++sums.age > pairs / 64 && !sums.stale) {
    sums.stale = true;
    own.pending.push_back(ordinal);
  }
  return true;
}

// Solves one vector again from its row, or queues it for the maintenance thread.
void CollectionState::Resolve(Side which, std::uint32_t ordinal) {
  ResolveDeferred(which, ordinal);
  side(which).gram.Settle();
}

// Does so, with the Gram of its side left to be settled: a solve needs that of the partners.
void CollectionState::ResolveDeferred(Side which, std::uint32_t ordinal) {
  SideState& own = side(which);
  // A prediction learns nothing from writes, so it does not depend on whether items follow them.
  const bool predicted =
      which == Side::kItem && model_.cold != nullptr && own.entities[ordinal].pairs == 0;
  if (predicted || (Follows(which) && !PutOff(which, ordinal))) {
    SolveDeferred(which, ordinal);
  }
}

void CollectionState::SolveDeferred(Side which, std::uint32_t ordinal) {
  SideState& own = side(which);
  // A long row whose sums went with the last model, or with its eviction, but whose pairs are here.
  if (Row* row = own.rows.Find(ordinal); !rules_.rated() && row != nullptr &&
                                         row->information(model_.id) == nullptr && row->complete &&
                                         own.entities[ordinal].pairs > RunningSums::LongRow(dim_)) {
    SumsOf(which).Build(*row, own.entities[ordinal].pairs);
  }
  // Solved beside the table, since the Gram's update needs the old vector and the new (SetVector).
  // The old one is also where the solver starts.
  const float* stored = own.factors->row(ordinal);
  std::copy_n(stored, own.factors->stride(), new_vector_.begin());
  if (folder_ == nullptr) {
    folder_ = std::make_unique<RowFolder>(dim_, feedback_);
  }
  if (!SolveRow(which, ordinal, *folder_, new_vector_.data())) {
    own.pending.push_back(ordinal);
    return;
  }
  SetVector(which, ordinal, new_vector_.data());
}

// The item indexes follow, and the Gram when it is settled.
void CollectionState::SetVector(Side which, std::uint32_t ordinal, const float* x) {
  CountWork(Work::kSolves, 1);
  SideState& own = side(which);
  BeforeChange(which, ordinal);
  // The Gram first (I8): it takes out the old vector, which the copy overwrites.
  float* stored = own.factors->mutable_row(ordinal);
  own.gram.Defer(stored, x);
  std::copy_n(x, own.factors->stride(), stored);
  if (which == Side::kItem) {
    RefreshIndexes(ordinal);
  }
}

}  // namespace reco::engine
