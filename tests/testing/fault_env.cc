#include "testing/fault_env.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <string>
#include <system_error>
#include <utility>

#include <rocksdb/env.h>
#include <rocksdb/file_system.h>

#include "base/mutex.h"

namespace reco::testing {
namespace {

using rocksdb::FileOptions;
using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;
using rocksdb::Slice;

enum class Operation : std::uint8_t { kWrite, kSync };

}  // namespace

// What the file system and its files share; files may outlive the FaultEnv's plan, not this.
struct FaultEnv::State {
  struct Lengths {
    std::uint64_t written = 0;
    std::uint64_t synced = 0;
  };

  // Counts the operation; an error when the plan says so.
  IOStatus Admit(Operation operation) EXCLUDES(mutex) {
    MutexLock lock(mutex);
    const bool is_write = operation == Operation::kWrite;
    ++(is_write ? counts.writes : counts.syncs);
    if (!is_write && hold_syncs) {
      ++held;
      held_changed.NotifyAll();
      while (hold_syncs) {
        held_changed.Wait(mutex);
      }
      --held;
    }
    if (!armed || !(is_write ? plan.writes : plan.syncs)) {
      return IOStatus::OK();
    }
    ++seen;
    if (seen < plan.nth || (seen > plan.nth && !plan.and_later)) {
      return IOStatus::OK();
    }
    ++counts.failures;
    return plan.kind == FaultPlan::Kind::kNoSpace ? IOStatus::NoSpace("injected: disk full")
                                                  : IOStatus::IOError("injected: i/o error");
  }

  bool LeavesTornWrite() EXCLUDES(mutex) {
    MutexLock lock(mutex);
    return plan.torn_write;
  }

  void Grow(const std::string& path, std::uint64_t bytes) EXCLUDES(mutex) {
    MutexLock lock(mutex);
    files[path].written += bytes;
  }

  mutable Mutex mutex;
  FaultPlan plan GUARDED_BY(mutex);
  bool armed GUARDED_BY(mutex) = false;
  std::uint64_t seen GUARDED_BY(mutex) = 0;
  FaultCounts counts GUARDED_BY(mutex);
  bool hold_syncs GUARDED_BY(mutex) = false;
  int held GUARDED_BY(mutex) = 0;
  CondVar held_changed;
  std::map<std::string, Lengths> files GUARDED_BY(mutex);
};

class FaultEnv::File final : public rocksdb::FSWritableFileOwnerWrapper {
 public:
  File(std::shared_ptr<State> state, std::string path,
       std::unique_ptr<rocksdb::FSWritableFile>&& file)
      : FSWritableFileOwnerWrapper(std::move(file)),
        state_(std::move(state)),
        path_(std::move(path)) {}

  IOStatus Append(const Slice& data, const IOOptions& options, IODebugContext* debug) override {
    IOStatus fault = state_->Admit(Operation::kWrite);
    if (!fault.ok()) {
      if (state_->LeavesTornWrite()) {
        const Slice half(data.data(), data.size() / 2);
        if (target()->Append(half, options, debug).ok()) {
          state_->Grow(path_, half.size());
        }
      }
      return fault;
    }
    IOStatus status = target()->Append(data, options, debug);
    if (status.ok()) {
      state_->Grow(path_, data.size());
    }
    return status;
  }
  IOStatus Append(const Slice& data, const IOOptions& options,
                  const rocksdb::DataVerificationInfo& /*verification*/,
                  IODebugContext* debug) override {
    return Append(data, options, debug);
  }
  IOStatus PositionedAppend(const Slice& /*data*/, std::uint64_t /*offset*/,
                            const IOOptions& /*options*/, IODebugContext* /*debug*/) override {
    return IOStatus::NotSupported("direct writes are not tracked");
  }
  IOStatus PositionedAppend(const Slice& data, std::uint64_t offset, const IOOptions& options,
                            const rocksdb::DataVerificationInfo& /*verification*/,
                            IODebugContext* debug) override {
    return PositionedAppend(data, offset, options, debug);
  }

  IOStatus Truncate(std::uint64_t size, const IOOptions& options, IODebugContext* debug) override {
    IOStatus status = state_->Admit(Operation::kWrite);
    if (!status.ok()) {
      return status;
    }
    status = target()->Truncate(size, options, debug);
    if (status.ok()) {
      MutexLock lock(state_->mutex);
      State::Lengths& lengths = state_->files[path_];
      lengths.written = size;
      lengths.synced = std::min(lengths.synced, size);
    }
    return status;
  }

  IOStatus Sync(const IOOptions& /*options*/, IODebugContext* /*debug*/) override {
    IOStatus fault = state_->Admit(Operation::kSync);
    if (fault.ok()) {
      MutexLock lock(state_->mutex);
      State::Lengths& lengths = state_->files[path_];
      lengths.synced = lengths.written;
    }
    return fault;
  }
  IOStatus Fsync(const IOOptions& options, IODebugContext* debug) override {
    return Sync(options, debug);
  }

 private:
  const std::shared_ptr<State> state_;
  const std::string path_;
};

class FaultEnv::Folder final : public rocksdb::FSDirectoryWrapper {
 public:
  Folder(std::shared_ptr<State> state, std::unique_ptr<rocksdb::FSDirectory>&& folder)
      : FSDirectoryWrapper(std::move(folder)), state_(std::move(state)) {}

  IOStatus Fsync(const IOOptions& /*options*/, IODebugContext* /*debug*/) override {
    return state_->Admit(Operation::kSync);
  }
  IOStatus FsyncWithDirOptions(const IOOptions& /*options*/, IODebugContext* /*debug*/,
                               const rocksdb::DirFsyncOptions& /*dir_options*/) override {
    return state_->Admit(Operation::kSync);
  }

