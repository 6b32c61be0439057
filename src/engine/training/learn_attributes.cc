// Cold items: what a training learns from attributes, and the vectors that items
// with few pairs or none get from it.
#include <algorithm>
#include <string>
#include <vector>

#include "engine/training/train.h"

namespace reco::engine::training {
namespace {

// Copies the attributes of items [0, items), some at a time under the lock, so that writes get
// through.
std::vector<std::string> CopyAttributes(const SharedState& shared, std::uint32_t items) {
  constexpr std::uint32_t kStep = 1'024;
  std::vector<std::string> copies(items);
  for (std::uint32_t from = 0; from < items; from += kStep) {
    ReadView view(shared);
    for (std::uint32_t item = from; item < std::min(items, from + kStep); ++item) {
      copies[item] = view.state().AttributesOf(item);
    }
  }
  return copies;
}

}  // namespace

// Fits the trained item vectors to the attributes, then solves again the items that the attributes
// say something of: those without pairs get the prediction, those with few are drawn to it. User
// vectors stay: solving them again as well changed no quality (bench/cold_items.cc).
Result<std::shared_ptr<const ColdItems>> LearnAttributes(const SharedState& shared,
                                                         const CollectionOptions& parameters,
                                                         const model::InteractionMatrix& by_item,
                                                         const TrainedItems& trained,
                                                         const std::atomic<bool>* cancel) {
  if (parameters.attribute_features.empty()) {
    return std::shared_ptr<const ColdItems>();
  }
  const auto items = static_cast<std::uint32_t>(by_item.rows());
  const std::vector<std::string> attributes = CopyAttributes(shared, items);
  const model::AttributeFitParams params = {
      .threads = TrainingParamsOf(parameters, shared.context().options).threads, .cancel = cancel};
  RECO_ASSIGN_OR_RETURN(
      std::shared_ptr<const ColdItems> cold,
      FitColdItems(parameters.attribute_features, attributes, by_item, trained.items, params));
  RowFolder folder(shared.dim(), shared.feedback());
  model::AlignedVector<float> prior(trained.items.stride());
  std::vector<float> before(trained.items.stride());
  std::vector<model::Neighbor> neighbors;
  for (std::uint32_t item = 0; item < items && cold != nullptr; ++item) {
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
  return cold;
}

}  // namespace reco::engine::training
