// SharedState: the state of one collection and the only lock over it. Nothing reaches the state but
// through a view, and a view holds the lock:
//
//   const View&   may read, and keeps the lock. A function that takes one needs no annotation: the
//                 argument is the proof that the lock is held.
//   ReadView&     shared. Whoever takes it not const MAY GIVE THE LOCK BACK in the middle (Yield):
//                 across that keep ordinals, and ask view.state() anew.
//   WriteView&    exclusive; may change the state.
//
// Each says for whom it is (holds.h): a command unless told otherwise.
//
// A thread has one view of a collection at a time. Who changes the state by a command takes the
// turn of writes before, and keeps it over all views of the change. Lock order: the checkpoint's,
// the turns below > this > the log's (D31). What synchronizes itself (recent lists, replaced
// models, solvers) are leaves. See doc/engine/state.md.
#pragma once

#include <atomic>
#include <cstdint>
#include <limits>
#include <vector>

#include "reco/options.h"
#include "reco/types.h"

#include "base/mutex.h"
#include "base/scratch_pool.h"
#include "engine/neighbours/ridge_scores.h"
#include "engine/neighbours/ridge_solver.h"
#include "engine/neighbours/session_scores.h"
#include "engine/popular/recent_lists.h"
#include "engine/rows/row_folder.h"
#include "engine/rows/signal.h"
#include "engine/rows/storage.h"
#include "engine/state/collection_state.h"
#include "engine/state/compiled_rule.h"
#include "engine/state/holds.h"
#include "engine/state/replaced_models.h"
#include "engine/state/token_window.h"

namespace reco::engine {

// Of rows that are solved from counts of one moment.
using RidgeSolvers = std::array<RidgeSolver, 4>;

class CAPABILITY("collection state") SharedState {
 public:
  SharedState(CollectionContext& context, std::uint32_t cid, const CollectionOptions& options);
  SharedState(const SharedState&) = delete;
  SharedState& operator=(const SharedState&) = delete;

  // --- What never changes: needs no view ---
  CollectionContext& context() const { return context_; }
  std::uint32_t cid() const { return cid_; }
  std::uint32_t dim() const { return dim_; }  // of the stored vectors
  Feedback feedback() const { return feedback_; }
  bool rated() const { return feedback_ == Feedback::kExplicit; }
  const SignalRules& signal_rules() const { return signal_rules_; }
  // Components of a vector that are compared by cosine: without biases and constants.
  std::uint32_t compared_dim() const { return dim_ - (rated() ? model::kRatingExtras : 0); }

  // --- What synchronizes itself: needs no view ---
  RecentLists& recent() const { return recent_; }
  ReplacedModels& replaced() const { return replaced_; }
  ScratchPool<RowFolder>& solvers() const { return solvers_; }
  ScratchPool<SessionScores>& session_scores() const { return session_scores_; }
  ScratchPool<RidgeScores>& ridge_scores() const { return ridge_scores_; }
  ScratchPool<RidgeSolvers>& ridge_solvers() const { return ridge_solvers_; }

  // Hints, each one relaxed atomic: they order nothing.
  struct Hints {
    static constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::min();
    // Mean time of a list by vector, weighted to the newest 16 or so.
    std::atomic<std::int64_t> list_us = 0;
    // When a request last asked for the graph of neighbours, by the monotonic clock.
    std::atomic<std::int64_t> graph_asked_us = kNever;
    // Of the state, since the last BeginFreeze(); set when a WriteView ends.
    std::atomic<std::uint64_t> unfrozen_events = 0;
    std::atomic<std::uint64_t> unfrozen_bytes = 0;
    std::atomic<std::uint32_t> long_writes = 0;  // LongWrite
    std::atomic<bool> write_held_up = false;     // since the last of them began
  };
  Hints& hints() const { return hints_; }

  // The log's ticket of the newest change, which who has read the state waits for before it is told
  // (I3). Noted by each view when it ends, for its thread.
  std::uint64_t staged() const { return staged_.load(std::memory_order_relaxed); }
  // To be called before the lock of the change is given back; `ticket` as EventLog::Stage gave it.
  void NoteStaged(std::uint64_t ticket);

  // Returns true while a long write goes on: a write had better come later. Takes no lock.
  bool HoldsUpWrites() const;

  // One thread at a time makes such a thing. Taken before a view, never with one (TurnLock).
  struct Turns {
    Mutex writes;   // a command's change, to its end, or the beginning of a checkpoint (D51)
    Mutex filters;  // a step of making columns and bitmaps
    Mutex recent;   // a recent list
    Mutex models;   // a replaced model, read from disk
  };
  Turns& turns() const { return turns_; }

 private:
  friend class View;
  friend class ReadView;
  friend class WriteView;

  // All that the lock guards.
  struct Guarded {
    CollectionState state;
    CollectionOptions options;
    std::vector<CompiledRule> rules;  // by name
    TokenWindow tokens;
    bool dropped = false;
    std::int64_t trained_at_ms = 0;
  };

  void Lock() ACQUIRE() { mutex_.Lock(); }
  void Unlock() RELEASE() { mutex_.Unlock(); }
  void LockShared() const ACQUIRE_SHARED() { mutex_.LockShared(); }
  void UnlockShared() const RELEASE_SHARED() { mutex_.UnlockShared(); }

