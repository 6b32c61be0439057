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

namespace reco::engine::training {
namespace {

constexpr std::size_t kFinalRows = 16;  // that the swap may solve under the lock: about 0.1 ms
constexpr int kCatchUpRoundsMax = 20;   // then the swap takes what is left

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
  std::vector<RowPair> pairs;
  std::vector<RowPair> scratch;
  for (const std::uint32_t ordinal : ordinals) {
    bool live = false;
    std::string attributes;
    {
      // Copied under the view, solved without it: a long row must not keep writers waiting.
      ReadView view(shared);
      RECO_ASSIGN_OR_RETURN(const auto row, view.state().side(side).rows.Read(ordinal, &scratch));
      pairs.assign(row.begin(), row.end());
      live = !view.state().side(side).ids.id(ordinal).empty();
      if (side == Side::kItem) {
        attributes = view.state().AttributesOf(ordinal);
      }
    }
    if (live) {
      SolveTouched(shared, run, {side, ordinal, pairs, attributes});
    } else {
      ForgetDeleted(run, side, ordinal);
    }
  }
  return Status::Ok();
}

Status SolveLastRow(WriteView& view, TrainingRun& run, Side side, std::uint32_t ordinal) {
  SideState& own = view.state().side(side);
  if (own.ids.id(ordinal).empty()) {
    ForgetDeleted(run, side, ordinal);
    return Status::Ok();
  }
  std::vector<RowPair> scratch;
  RECO_ASSIGN_OR_RETURN(const auto pairs, own.rows.Read(ordinal, &scratch));
  SolveTouched(
      view.shared(), run,
      {side, ordinal, pairs, side == Side::kItem ? view.state().AttributesOf(ordinal) : ""});
  return Status::Ok();
}

}  // namespace

Status CatchUp(SharedState& shared, TrainingRun& run) {
  for (int round = 0; round < kCatchUpRoundsMax; ++round) {
    std::vector<std::uint32_t> touched[2];
    {
      WriteView view(shared);
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
      run.user_factors->Grow(view.state().users().ids.end());
      run.item_factors->Grow(view.state().items().ids.end());
    }
    // Users first, then items with the users' new vectors, as Apply does.
    for (const Side side : {Side::kUser, Side::kItem}) {
      const std::vector<std::uint32_t> ordinals =
          Distinct(std::move(touched[static_cast<std::size_t>(side)]));
      RECO_RETURN_IF_ERROR(CatchUpRows(shared, run, side, ordinals));
      auto& rewritten = side == Side::kUser ? run.rewritten_users : run.rewritten_items;
      // Solved after their vectors were written, they have to be written again with the swap.
      rewritten.insert(rewritten.end(), ordinals.begin(), ordinals.end());
    }
  }
  return Status::Ok();
}

Status SolveLastRows(WriteView& view, TrainingRun& run) {
  run.user_factors->Grow(view.state().users().ids.end());
  run.item_factors->Grow(view.state().items().ids.end());
  for (const Side side : {Side::kUser, Side::kItem}) {
    SideState& own = view.state().side(side);
    // Under the exclusive lock: nothing is touched any more, so after this the tables are current.
    for (const std::uint32_t ordinal : Distinct(own.touched)) {
      if (view.shared().rated() && own.entities[ordinal].pairs > CollectionState::kRatedRowMax) {
        run.put_off.emplace_back(side, ordinal);  // too long for the lock
        continue;
      }
      RECO_RETURN_IF_ERROR(SolveLastRow(view, run, side, ordinal));
      // The checkpoint of the swap writes them under the new number.
      view.state().MarkChanged(side, ordinal);
    }
    for (const std::uint32_t ordinal :
         Distinct(side == Side::kUser ? run.rewritten_users : run.rewritten_items)) {
      view.state().MarkChanged(side, ordinal);
    }
  }
  return Status::Ok();
}

}  // namespace reco::engine::training
