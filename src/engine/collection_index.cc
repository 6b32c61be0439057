// Background re-sort of the item index: writes move rows out of the order by norm that lets a
// search end early, and this restores it beside the live index.
#include <memory>
#include <utility>

#include "engine/collection.h"
#include "index/index_rebuild.h"

namespace reco::engine {
namespace {

using Progress = index::IndexRebuild::Progress;

// Steps of one round of maintenance: 5 to 20 ms, so that checkpoints need not wait for the whole.
constexpr int kStepsARound = 256;

}  // namespace

// Takes steps until `step` has no more to do or the round is over. The lock is given back after
// each, so that no write waits longer than for one.
template <typename Step>
index::IndexRebuild::Progress Collection::ResortInSteps(Step step) const {
  Progress progress = Progress::kMore;
  for (int i = 0; i < kStepsARound && progress == Progress::kMore; ++i) {
    ReaderLock lock(mutex_);
    const index::ItemIndex* live = state_.index();
    progress = live == nullptr ? Progress::kStale : step(*live);
  }
  return progress;
}

void Collection::BeginResort() {
  {
    ReaderLock lock(mutex_);
    if (dropped_ || state_.index() == nullptr || !state_.index()->out_of_order()) {
      return;
    }
  }
  WriterLock lock(mutex_);
  if (index::ItemIndex* live = state_.mutable_index(); live != nullptr) {
    resort_ = std::make_unique<index::IndexRebuild>(live);
    resort_ordered_ = false;
  }
}

void Collection::ResortIndex() {
  if (resort_ == nullptr) {
    BeginResort();
  }
  if (resort_ == nullptr) {
    return;
  }
  Progress progress = Progress::kDone;
  if (!resort_ordered_) {
    progress = ResortInSteps([this](const auto& live) { return resort_->Collect(live); });
    if (progress == Progress::kDone) {
      resort_->Order();
      resort_ordered_ = true;
    }
  }
  if (resort_ordered_) {
    progress = ResortInSteps([this](const auto& live) { return resort_->Code(live); });
  }
  if (progress == Progress::kDone) {
    progress = EndResort();
  }
  if (progress == Progress::kStale) {
    resort_.reset();
  }
}

// kMore: writes were too fast, the next round goes on. kStale: it is done with.
index::IndexRebuild::Progress Collection::EndResort() {
  std::unique_ptr<index::ItemIndex> index;  // before the lock: the old one goes without it
  WriterLock lock(mutex_);
  if (state_.index() == nullptr || state_.index()->version() != resort_->version()) {
    return Progress::kStale;
  }
  index = resort_->Finish(*state_.index());
  if (index == nullptr) {
    return Progress::kMore;
  }
  state_.SwapIndex(&index);
  resorts_.fetch_add(1, std::memory_order_relaxed);
  return Progress::kStale;
}

}  // namespace reco::engine
