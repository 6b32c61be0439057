#include "api/server/committer.h"

#include <utility>

#include "base/thread_name.h"

namespace reco::api {

Committer::Committer(Database* database) : database_(database) {
  thread_ = std::thread([this] {
    NameThread("commit");
    Run();
  });
}

Committer::~Committer() {
  Stop();
}

bool Committer::Submit(std::uint64_t generation, std::uint64_t seen,
                       std::function<void(const Status&)> done) {
  const MutexLock lock(mutex_);
  if (stopping_) {
    return false;
  }
  requests_.push_back({generation, seen, std::move(done)});
  changed_.NotifyOne();
  return true;
}

void Committer::Stop() {
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
    changed_.NotifyOne();
  }
  if (thread_.joinable()) {
    thread_.join();
  }
}

void Committer::Run() {
  std::vector<Request> taken;
  while (true) {
    {
      const MutexLock lock(mutex_);
      while (requests_.empty() && !stopping_) {
        changed_.Wait(mutex_);
      }
      if (requests_.empty()) {
        return;
      }
      taken.swap(requests_);
    }
    // The first commits what all of them have staged.
    for (const Request& request : taken) {
      const bool committed = request.seen <= database_->CommittedUpTo(request.generation);
      request.done(committed ? Status::Ok() : database_->Commit(request.generation));
    }
    taken.clear();
  }
}

}  // namespace reco::api
