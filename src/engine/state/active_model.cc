#include "engine/state/active_model.h"

#include <algorithm>

namespace reco::engine {

ActiveModel ToActiveModel(const format::ModelRecord& record, double halflife_ms) {
  const auto metric = [&record](std::string_view name) {
    const auto found = std::find_if(record.metrics.begin(), record.metrics.end(),
                                    [name](const auto& one) { return one.first == name; });
    return found != record.metrics.end() ? found->second : 0;
  };
  return {record.id,
          record.trained_at_seq,
          {static_cast<float>(record.alpha), static_cast<float>(record.reg),
           static_cast<float>(record.regn), static_cast<float>(record.unobserved)},
          {record.weighting, halflife_ms, record.reference_ms},
          record.mean,
          FromRecord(record.attributes),
          {metric(kSessionScale), metric(kRidgeScale)}};
}

std::vector<double> Unpadded(const model::Gram& gram) {
  std::vector<double> values;
  values.reserve(std::size_t{gram.dim()} * gram.dim());
  for (std::uint32_t i = 0; i < gram.dim(); ++i) {
    const double* row = gram.values() + std::size_t{i} * gram.stride();
    values.insert(values.end(), row, row + gram.dim());
  }
  return values;
}

Status AssignUnpadded(std::span<const double> values, model::Gram* gram) {
  const std::size_t dim = gram->dim();
  if (values.size() != dim * dim) {
    return Status::Corruption("a gram matrix has the wrong size");
  }
  std::vector<double> padded(std::size_t{gram->stride()} * gram->stride());
  for (std::size_t i = 0; i < dim; ++i) {
    std::copy_n(values.begin() + static_cast<std::ptrdiff_t>(i * dim), dim,
                padded.begin() + static_cast<std::ptrdiff_t>(i * gram->stride()));
  }
  // The kernels read whole strides: the padding must be zeros, which `padded` began as.
  gram->Assign(padded);
  return Status::Ok();
}

}  // namespace reco::engine
