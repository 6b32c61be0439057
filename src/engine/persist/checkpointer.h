// Checkpointer: writes what is dirty, the log first (D7, I4). Also the last step of a training:
// what a swap changes goes to disk by the same protocol, in one group (I12).
//
//   1 under the lock: the change, and the names of all dirty rows; the next generation begins; they
//     are copied between other commands (D39)
//   2 without it: commit the log up to the copy, then put the copy into the store, one group (D37)
//   3 under the lock: the generation is in the store, so its rows may leave memory (I7)
//
// One at a time. Lock order: the checkpointer's mutex, then the collection's. See
// doc/engine/persist.md.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "reco/result.h"

#include "base/function_ref.h"
#include "base/mutex.h"
#include "engine/state/shared_state.h"
#include "store/store.h"

namespace reco::engine::persist {

// Puts what goes into the same group as the copy.
using AddRows = FunctionRef<void(const FrozenRows&, store::DerivedGroup&)>;

// Writes the copy as one group, with the rows that `add_rows` puts. `ticket` is that of the last
// change that the copy holds, which must be committed (I4). A step of the Checkpointer, apart for
// its test.
Status WriteFrozen(const SharedState& shared, const FrozenRows& frozen, std::uint64_t ticket,
                   AddRows add_rows);

// One is due when so many bytes have changed for each of `checkpoint_events`, however few the
// events are: records are up to 64 KB long. An event takes 100 to 600 as a rule.
inline constexpr std::uint64_t kCheckpointBytesAnEvent = 1'600;
inline constexpr std::uint64_t kCheckpointBytesMin = 1U << 20U;

// Thread-safe.
class Checkpointer {
 public:
  explicit Checkpointer(SharedState& shared);

  // Returns true iff enough has changed: by events, bytes or age. By the first two it takes no
  // lock. Not while a long write goes on, which Checkpoint() would wait for, until two are due.
  bool Due(bool by_age) const EXCLUDES(shared_);
  // Returns true while two checkpoints are due: a write had better wait until the next has begun.
  // Takes no lock.
  bool HoldsUpWrites() const;
  // Waits for that, at most a second; call it before a write, without a view of any collection.
  void Throttle() EXCLUDES(throttled_mutex_);
  // Writes what is dirty. Ok at once when nothing is, or the collection was deleted.
  Status Checkpoint() EXCLUDES(mutex_, shared_);

  // Writes a checkpoint that begins a training: `begin` runs under the lock of the copy, and the
  // snapshot shows exactly that state on disk. kNotFound for a deleted collection, as EndTraining.
  Result<std::unique_ptr<store::Snapshot>> BeginTraining(FunctionRef<void(WriteView&)> begin)
      EXCLUDES(mutex_, shared_);
  // Writes a checkpoint that ends one: behind `catch_up`, `swap` changes the model under the lock
  // of the copy, and what `add_rows` puts goes into the same group, and is flushed. Until then the
  // folder knows only the old model. When one of the two fails nothing is written.
  Status EndTraining(FunctionRef<Status()> catch_up, FunctionRef<Status(WriteView&)> swap,
                     AddRows add_rows) EXCLUDES(mutex_, shared_);

  // Makes every write from now on fail with kNotFound (I14). Returns true when a checkpoint is in
  // flight, for which it does not wait: rows may still be written behind their deletion.
  bool Drop() EXCLUDES(shared_);

  // The event up to which the rows on disk go.
  std::uint64_t seq() const { return seq_; }
  void set_seq(std::uint64_t seq) { seq_ = seq; }  // while loading

 private:
  // Returns true iff `checkpoints` are due by events or bytes.
  bool AreDue(std::uint64_t checkpoints) const;
  // Steps 1 to 3 above; `change` is the change of step 1.
  Status FreezeAndWrite(Holder holder, FunctionRef<Status(WriteView&)> change, AddRows add_rows)
      REQUIRES(mutex_) EXCLUDES(shared_);

  SharedState& shared_;
  bool writing_ = false;  // from step 1 to 3; under a view
  mutable Mutex mutex_ ACQUIRED_BEFORE(shared_);
  // Of writers that wait: mutex_ is held while a checkpoint is written, and they need only its
  // beginning.
  Mutex throttled_mutex_;
  CondVar frozen_;
  std::atomic<std::int64_t> last_us_ = 0;
  std::atomic<std::uint64_t> seq_ = 0;
};

}  // namespace reco::engine::persist
