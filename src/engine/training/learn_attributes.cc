// Cold items: what a training learns from attributes, and the vectors that items
// with few pairs or none get from it.
#include <algorithm>
#include <string>
#include <vector>

#include "base/work.h"
#include "engine/training/train.h"

namespace reco::engine::training {
namespace {

// Copies the attributes of these items, in their order, some at a time under the lock, so that
// writes get through.
std::vector<std::string> CopyAttributes(const SharedState& shared,
                                        const std::vector<std::uint32_t>& ordinals) {
  constexpr std::size_t kStep = 64;  // up to 64 KB each
  std::vector<std::string> copies(ordinals.size());
  for (std::size_t from = 0; from < copies.size(); from += kStep) {
    ReadView view(shared, Holder::kTrain);
    const std::size_t end = std::min(copies.size(), from + kStep);
    CountWork(Work::kRows, end - from);
    for (std::size_t item = from; item < end; ++item) {
      copies[item] = view.state().AttributesOf(ordinals[item]);
    }
  }
  return copies;
}

// Returns it with the counts of pairs by ordinal, which it has by place in the list.
std::shared_ptr<const ColdItems> ByOrdinal(const ColdItems& cold,
                                           const std::vector<std::uint32_t>& ordinals) {
  auto copy = std::make_shared<ColdItems>(cold);
  copy->trained_pairs.assign(ordinals.empty() ? 0 : std::size_t{ordinals.back()} + 1, 0);
  for (std::size_t item = 0; item < ordinals.size(); ++item) {
    copy->trained_pairs[ordinals[item]] = cold.trained_pairs[item];
  }
  return copy;
}

}  // namespace

// Fits the trained item vectors to the attributes, then solves again the items that the attributes
// say something of: those without pairs get the prediction, those with few are drawn to it. User
// vectors stay: solving them again as well changed no quality (bench/cold_items.cc).
Result<std::shared_ptr<const ColdItems>> LearnAttributes(const SharedState& shared,
                                                         const TrainingRun& run,
                                                         const model::InteractionMatrix& by_item,
                                                         const TrainedItems& trained,
                                                         const std::atomic<bool>* cancel) {
  const std::vector<std::string>& fields = run.parameters.attribute_features;
  if (fields.empty()) {
    return std::shared_ptr<const ColdItems>();
  }
  const auto items = static_cast<std::uint32_t>(by_item.rows());
  const std::vector<std::string> attributes = CopyAttributes(shared, run.item_ordinals);
  const model::AttributeFitParams params = {
      .threads = TrainingParamsOf(run.parameters, shared.context().options).threads,
      .cancel = cancel};
  RECO_ASSIGN_OR_RETURN(const std::shared_ptr<const ColdItems> cold,
                        FitColdItems(fields, attributes, by_item, trained.items, params));
  if (cold == nullptr) {
    return cold;
  }
  RowFolder folder(shared.dim(), shared.feedback());
  model::AlignedVector<float> prior(trained.items.stride());
  std::vector<float> before(trained.items.stride());
  std::vector<model::Neighbor> neighbors;
  for (std::uint32_t item = 0; item < items; ++item) {
    const auto users = by_item.row_columns(item);
    // Ratings take the prediction only while an item has none (D28).
    if ((shared.rated() && !users.empty()) ||
        !cold->Prior({item, users.size(), attributes[item]}, {prior.data(), shared.dim()})) {
      continue;
    }
    neighbors.clear();
    for (std::size_t i = 0; i < users.size(); ++i) {
      neighbors.push_back({trained.users.row(users[i]), by_item.row_weights(item)[i]});
    }
    float* x = trained.items.mutable_row(item);
    std::copy_n(x, before.size(), before.begin());
    // Users and their Gram do not change here, so the order of items is of no matter.
    folder.Solve({Side::kItem, trained.user_gram, trained.solve, 0, prior.data()}, neighbors, x);
    trained.item_gram.Update(before.data(), x);
  }
  return ByOrdinal(*cold, run.item_ordinals);
}

}  // namespace reco::engine::training
