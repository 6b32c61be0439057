// FaultEnv: a RocksDB Env over the machine's files that counts writes and syncs, fails the n-th on
// demand, and can take away what was never synced, as a power cut does. Syncs are only recorded, so
// that tests do not wait for the disk.
#pragma once

#include <cstdint>
#include <memory>

namespace rocksdb {
class Env;
}

namespace reco::testing {

// Which operation fails, and how. Writes are appends, truncations, creations and renames of files;
// syncs are those of files and of folders.
struct FaultPlan {
  enum class Kind : std::uint8_t { kIoError, kNoSpace };

  std::uint64_t nth = 1;   // counted from Arm() on; 1: the next one
  bool and_later = false;  // every later one fails too
  Kind kind = Kind::kIoError;
  bool writes = true;       // writes count and fail
  bool syncs = true;        // syncs count and fail
  bool torn_write = false;  // a failing append leaves the first half of its bytes
};

struct FaultCounts {
  std::uint64_t writes = 0;
  std::uint64_t syncs = 0;
  std::uint64_t failures = 0;  // of them, injected
};

// Thread-safe. Must outlive every store that was opened with env().
class FaultEnv {
 public:
  FaultEnv();
  ~FaultEnv();
  FaultEnv(const FaultEnv&) = delete;
  FaultEnv& operator=(const FaultEnv&) = delete;

  rocksdb::Env* env();

  // Starts to count towards the plan; replaces the one before.
  void Arm(const FaultPlan& plan);
  // No operation fails any more.
  void Disarm();
  // Syncs wait from here on, until HoldSyncs(false).
  void HoldSyncs(bool hold);
  // Returns when one waits.
  void AwaitHeldSync();
  FaultCounts counts() const;
  void ResetCounts();

  // Power cut: cuts every file written through env() to its length at its last successful sync.
  // Close all stores before. Creations, renames and removals of files stay.
  void DropUnsyncedData();

 private:
  class FileSystem;
  class File;
  class Folder;
  class Clockwork;
  struct State;

  const std::shared_ptr<State> state_;
  std::unique_ptr<rocksdb::Env> env_;
};

}  // namespace reco::testing
