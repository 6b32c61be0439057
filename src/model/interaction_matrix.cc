#include "model/interaction_matrix.h"

namespace reco::model {

InteractionMatrix Transpose(const InteractionMatrix& matrix) {
  InteractionMatrix out;
  out.columns_count = matrix.rows();
  out.offsets.assign(matrix.columns_count + 1, 0);
  for (const std::uint32_t column : matrix.columns) {
    ++out.offsets[column + 1];
  }
  for (std::size_t i = 0; i < matrix.columns_count; ++i) {
    out.offsets[i + 1] += out.offsets[i];
  }
  out.columns.resize(matrix.pairs());
  out.weights.resize(matrix.pairs());
  std::vector<std::uint64_t> next(out.offsets.begin(), out.offsets.end() - 1);
  // Rows are visited in order, so the columns of every new row ascend.
  for (std::size_t row = 0; row < matrix.rows(); ++row) {
    for (std::uint64_t at = matrix.offsets[row]; at < matrix.offsets[row + 1]; ++at) {
      const std::uint64_t to = next[matrix.columns[at]]++;
      out.columns[to] = static_cast<std::uint32_t>(row);
      out.weights[to] = matrix.weights[at];
    }
  }
  return out;
}

}  // namespace reco::model
