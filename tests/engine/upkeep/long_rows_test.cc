#include "engine/upkeep/long_rows.h"

#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "engine/collection/writer.h"
#include "engine/rows/row_table.h"
#include "engine/rows/running_sums.h"
#include "testing/catalogue.h"
#include "testing/shop.h"

namespace reco {
namespace {

using engine::DatabaseAccess;
using testing::Shop;

// A row too long to read within a write is summed up in the background.
TEST(LongRows, LongColdRowIsRebuiltBehindTheWrite) {
  constexpr int kFans = static_cast<int>(engine::RowTable::kInlinePairsMax) + 200;
  Shop shop(false);
  CollectionOptions options;
  options.dim = 4;
  options.iterations = 40;  // converged, so that one event more moves little
  ASSERT_TRUE(*shop.db->Create("shop", options));
  for (int i = 0; i < kFans; ++i) {
    ASSERT_TRUE(shop.Add("u" + std::to_string(i), "hit").ok());
    ASSERT_TRUE(shop.Add("u" + std::to_string(i), "i" + std::to_string(i % 7)).ok());
  }
  DatabaseAccess::RunJob(*shop.db, "shop");
  ASSERT_EQ(shop.db->CollectionDetails("shop")->model_id, 1U);
  shop.Reopen();
  const std::vector<float> before = shop.Vector(Side::kItem, "hit");
  ASSERT_TRUE(shop.Add("newcomer", "hit").ok());
  EXPECT_EQ(shop.Vector(Side::kItem, "hit"), before);
  EXPECT_EQ(shop.db->CollectionDetails("shop")->rows_pending, 1U);
  DatabaseAccess::Maintain(*shop.db);
  EXPECT_EQ(shop.db->CollectionDetails("shop")->rows_pending, 0U);
  const std::vector<float> after = shop.Vector(Side::kItem, "hit");
  EXPECT_NE(after, before);
  for (std::size_t i = 0; i < after.size(); ++i) {
    EXPECT_NEAR(after[i], before[i], 0.05 * std::abs(before[i]) + 0.02);
  }
  ASSERT_TRUE(shop.Add("another", "hit").ok());  // hot now: solved at once
  EXPECT_EQ(shop.db->CollectionDetails("shop")->rows_pending, 0U);
  EXPECT_NE(shop.Vector(Side::kItem, "hit"), after);
}

// After a training no row has sums. A write makes those of a row that is hardly long; of a longer
// one, though its pairs are in memory, the background does.
TEST(LongRows, AWriteSumsUpOnlyRowsThatAreHardlyLong) {
  constexpr std::uint32_t kDim = 4;
  constexpr std::uint32_t kAtOnce = engine::RunningSums::BuiltAtOnce(kDim);
  CollectionOptions options;
  options.dim = kDim;
  options.iterations = 40;  // converged, so that one event more moves little
  testing::Catalogue catalogue(options);
  catalogue.Fill(30, 9);
  for (std::uint32_t i = 0; i < kAtOnce; ++i) {
    if (i + 1 < kAtOnce) {
      catalogue.Add("u" + std::to_string(i), "hardly");
    }
    catalogue.Add("u" + std::to_string(i), "longer");
  }
  catalogue.Train();
  engine::SharedState& shared = catalogue.shared();
  const auto vector_of = [&](const char* id) {
    engine::ReadView view(shared);
    const auto values = view.state().items().factors->values(*view.state().items().ids.Find(id));
    return std::vector<float>(values.begin(), values.end());
  };
  const auto pending = [&] {
    engine::ReadView view(shared);
    return view.state().items().pending.size();
  };
  const std::vector<float> hardly = vector_of("hardly");
  catalogue.Add("newcomer", "hardly");
  EXPECT_EQ(pending(), 0U);
  EXPECT_NE(vector_of("hardly"), hardly);

  const std::vector<float> longer = vector_of("longer");
  catalogue.Add("newcomer", "longer");
  EXPECT_EQ(pending(), 1U);
  EXPECT_EQ(vector_of("longer"), longer);
  EXPECT_TRUE(*engine::upkeep::BuildPendingRows(shared));
  const std::vector<float> after = vector_of("longer");
  EXPECT_NE(after, longer);
  for (std::size_t i = 0; i < after.size(); ++i) {
    EXPECT_NEAR(after[i], longer[i], 0.1 * std::abs(longer[i]) + 0.03);
  }
  catalogue.Add("another", "longer");  // it has its sums now
  EXPECT_EQ(pending(), 0U);
  EXPECT_NE(vector_of("longer"), after);
}

// Who has many pairs is gone at once; the partners are solved behind the deletion, as a collection
// that never had the user solves them.
TEST(LongRows, PartnersOfADeletedUserAreSolvedInTheBackground) {
  constexpr int kItems = 3 * static_cast<int>(engine::CollectionState::kPartnersAtOnce);
  CollectionOptions options;
  options.dim = 4;
  options.iterations = 5;
  testing::Catalogue catalogue(options);
  for (int item = 0; item < kItems; ++item) {
    const std::string id = "i" + std::to_string(item);
    for (int user = 0; user < 1 + item % 40; ++user) {  // long ones too
      catalogue.Add("u" + std::to_string((item + user * 7) % 60), id);
    }
  }
  catalogue.Train();
  for (int item = 0; item < kItems; ++item) {
    catalogue.Add("eager", "i" + std::to_string(item));
  }
  engine::SharedState& shared = catalogue.shared();
  while (*engine::upkeep::BuildPendingRows(shared)) {
  }
  ASSERT_TRUE(*engine::writer::DeleteRecord(shared, Side::kUser, "eager"));
  {
    engine::ReadView view(shared);
    const engine::SideState& items = view.state().items();
    EXPECT_FALSE(view.state().users().ids.Find("eager"));
    EXPECT_EQ(items.pending.size(), static_cast<std::size_t>(kItems));
    EXPECT_EQ(items.entities[*items.ids.Find("i39")].pairs, 40U);
  }
  while (*engine::upkeep::BuildPendingRows(shared)) {
  }
  engine::ReadView view(shared);
  const engine::CollectionState& state = view.state();
  engine::RowFolder folder(4, Feedback::kImplicit);
  std::vector<engine::RowPair> pairs;
  int long_rows = 0;
  for (int item = 0; item < kItems; ++item) {
    const std::uint32_t ordinal = *state.items().ids.Find("i" + std::to_string(item));
    const auto row = *state.items().rows.Read(ordinal, &pairs);
    std::vector<model::Neighbor> neighbors;
    for (const engine::RowPair& pair : row) {
      neighbors.push_back(
          {state.users().factors->row(pair.other), state.model().signal.WeightOf(pair.pair)});
    }
    long_rows += state.IsLong(Side::kItem, ordinal) ? 1 : 0;
    model::AlignedVector<float> expected(model::StrideFor(4));
    folder.Solve(state.TermsOf(Side::kItem), neighbors, expected.data());
    for (std::size_t i = 0; i < 4; ++i) {
      EXPECT_NEAR(state.items().factors->row(ordinal)[i], expected[i], 1e-3) << item;
    }
  }
  EXPECT_GT(long_rows, 10);
  EXPECT_EQ(state.items().pending.size(), 0U);
}

// What a build has added of a user's vector cannot be taken out again once that is gone: the build
// is given up, and the row built anew.
TEST(LongRows, ABuildBesideADeletionIsGivenUp) {
  CollectionOptions options;
  options.dim = 4;
  options.iterations = 5;
  testing::Catalogue catalogue(options);
  catalogue.Fill(30, 9);
  for (int i = 0; i < 100; ++i) {
    catalogue.Add("fan" + std::to_string(i), "hit");
  }
  catalogue.Train();
  engine::SharedState& shared = catalogue.shared();
  std::uint32_t hit = 0;
  {
    engine::WriteView view(shared);
    hit = *view.state().items().ids.Find("hit");
    ASSERT_TRUE(view.state().BeginBuild(Side::kItem, hit));
  }
  ASSERT_TRUE(*engine::writer::DeleteRecord(shared, Side::kUser, "fan7"));
  {
    engine::WriteView view(shared);
    const float before = view.state().items().factors->row(hit)[0];
    view.state().EndSums(Side::kItem, hit, std::make_unique<model::Information>(4));
    EXPECT_EQ(view.state().items().factors->row(hit)[0], before);
    EXPECT_FALSE(view.state().items().pending.empty());
  }
  while (*engine::upkeep::BuildPendingRows(shared)) {
  }
  engine::ReadView view(shared);
  EXPECT_EQ(view.state().items().entities[hit].pairs, 99U);
  EXPECT_NE(view.state().items().rows.Find(hit)->information(view.state().model().id), nullptr);
}

// What a swap has left to upkeep is solved though writes move no vectors: short rows and long ones,
// also one that has left memory.
TEST(LongRows, WhatATrainingPutOffIsSolvedWithFoldInOff) {
  constexpr int kFans = static_cast<int>(engine::RowTable::kInlinePairsMax) + 100;
  CollectionOptions options;
  options.dim = 4;
  options.iterations = 2;
  options.fold_in = FoldIn::kOff;
  testing::Catalogue catalogue(options);
  catalogue.Fill(30, 9);
  catalogue.Train();
  for (int i = 0; i < kFans; ++i) {
    catalogue.Add("u" + std::to_string(i % 30) + (i < 30 ? "" : "." + std::to_string(i)), "long");
  }
  catalogue.Add("u1", "short");
  ASSERT_TRUE(catalogue.collection->checkpointer().Checkpoint().ok());
  engine::SharedState& shared = catalogue.shared();
  const auto vector_of = [&](const char* id) {
    engine::ReadView view(shared);
    const auto values = view.state().items().factors->values(*view.state().items().ids.Find(id));
    return std::vector<float>(values.begin(), values.end());
  };
  const std::vector<float> zeros(4);
  EXPECT_EQ(vector_of("long"), zeros);
  EXPECT_EQ(vector_of("short"), zeros);
  {
    engine::WriteView view(shared);
    engine::SideState& items = view.state().items();
    for (const char* id : {"long", "short"}) {
      items.pending.push_back(*items.ids.Find(id));
      EXPECT_TRUE(items.rows.Forget(items.pending.back()));
    }
  }
  EXPECT_TRUE(*engine::upkeep::BuildPendingRows(shared));
  EXPECT_NE(vector_of("long"), zeros);
  EXPECT_NE(vector_of("short"), zeros);
  engine::ReadView view(shared);
  const engine::SideState& items = view.state().items();
  EXPECT_EQ(items.rows.Find(*items.ids.Find("long"))->sums, nullptr) << "nobody keeps them up";
  EXPECT_EQ(items.rows_building, 0U);
}

}  // namespace
}  // namespace reco
