// TrainingRun: what one training or evaluation of a collection works on, from the snapshot it takes
// to the tables it leaves. Confined to the job's thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "reco/options.h"
#include "reco/types.h"

#include "engine/cold/cold_items.h"
#include "engine/rows/row_folder.h"
#include "engine/rows/signal.h"
#include "engine/state/collection_state.h"
#include "index/item_index.h"
#include "model/evaluation.h"
#include "model/factor_table.h"
#include "model/fold_in.h"
#include "store/store.h"

namespace reco::engine::training {

using Figures = std::vector<std::pair<std::string, double>>;

struct TrainingRun {
  CollectionOptions parameters;
  bool catch_up = true;  // false: an evaluation, nothing will be swapped in
  // Set by Begin, under the lock.
  std::uint64_t seq = 0;
  std::uint32_t users = 0;
  std::uint32_t items = 0;
  std::uint64_t pairs = 0;
  std::int64_t begun_ms = 0;
  std::uint32_t model_id = 0;
  std::unique_ptr<store::Snapshot> snapshot;
  // Filled on the way. Rows and columns of the data are not ordinals but places in these lists,
  // which leave out whom was deleted before (D35).
  std::vector<std::uint32_t> user_ordinals;
  std::vector<std::uint32_t> item_ordinals;
  model::TimedInteractions data;
  model::SolveParams solve;
  ModelSignal signal;
  double mean = 0;
  std::shared_ptr<const ColdItems> cold;  // null: no attributes to learn from
  std::uint64_t row_events = 0;           // CollectionState::row_events() at the beginning
  bool read_neighbours = false;           // they are not kept yet
  std::unique_ptr<NeighbourTables> dropped_neighbours;  // freed without the lock
  PartScales scales;
  double objective = 0;
  double seconds_per_iteration = 0;
  std::vector<double> objectives;                    // after each iteration
  std::unique_ptr<model::FactorTable> user_factors;  // by ordinal
  std::unique_ptr<model::FactorTable> item_factors;
  std::optional<model::Gram> user_gram;
  std::optional<model::Gram> item_gram;
  std::unique_ptr<RowFolder> solver;
  std::unique_ptr<index::ItemIndex> index;
  std::vector<std::pair<Side, std::uint32_t>> put_off;  // rows for the background after the swap
  std::optional<CollectionState::OldModel> replaced;    // by the swap; freed without the lock
};

}  // namespace reco::engine::training
