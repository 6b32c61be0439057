// Fails every write and sync of a scripted workload in turn, cuts the power, and holds what is read
// back to the promise: a prefix of what was staged that contains all that was acknowledged.
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "testing/fault_env.h"
#include "testing/temp_dir.h"
#include "wal/event_log.h"

namespace reco::wal {
namespace {

using ::reco::testing::FaultEnv;
using ::reco::testing::FaultPlan;
using ::reco::testing::TempDir;
using store::Store;

constexpr std::uint32_t kCid = 1;
constexpr std::uint64_t kEvents = 24;

std::unique_ptr<Store> OpenStore(const std::string& path, FaultEnv& env) {
  store::StoreOptions options;
  options.path = path;
  options.env = env.env();
  Result<std::unique_ptr<Store>> opened = Store::Open(options);
  EXPECT_TRUE(opened.ok()) << opened.status().ToString();
  return opened.ok() ? std::move(opened).value() : nullptr;
}

struct Outcome {
  std::uint64_t staged = 0;        // newest event that was staged
  std::uint64_t acknowledged = 0;  // newest event whose commit answered Ok
  std::uint64_t synced = 0;        // newest event that a policy promised to keep
};

// Groups of one to four events, a sync and a flush now and then; ends at the first error.
Outcome RunWorkload(Store& store, SyncPolicy policy) {
  const ManualClock clock(1'000);
  EventLog log(store, policy, clock);
  Outcome outcome;
  std::string record;
  for (std::uint64_t group = 1; outcome.staged < kEvents; ++group) {
    std::uint64_t ticket = 0;
    for (std::uint64_t i = 0; i < 1 + group % 4; ++i) {
      format::Event event;
      event.user = static_cast<std::uint32_t>(outcome.staged + 1);
      format::EncodeEvent(event, &record);
      const Result<std::uint64_t> staged = log.Stage([&](store::Batch& batch) {
        EventLog::PutEvent(batch, kCid, outcome.staged + 1, record);
      });
      if (!staged.ok()) {
        return outcome;
      }
      ticket = *staged;
      ++outcome.staged;
    }
    if (!log.Commit(ticket).ok()) {
      return outcome;
    }
    outcome.acknowledged = outcome.staged;
    if (policy == SyncPolicy::kAlways) {
      outcome.synced = outcome.staged;
    }
    if (group % 3 == 0) {
      if (!log.Sync().ok()) {
        return outcome;
      }
      outcome.synced = outcome.staged;
    }
    if (group == 5 && !store.Flush().ok()) {
      return outcome;
    }
  }
  return outcome;
}

struct Case {
  const char* name;
  SyncPolicy policy;
  FaultPlan plan;
  bool power_cut;
};

class WorkloadFaultTest : public ::testing::TestWithParam<Case> {};

TEST_P(WorkloadFaultTest, EveryAcknowledgedEventIsInThePrefixThatRemains) {
  const Case& c = GetParam();
  TempDir dir;
  {
    FaultEnv env;
    ASSERT_NE(OpenStore(dir / "empty", env), nullptr);
  }
  std::uint64_t failures = 0;
  for (std::uint64_t nth = 1;; ++nth) {
    SCOPED_TRACE(nth);
    const std::string path = dir / "db";
    std::filesystem::remove_all(path);
    std::filesystem::copy(dir / "empty", path);
    FaultEnv env;
    Outcome outcome;
    {
      const std::unique_ptr<Store> store = OpenStore(path, env);
      ASSERT_NE(store, nullptr);
      FaultPlan plan = c.plan;
      plan.nth = nth;
      env.ResetCounts();
      env.Arm(plan);
      outcome = RunWorkload(*store, c.policy);
      failures = env.counts().failures;
    }
    env.Disarm();
    if (c.power_cut) {
      env.DropUnsyncedData();
    }
    const std::unique_ptr<Store> store = OpenStore(path, env);
    ASSERT_NE(store, nullptr);
    std::uint64_t last = 0;
    // Replay itself refuses gaps, so what it shows is a prefix.
    const Status replayed = EventLog::Replay(*store, nullptr, kCid, 0,
                                             [&](std::uint64_t seq, const format::Event& event) {
                                               EXPECT_EQ(event.user, seq);
                                               last = seq;
                                               return true;
                                             });
    EXPECT_TRUE(replayed.ok()) << replayed.ToString();
    EXPECT_LE(last, outcome.staged);
    EXPECT_GE(last, c.power_cut ? outcome.synced : outcome.acknowledged);
    if (failures == 0) {
      EXPECT_GE(outcome.acknowledged, kEvents);
      EXPECT_GT(nth, 10U);
      break;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    AllPlans, WorkloadFaultTest,
    ::testing::Values(
        Case{"AlwaysErrorOnce", SyncPolicy::kAlways, {}, false},
        Case{"AlwaysErrorOncePowerCut", SyncPolicy::kAlways, {}, true},
        Case{"AlwaysTornAndLaterPowerCut",
             SyncPolicy::kAlways,
             {.and_later = true, .torn_write = true},
             true},
        Case{"EverySecondFullDisk",
             SyncPolicy::kEverySecond,
             {.and_later = true, .kind = FaultPlan::Kind::kNoSpace, .torn_write = true},
             false},
        Case{"EverySecondErrorOncePowerCut", SyncPolicy::kEverySecond, {}, true}),
    [](const auto& instance) { return instance.param.name; });

}  // namespace
}  // namespace reco::wal
