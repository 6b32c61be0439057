// Models that a later training has replaced, to be ranked by: their item vectors, read from disk
// when a request names one and held in memory while requests do. Users' vectors are solved on read.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/mutex.h"
#include "engine/state/active_model.h"
#include "index/item_index.h"
#include "model/factor_table.h"
#include "model/fold_in.h"

namespace reco::engine {

// Item vectors as the last checkpoint before the replacement wrote them. Immutable once loaded.
struct ReplacedModel {
  explicit ReplacedModel(std::uint32_t dim) : items(dim), item_gram(dim), index(items) {}

  ActiveModel model;
  model::FactorTable items;
  model::Gram item_gram;  // of `items`
  index::ItemIndex index;
};

// Returns the oldest model whose item vectors stay when `kept` models before the active one do.
constexpr std::uint32_t FirstModelKept(std::uint32_t active, std::uint32_t kept) {
  return active > kept ? active - kept : 1;
}

// Those in memory. Thread-safe; its lock is a leaf.
class ReplacedModels {
 public:
  // Returns the model and notes that it was asked for; null when it is not in memory.
  std::shared_ptr<const ReplacedModel> Find(std::uint32_t id, std::int64_t now_us) EXCLUDES(mutex_);
  void Add(std::shared_ptr<const ReplacedModel> model, std::int64_t now_us) EXCLUDES(mutex_);
  // Lets go of those before `first` and of those that nobody asked for in ten minutes.
  void Drop(std::uint32_t first, std::int64_t now_us) EXCLUDES(mutex_);
  bool empty() const EXCLUDES(mutex_);
  std::uint64_t memory_bytes() const EXCLUDES(mutex_);

 private:
  struct Held {
    std::shared_ptr<const ReplacedModel> model;
    std::int64_t asked_us = 0;
  };
  mutable Mutex mutex_;
  std::vector<Held> held_ GUARDED_BY(mutex_);
};

}  // namespace reco::engine
