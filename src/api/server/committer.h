// Committer: waits for the disk in place of the io threads while every commit is synced
// (`appendfsync always`), so that clients who need no commit are served meanwhile.
#pragma once

#include <cstdint>
#include <functional>
#include <thread>
#include <vector>

#include "reco/engine.h"

#include "base/mutex.h"

namespace reco::api {

// Thread-safe. The database must outlive it.
class Committer {
 public:
  explicit Committer(Database* database);
  ~Committer();
  Committer(const Committer&) = delete;
  Committer& operator=(const Committer&) = delete;

  // Commits (Database::Commit), unless the change `seen` is committed by then, and calls `done` on
  // the committer's thread. Returns false, and does neither, once it was stopped. Each call is for
  // connections that run nothing meanwhile, so there are at most as many as these.
  bool Submit(std::uint64_t generation, std::uint64_t seen, std::function<void(const Status&)> done)
      EXCLUDES(mutex_);
  // Does what was submitted, then joins. May be called more than once.
  void Stop() EXCLUDES(mutex_);

 private:
  struct Request {
    std::uint64_t generation;
    std::uint64_t seen;
    std::function<void(const Status&)> done;
  };
  void Run() EXCLUDES(mutex_);

  Database* const database_;
  Mutex mutex_;
  CondVar changed_;
  std::vector<Request> requests_ GUARDED_BY(mutex_);
  bool stopping_ GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace reco::api
