// ClientRegistry: the clients that are connected now, for CLIENT LIST and KILL and for maxclients.
#pragma once

#include <cstdint>
#include <map>

#include "api/server/client.h"
#include "base/function_ref.h"
#include "base/mutex.h"
#include "base/thread_annotations.h"

namespace reco::api {

// Thread-safe. Clients are borrowed between Add and Remove.
class ClientRegistry {
 public:
  std::uint64_t NextId() { return next_id_.fetch_add(1, std::memory_order_relaxed); }

  void Add(Client* client) EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    clients_.emplace(client->id(), client);
  }
  // Takes the client out; does nothing when it is not there.
  void Remove(const Client& client) EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    clients_.erase(client.id());
  }
  std::size_t size() const EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    return clients_.size();
  }
  // Visits the clients in the order of their ids, with the lock held: `visit` must not call back.
  void ForEach(FunctionRef<void(Client&)> visit) const EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    for (const auto& [id, client] : clients_) {
      visit(*client);
    }
  }

 private:
  std::atomic<std::uint64_t> next_id_ = 1;  // relaxed: ids only have to differ
  mutable Mutex mutex_;
  std::map<std::uint64_t, Client*> clients_ GUARDED_BY(mutex_);
};

}  // namespace reco::api
