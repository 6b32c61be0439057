#include "model/interaction_matrix.h"

#include <cstdint>
#include <vector>

#include <gtest/gtest.h>

namespace reco::model {
namespace {

TEST(Transpose, TurnsRowsIntoColumnsInOrder) {
  InteractionMatrix matrix;
  matrix.columns_count = 4;
  matrix.offsets = {0, 2, 2, 5};
  matrix.columns = {0, 3, 0, 1, 3};
  matrix.weights = {1, -2, 3, 0, 5};
  const InteractionMatrix turned = Transpose(matrix);
  EXPECT_EQ(turned.columns_count, 3U);
  EXPECT_EQ(turned.offsets, (std::vector<std::uint64_t>{0, 2, 3, 3, 5}));
  EXPECT_EQ(turned.columns, (std::vector<std::uint32_t>{0, 2, 2, 0, 2}));
  EXPECT_EQ(turned.weights, (std::vector<float>{1, 3, 0, -2, 5}));
  const InteractionMatrix back = Transpose(turned);
  EXPECT_EQ(back.columns_count, matrix.columns_count);
  EXPECT_EQ(back.offsets, matrix.offsets);
  EXPECT_EQ(back.columns, matrix.columns);
  EXPECT_EQ(back.weights, matrix.weights);
}

TEST(Transpose, EmptyMatrixKeepsItsShape) {
  InteractionMatrix matrix;
  matrix.columns_count = 3;
  matrix.offsets = {0, 0};
  const InteractionMatrix turned = Transpose(matrix);
  EXPECT_EQ(turned.rows(), 3U);
  EXPECT_EQ(turned.columns_count, 1U);
  EXPECT_EQ(turned.pairs(), 0U);
}

TEST(KeepOnly, LeavesOutRowsAndColumnsWithoutPairs) {
  InteractionMatrix matrix;
  matrix.columns_count = 6;
  matrix.offsets = {0, 0, 2, 2, 2, 3, 3};
  matrix.columns = {1, 4, 1};
  matrix.weights = {1, 2, 3};
  const std::vector<std::uint32_t> rows = {1, 3, 4};  // of which one has no pairs either
  const std::vector<std::uint32_t> columns = {1, 2, 4};
  KeepOnly(rows, columns, &matrix);
  EXPECT_EQ(matrix.columns_count, 3U);
  EXPECT_EQ(matrix.offsets, (std::vector<std::uint64_t>{0, 2, 2, 3}));
  EXPECT_EQ(matrix.columns, (std::vector<std::uint32_t>{0, 2, 0}));
  EXPECT_EQ(matrix.weights, (std::vector<float>{1, 2, 3}));
}

}  // namespace
}  // namespace reco::model
