// Writes beside a training, step by step: what it solves again, and what waits for the swap.
#include "engine/training/catch_up.h"

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/training/train.h"
#include "testing/catalogue.h"
#include "testing/freeze.h"

namespace reco::engine::training {
namespace {

using ::testing::Contains;
using ::testing::IsEmpty;

CollectionOptions Small() {
  CollectionOptions options;
  options.dim = 4;
  options.iterations = 2;
  return options;
}

class CatchUpTest : public ::testing::Test {
 protected:
  CatchUpTest() : catalogue_(Small()) {
    catalogue_.Fill(6, 9);
    run_.parameters = catalogue_.collection->options();
    RunningJob job = catalogue_.jobs.Create(JobKind::kRetrain, "catalogue");
    job.Begin();
    EXPECT_TRUE(Begin(catalogue_.collection->checkpointer(), run_).ok());
    EXPECT_TRUE(LoadInteractions(catalogue_.shared(), run_, job).ok());
    EXPECT_TRUE(Train(catalogue_.shared(), run_, job).ok());
    static_cast<void>(job.Finish({}));
  }

  SharedState& shared() { return catalogue_.shared(); }
  void AddMany(int users) {
    for (int user = 0; user < users; ++user) {
      catalogue_.Add("late" + std::to_string(user), "i" + std::to_string(user % 9));
    }
  }
  Status CatchUpAll() {
    return CatchUp(shared(), run_, [this](Side side, std::span<const std::uint32_t> ordinals) {
      auto& solved = solved_[static_cast<std::size_t>(side)];
      solved.insert(solved.end(), ordinals.begin(), ordinals.end());
      return Status::Ok();
    });
  }
  // The user's pairs solved by the run's own vectors.
  void ExpectSolved(const View& view, std::uint32_t user) {
    std::vector<RowPair> scratch;
    const auto row = view.state().users().rows.Read(user, &scratch);
    std::vector<model::Neighbor> neighbors;
    neighbors.reserve(row->size());
    for (const RowPair& pair : *row) {
      neighbors.push_back({run_.item_factors->row(pair.other), run_.signal.WeightOf(pair.pair)});
    }
    model::AlignedVector<float> x(run_.user_factors->stride());
    RowFolder folder(shared().dim(), Feedback::kImplicit);
    folder.Solve({Side::kUser, *run_.item_gram, run_.solve}, neighbors, x.data());
    for (std::uint32_t k = 0; k < run_.user_factors->stride(); ++k) {
      // Items moved a little after the users were solved.
      EXPECT_NEAR(run_.user_factors->row(user)[k], x[k], 0.05) << user;
    }
  }

