#include "engine/collection/collection.h"

#include <utility>

#include "engine/persist/loader.h"
#include "engine/upkeep/eviction.h"
#include "engine/upkeep/long_rows.h"
#include "engine/upkeep/ridge_solves.h"

namespace reco::engine {

Collection::Collection(CollectionContext& context, std::uint32_t cid,
                       const CollectionOptions& options)
    : shared_(context, cid, options), checkpointer_(shared_) {}

std::shared_ptr<Collection> Collection::Create(CollectionContext& context, std::uint32_t cid,
                                               const CollectionOptions& options) {
  // Not make_shared, which needs a public constructor.
  std::shared_ptr<Collection> created(new Collection(context, cid, options));
  WriteView view(created->shared_, Holder::kOpen);
  // Of nothing, but from here on Apply keeps the rankings current.
  view.state().BuildIndexes();
  return created;
}

Result<std::shared_ptr<Collection>> Collection::Open(CollectionContext& context, std::uint32_t cid,
                                                     const CollectionOptions& options) {
  std::shared_ptr<Collection> opened(new Collection(context, cid, options));
  WriteView view(opened->shared_, Holder::kOpen);
  RECO_ASSIGN_OR_RETURN(const std::uint64_t seq, persist::Load(view));
  opened->checkpointer_.set_seq(seq);
  return opened;
}

CollectionOptions Collection::options() const {
  ReadView view(shared_);
  return view.options();
}

void Collection::SetOptions(const CollectionOptions& options) {
  WriteView view(shared_);
  view.set_options(options);
}

std::vector<CompiledRule> Collection::compiled_rules() const {
  ReadView view(shared_);
  return view.rules();
}

std::vector<Rule> Collection::rules() const {
  std::vector<Rule> rules;
  for (CompiledRule& compiled : compiled_rules()) {
    rules.push_back(std::move(compiled.rule));
  }
  return rules;
}

void Collection::SetRules(std::vector<CompiledRule> rules) {
  WriteView view(shared_);
  view.set_rules(std::move(rules));
}

Status Collection::SolvePutOff() {
  Result<bool> more = true;
  while (more.ok() && *more) {
    more = upkeep::BuildPendingRows(shared_);
  }
  return more.status();
}

Status Collection::Maintain(bool may_write) {
  // Rows first, since lists are out of date until these are solved. Eviction behind them, since
  // sums count against the rows' budget.
  Status built = upkeep::BuildPendingRows(shared_).status();
  if (may_write) {
    upkeep::SolveWaitingRows(shared_);
  }
  upkeep::EvictRows(shared_);
  resort_.Round(shared_);
  graph_.Round(shared_);
  return built;
}

}  // namespace reco::engine
