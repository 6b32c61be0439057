// ServedLists: the lists that an evaluation's users would be served: vectors solved by the newest
// pairs, with the parts by neighbours, all made from the pairs that are not held out.
#pragma once

#include <atomic>
#include <cstdint>
#include <span>
#include <vector>

#include "reco/types.h"

#include "base/scratch_pool.h"
#include "engine/neighbours/item_parts.h"
#include "engine/neighbours/pair_counts.h"
#include "engine/neighbours/ridge_rows.h"
#include "engine/neighbours/ridge_scores.h"
#include "engine/neighbours/session_scores.h"
#include "engine/neighbours/sessions.h"
#include "engine/rows/recency.h"
#include "engine/rows/row_folder.h"
#include "index/item_index.h"
#include "model/aligned_vector.h"
#include "model/evaluation.h"
#include "model/trainer.h"

namespace reco::engine::training {

struct ServedOptions {
  Recency recency;
  bool sessions = false;  // whether there is such a part
  bool ridge = false;
  std::uint64_t bytes_max = 0;  // of sessions and counts
  std::uint64_t seed = 0;       // orders pairs of one time, chooses the users of the scales
  std::uint32_t threads = 1;
  const std::atomic<bool>* cancel = nullptr;  // lists mean nothing once it is set
};

// Items are columns of the data here. Each user is asked for as of the time of the oldest pair that
// is held out. The parts weigh as after a training (doc/model.md).
class ServedLists {
 public:
  // The referents must outlive it. Takes about 100 us for each item, on so many threads.
  ServedLists(const model::TimedInteractions& data, const model::HoldOut& hold_out,
              const model::TrainedModel& trained, const index::ItemIndex& items,
              const ServedOptions& options);

  // Return listers, which must not outlive it: of what is served, and of the ridge rows alone.
  model::UserLister Served();
  model::UserLister RidgeAlone();

 private:
  // What a user's list is made from.
  struct Request {
    std::vector<model::Neighbor> neighbors;
    std::vector<ProfileItem> profile;
  };

  void Follow(std::uint64_t seed);
  void FindScales(std::uint64_t seed);
  std::int64_t TimeOf(std::size_t user, std::uint32_t item) const;
  Request RequestOf(std::uint32_t user);
  model::AlignedVector<float> VectorOf(std::uint32_t user, const Request& request);
  std::vector<ItemPart> PartsOf(std::uint32_t user, const Request& request);
  std::vector<std::uint32_t> ListOf(std::uint32_t user, std::size_t k);
  std::vector<std::uint32_t> RidgeListOf(std::uint32_t user, std::size_t k);
  bool Seen(std::uint32_t user, std::uint32_t item) const;
  double BestByVectors(std::uint32_t user, const Request& request);
  double BestByPart(std::uint32_t user, std::span<const ItemPart> parts) const;

  const model::TimedInteractions& data_;
  const model::HoldOut& hold_out_;
  const model::TrainedModel& trained_;
  const index::ItemIndex& items_;
  const ServedOptions options_;
  std::vector<std::uint32_t> users_of_item_;
  PairCounts counts_;
  Sessions sessions_;
  RidgeRows rows_;
  double session_factor_ = 0;
  double ridge_factor_ = 0;
  ScratchPool<RowFolder> folders_;
  ScratchPool<SessionScores> session_scores_;
  ScratchPool<RidgeScores> ridge_scores_;
};

}  // namespace reco::engine::training
