#include "model/interaction_matrix.h"

namespace reco::model {

InteractionMatrix Transpose(const InteractionMatrix& matrix) {
  InteractionMatrix out;
  out.columns_count = matrix.rows();
  // Two places ahead, so that the starts serve as cursors and end as the starts of the next rows.
  out.offsets.assign(matrix.columns_count + 2, 0);
  for (const std::uint32_t column : matrix.columns) {
    ++out.offsets[std::size_t{column} + 2];
  }
  for (std::size_t i = 0; i < matrix.columns_count; ++i) {
    out.offsets[i + 2] += out.offsets[i + 1];
  }
  out.columns.resize(matrix.pairs());
  out.weights.resize(matrix.pairs());
  // Rows are visited in order, so the columns of every new row ascend.
  for (std::size_t row = 0; row < matrix.rows(); ++row) {
    for (std::uint64_t at = matrix.offsets[row]; at < matrix.offsets[row + 1]; ++at) {
      const std::uint64_t to = out.offsets[std::size_t{matrix.columns[at]} + 1]++;
      out.columns[to] = static_cast<std::uint32_t>(row);
      out.weights[to] = matrix.weights[at];
    }
  }
  out.offsets.pop_back();
  return out;
}

void KeepOnly(std::span<const std::uint32_t> rows, std::span<const std::uint32_t> columns,
              InteractionMatrix* matrix) {
  // A row ends where those left out behind it do.
  for (std::size_t i = 0; i < rows.size(); ++i) {
    matrix->offsets[i + 1] = matrix->offsets[std::size_t{rows[i]} + 1];
  }
  matrix->offsets.resize(rows.size() + 1);
  std::vector<std::uint32_t> place(matrix->columns_count);
  for (std::size_t i = 0; i < columns.size(); ++i) {
    place[columns[i]] = static_cast<std::uint32_t>(i);
  }
  for (std::uint32_t& column : matrix->columns) {
    column = place[column];
  }
  matrix->columns_count = columns.size();
}

}  // namespace reco::model