 private:
  const std::shared_ptr<State> state_;
};

class FaultEnv::FileSystem final : public rocksdb::FileSystemWrapper {
 public:
  explicit FileSystem(std::shared_ptr<State> state)
      : FileSystemWrapper(rocksdb::FileSystem::Default()), state_(std::move(state)) {}

  const char* Name() const override { return "FaultFileSystem"; }

  IOStatus NewWritableFile(const std::string& path, const FileOptions& options,
                           std::unique_ptr<rocksdb::FSWritableFile>* result,
                           IODebugContext* debug) override {
    return Wrap(path, 0, result,
                [&] { return target()->NewWritableFile(path, options, result, debug); });
  }

  IOStatus ReopenWritableFile(const std::string& path, const FileOptions& options,
                              std::unique_ptr<rocksdb::FSWritableFile>* result,
                              IODebugContext* debug) override {
    return Wrap(path, SizeOf(path), result,
                [&] { return target()->ReopenWritableFile(path, options, result, debug); });
  }

  IOStatus ReuseWritableFile(const std::string& path, const std::string& old_path,
                             const FileOptions& options,
                             std::unique_ptr<rocksdb::FSWritableFile>* result,
                             IODebugContext* debug) override {
    return Wrap(path, SizeOf(old_path), result, [&] {
      return target()->ReuseWritableFile(path, old_path, options, result, debug);
    });
  }

  IOStatus NewDirectory(const std::string& path, const IOOptions& options,
                        std::unique_ptr<rocksdb::FSDirectory>* result,
                        IODebugContext* debug) override {
    std::unique_ptr<rocksdb::FSDirectory> folder;
    IOStatus status = target()->NewDirectory(path, options, &folder, debug);
    if (status.ok()) {
      *result = std::make_unique<Folder>(state_, std::move(folder));
    }
    return status;
  }

  IOStatus RenameFile(const std::string& from, const std::string& to, const IOOptions& options,
                      IODebugContext* debug) override {
    IOStatus status = state_->Admit(Operation::kWrite);
    if (!status.ok()) {
      return status;
    }
    status = target()->RenameFile(from, to, options, debug);
    if (status.ok()) {
      MutexLock lock(state_->mutex);
      if (const auto found = state_->files.find(from); found != state_->files.end()) {
        state_->files[to] = found->second;
        state_->files.erase(found);
      }
    }
    return status;
  }

  IOStatus DeleteFile(const std::string& path, const IOOptions& options,
                      IODebugContext* debug) override {
    IOStatus status = target()->DeleteFile(path, options, debug);
    if (status.ok()) {
      MutexLock lock(state_->mutex);
      state_->files.erase(path);
    }
    return status;
  }

 private:
  static std::uint64_t SizeOf(const std::string& path) {
    std::error_code error;
    const std::uintmax_t size = std::filesystem::file_size(path, error);
    return error ? 0 : size;
  }

  // Opens a file by `open` and tracks it; its first `bytes` are taken as synced.
  template <typename F>
  IOStatus Wrap(const std::string& path, std::uint64_t bytes,
                std::unique_ptr<rocksdb::FSWritableFile>* result, const F& open) {
    IOStatus status = state_->Admit(Operation::kWrite);
    if (!status.ok()) {
      return status;
    }
    status = open();
    if (status.ok()) {
      {
        MutexLock lock(state_->mutex);
        state_->files[path] = {.written = bytes, .synced = bytes};
      }
      *result = std::make_unique<File>(state_, path, std::move(*result));
    }
    return status;
  }

  const std::shared_ptr<State> state_;
};

// RocksDB sleeps for a second when a flush has failed; a test of every failure does not.
class FaultEnv::Clockwork final : public rocksdb::EnvWrapper {
 public:
  explicit Clockwork(std::unique_ptr<rocksdb::Env> base)
      : EnvWrapper(base.get()), base_(std::move(base)) {}
  void SleepForMicroseconds(int micros) override {
    base_->SleepForMicroseconds(std::min(micros, 10'000));
  }

 private:
  const std::unique_ptr<rocksdb::Env> base_;
};

FaultEnv::FaultEnv()
    : state_(std::make_shared<State>()),
      env_(std::make_unique<Clockwork>(
          rocksdb::NewCompositeEnv(std::make_shared<FileSystem>(state_)))) {}

FaultEnv::~FaultEnv() = default;

rocksdb::Env* FaultEnv::env() {
  return env_.get();
}

void FaultEnv::Arm(const FaultPlan& plan) {
  MutexLock lock(state_->mutex);
  state_->plan = plan;
  state_->armed = true;
  state_->seen = 0;
}

void FaultEnv::Disarm() {
  MutexLock lock(state_->mutex);
  state_->armed = false;
}

void FaultEnv::HoldSyncs(bool hold) {
  MutexLock lock(state_->mutex);
  state_->hold_syncs = hold;
  state_->held_changed.NotifyAll();
}

void FaultEnv::AwaitHeldSync() {
  MutexLock lock(state_->mutex);
  while (state_->held == 0) {
    state_->held_changed.Wait(state_->mutex);
  }
}

FaultCounts FaultEnv::counts() const {
  MutexLock lock(state_->mutex);
  return state_->counts;
}

void FaultEnv::ResetCounts() {
  MutexLock lock(state_->mutex);
  state_->counts = {};
}

void FaultEnv::DropUnsyncedData() {
  MutexLock lock(state_->mutex);
  for (auto& [path, lengths] : state_->files) {
    std::error_code gone;  // a file may have been removed with its folder
    std::filesystem::resize_file(path, lengths.synced, gone);
    lengths.written = lengths.synced;
  }
}

}  // namespace reco::testing