  CollectionContext& context_;
  const std::uint32_t cid_;
  const std::uint32_t dim_;
  const Feedback feedback_;
  const SignalRules signal_rules_;

  mutable RecentLists recent_;
  mutable ReplacedModels replaced_;
  mutable ScratchPool<RowFolder> solvers_;
  mutable ScratchPool<SessionScores> session_scores_;
  mutable ScratchPool<RidgeScores> ridge_scores_;
  mutable ScratchPool<RidgeSolvers> ridge_solvers_;
  mutable Hints hints_;
  mutable Turns turns_;
  std::atomic<std::uint64_t> staged_ = 0;

  mutable SharedMutex mutex_;
  Guarded guarded_;
};

// All that may be read while the lock is held, shared or not. Made as a ReadView or a WriteView
// only.
class View {
 public:
  View(const View&) = delete;
  View& operator=(const View&) = delete;

  const SharedState& shared() const { return shared_; }
  const CollectionState& state() const { return guarded_.state; }
  const CollectionOptions& options() const { return guarded_.options; }
  const std::vector<CompiledRule>& rules() const { return guarded_.rules; }
  const TokenWindow& tokens() const { return guarded_.tokens; }
  // Returns true once the collection was deleted: every write is refused (I14), and nothing is to
  // be written to its rows any more.
  bool dropped() const { return guarded_.dropped; }
  std::int64_t trained_at_ms() const { return guarded_.trained_at_ms; }

  // Stops a checked build when this thread holds a view.
  static void CheckNoneHeld();

 protected:
  View(const SharedState& shared, Holder holder);  // before the lock is taken
  ~View();

  const SharedState& shared_;
  Hold hold_;

 private:
  const SharedState::Guarded& guarded_;
#ifdef RECO_DCHECKS
  const View* outer_;  // the thread's next view, of another collection
#endif
};

// Waits for a turn. A checked build stops when the thread has a view: it might wait for a thread
// that waits for it.
class SCOPED_CAPABILITY TurnLock {
 public:
  explicit TurnLock(Mutex& turn) ACQUIRE(turn) : lock_(turn) { View::CheckNoneHeld(); }
  ~TurnLock() RELEASE() = default;

 private:
  MutexLock lock_;
};

// Announces a write that gives the lock back in the middle: until it goes, HoldsUpWrites() has the
// writes of connections asked again later, so that none waits for its turn on an io thread. Made
// before its turn is taken, by a thread that may wait: if others were held up by the long write
// before, it waits some milliseconds first, in which they get in.
class LongWrite {
 public:
  explicit LongWrite(const SharedState& shared);
  ~LongWrite() { shared_.hints().long_writes.fetch_sub(1, std::memory_order_relaxed); }
  LongWrite(const LongWrite&) = delete;
  LongWrite& operator=(const LongWrite&) = delete;

 private:
  const SharedState& shared_;
};

class SCOPED_CAPABILITY ReadView : public View {
 public:
  explicit ReadView(const SharedState& shared, Holder holder = Holder::kRead) ACQUIRE_SHARED(shared)
      : View(shared, holder) {
    shared.LockShared();
    hold_.Begin();
  }
  ~ReadView() RELEASE_GENERIC() NO_THREAD_SAFETY_ANALYSIS {
    shared_.UnlockShared();
    hold_.End();
  }

  // Gives the lock back for a moment. References taken from the state are void after it.
  void Yield() NO_THREAD_SAFETY_ANALYSIS {
    shared_.UnlockShared();
    hold_.End();
    shared_.LockShared();
    hold_.Begin();
  }
};

class SCOPED_CAPABILITY WriteView : public View {
 public:
  explicit WriteView(SharedState& shared, Holder holder = Holder::kWrite) ACQUIRE(shared)
      : View(shared, holder), own_(shared) {
    shared.Lock();
    hold_.Begin();
  }
  ~WriteView() RELEASE() NO_THREAD_SAFETY_ANALYSIS {
    const CollectionState& state = own_.guarded_.state;
    shared_.hints().unfrozen_events.store(state.unfrozen_events(), std::memory_order_relaxed);
    shared_.hints().unfrozen_bytes.store(state.unfrozen_bytes(), std::memory_order_relaxed);
    own_.Unlock();
    hold_.End();
  }

  // Stages a change in the log; changes of a collection lie there in the order of its views (I1).
  Status Stage(FunctionRef<void(store::Batch&)> fill);
  // The same for what nobody is told of: no reply waits until it is on disk.
  Status StageUntold(FunctionRef<void(store::Batch&)> fill);

  CollectionState& state() { return own_.guarded_.state; }
  TokenWindow& tokens() { return own_.guarded_.tokens; }
  void set_options(const CollectionOptions& options) { own_.guarded_.options = options; }
  void set_rules(std::vector<CompiledRule> rules) { own_.guarded_.rules = std::move(rules); }
  void set_dropped() { own_.guarded_.dropped = true; }
  void set_trained_at_ms(std::int64_t at_ms) { own_.guarded_.trained_at_ms = at_ms; }

 private:
  SharedState& own_;
};

}  // namespace reco::engine
