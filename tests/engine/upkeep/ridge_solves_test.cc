// Rows of items are solved behind the writes that make them out of date, and are events of the log.
#include "engine/upkeep/ridge_solves.h"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "testing/shop.h"

namespace reco {
namespace {

using testing::Shop;

double Figure(Shop& shop, const std::string& name) {
  const CollectionInfo info = *shop.db->CollectionDetails("shop");
  for (const auto& [figure, value] : info.neighbours) {
    if (figure == name) {
      return value;
    }
  }
  return -1;
}

std::map<std::string, double> RowOf(Shop& shop, const std::string& item) {
  std::map<std::string, double> row;
  const auto neighbours = shop.db->NeighboursOf("shop", item, 100);
  for (const ItemNeighbour& one : *neighbours) {
    row[one.item] = one.weight;
  }
  return row;
}

TEST(RidgeSolves, EveryFourthEventOfAnItemHasItsRowSolved) {
  Shop shop(false);
  shop.Fill(2'000, 40, 30, 1);
  EXPECT_EQ(Figure(shop, "rows"), 0);
  EXPECT_GT(Figure(shop, "waiting"), 20);
  while (Figure(shop, "waiting") > 0) {
    engine::DatabaseAccess::Maintain(*shop.db);
  }
  EXPECT_EQ(Figure(shop, "rows"), 30);
  EXPECT_FALSE(RowOf(shop, "i3").empty());
  const double solved = Figure(shop, "solved");
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(shop.Add("n" + std::to_string(i), "i3").ok());
  }
  EXPECT_EQ(Figure(shop, "waiting"), 0);
  ASSERT_TRUE(shop.Add("n9", "i3").ok());
  EXPECT_EQ(Figure(shop, "waiting"), 1);
  engine::DatabaseAccess::Maintain(*shop.db);
  EXPECT_EQ(Figure(shop, "waiting"), 0);
  EXPECT_EQ(Figure(shop, "solved"), solved + 1);
}

TEST(RidgeSolves, RowsAreThoseOfTheLogAfterARestart) {
  Shop shop(false);
  shop.Fill(2'000, 40, 30, 2);
  for (int i = 0; i < 3; ++i) {
    engine::DatabaseAccess::Maintain(*shop.db);
  }
  shop.Fill(50, 40, 30, 3);
  ASSERT_TRUE(*shop.db->DeleteRecord("shop", Side::kItem, "i7"));
  std::map<std::string, std::map<std::string, double>> before;
  for (int i = 0; i < 30; ++i) {
    if (i != 7) {
      before["i" + std::to_string(i)] = RowOf(shop, "i" + std::to_string(i));
    }
  }
  const double waiting = Figure(shop, "waiting");
  shop.Reopen();
  for (const auto& [item, row] : before) {
    EXPECT_EQ(RowOf(shop, item), row) << item;
    EXPECT_EQ(row.count("i7"), 0U);
  }
  EXPECT_EQ(Figure(shop, "waiting"), waiting);
}

}  // namespace
}  // namespace reco
