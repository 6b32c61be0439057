// FaultLatch: the errors that RocksDB meets in the background, told to those who write.
#pragma once

#include <atomic>
#include <string>
#include <string_view>
#include <utility>

#include <rocksdb/listener.h>

#include "reco/options.h"
#include "reco/status.h"

#include "base/mutex.h"
#include "store/rocksdb_status.h"

namespace reco::store {

// Keeps the first error after which writes are refused, and passes on what is to be logged.
// Thread-safe.
class FaultLatch final : public rocksdb::EventListener {
 public:
  explicit FaultLatch(LogSink log) : log_(std::move(log)) {}

  void Log(LogLevel level, std::string_view text) const {
    if (log_ && !closing_) {
      log_(level, text);
    }
  }
  // Says that background work that breaks off from here on is no fault.
  void BeginClose() { closing_ = true; }

  void Fail(Status status) {
    MutexLock lock(mutex_);
    if (fault_.ok()) {
      fault_ = std::move(status);
    }
  }
  void Clear() {
    MutexLock lock(mutex_);
    fault_ = {};
  }
  Status Fault() const {
    MutexLock lock(mutex_);
    return fault_;
  }

  void OnBackgroundError(rocksdb::BackgroundErrorReason reason, rocksdb::Status* error) override {
    Status status = ToStatus(*error, ReasonText(reason));
    Log(LogLevel::kWarning, "storage: " + status.ToString());
    // A soft error (a compaction that will be tried again) does not stop writes.
    if (error->severity() != rocksdb::Status::Severity::kSoftError) {
      Fail(std::move(status));
    }
  }

  // After an error that stops writes the owner decides when to go on; RocksDB's own poll for free
  // space would refuse Resume() meanwhile. Compactions are left to it.
  void OnErrorRecoveryBegin(rocksdb::BackgroundErrorReason /*reason*/, rocksdb::Status error,
                            bool* auto_recovery) override {
    if (error.severity() >= rocksdb::Status::Severity::kHardError) {
      *auto_recovery = false;
    }
  }

  void OnErrorRecoveryEnd(const rocksdb::BackgroundErrorRecoveryInfo& info) override {
    if (info.new_bg_error.ok()) {
      Clear();
    }
  }

 private:
  static std::string_view ReasonText(rocksdb::BackgroundErrorReason reason) {
    switch (reason) {
      case rocksdb::BackgroundErrorReason::kFlush:
        return "flush";
      case rocksdb::BackgroundErrorReason::kCompaction:
        return "compaction";
      case rocksdb::BackgroundErrorReason::kWriteCallback:
        return "write";
      case rocksdb::BackgroundErrorReason::kMemTable:
        return "write buffer";
      default:
        return "manifest";
    }
  }

  const LogSink log_;
  std::atomic<bool> closing_ = false;
  mutable Mutex mutex_;
  Status fault_ GUARDED_BY(mutex_);
};

}  // namespace reco::store
