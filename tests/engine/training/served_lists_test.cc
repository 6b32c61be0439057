#include "engine/training/served_lists.h"

#include <algorithm>
#include <cstdint>
#include <random>
#include <set>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "index/index_lister.h"
#include "index/item_index.h"
#include "model/evaluation.h"
#include "model/trainer.h"

namespace reco::engine::training {
namespace {

constexpr std::uint32_t kUsers = 150;
constexpr std::uint32_t kItems = 60;
constexpr std::int64_t kMinute = 60'000;

// Everybody walks over a circle of items, a step a minute, from a place of his own.
model::TimedInteractions Walks(std::uint64_t seed) {
  std::mt19937_64 random(seed);
  model::TimedInteractions data;
  data.matrix.columns_count = kItems;
  for (std::uint32_t user = 0; user < kUsers; ++user) {
    const std::uint64_t begin = random() % kItems;
    std::set<std::pair<std::uint32_t, std::int64_t>> row;
    for (std::uint32_t step = 0; step < 8; ++step) {
      row.emplace((begin + step) % kItems, 1'000'000 + user * kMinute * 100 + step * kMinute);
    }
    for (const auto& [item, time_ms] : row) {
      data.matrix.columns.push_back(item);
      data.matrix.weights.push_back(1);
      data.time_ms.push_back(time_ms);
    }
    data.matrix.offsets.push_back(data.matrix.columns.size());
  }
  return data;
}

class ServedListsTest : public ::testing::Test {
 protected:
  ServedListsTest()
      : data_(Walks(3)),
        hold_out_(model::LeaveLastOut(data_, 1, false, 1)),
        trained_(Train(hold_out_.train)),
        index_(trained_.items) {
    index_.Build(kItems, [](std::uint32_t) { return true; });
  }

  static model::TrainedModel Train(const model::InteractionMatrix& matrix) {
    model::TrainingParams params;
    params.dim = 8;
    params.iterations = 20;
    return std::move(model::Train(matrix, model::Transpose(matrix), params, {})).value();
  }
  ServedOptions Options(bool parts) const {
    return {.recency = parts ? Recency() : Recency(1.0),
            .sessions = parts,
            .ridge = parts,
            .bytes_max = std::uint64_t{64} << 20U,
            .seed = 5,
            .threads = 2};
  }
  std::vector<std::vector<std::uint32_t>> ListsOf(const model::UserLister& lister, std::size_t k) {
    std::vector<std::vector<std::uint32_t>> lists(kUsers);
    for (std::uint32_t user = 0; user < kUsers; ++user) {
      const std::uint32_t users[] = {user};
      lister(users, k, std::span(lists).subspan(user, 1));
    }
    return lists;
  }
  // Users whose held item is within their first k.
  std::size_t Hits(const model::UserLister& lister, std::size_t k) {
    std::size_t hits = 0;
    const auto lists = ListsOf(lister, k);
    for (std::uint32_t user = 0; user < kUsers; ++user) {
      const auto& list = lists[user];
      EXPECT_LE(list.size(), k);
      hits += std::count(list.begin(), list.end(), hold_out_.held[user].front());
      for (const std::uint32_t seen : hold_out_.train.row_columns(user)) {
        EXPECT_EQ(std::count(list.begin(), list.end(), seen), 0);
      }
    }
    return hits;
  }

  const model::TimedInteractions data_;
  const model::HoldOut hold_out_;
  const model::TrainedModel trained_;
  index::ItemIndex index_;
};

// A training ends with the users' exact fold-ins, and these are what is served then.
TEST_F(ServedListsTest, WithoutRecencyAndPartsTheyAreThoseOfTheVectors) {
  ServedLists served(data_, hold_out_, trained_, index_, Options(false));
  EXPECT_EQ(ListsOf(served.Served(), 10),
            ListsOf(index::IndexLister(trained_.users, index_, hold_out_.train), 10));
}

TEST_F(ServedListsTest, WithPartsTheNextStepIsFound) {
  ServedLists served(data_, hold_out_, trained_, index_, Options(true));
  const std::size_t by_vectors =
      Hits(index::IndexLister(trained_.users, index_, hold_out_.train), 1);
  EXPECT_GT(Hits(served.Served(), 1), by_vectors + kUsers / 4);
  EXPECT_GT(Hits(served.RidgeAlone(), 1), by_vectors + kUsers / 4);
  EXPECT_EQ(ListsOf(served.Served(), 5),
            ListsOf(ServedLists(data_, hold_out_, trained_, index_, Options(true)).Served(), 5));
}

}  // namespace
}  // namespace reco::engine::training
