#include "index/index_rebuild.h"

#include <cstdint>
#include <memory>
#include <random>
#include <set>
#include <vector>

#include <gtest/gtest.h>

#include "index/brute_force.h"
#include "index/row_blocks.h"

namespace reco::index {
namespace {

using testing::BruteForce;
using testing::FillRow;
using testing::Shape;
using Progress = IndexRebuild::Progress;

constexpr auto kAll = [](std::uint32_t) { return true; };
constexpr auto kAscending = [](std::uint32_t a, std::uint32_t b) { return a < b; };

class LiveCatalogue {
 public:
  LiveCatalogue() : items_(20), index_(std::make_unique<ItemIndex>(items_)) {
    index_->Build(0, kAll);
    for (std::uint32_t i = 0; i < 3000; ++i) {
      Change(i);
    }
  }

  void Change(std::uint32_t ordinal) {
    items_.Grow(std::max(items_.rows(), ordinal + std::size_t{1}));
    FillRow(Shape::kTrained, 20, random_, items_.mutable_row(ordinal));
    present_.insert(ordinal);
    index_->Refresh(ordinal);
  }
  void Remove(std::uint32_t ordinal) {
    present_.erase(ordinal);
    index_->Remove(ordinal);
  }
  void ChangeSome(int count) {
    for (int i = 0; i < count; ++i) {
      const auto ordinal = static_cast<std::uint32_t>(random_() % (items_.rows() + 2));
      if (random_() % 3 == 0) {
        Remove(ordinal);
      } else {
        Change(ordinal);
      }
    }
  }
  void ExpectExact(const ItemIndex& index) {
    ASSERT_EQ(index.size(), present_.size());
    for (int q = 0; q < 20; ++q) {
      std::vector<float> query(items_.stride(), 0.0F);
      FillRow(Shape::kTrained, 20, random_, query.data());
      const SearchRequest request{query.data(), 30, Metric::kInnerProduct, kAll, kAscending};
      std::vector<Candidate> got;
      index.Search(request, &got);
      const std::vector<Candidate> expected = BruteForce(items_, present_, request);
      ASSERT_EQ(got.size(), expected.size());
      for (std::size_t i = 0; i < got.size(); ++i) {
        ASSERT_EQ(got[i].ordinal, expected[i].ordinal);
        ASSERT_EQ(got[i].score, expected[i].score);
      }
    }
  }
  std::unique_ptr<ItemIndex>& index() { return index_; }

 private:
  std::mt19937_64 random_{1};
  model::FactorTable items_;
  std::set<std::uint32_t> present_;
  std::unique_ptr<ItemIndex> index_;
};

TEST(IndexRebuildTest, SuccessorKnowsAllChangesMadeWhileItWasBuilt) {
  LiveCatalogue live;
  EXPECT_EQ(live.index()->disorder(), 1);
  EXPECT_TRUE(live.index()->out_of_order());
  for (const int changes : {0, 1, 30, 200}) {
    IndexRebuild rebuild(live.index().get());
    live.ChangeSome(changes);
    while (rebuild.Collect(*live.index()) == Progress::kMore) {
      live.ChangeSome(changes);
    }
    live.ChangeSome(changes);
    rebuild.Order();
    while (rebuild.Code(*live.index()) == Progress::kMore) {
      live.ChangeSome(changes);
    }
    live.ChangeSome(changes);
    std::unique_ptr<ItemIndex> fresh = rebuild.Finish(*live.index());
    ASSERT_NE(fresh, nullptr);
    EXPECT_NE(fresh->version(), live.index()->version());
    live.index().swap(fresh);
    fresh.reset();
    live.ExpectExact(*live.index());
    live.ChangeSome(50);
    live.ExpectExact(*live.index());
    if (changes <= 1) {
      EXPECT_LT(live.index()->disorder(), 0.05);
    }
  }
}

TEST(IndexRebuildTest, TooManyChangesAtTheEndAreCaughtUpWithFirst) {
  LiveCatalogue live;
  IndexRebuild rebuild(live.index().get());
  EXPECT_EQ(rebuild.Collect(*live.index()), Progress::kDone);
  rebuild.Order();
  while (rebuild.Code(*live.index()) == Progress::kMore) {
  }
  live.ChangeSome(5000);
  EXPECT_EQ(rebuild.Finish(*live.index()), nullptr);
  while (rebuild.Code(*live.index()) == Progress::kMore) {
  }
  const std::unique_ptr<ItemIndex> fresh = rebuild.Finish(*live.index());
  ASSERT_NE(fresh, nullptr);
  live.ExpectExact(*fresh);
}

TEST(IndexRebuildTest, IndexBuiltAnewMeanwhileMakesItStale) {
  LiveCatalogue live;
  IndexRebuild rebuild(live.index().get());
  EXPECT_EQ(rebuild.Collect(*live.index()), Progress::kDone);
  live.index()->Build(100, kAll);
  EXPECT_EQ(rebuild.Collect(*live.index()), Progress::kStale);
  rebuild.Order();
  EXPECT_EQ(rebuild.Code(*live.index()), Progress::kStale);
  EXPECT_EQ(rebuild.Finish(*live.index()), nullptr);
}

TEST(IndexRebuildTest, GivingUpEndsTheRecord) {
  LiveCatalogue live;
  std::weak_ptr<std::vector<std::uint32_t>> record;
  {
    const auto held = live.index()->RecordChanges();
    record = held;
    live.Change(7);
    EXPECT_EQ(held->size(), 1U);
  }
  EXPECT_FALSE(record.expired());
  live.Change(8);
  EXPECT_TRUE(record.expired());
}

TEST(IndexRebuildTest, EmptyIndexHasAnEmptySuccessor) {
  model::FactorTable items(4);
  ItemIndex live(items);
  IndexRebuild rebuild(&live);
  EXPECT_EQ(rebuild.Collect(live), Progress::kDone);
  rebuild.Order();
  EXPECT_EQ(rebuild.Code(live), Progress::kDone);
  const std::unique_ptr<ItemIndex> fresh = rebuild.Finish(live);
  ASSERT_NE(fresh, nullptr);
  EXPECT_EQ(fresh->size(), 0U);
}

}  // namespace
}  // namespace reco::index
