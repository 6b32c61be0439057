#include "index/row_blocks.h"

#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <set>

#include <gtest/gtest.h>

#include "index/brute_force.h"

namespace reco::index {
namespace {

class RowBlocksTest : public ::testing::Test {
 protected:
  static constexpr std::uint32_t kDim = 20;
  static constexpr std::uint32_t kRows = 1'000;

  RowBlocksTest() : items_(kDim) {
    items_.Grow(kRows);
    for (std::uint32_t i = 0; i < kRows; ++i) {
      Draw(i);
    }
  }
  void Draw(std::uint32_t ordinal) {
    testing::FillRow(testing::Shape::kTrained, kDim, random_, items_.mutable_row(ordinal));
  }
  void AppendAll() {
    blocks_.Clear(kRows, kRows);
    for (std::uint32_t i = 0; i < kRows; ++i) {
      ASSERT_TRUE(blocks_.Append(i));
    }
  }
  // Every contained row lies in one used slot, and no bound is below the norm of one of its rows.
  void ExpectSound(const std::set<std::uint32_t>& contained) {
    std::set<std::uint32_t> found;
    for (std::size_t b = 0; b < blocks_.size(); ++b) {
      std::size_t used = 0;
      for (std::size_t row = 0; row < kBlockRows; ++row) {
        const std::uint32_t ordinal = blocks_.memory(b).ordinal(row);
        if (ordinal == kNoOrdinal) {
          continue;
        }
        ++used;
        EXPECT_TRUE(found.insert(ordinal).second) << ordinal;
        const float* values = items_.row(ordinal);
        const double norm = std::sqrt(testing::WideDot(values, values, items_.stride()));
        EXPECT_GE(blocks_.NormOf(ordinal), norm);
        EXPECT_GE(blocks_.bound(b), norm);
        EXPECT_GE(blocks_.group_bound(b / RowBlocks::kGroupBlocks), blocks_.bound(b));
      }
      EXPECT_EQ(blocks_.used(b), used);
    }
    EXPECT_EQ(found, contained);
    EXPECT_EQ(blocks_.rows(), contained.size());
    for (std::uint32_t ordinal = 0; ordinal < kRows + 10; ++ordinal) {
      EXPECT_EQ(blocks_.Contains(ordinal), contained.contains(ordinal)) << ordinal;
    }
  }

  std::mt19937_64 random_{8};
  model::FactorTable items_;
  RowBlocks blocks_{items_};
};

TEST_F(RowBlocksTest, EveryRowHasItsSlotThroughRandomChanges) {
  AppendAll();
  std::set<std::uint32_t> contained;
  for (std::uint32_t i = 0; i < kRows; ++i) {
    contained.insert(i);
  }
  ExpectSound(contained);
  for (int step = 0; step < 3'000; ++step) {
    const auto ordinal = static_cast<std::uint32_t>(random_() % kRows);
    if (random_() % 2 == 0) {
      blocks_.Erase(ordinal);
      contained.erase(ordinal);
    } else {
      Draw(ordinal);
      EXPECT_TRUE(blocks_.Put(ordinal));
      contained.insert(ordinal);
    }
  }
  ExpectSound(contained);
  EXPECT_EQ(blocks_.size(), (kRows + kBlockRows - 1) / kBlockRows);  // slots are used again
}

TEST_F(RowBlocksTest, ARowThatIsNotFiniteIsNotContainedAnyMore) {
  AppendAll();
  items_.mutable_row(3)[1] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_FALSE(blocks_.Put(3));
  EXPECT_FALSE(blocks_.Contains(3));
  EXPECT_EQ(blocks_.rows(), kRows - 1);
  blocks_.Clear(kRows, kRows);
  EXPECT_FALSE(blocks_.Append(3));
  EXPECT_EQ(blocks_.rows(), 0U);
}

TEST_F(RowBlocksTest, DisplacedAreRowsOutsideTheNormsOfTheirBlock) {
  blocks_.Clear(kRows, kRows);
  for (std::uint32_t i = 0; i < kRows; ++i) {
    std::fill_n(items_.mutable_row(i), kDim, 0.0F);
    items_.mutable_row(i)[0] = static_cast<float>(2 * kRows - i);  // in the order of norms
    ASSERT_TRUE(blocks_.Append(i));
  }
  EXPECT_EQ(blocks_.displaced_rows(), 0U);
  items_.mutable_row(0)[0] = static_cast<float>(2 * kRows - 7);
  blocks_.Put(0);
  EXPECT_EQ(blocks_.displaced_rows(), 0U);
  items_.mutable_row(0)[0] = 1;
  blocks_.Put(0);
  blocks_.Put(0);
  EXPECT_EQ(blocks_.displaced_rows(), 1U);
  blocks_.Erase(0);
  EXPECT_EQ(blocks_.displaced_rows(), 0U);
  blocks_.Erase(1);
  blocks_.Put(0);  // where 1 was
  EXPECT_EQ(blocks_.displaced_rows(), 1U);
}

TEST_F(RowBlocksTest, ErasingWhatIsNotThereChangesNothing) {
  AppendAll();
  blocks_.Erase(kRows);
  blocks_.Erase(4'000'000'000U);
  blocks_.Erase(3);
  blocks_.Erase(3);
  EXPECT_EQ(blocks_.rows(), kRows - 1);
}

}  // namespace
}  // namespace reco::index
