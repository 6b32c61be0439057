// Crashes: every write and every sync of a scripted workload fails in turn; what comes back is a
// prefix that holds every acknowledged write and is consistent in itself.
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "testing/fault_env.h"
#include "testing/shop.h"
#include "testing/temp_dir.h"

namespace reco {
namespace {

using testing::FaultCounts;
using testing::FaultEnv;
using testing::FaultPlan;
using testing::TempDir;

constexpr int kEvents = 60;
constexpr int kTrainAt = 20;

// What one run acknowledged.
struct Acknowledged {
  std::uint64_t last_seq = 0;
  int strings = 0;
  bool opened = false;
};

Options FaultOptions(const std::string& path) {
  Options options;
  options.path = path;
  options.sync = SyncPolicy::kAlways;
  options.checkpoint_events = 100;
  options.training_threads = 1;
  options.write_buffer_bytes = 1U << 20U;
  options.block_cache_bytes = 1U << 20U;
  return options;
}

// Opens, writes events and strings, checkpoints, trains in the middle. Stops at the first refusal.
// A run without faults acknowledges everything.
Acknowledged RunWorkload(const std::string& path, rocksdb::Env* env, const Clock& clock) {
  Acknowledged done;
  engine::DatabaseHooks hooks;
  hooks.clock = &clock;
  hooks.env = env;
  hooks.background_threads = false;
  auto opened = engine::DatabaseAccess::Open(FaultOptions(path), hooks);
  if (!opened.ok()) {
    return done;
  }
  done.opened = true;
  Database& db = **opened;
  for (int i = 0; i < kEvents; ++i) {
    const std::string user = "u" + std::to_string(i % 7);
    const std::string item = "i" + std::to_string(i % 11);
    const auto seq = db.Add("shop", {.user = user, .item = item});
    if (!seq.ok()) {
      return done;
    }
    done.last_seq = *seq;
    if (i % 10 == 9) {
      if (!db.Set("text" + std::to_string(i / 10), "value").ok()) {
        return done;
      }
      ++done.strings;
    }
    if (i % 15 == 14) {
      // A failed checkpoint loses nothing; the next write shows whether the folder still works.
      db.Checkpoint().IgnoreError("the log holds everything");
    }
    if (i == kTrainAt) {
      engine::DatabaseAccess::RunJob(db, "shop");
    }
  }
  return done;
}

struct Reopened {
  std::uint64_t last_seq = 0;
  std::map<std::string, std::vector<float>> vectors;
};

// Opens with a healthy disk and checks that nothing acknowledged is missing.
Reopened CheckReopened(const std::string& path, const Acknowledged& done, const Clock& clock,
                       const std::string& what) {
  Reopened state;
  {
    engine::DatabaseHooks hooks;
    hooks.clock = &clock;
    hooks.background_threads = false;
    auto opened = engine::DatabaseAccess::Open(FaultOptions(path), hooks);
    EXPECT_TRUE(opened.ok()) << what << ": " << opened.status().ToString();
    if (!opened.ok()) {
      return state;
    }
    Database& db = **opened;
    const auto details = db.CollectionDetails("shop");
    state.last_seq = details.ok() ? details->last_seq : 0;
    EXPECT_GE(state.last_seq, done.last_seq) << what;
    for (int i = 0; i < done.strings; ++i) {
      EXPECT_TRUE(db.Get("text" + std::to_string(i))->has_value()) << what;
    }
    for (int i = 0; i < 11; ++i) {
      const std::string id = "i" + std::to_string(i);
      if (const auto vector = db.GetVector("shop", Side::kItem, id); vector.ok() && *vector) {
        state.vectors[id] = **vector;
      }
    }
    // Writing goes on where the log ends.
    if (details.ok()) {
      EXPECT_EQ(*db.Add("shop", {.user = "after", .item = "after"}), state.last_seq + 1) << what;
    }
  }
  const auto report = Database::Verify(FaultOptions(path));
  EXPECT_TRUE(report.ok()) << what << ": " << report.status().ToString();
  if (report.ok() && !report->problems.empty()) {
    ADD_FAILURE() << what << ": " << report->problems.front();
  }
  return state;
}

void FailEveryOperation(const FaultPlan& shape, const std::string& name) {
  const ManualClock clock(1'700'000'000'000);
  FaultCounts total;
  {
    const TempDir folder;
    FaultEnv env;
    const Acknowledged all = RunWorkload(folder.path() + "/db", env.env(), clock);
    ASSERT_EQ(all.last_seq, static_cast<std::uint64_t>(kEvents));
    total = env.counts();
  }
  const std::uint64_t operations =
      (shape.writes ? total.writes : 0) + (shape.syncs ? total.syncs : 0);
  ASSERT_GT(operations, 50U);
  for (std::uint64_t nth = 1; nth <= operations; ++nth) {
    const TempDir folder;
    FaultEnv env;
    FaultPlan plan = shape;
    plan.nth = nth;
    env.Arm(plan);
    const Acknowledged done = RunWorkload(folder.path() + "/db", env.env(), clock);
    env.Disarm();
    CheckReopened(folder.path() + "/db", done, clock, name + " " + std::to_string(nth));
    if (::testing::Test::HasFailure()) {
      return;  // one is enough to look at
    }
  }
}

TEST(Crash, EveryWriteFailsOnce) {
  FaultPlan plan;
  plan.syncs = false;
  FailEveryOperation(plan, "write");
}

TEST(Crash, EverySyncFailsOnce) {
  FaultPlan plan;
  plan.writes = false;
  FailEveryOperation(plan, "sync");
}

TEST(Crash, DiskFillsUpAtEveryWriteAndStaysFull) {
  FaultPlan plan;
  plan.syncs = false;
  plan.and_later = true;
  plan.kind = FaultPlan::Kind::kNoSpace;
  FailEveryOperation(plan, "no space from write");
}

TEST(Crash, PowerCutAfterEveryEventKeepsWhatWasAcknowledged) {
  const ManualClock clock(1'700'000'000'000);
  for (std::uint64_t nth = 3; nth < 120; nth += 7) {
    const TempDir folder;
    FaultEnv env;
    FaultPlan plan;
    plan.nth = nth;
    plan.and_later = true;
    env.Arm(plan);
    const Acknowledged done = RunWorkload(folder.path() + "/db", env.env(), clock);
    env.Disarm();
    env.DropUnsyncedData();
    CheckReopened(folder.path() + "/db", done, clock, "power cut at " + std::to_string(nth));
  }
}

// The vectors after a crash and replay are those of a run that never crashed, bit for bit.
TEST(Crash, VectorsEqualThoseOfAnUndisturbedRun) {
  const ManualClock clock(1'700'000'000'000);
  const auto run = [](Database& db, int from, int to) {
    for (int i = from; i < to; ++i) {
      ASSERT_TRUE(db.Add("shop", {.user = "u" + std::to_string(i % 7),
                                  .item = "i" + std::to_string(i % 11)})
                      .ok());
      if (i == kTrainAt) {
        engine::DatabaseAccess::RunJob(db, "shop");
      }
    }
  };
  engine::DatabaseHooks hooks;
  hooks.clock = &clock;
  hooks.background_threads = false;
  const TempDir quiet;
  auto undisturbed = engine::DatabaseAccess::Open(FaultOptions(quiet.path() + "/db"), hooks);
  ASSERT_TRUE(undisturbed.ok());
  run(**undisturbed, 0, kEvents);
  for (const int cut : {kTrainAt + 1, 30, 45, 59}) {
    const TempDir folder;
    const std::string path = folder.path() + "/db";
    FaultEnv env;
    hooks.env = env.env();
    {
      auto db = engine::DatabaseAccess::Open(FaultOptions(path), hooks);
      ASSERT_TRUE(db.ok());
      run(**db, 0, cut);
      FaultPlan plan;  // nothing more reaches the disk, as in a crash
      plan.and_later = true;
      env.Arm(plan);
    }
    env.Disarm();
    hooks.env = nullptr;
    auto db = engine::DatabaseAccess::Open(FaultOptions(path), hooks);
    ASSERT_TRUE(db.ok()) << db.status().ToString();
    run(**db, cut, kEvents);
    for (int i = 0; i < 11; ++i) {
      const std::string id = "i" + std::to_string(i);
      EXPECT_EQ(**(*db)->GetVector("shop", Side::kItem, id),
                **(*undisturbed)->GetVector("shop", Side::kItem, id))
          << "cut at " << cut << ", item " << id;
    }
  }
}

// Whatever keeps the folder from taking writes, those who write are told the same.
TEST(Crash, WritesAreRefusedAsByAFullDiskAlsoWhenTheFolderIsDamaged) {
  const TempDir folder;
  FaultEnv env;
  engine::DatabaseHooks hooks;
  hooks.env = env.env();
  hooks.background_threads = false;
  auto db = engine::DatabaseAccess::Open(FaultOptions(folder.path() + "/db"), hooks);
  ASSERT_TRUE(db.ok());
  ASSERT_TRUE((*db)->Add("shop", {.user = "ann", .item = "lamp"}).ok());
  FaultPlan full;
  full.and_later = true;
  env.Arm(full);
  ASSERT_FALSE((*db)->Set("text", "x").ok());
  env.Disarm();
  std::ofstream(folder.path() + "/db/CURRENT", std::ios::trunc) << "no manifest";
  engine::DatabaseAccess::Recover(**db);
  const Status refused = (*db)->Set("text", "x").status();
  EXPECT_EQ(refused.code(), StatusCode::kIoError) << refused.ToString();
  EXPECT_NE(refused.message(), "");
  // What is in memory is still read.
  EXPECT_EQ(*(*db)->CountRecords("shop", Side::kUser), 1U);
}

TEST(Crash, RefusedWritesAreUndoneAndWritingResumes) {
  const ManualClock clock(1'700'000'000'000);
  const TempDir folder;
  FaultEnv env;
  engine::DatabaseHooks hooks;
  hooks.clock = &clock;
  hooks.env = env.env();
  hooks.background_threads = false;
  auto db = engine::DatabaseAccess::Open(FaultOptions(folder.path() + "/db"), hooks);
  ASSERT_TRUE(db.ok());
  ASSERT_TRUE((*db)->Add("shop", {.user = "ann", .item = "lamp"}).ok());
  FaultPlan full;
  full.and_later = true;
  full.kind = FaultPlan::Kind::kNoSpace;
  // Somebody else has a write that waits for its commit when the disk fills up.
  const std::uint64_t generation = (*db)->generation();
  ASSERT_TRUE((*db)->Add("shop", {.user = "bob", .item = "lamp"}, {.defer_commit = true}).ok());
  env.Arm(full);
  const Status refused = (*db)->Add("shop", {.user = "ann", .item = "chair"}).status();
  EXPECT_EQ(refused.code(), StatusCode::kIoError) << refused.ToString();
  EXPECT_FALSE((*db)->Health().ok());
  EXPECT_EQ((*db)->Set("text", "x").status().code(), StatusCode::kIoError);
  env.Disarm();
  engine::DatabaseAccess::Recover(**db);
  EXPECT_TRUE((*db)->Health().ok()) << (*db)->Health().ToString();
  EXPECT_EQ((*db)->Commit(generation).code(), StatusCode::kIoError);
  const std::string_view items[] = {"lamp", "chair"};
  const auto preferences = *(*db)->Preferences("shop", "ann", items);
  EXPECT_TRUE(preferences[0].has_value());
  EXPECT_FALSE(preferences[1].has_value());
  EXPECT_TRUE((*db)->Add("shop", {.user = "ann", .item = "chair"}).ok());
}

}  // namespace
}  // namespace reco
