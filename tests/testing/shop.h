// Vocabulary of the engine's tests: a database in a temporary folder on a manual clock, filled with
// a seeded stream of events that has some structure to learn.
#pragma once

#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "reco/engine.h"

#include "base/clock.h"
#include "engine/database/database.h"
#include "testing/temp_dir.h"

namespace reco::testing {

class Shop {
 public:
  explicit Shop(bool background_threads = true) : background_threads_(background_threads) {
    options.path = folder.path() + "/db";
    options.training_threads = 2;
    options.sync = SyncPolicy::kNo;
    Open();
  }

  void Open() {
    engine::DatabaseHooks hooks;
    hooks.clock = &clock;
    hooks.env = env;
    hooks.background_threads = background_threads_;
    hooks.scan_step_rows = scan_step_rows;
    hooks.approximate_items_min = approximate_items_min;
    auto opened = engine::DatabaseAccess::Open(options, hooks);
    status = opened.status();
    db = opened.ok() ? std::move(opened).value() : nullptr;
  }
  void Reopen() {
    db.reset();
    Open();
    ASSERT_TRUE(status.ok()) << status.ToString();
  }

  Result<std::uint64_t> Add(const std::string& user, const std::string& item,
                            std::optional<double> weight = std::nullopt) {
    Interaction interaction;
    interaction.user = user;
    interaction.item = item;
    interaction.weight = weight;
    return db->Add("shop", interaction);
  }

  // `events` events of `users` users over `items` items: each user prefers one of four groups.
  void Fill(int events, int users, int items, std::uint64_t seed) {
    std::mt19937_64 random(seed);
    for (int i = 0; i < events; ++i) {
      clock.AdvanceMs(1);
      const auto user = static_cast<int>(random() % static_cast<std::uint64_t>(users));
      const bool own_group = random() % 4 != 0;
      int item = static_cast<int>(random() % static_cast<std::uint64_t>(items));
      if (own_group) {
        item = item / 4 * 4 + user % 4;
      }
      ASSERT_TRUE(Add("u" + std::to_string(user), "i" + std::to_string(item % items)).ok());
    }
  }

  void Train(Parameters parameters = {}) {
    const auto job = db->Retrain("shop", parameters);
    ASSERT_TRUE(job.ok()) << job.status().ToString();
    const auto done = db->WaitJob(*job, 0);
    ASSERT_TRUE(done.ok());
    ASSERT_EQ(done->state, JobState::kDone) << done->error;
  }

  std::vector<std::string> List(const std::string& user, std::size_t count = 10) const {
    std::vector<std::string> ids;
    RankingOptions ranking;
    ranking.count = count;
    for (const auto& entry : Rank(user, ranking)) {
      ids.push_back(entry.id);
    }
    return ids;
  }

  std::vector<Ranking::Entry> Rank(const std::string& user,
                                   const RankingOptions& ranking_options) const {
    auto ranking = db->TopK("shop", user, ranking_options);
    EXPECT_TRUE(ranking.ok()) << ranking.status().ToString();
    return ranking.ok() ? std::move(ranking->entries) : std::vector<Ranking::Entry>();
  }

  std::vector<float> Vector(Side side, const std::string& id) const {
    const auto vector = db->GetVector("shop", side, id);
    return vector.ok() && *vector ? **vector : std::vector<float>();
  }

  TempDir folder;
  ManualClock clock{1'700'000'000'000};
  rocksdb::Env* env = nullptr;
  std::size_t scan_step_rows = index::SteppedSearch::kStepRows;      // from the next Open on
  std::size_t approximate_items_min = engine::kApproximateItemsMin;  // from the next Open on
  Options options;
  Status status;
  std::unique_ptr<Database> db;

 private:
  bool background_threads_;
};

}  // namespace reco::testing
