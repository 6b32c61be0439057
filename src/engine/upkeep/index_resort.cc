// Collect takes the rows' norms in steps under the shared lock, Order sorts by them without it,
// Code fills the blocks in steps, and End swaps. index/index_rebuild.h says what holds when rows
// change meanwhile.
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
    ReadView view(shared, Holder::kIndex);
    const index::ItemIndex* live = view.state().index();
    progress = live == nullptr ? Progress::kStale : step(*live);
  }
  return progress;
}

}  // namespace

void IndexResort::Begin(SharedState& shared) {
  {
    ReadView view(shared, Holder::kIndex);
    // Asked under the shared lock: most rounds have nothing to do and must not stop readers.
    if (view.dropped() || view.state().index() == nullptr ||
        !view.state().index()->out_of_order()) {
      return;
    }
  }
  // Exclusively, though it only begins: from here on the live index notes what changes.
  WriteView view(shared, Holder::kIndex);
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
  // What is left of the rebuild is taken up where the last round stopped.
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
  WriteView view(shared, Holder::kIndex);
  // The version is another's when a training has swapped the model, and its index with it.
  if (view.state().index() == nullptr || view.state().index()->version() != rebuild_->version()) {
    return Progress::kStale;
  }
  index = rebuild_->Finish(*view.state().index());
  if (index == nullptr) {
    return Progress::kMore;
  }
  // Now `index` holds the old one, which goes after the view, as it was declared before it.
  view.state().SwapIndex(&index);
  times_.fetch_add(1, std::memory_order_relaxed);
  return Progress::kStale;
}

}  // namespace reco::engine::upkeep
