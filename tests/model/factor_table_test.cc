#include "model/factor_table.h"

#include <algorithm>
#include <cstdint>
#include <random>
#include <set>
#include <vector>

#include <gtest/gtest.h>

namespace reco::model {
namespace {

TEST(FactorTable, RowsArePaddedAlignedAndZero) {
  for (const std::uint32_t dim : {1U, 16U, 17U, 64U, 100U}) {
    FactorTable table(dim);
    table.Grow(10);
    table.mutable_row(3);
    table.mutable_row(9);
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

constexpr std::size_t kPage = FactorTable::kPageRows;

bool IsZero(const FactorTable& table, std::size_t i) {
  return std::all_of(table.row(i), table.row(i) + table.stride(), [](float v) { return v == 0; });
}

TEST(FactorTable, RowsKeepTheirPlaceAndValueWhenItGrows) {
  constexpr std::uint32_t kRows = 1'537;
  FactorTable table(8);
  std::vector<const float*> places;
  for (std::uint32_t i = 0; i < kRows; ++i) {
    table.Grow(i + 1);
    float* row = table.mutable_row(i);
    row[7] = static_cast<float>(i);
    places.push_back(row);
  }
  EXPECT_EQ(table.rows(), kRows);
  for (std::uint32_t i = 0; i < kRows; ++i) {
    EXPECT_EQ(table.row(i), places[i]);
    EXPECT_EQ(table.row(i)[7], static_cast<float>(i));
    EXPECT_EQ(table.row(i)[8], 0);
  }
  EXPECT_EQ(std::set(places.begin(), places.end()).size(), kRows);
  table.Grow(1);
  EXPECT_EQ(table.rows(), kRows);
}

TEST(FactorTable, RowsWithoutAVectorTakeNoMemory) {
  FactorTable table(64);
  const std::size_t empty = table.memory_bytes();
  EXPECT_EQ(empty, 64 * sizeof(float));
  table.Grow(1'000'000);
  EXPECT_EQ(table.memory_bytes(), empty);
  EXPECT_FALSE(table.has_vector(999'999));
  EXPECT_TRUE(IsZero(table, 999'999));
}

TEST(FactorTable, VectorsTakeTheirSizeAndThoseOfAPageTogether) {
  constexpr std::size_t kRowBytes = 64 * sizeof(float);
  FactorTable table(64);
  for (std::uint32_t i = 0; i < 10'000; ++i) {
    table.Grow(i + 1);
    table.mutable_row(i);
    const std::size_t pages = i / kPage + 1;
    EXPECT_LE(table.memory_bytes(), (1 + pages * kPage) * kRowBytes + 48 * pages) << i;
  }
}

TEST(FactorTable, AReleasedRowReadsAsZerosAndItsPageGoesWithTheLast) {
  FactorTable table(16);
  table.Grow(3 * kPage);
  table.mutable_row(kPage)[0] = 7;
  const std::size_t bytes = table.memory_bytes();
  for (std::size_t i = 2 * kPage; i < 3 * kPage; ++i) {
    std::fill_n(table.mutable_row(i), 16, 1.0F);
  }
  EXPECT_EQ(table.memory_bytes(), bytes + kPage * 16 * sizeof(float));
  for (std::size_t i = 2 * kPage; i < 3 * kPage; ++i) {
    EXPECT_EQ(table.row(3 * kPage - 1)[0], 1);
    table.Release(i);
    table.Release(i);  // has none any more
    EXPECT_FALSE(table.has_vector(i));
    EXPECT_TRUE(IsZero(table, i));
  }
  EXPECT_EQ(table.memory_bytes(), bytes);
  table.Release(0);
  EXPECT_EQ(table.row(kPage)[0], 7);
  table.mutable_row(2 * kPage + 3)[15] = 2;
  EXPECT_TRUE(table.has_vector(2 * kPage + 3));
  EXPECT_FALSE(table.has_vector(2 * kPage + 4));
  EXPECT_EQ(table.row(2 * kPage + 3)[0], 0);
  EXPECT_EQ(table.row(2 * kPage + 3)[15], 2);
  EXPECT_TRUE(IsZero(table, 2 * kPage + 4));
}

// Against a plain list, in any order of calls.
TEST(FactorTable, KeepsEachRowAsItWasWrittenLast) {
  std::mt19937 random(5);
  for (const bool allocated : {false, true}) {
    FactorTable table(3);
    std::vector<float> expected;
    std::vector<bool> has;
    if (allocated) {
      // Every third of 1,000 rows.
      std::vector<std::uint32_t> ordinals;
      for (std::uint32_t i = 1; i < 1'000; i += 3) {
        ordinals.push_back(i);
      }
      table.Allocate(ordinals.size());
      table.Renumber(ordinals, 1'000);
      expected.resize(1'000);
      has.resize(1'000);
      for (const std::uint32_t i : ordinals) {
        has[i] = true;
      }
    }
    for (int step = 0; step < 20'000; ++step) {
      const std::uint32_t i = random() % 2'000;
      if (i >= expected.size()) {
        expected.resize(i + 1);
        has.resize(i + 1);
        table.Grow(i + 1);
      }
      const std::uint32_t what = random() % 100;
      if (what == 0) {
        table.Compact();
      } else if (what < 60) {
        table.Release(i);
        expected[i] = 0;
        has[i] = false;
      } else {
        table.mutable_row(i)[2] = expected[i] = static_cast<float>(step);
        has[i] = true;
      }
    }
    for (std::size_t i = 0; i < expected.size(); ++i) {
      EXPECT_EQ(table.has_vector(i), has[i]);
      EXPECT_EQ(table.row(i)[0], 0);
      EXPECT_EQ(table.row(i)[2], expected[i]);
      EXPECT_EQ(table.row(i)[3], 0);
    }
  }
}

TEST(FactorTable, ACompactTableHasRoomForItsVectorsAlone) {
  FactorTable table(16);
  table.Grow(1'000);
  for (std::uint32_t i = 0; i < 1'000; i += 10) {
    table.mutable_row(i)[0] = static_cast<float>(i + 1);
  }
  table.Compact();
  const std::size_t pages = (1'000 + kPage - 1) / kPage;
  EXPECT_EQ(table.memory_bytes(), std::size_t{101} * 16 * sizeof(float) + 24 * pages);
  for (std::uint32_t i = 0; i < 1'000; i += 10) {
    EXPECT_EQ(table.row(i)[0], static_cast<float>(i + 1));
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(table.row(i)) % 64, 0U);
  }
  table.mutable_row(11)[0] = 5;
  EXPECT_EQ(table.row(10)[0], 11);
  EXPECT_EQ(table.row(11)[0], 5);
}

TEST(FactorTable, AllocatedRowsLieInOnePieceOfTheirSize) {
  for (const std::size_t rows : {0U, 1U, 31U, 32U, 33U, 1'324U}) {
    FactorTable table(16);
    table.Allocate(rows);
    EXPECT_EQ(table.rows(), rows);
    for (std::size_t i = 0; i < rows; ++i) {
      EXPECT_TRUE(table.has_vector(i));
      EXPECT_EQ(table.row(i), table.allocated() + i * table.stride());
    }
    const std::size_t pages = (rows + kPage - 1) / kPage;
    EXPECT_EQ(table.memory_bytes(), (rows + 1) * 16 * sizeof(float) + 24 * pages);
    table.Grow(rows + 1);
    EXPECT_FALSE(table.has_vector(rows));
    EXPECT_EQ(table.mutable_row(rows)[0], 0);
  }
}

TEST(FactorTable, RenumberedRowsKeepTheirVectors) {
  FactorTable table(1);
  table.Allocate(3);
  for (std::uint32_t i = 0; i < 3; ++i) {
    table.mutable_row(i)[0] = static_cast<float>(i + 1);
  }
  const float* last = table.row(2);
  table.Renumber(std::vector<std::uint32_t>{1, 30, 1'000}, 1'003);
  EXPECT_EQ(table.allocated(), nullptr);
  EXPECT_EQ(table.rows(), 1'003U);
  EXPECT_EQ(table.row(1)[0], 1);
  EXPECT_EQ(table.row(30)[0], 2);
  EXPECT_EQ(table.row(1'000), last);
  EXPECT_FALSE(table.has_vector(0));
  EXPECT_FALSE(table.has_vector(1'002));
  // Less than a byte for a row without a vector.
  EXPECT_EQ(table.memory_bytes(), 64 * sizeof(float) + std::size_t{24} * 32);
}

}  // namespace
}  // namespace reco::model
