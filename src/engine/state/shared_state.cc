#include "engine/state/shared_state.h"

#include <chrono>
#include <memory>
#include <thread>

#ifdef RECO_DCHECKS
#include "base/check.h"
#endif

namespace reco::engine {

SharedState::SharedState(CollectionContext& context, std::uint32_t cid,
                         const CollectionOptions& options)
    : context_(context),
      cid_(cid),
      dim_(StoredDim(options)),
      feedback_(options.feedback),
      signal_rules_(RulesOf(options)),
      recent_(options.feedback),
      solvers_([this] { return std::make_unique<RowFolder>(dim_, feedback_); }),
      session_scores_([] { return std::make_unique<SessionScores>(); }),
      ridge_scores_([] { return std::make_unique<RidgeScores>(); }),
      ridge_solvers_([] { return std::make_unique<RidgeSolvers>(); }),
      guarded_{CollectionState(context, cid, options, recent_), options, {}, {}} {}

void SharedState::NoteStaged(std::uint64_t ticket) {
  std::uint64_t before = staged_.load(std::memory_order_relaxed);
  while (before < ticket &&
         !staged_.compare_exchange_weak(before, ticket, std::memory_order_relaxed)) {
  }
}

bool SharedState::HoldsUpWrites() const {
  if (hints_.long_writes.load(std::memory_order_relaxed) == 0) {
    return false;
  }
  hints_.write_held_up.store(true, std::memory_order_relaxed);
  return true;
}

LongWrite::LongWrite(const SharedState& shared) : shared_(shared) {
  // Who is held up asks again each 5 ms (api::IoThread).
  constexpr std::chrono::milliseconds kGiveWay{6};
  if (shared.hints().write_held_up.exchange(false, std::memory_order_relaxed)) {
    std::this_thread::sleep_for(kGiveWay);
  }
  shared.hints().long_writes.fetch_add(1, std::memory_order_relaxed);
}

Status WriteView::Stage(FunctionRef<void(store::Batch&)> fill) {
  RECO_ASSIGN_OR_RETURN(const std::uint64_t ticket, own_.context().storage.log->Stage(fill));
  own_.NoteStaged(ticket);
  return Status::Ok();
}

Status WriteView::StageUntold(FunctionRef<void(store::Batch&)> fill) {
  return own_.context().storage.log->Stage(fill).status();
}

#ifdef RECO_DCHECKS

namespace {
// The views of a thread form a list, innermost first: a thread may hold views of two collections.
thread_local const View* innermost = nullptr;
}  // namespace

// A second view of one collection by the same thread waits for itself as soon as a writer comes.
View::View(const SharedState& shared, Holder holder)
    : shared_(shared),
      hold_(shared.context().holds, holder),
      guarded_(shared.guarded_),
      outer_(innermost) {
  for (const View* held = outer_; held != nullptr; held = held->outer_) {
    RECO_CHECK(&held->shared_ != &shared);
  }
  innermost = this;
}

View::~View() {
  innermost = outer_;
  wal::EventLog::NoteSeen(shared_.staged());
}

void View::CheckNoneHeld() {
  RECO_CHECK(innermost == nullptr);
}

#else

View::View(const SharedState& shared, Holder holder)
    : shared_(shared), hold_(shared.context().holds, holder), guarded_(shared.guarded_) {}
View::~View() {
  wal::EventLog::NoteSeen(shared_.staged());
}
void View::CheckNoneHeld() {}

#endif

}  // namespace reco::engine
