// Collection: one catalogue behind one key. Composes; decides nothing.
//
// It owns the state with its lock and one object for each room that keeps something between calls.
// What is done with them stands in the rooms: writer.h and reads.h here, lists/, training/,
// upkeep/, persist/. A new list or read adds a function there and none here. See
// doc/engine/collection.md.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "reco/options.h"
#include "reco/result.h"
#include "reco/types.h"

#include "engine/persist/checkpointer.h"
#include "engine/state/compiled_rule.h"
#include "engine/state/shared_state.h"
#include "engine/upkeep/graph_build.h"
#include "engine/upkeep/index_resort.h"

namespace reco::engine {

// Thread-safe. Lives as long as someone holds it; after Drop() every write answers kNotFound, so
// that a caller who found it before looks its key up again.
class Collection {
 public:
  // Makes a new one under a number that was never given out before (I10). Nothing can be stored of
  // it, so nothing is read: the cost does not depend on what the folder holds. Staging its key is
  // the caller's.
  static std::shared_ptr<Collection> Create(CollectionContext& context, std::uint32_t cid,
                                            const CollectionOptions& options);
  // Loads the one of this number: the checkpoint, then the log. kCorruption when rows contradict
  // each other or the log.
  static Result<std::shared_ptr<Collection>> Open(CollectionContext& context, std::uint32_t cid,
                                                  const CollectionOptions& options);
  Collection(const Collection&) = delete;
  Collection& operator=(const Collection&) = delete;

  std::uint32_t cid() const { return shared_.cid(); }
  SharedState& shared() { return shared_; }
  const SharedState& shared() const { return shared_; }
  persist::Checkpointer& checkpointer() { return checkpointer_; }
  const persist::Checkpointer& checkpointer() const { return checkpointer_; }

  // Makes every write from now on fail with kNotFound. Returns true when a checkpoint in flight may
  // still write rows.
  bool Drop() { return checkpointer_.Drop(); }

  CollectionOptions options() const;
  void SetOptions(const CollectionOptions& options);
  // The rules, compiled and within their bounds, by name.
  std::vector<CompiledRule> compiled_rules() const;
  std::vector<Rule> rules() const;
  void SetRules(std::vector<CompiledRule> rules);

  // Does one round of upkeep, by one thread at a time: long rows, eviction, the item index, the
  // graph of neighbours. An error is that of a long row that cannot be read; the rest is done all
  // the same.
  Status Maintain(bool may_write);
  // Solves all rows that wait for the background, by the same thread.
  Status SolvePutOff();
  // The number of times that the index was re-sorted.
  std::uint64_t resorts() const { return resort_.times(); }

 private:
  Collection(CollectionContext& context, std::uint32_t cid, const CollectionOptions& options);

  SharedState shared_;
  persist::Checkpointer checkpointer_;
  upkeep::IndexResort resort_;
  upkeep::GraphBuild graph_;
};

}  // namespace reco::engine
