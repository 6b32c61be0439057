// The state collects which rows writes touch (CollectTouched). Rounds without the lock solve them
// by the run's own tables; as a rule each is shorter than the one before, so fewer rows are left
// behind it.
#include "engine/training/catch_up.h"

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/sorted.h"
#include "base/work.h"

namespace reco::engine::training {
namespace {

constexpr std::size_t kFinalRows = 16;  // that the swap may solve under the lock: about 0.1 ms
constexpr int kCatchUpRoundsMax = 20;   // then the swap leaves the rest to the background

struct TouchedRow {
  Side side;
  std::uint32_t ordinal;
  std::span<const RowPair> pairs;
  std::string_view attributes;  // of an item
};

// Solves one live row by the new model; its Gram and the item index follow (I8).
void SolveTouched(const SharedState& shared, TrainingRun& run, const TouchedRow& row) {
  const bool is_user = row.side == Side::kUser;
  model::FactorTable& own = is_user ? *run.user_factors : *run.item_factors;
  const model::FactorTable& partners = is_user ? *run.item_factors : *run.user_factors;
  model::Gram& gram = is_user ? *run.user_gram : *run.item_gram;
  const model::Gram& partner_gram = is_user ? *run.item_gram : *run.user_gram;
  std::vector<model::Neighbor> neighbors;
  neighbors.reserve(row.pairs.size());
  for (const RowPair& pair : row.pairs) {
    if (pair.other < partners.rows()) {  // else a partner younger than this round: it has no vector
      neighbors.push_back({partners.row(pair.other), run.signal.WeightOf(pair.pair)});
    }
  }
  // Solved in place, with the old vector kept aside for the Gram. A new row starts from zero.
  float* x = own.mutable_row(row.ordinal);
  const std::vector<float> before(x, x + own.stride());
  model::AlignedVector<float> prior(own.stride());
  const bool drawn = !is_user && run.cold != nullptr &&
                     run.cold->Prior({row.ordinal, neighbors.size(), row.attributes},
                                     {prior.data(), shared.dim()});
  run.solver->Solve({row.side, partner_gram, run.solve, run.mean, drawn ? prior.data() : nullptr},
                    neighbors, x);
  gram.Update(before.data(), x);
  CountWork(Work::kPairs, row.pairs.size());
  CountWork(Work::kSolves, 1);
  if (!is_user) {
    run.index->Refresh(row.ordinal);
  }
}

// Takes what was deleted out of the new model.
void ForgetDeleted(TrainingRun& run, Side side, std::uint32_t ordinal) {
  const bool is_user = side == Side::kUser;
  model::FactorTable& own = is_user ? *run.user_factors : *run.item_factors;
  const model::AlignedVector<float> zeros(own.stride());
  (is_user ? *run.user_gram : *run.item_gram).Update(own.row(ordinal), zeros.data());
  own.Release(ordinal);
  if (!is_user) {
    run.index->Remove(ordinal);
  }
}

Status CatchUpRows(const SharedState& shared, TrainingRun& run, Side side,
                   std::span<const std::uint32_t> ordinals) {
  RECO_RETURN_IF_ERROR(shared.context().storage.Readable());
  const store::Store& store = *shared.context().storage.store;
  std::vector<RowPair> pairs;
  for (const std::uint32_t ordinal : ordinals) {
    bool live = false;
    RowCopy copy;
    std::unique_ptr<store::Snapshot> snapshot;
    std::string attributes;
    {
      // Copied under the view; read and solved without it, so that a long row keeps nobody waiting.
      ReadView view(shared, Holder::kCatchUp);
      CountWork(Work::kRows, 1);
      const SideState& own = view.state().side(side);
      live = !own.ids.id(ordinal).empty();
      if (const Row* row = own.rows.Find(ordinal); live && row != nullptr) {
        copy = RowCopy(*row);
      }
      if (live && !copy.complete) {
        snapshot = store.TakeSnapshot();
      }
      if (side == Side::kItem) {
        attributes = view.state().AttributesOf(ordinal);
      }
    }
    if (!live) {
      ForgetDeleted(run, side, ordinal);
      continue;
    }
    RECO_RETURN_IF_ERROR(
        RowTable::ReadSnapshot(store, snapshot.get(), {shared.cid(), side, ordinal}, copy, &pairs));
    SolveTouched(shared, run, {side, ordinal, pairs, attributes});
  }
  return Status::Ok();
}

// Solves a row under the lock, unless that takes too long or enough were solved: then the
// background does.
Status SolveLastRow(WriteView& view, TrainingRun& run, Side side, std::uint32_t ordinal,
                    std::size_t* solved) {
  SideState& own = view.state().side(side);
  if (own.ids.id(ordinal).empty()) {
    ForgetDeleted(run, side, ordinal);
    view.state().MarkChanged(side, ordinal);
    return Status::Ok();
  }
  const std::uint32_t pairs_max =
      view.shared().rated() ? CollectionState::kRatedRowMax : RowTable::kInlinePairsMax;
  if (*solved == kFinalRows || own.entities[ordinal].pairs > pairs_max) {
    run.put_off.emplace_back(side, ordinal);
    if (side == Side::kItem) {
      run.index->Refresh(ordinal);  // a new one is in it from here on, as its vector is: zero (I11)
    }
    return Status::Ok();
  }
  ++*solved;
  std::vector<RowPair> scratch;
  RECO_ASSIGN_OR_RETURN(const auto pairs, own.rows.Read(ordinal, &scratch));
  SolveTouched(
      view.shared(), run,
      {side, ordinal, pairs, side == Side::kItem ? view.state().AttributesOf(ordinal) : ""});
  // The checkpoint of the swap writes it under the new number.
  view.state().MarkChanged(side, ordinal);
  return Status::Ok();
}

}  // namespace

Status CatchUp(SharedState& shared, TrainingRun& run, SolvedRows solved) {
  for (int round = 0; round < kCatchUpRoundsMax; ++round) {
    std::vector<std::uint32_t> touched[2];
    std::uint32_t ends[2] = {};
    {
      WriteView view(shared, Holder::kCatchUp);
      if (view.dropped()) {
        return Status::NotFound("the collection was deleted");
      }
      // The lists hold repeats, so there may be fewer rows than that.
      if (view.state().users().touched.size() + view.state().items().touched.size() <= kFinalRows) {
        return Status::Ok();
      }
      // From here on writes collect for the next round. A row that they touch again comes again.
      touched[0].swap(view.state().users().touched);
      touched[1].swap(view.state().items().touched);
      ends[0] = view.state().users().ids.end();
      ends[1] = view.state().items().ids.end();
    }
    run.user_factors->Grow(ends[0]);
    run.item_factors->Grow(ends[1]);
    // Users first, then items with the users' new vectors, as Apply does.
    for (const Side side : {Side::kUser, Side::kItem}) {
      const std::vector<std::uint32_t> ordinals =
          Distinct(std::move(touched[static_cast<std::size_t>(side)]));
      RECO_RETURN_IF_ERROR(CatchUpRows(shared, run, side, ordinals));
      RECO_RETURN_IF_ERROR(solved(side, ordinals));
    }
  }
  return Status::Ok();
}

Status SolveLastRows(WriteView& view, TrainingRun& run) {
  run.user_factors->Grow(view.state().users().ids.end());
  run.item_factors->Grow(view.state().items().ids.end());
  std::size_t solved = 0;
  for (const Side side : {Side::kUser, Side::kItem}) {
    // Under the exclusive lock nothing is touched any more: behind this the tables are current, but
    // for what was put off.
    const std::vector<std::uint32_t> touched = Distinct(view.state().side(side).touched);
    CountWork(Work::kEntries, touched.size());
    for (const std::uint32_t ordinal : touched) {
      RECO_RETURN_IF_ERROR(SolveLastRow(view, run, side, ordinal, &solved));
    }
  }
  return Status::Ok();
}

}  // namespace reco::engine::training
