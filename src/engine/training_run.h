// TrainingRun: what one training or evaluation of a Collection works on, from the snapshot it takes
// to the tables it leaves. Confined to the job's thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "engine/cold/cold_items.h"
#include "engine/collection.h"
#include "engine/rows/row_folder.h"
#include "engine/rows/signal.h"
#include "index/item_index.h"
#include "model/evaluation.h"
#include "model/factor_table.h"
#include "model/trainer.h"
#include "store/store.h"

namespace reco::engine {

model::TrainingParams TrainingParamsOf(const CollectionOptions& options, const Options& database);

// The result of a training, as far as the items' vectors depend on it.
struct Collection::TrainedItems {
  const model::FactorTable& users;
  const model::Gram& user_gram;
  model::SolveParams solve;
  model::FactorTable& items;
  model::Gram& item_gram;
};

struct Collection::TrainingRun {
  CollectionOptions parameters;
  bool catch_up = true;  // false: an evaluation, nothing will be swapped in
  // Set by BeginRun, under the lock.
  std::uint64_t seq = 0;
  std::uint32_t users = 0;
  std::uint32_t items = 0;
  std::uint64_t pairs = 0;
  std::uint32_t model_id = 0;
  std::unique_ptr<store::Snapshot> snapshot;
  // Filled on the way.
  model::TimedInteractions data;
  model::SolveParams solve;
  ModelSignal signal;
  double mean = 0;
  std::shared_ptr<const ColdItems> cold;  // null: no attributes to learn from
  double objective = 0;
  double seconds_per_iteration = 0;
  std::vector<double> objectives;  // after each iteration
  std::unique_ptr<model::FactorTable> user_factors;
  std::unique_ptr<model::FactorTable> item_factors;
  std::optional<model::Gram> user_gram;
  std::optional<model::Gram> item_gram;
  std::unique_ptr<RowFolder> solver;
  std::unique_ptr<index::ItemIndex> index;
  std::vector<std::pair<Side, std::uint32_t>> put_off;  // rows for the background after the swap
  std::vector<std::uint32_t> rewritten_users;           // solved after their vectors were written
  std::vector<std::uint32_t> rewritten_items;
};

}  // namespace reco::engine
