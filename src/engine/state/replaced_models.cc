#include "engine/state/replaced_models.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace reco::engine {
namespace {

// As long as an unused graph of neighbours stays (graph_build.cc).
constexpr std::int64_t kUnusedUs = 600'000'000;

}  // namespace

std::shared_ptr<const ReplacedModel> ReplacedModels::Find(std::uint32_t id, std::int64_t now_us) {
  MutexLock lock(mutex_);
  for (Held& held : held_) {
    if (held.model->model.id == id) {
      held.asked_us = now_us;
      return held.model;
    }
  }
  return nullptr;
}

void ReplacedModels::Add(std::shared_ptr<const ReplacedModel> model, std::int64_t now_us) {
  MutexLock lock(mutex_);
  held_.push_back({std::move(model), now_us});
}

void ReplacedModels::Drop(std::uint32_t first, std::int64_t now_us) {
  std::vector<Held> dropped;  // freed without the lock
  MutexLock lock(mutex_);
  // A request that ranks by one of them holds it by its own pointer, so it may go at any time.
  const auto kept = std::partition(held_.begin(), held_.end(), [&](const Held& held) {
    return held.model->model.id >= first && now_us - held.asked_us < kUnusedUs;
  });
  std::move(kept, held_.end(), std::back_inserter(dropped));
  held_.erase(kept, held_.end());
}

bool ReplacedModels::empty() const {
  MutexLock lock(mutex_);
  return held_.empty();
}

std::uint64_t ReplacedModels::memory_bytes() const {
  MutexLock lock(mutex_);
  std::uint64_t bytes = 0;
  for (const Held& held : held_) {
    bytes += held.model->items.memory_bytes() + held.model->index.memory_bytes();
  }
  return bytes;
}

}  // namespace reco::engine
