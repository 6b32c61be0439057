#include "format/solved_rows.h"

#include <limits>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace reco::format {
namespace {

using Rows = std::vector<std::pair<std::uint32_t, std::vector<ItemWeight>>>;

Status Read(std::string_view text, Rows* rows) {
  return VisitSolvedRows(text, [rows](std::uint32_t item, std::span<const ItemWeight> row) {
    rows->emplace_back(item, std::vector<ItemWeight>(row.begin(), row.end()));
  });
}

std::string Text(const Rows& rows) {
  std::string text;
  for (const auto& [item, row] : rows) {
    AppendSolvedRow(item, row, &text);
  }
  return text;
}

TEST(SolvedRows, AreReadAsTheyWereWritten) {
  const Rows written = {{7, {{1, 0.5F}, {9, -2}}}, {8, {}}, {4'000'000'000U, {{0, 1e-20F}}}};
  Rows read;
  ASSERT_TRUE(Read(Text(written), &read).ok());
  EXPECT_EQ(read, written);
  EXPECT_TRUE(Read("", &read).ok());
}

TEST(SolvedRows, WhatIsNoRowIsCorrupt) {
  const std::string whole = Text({{7, {{1, 0.5F}, {9, -2}}}});
  for (std::size_t bytes = 1; bytes < whole.size(); ++bytes) {
    Rows read;
    EXPECT_EQ(Read(whole.substr(0, bytes), &read).code(), StatusCode::kCorruption) << bytes;
  }
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  for (const std::vector<ItemWeight>& row :
       std::vector<std::vector<ItemWeight>>{{{2, 1}, {1, 1}},
                                            {{2, 1}, {2, 1}},
                                            {{2, kInfinity}},
                                            std::vector<ItemWeight>(kRowWeightsMax + 1)}) {
    Rows read;
    EXPECT_EQ(Read(Text({{7, row}}), &read).code(), StatusCode::kCorruption);
  }
}

}  // namespace
}  // namespace reco::format
