#include "model/factor_table.h"

#include <cstdint>

#include <gtest/gtest.h>

namespace reco::model {
namespace {

TEST(FactorTable, RowsArePaddedAlignedAndZero) {
  for (const std::uint32_t dim : {1U, 16U, 17U, 64U, 100U}) {
    FactorTable table(dim);
    table.Grow(10);
    EXPECT_EQ(table.stride() % 16, 0U);
    EXPECT_GE(table.stride(), dim);
    EXPECT_LT(table.stride(), dim + 16);
    for (std::size_t i = 0; i < 10; ++i) {
      EXPECT_EQ(reinterpret_cast<std::uintptr_t>(table.row(i)) % 64, 0U);
      EXPECT_EQ(table.values(i).size(), dim);
      for (std::uint32_t k = 0; k < table.stride(); ++k) {
        EXPECT_EQ(table.row(i)[k], 0);
      }
    }
  }
}

TEST(FactorTable, RowsKeepTheirPlaceAndValueWhenItGrows) {
  FactorTable table(8);
  table.Grow(FactorTable::kChunkRows);
  float* last = table.mutable_row(FactorTable::kChunkRows - 1);
  last[7] = 5;
  table.Grow(3 * FactorTable::kChunkRows + 1);
  EXPECT_EQ(table.rows(), 3 * FactorTable::kChunkRows + 1);
  EXPECT_EQ(table.row(FactorTable::kChunkRows - 1), last);
  EXPECT_EQ(last[7], 5);
  EXPECT_EQ(table.row(FactorTable::kChunkRows)[0], 0);
  table.Grow(1);
  EXPECT_EQ(table.rows(), 3 * FactorTable::kChunkRows + 1);
  EXPECT_GE(table.memory_bytes(), 4 * FactorTable::kChunkRows * 16 * sizeof(float));
}

}  // namespace
}  // namespace reco::model