  testing::Catalogue catalogue_;
  TrainingRun run_;
  std::vector<std::uint32_t> solved_[2];  // by Side
};

TEST_F(CatchUpTest, FewTouchedRowsAreLeftToTheSwap) {
  AddMany(8);
  ASSERT_TRUE(CatchUpAll().ok());
  EXPECT_THAT(solved_[0], IsEmpty());
  ReadView view(shared());
  EXPECT_FALSE(view.state().users().touched.empty());
}

TEST_F(CatchUpTest, ManyTouchedRowsAreSolvedAndNoted) {
  AddMany(400);
  ASSERT_TRUE(CatchUpAll().ok());
  ReadView view(shared());
  EXPECT_THAT(view.state().users().touched, IsEmpty());
  EXPECT_EQ(solved_[0].size(), 400U);
  EXPECT_EQ(solved_[1].size(), 9U);
  ASSERT_EQ(run_.user_factors->rows(), view.state().users().ids.end());
  ExpectSolved(view, *view.state().users().ids.Find("late0"));
  ExpectSolved(view, *view.state().users().ids.Find("late399"));
}

TEST_F(CatchUpTest, TheLastRowsAreSolvedUnderTheLockAndMarked) {
  AddMany(7);
  ASSERT_TRUE(writer::DeleteRecord(shared(), Side::kItem, "i8").ok());
  WriteView view(shared());
  ASSERT_EQ(run_.index->size(), 9U);
  testing::Freeze(view.state());
  ASSERT_TRUE(SolveLastRows(view, run_).ok());
  EXPECT_THAT(run_.put_off, IsEmpty());
  ExpectSolved(view, *view.state().users().ids.Find("late3"));
  EXPECT_EQ(run_.index->size(), 8U);
  std::vector<std::uint32_t> users;
  for (const FrozenRows::FrozenEntity& entity : testing::Freeze(view.state()).entities) {
    if (entity.side == Side::kUser) {
      users.push_back(entity.ordinal);
    }
  }
  EXPECT_THAT(users, Contains(*view.state().users().ids.Find("late3")));
}

// More than that would hold everybody up: the swap leaves them to the background.
TEST_F(CatchUpTest, OfManyLastRowsSixteenAreSolvedUnderTheLock) {
  AddMany(40);
  WriteView view(shared());
  testing::Freeze(view.state());
  ASSERT_TRUE(SolveLastRows(view, run_).ok());
  EXPECT_EQ(run_.put_off.size(), 40U + 9 - 16);
  EXPECT_EQ(testing::Freeze(view.state()).entities.size(), 16U);
  const std::uint32_t last = *view.state().users().ids.Find("late39");
  EXPECT_THAT(run_.put_off, Contains(std::pair(Side::kUser, last)));
  EXPECT_FALSE(run_.user_factors->has_vector(last));
}

// New items are in the index all the same, since lists are of all items.
TEST_F(CatchUpTest, ItemsThatTheSwapPutsOffAreInTheIndex) {
  for (int item = 0; item < 40; ++item) {
    catalogue_.Add("u0", "new" + std::to_string(item));
  }
  WriteView view(shared());
  ASSERT_TRUE(SolveLastRows(view, run_).ok());
  EXPECT_EQ(run_.put_off.size(), 41U - 16);
  EXPECT_EQ(run_.index->size(), 49U);
}

TEST_F(CatchUpTest, GramsFollowTheRowsThatAreSolved) {
  AddMany(400);
  ASSERT_TRUE(CatchUpAll().ok());
  EXPECT_LT(run_.user_gram->RelativeDistance(model::GramOf(*run_.user_factors)), 1e-6);
  EXPECT_LT(run_.item_gram->RelativeDistance(model::GramOf(*run_.item_factors)), 1e-6);
}

// Deleted behind the data, by the rounds or under the lock of the swap.
TEST_F(CatchUpTest, WhomWasDeletedMeanwhileLosesItsVector) {
  const auto ordinal = [&](Side side, const char* id) {
    return *ReadView(shared()).state().side(side).ids.Find(id);
  };
  const std::uint32_t users[] = {ordinal(Side::kUser, "u2"), ordinal(Side::kUser, "u3")};
  const std::uint32_t items[] = {ordinal(Side::kItem, "i4"), ordinal(Side::kItem, "i5")};
  ASSERT_TRUE(*writer::DeleteRecord(shared(), Side::kUser, "u2"));
  ASSERT_TRUE(*writer::DeleteRecord(shared(), Side::kItem, "i4"));
  AddMany(400);  // to "i4" as well, which is another item now
  EXPECT_TRUE(run_.user_factors->has_vector(users[0]));
  EXPECT_TRUE(run_.item_factors->has_vector(items[0]));
  ASSERT_TRUE(CatchUpAll().ok());
  EXPECT_FALSE(run_.user_factors->has_vector(users[0]));
  EXPECT_FALSE(run_.item_factors->has_vector(items[0]));
  EXPECT_EQ(run_.index->size(), 9U);
  ASSERT_TRUE(*writer::DeleteRecord(shared(), Side::kUser, "u3"));
  ASSERT_TRUE(*writer::DeleteRecord(shared(), Side::kItem, "i5"));
  EXPECT_TRUE(run_.user_factors->has_vector(users[1]));
  EXPECT_TRUE(run_.item_factors->has_vector(items[1]));
  WriteView view(shared());
  ASSERT_TRUE(SolveLastRows(view, run_).ok());
  EXPECT_FALSE(run_.user_factors->has_vector(users[1]));
  EXPECT_FALSE(run_.item_factors->has_vector(items[1]));
  EXPECT_EQ(run_.index->size(), 8U);
  EXPECT_LT(run_.user_gram->RelativeDistance(model::GramOf(*run_.user_factors)), 1e-6);
  EXPECT_LT(run_.item_gram->RelativeDistance(model::GramOf(*run_.item_factors)), 1e-6);
}

TEST_F(CatchUpTest, OfADeletedCollectionThereIsNothingToCatchUpWith) {
  catalogue_.collection->Drop();
  EXPECT_EQ(CatchUpAll().code(), StatusCode::kNotFound);
}

}  // namespace
}  // namespace reco::engine::training
