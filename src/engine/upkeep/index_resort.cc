#include "engine/upkeep/index_resort.h"

namespace reco::engine::upkeep {
namespace {

using Progress = index::IndexRebuild::Progress;

// Steps of one round of maintenance: 5 to 20 ms, so that checkpoints need not wait for the whole.
constexpr int kStepsARound = 256;

// Takes steps until `step` has no more to do or the round is over. The lock is given back after
// each, so that no write waits longer than for one.
template <typename Step>
Progress ResortInSteps(const SharedState& shared, Step step) {
  Progress progress = Progress::kMore;
  for (int i = 0; i < kStepsARound && progress == Progress::kMore; ++i) {
    ReadView view(shared);
    const index::ItemIndex* live = view.state().index();
    progress = live == nullptr ? Progress::kStale : step(*live);
  }
  return progress;
}

}  // namespace

void IndexResort::Begin(SharedState& shared) {
  {
    ReadView view(shared);
    if (view.dropped() || view.state().index() == nullptr ||
        !view.state().index()->out_of_order()) {
      return;
    }
  }
  WriteView view(shared);
  if (index::ItemIndex* live = view.state().mutable_index(); live != nullptr) {
    rebuild_ = std::make_unique<index::IndexRebuild>(live);
    ordered_ = false;
  }
}

void IndexResort::Round(SharedState& shared) {
  if (rebuild_ == nullptr) {
    Begin(shared);
  }
  if (rebuild_ == nullptr) {
    return;
  }
  Progress progress = Progress::kDone;
  if (!ordered_) {
    progress = ResortInSteps(shared, [this](const auto& live) { return rebuild_->Collect(live); });
    if (progress == Progress::kDone) {
      rebuild_->Order();
      ordered_ = true;
    }
  }
  if (ordered_) {
    progress = ResortInSteps(shared, [this](const auto& live) { return rebuild_->Code(live); });
  }
  if (progress == Progress::kDone) {
    progress = End(shared);
  }
  if (progress == Progress::kStale) {
    rebuild_.reset();
  }
}

index::IndexRebuild::Progress IndexResort::End(SharedState& shared) {
  std::unique_ptr<index::ItemIndex> index;  // before the lock: the old one goes without it
  WriteView view(shared);
  if (view.state().index() == nullptr || view.state().index()->version() != rebuild_->version()) {
    return Progress::kStale;
  }
  index = rebuild_->Finish(*view.state().index());
  if (index == nullptr) {
    return Progress::kMore;
  }
  view.state().SwapIndex(&index);
  times_.fetch_add(1, std::memory_order_relaxed);
  return Progress::kStale;
}

}  // namespace reco::engine::upkeep
