// InteractionMatrix: users x items in compressed sparse rows, the input of training.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace reco::model {

// Columns of a row ascend. Values are signed weights w_ui; confidence and target are derived
// (confidence alpha x |w|; target 1 when w > 0, else 0). A zero weight is a known pair that says
// nothing. Plain data, immutable once built.
struct InteractionMatrix {
  std::size_t columns_count = 0;
  std::vector<std::uint64_t> offsets = {0};  // rows + 1
  std::vector<std::uint32_t> columns;
  std::vector<float> weights;

  std::size_t rows() const { return offsets.size() - 1; }
  std::size_t pairs() const { return columns.size(); }
  std::span<const std::uint32_t> row_columns(std::size_t row) const {
    return {columns.data() + offsets[row], offsets[row + 1] - offsets[row]};
  }
  std::span<const float> row_weights(std::size_t row) const {
    return {weights.data() + offsets[row], offsets[row + 1] - offsets[row]};
  }
};

// Returns the matrix of items x users. O(pairs).
InteractionMatrix Transpose(const InteractionMatrix& matrix);

// Leaves out the rows and columns that are not in the lists, which ascend. What goes has no pairs.
void KeepOnly(std::span<const std::uint32_t> rows, std::span<const std::uint32_t> columns,
              InteractionMatrix* matrix);

}  // namespace reco::model
