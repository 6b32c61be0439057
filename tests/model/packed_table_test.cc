#include "model/packed_table.h"

#include <cmath>
#include <cstdint>
#include <iterator>

#include <gtest/gtest.h>

namespace reco::model {
namespace {

TEST(PackedTable, KeepsEightBitsOfMantissaAndStaysFinite) {
  const float values[] = {0,     1,       -1,    1.00390625F, 3.1415927F,
                          1e-7F, -2.5e6F, 1e30F, 3.4028e38F,  -3.4028e38F};
  const std::uint32_t stride = 48;  // an odd number of vectors in some builds
  PackedTable packed;
  packed.Resize(2, stride);
  AlignedVector<float> row(stride);
  for (std::size_t k = 0; k < stride; ++k) {
    row[k] = values[k % std::size(values)];
  }
  packed.Set(1, row.data(), stride);
  AlignedVector<float> back(stride);
  for (std::size_t v = 0; v < stride / simd::kLanes; ++v) {
    simd::Store(back.data() + v * simd::kLanes, PackedTable::Load(packed.row(1), v));
  }
  for (std::size_t k = 0; k < stride; ++k) {
    ASSERT_TRUE(std::isfinite(back[k])) << row[k];
    EXPECT_LE(std::abs(back[k] - row[k]), std::abs(row[k]) / 128) << row[k];
  }
}

}  // namespace
}  // namespace reco::model
