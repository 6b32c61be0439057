#include "wal/event_log.h"

#include <atomic>
#include <latch>
#include <limits>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "format/keys.h"
#include "testing/fault_env.h"
#include "testing/temp_dir.h"

namespace reco::wal {
namespace {

using ::reco::testing::FaultEnv;
using ::reco::testing::FaultPlan;
using ::reco::testing::TempDir;
using store::Batch;
using store::Family;
using store::Store;

constexpr std::uint32_t kCid = 3;

std::string Record(std::uint32_t user) {
  format::Event event;
  event.user = user;
  event.item = 1;
  event.weight = 1;
  std::string bytes;
  format::EncodeEvent(event, &bytes);
  return bytes;
}

class EventLogTest : public ::testing::Test {
 protected:
  EventLogTest() : clock_(1'000) { Open(SyncPolicy::kEverySecond); }

  void Open(SyncPolicy policy) {
    log_.reset();
    store_.reset();
    store::StoreOptions options;
    options.path = dir_ / "db";
    options.env = env_.env();
    Result<std::unique_ptr<Store>> opened = Store::Open(options);
    ASSERT_TRUE(opened.ok()) << opened.status().ToString();
    store_ = std::move(opened).value();
    log_ = std::make_unique<EventLog>(*store_, policy, clock_);
  }

  // The ticket of event `seq`, or 0.
  std::uint64_t StageEvent(std::uint64_t seq, std::uint32_t cid = kCid) {
    const std::string record = Record(static_cast<std::uint32_t>(seq));
    const Result<std::uint64_t> ticket =
        log_->Stage([&](Batch& batch) { EventLog::PutEvent(batch, cid, seq, record); });
    return ticket.ok() ? *ticket : 0;
  }
  Status CommitEvent(std::uint64_t seq) { return log_->Commit(StageEvent(seq)); }

  // "1 2 3", or the error.
  std::string Replayed(std::uint64_t after = 0, const store::Snapshot* snapshot = nullptr) {
    std::string seen;
    const Status status = EventLog::Replay(
        *store_, snapshot, kCid, after, [&seen](std::uint64_t seq, const format::Event& event) {
          EXPECT_EQ(event.user, seq);
          seen.append(seen.empty() ? "" : " ").append(std::to_string(seq));
          return true;
        });
    return status.ok() ? seen : status.ToString();
  }

  TempDir dir_;
  FaultEnv env_;
  ManualClock clock_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<EventLog> log_;
};

TEST_F(EventLogTest, StagedIsNotWrittenUntilCommitted) {
  const std::uint64_t first = StageEvent(1);
  const std::uint64_t second = StageEvent(2);
  EXPECT_LT(first, second);
  EXPECT_EQ(log_->last_staged(), second);
  EXPECT_EQ(log_->last_committed(), 0U);
  EXPECT_GT(log_->stats().pending_bytes, 0U);
  EXPECT_EQ(Replayed(), "");
  ASSERT_TRUE(log_->Commit(second).ok());
  EXPECT_EQ(log_->last_committed(), second);
  EXPECT_EQ(log_->stats().pending_bytes, 0U);
  EXPECT_EQ(Replayed(), "1 2");
}

TEST_F(EventLogTest, OneCommitWritesForAllThatWaits) {
  const std::uint64_t first = StageEvent(1);
  const std::uint64_t last = StageEvent(2);
  ASSERT_TRUE(log_->Commit(first).ok());
  EXPECT_EQ(log_->last_committed(), last);
  const std::uint64_t writes = env_.counts().writes;
  ASSERT_TRUE(log_->Commit(last).ok());
  EXPECT_EQ(env_.counts().writes, writes);
  EXPECT_EQ(log_->stats().commits, 1U);
  EXPECT_EQ(log_->stats().changes, 2U);
}

TEST_F(EventLogTest, CommitOfNothingWritesNothing) {
  const std::uint64_t writes = env_.counts().writes;
  EXPECT_TRUE(log_->Commit(0).ok());
  const Result<std::uint64_t> ticket = log_->Stage([](Batch&) {});
  ASSERT_TRUE(ticket.ok());
  EXPECT_TRUE(log_->Commit(*ticket).ok());
  EXPECT_EQ(env_.counts().writes, writes);
  EXPECT_EQ(log_->stats().commits, 0U);
}

TEST_F(EventLogTest, TicketThatWasNeverStagedIsRefused) {
  EXPECT_EQ(log_->Commit(1).code(), StatusCode::kInvalidArgument);
  const std::uint64_t ticket = StageEvent(1);
  EXPECT_EQ(log_->Commit(ticket + 1).code(), StatusCode::kInvalidArgument);
}

TEST_F(EventLogTest, PolicyDecidesWhoSyncs) {
  struct Case {
    SyncPolicy policy;
    std::uint64_t syncs_of_commit;
    std::uint64_t syncs_of_sync;
  };
  const Case cases[] = {{SyncPolicy::kAlways, 1, 0},
                        {SyncPolicy::kEverySecond, 0, 1},
                        {SyncPolicy::kNo, 0, 1}};  // Sync() itself does not ask for the policy
  std::uint64_t seq = 1;
  // The first sync of a new log file also syncs its folder.
  ASSERT_TRUE(CommitEvent(seq).ok());
  ASSERT_TRUE(log_->Sync().ok());
  for (const Case& c : cases) {
    log_->SetPolicy(c.policy);
    std::uint64_t before = env_.counts().syncs;
    ASSERT_TRUE(CommitEvent(++seq).ok());
    EXPECT_EQ(env_.counts().syncs - before, c.syncs_of_commit);
    before = env_.counts().syncs;
    ASSERT_TRUE(log_->Sync().ok());
    EXPECT_EQ(env_.counts().syncs - before, c.syncs_of_sync);
    // Nothing was written since.
    ASSERT_TRUE(log_->Sync().ok());
    EXPECT_EQ(env_.counts().syncs - before, c.syncs_of_sync);
  }
  EXPECT_EQ(log_->stats().syncs, 4U);
}

// Every look at it takes 8 ms, so every sync seems slow enough to wait for company.
class SlowClock final : public Clock {
 public:
  std::int64_t NowMs() const override { return 0; }
  std::int64_t MonotonicUs() const override { return now_us_.fetch_add(8'000); }

 private:
  mutable std::atomic<std::int64_t> now_us_ = 0;
};

TEST_F(EventLogTest, LoneWriterIsNotHeldForThoseOfTheLastSync) {
  const SlowClock slow;
  EventLog log(*store_, SyncPolicy::kAlways, slow);
  const auto stage = [&log](std::uint64_t seq) {
    return *log.Stage([&](Batch& batch) { EventLog::PutEvent(batch, kCid, seq, Record(0)); });
  };
  stage(1);
  stage(2);
  ASSERT_TRUE(log.Commit(stage(3)).ok());  // three in one sync: as many are expected next
  ASSERT_TRUE(log.Commit(stage(4)).ok());
  EXPECT_EQ(log.stats().syncs, 2U);
}

TEST_F(EventLogTest, WritersBehindASlowSyncAllGetTheirs) {
  const SlowClock slow;
  EventLog log(*store_, SyncPolicy::kAlways, slow);
  std::atomic<std::uint64_t> seq = 0;
  std::vector<std::thread> writers;
  for (int i = 0; i < 4; ++i) {
    writers.emplace_back([&] {
      for (int n = 0; n < 50; ++n) {
        const auto ticket = log.Stage([&](Batch& batch) {
          EventLog::PutEvent(batch, kCid, seq.fetch_add(1) + 1, Record(0));
        });
        ASSERT_TRUE(ticket.ok());
        ASSERT_TRUE(log.Commit(*ticket).ok());
      }
    });
  }
  for (std::thread& writer : writers) {
    writer.join();
  }
  EXPECT_EQ(log.stats().changes, 200U);
  EXPECT_LE(log.stats().syncs, 200U);
}

TEST_F(EventLogTest, AlwaysSurvivesAPowerCutAndEverySecondKeepsWhatWasSynced) {
  Open(SyncPolicy::kAlways);
  ASSERT_TRUE(CommitEvent(1).ok());
  log_->SetPolicy(SyncPolicy::kEverySecond);
  ASSERT_TRUE(CommitEvent(2).ok());
  ASSERT_TRUE(log_->Sync().ok());
  ASSERT_TRUE(CommitEvent(3).ok());
  log_.reset();
  store_.reset();
  env_.DropUnsyncedData();
  Open(SyncPolicy::kAlways);
  EXPECT_EQ(Replayed(), "1 2");
}

TEST_F(EventLogTest, EverySecondSurvivesACrashOfTheProcessWithoutSync) {
  ASSERT_TRUE(CommitEvent(1).ok());
  Open(SyncPolicy::kEverySecond);
  EXPECT_EQ(Replayed(), "1");
}

TEST_F(EventLogTest, FailedCommitFailsEveryTicketThatIsNotCommitted) {
  ASSERT_TRUE(CommitEvent(1).ok());
  const std::uint64_t committed = log_->last_committed();
  const std::uint64_t second = StageEvent(2);
  const std::uint64_t third = StageEvent(3);
  env_.Arm({.nth = 1, .kind = FaultPlan::Kind::kNoSpace});
  const Status failed = log_->Commit(second);
  EXPECT_EQ(failed.code(), StatusCode::kIoError);
  EXPECT_EQ(log_->Commit(third).ToString(), failed.ToString());
  EXPECT_TRUE(log_->Commit(committed).ok());
  EXPECT_EQ(log_->Health().ToString(), failed.ToString());
  const Result<std::uint64_t> refused = log_->Stage([](Batch&) { FAIL() << "must not run"; });
  EXPECT_EQ(refused.status().code(), StatusCode::kIoError);
  EXPECT_EQ(log_->Sync().code(), StatusCode::kIoError);
  EXPECT_EQ(log_->last_committed(), committed);
}

TEST_F(EventLogTest, ResetDropsWhatWasStagedAndNeverAcknowledgesIt) {
  ASSERT_TRUE(CommitEvent(1).ok());
  const std::uint64_t committed = log_->last_committed();
  const std::uint64_t second = StageEvent(2);
  const std::uint64_t third = StageEvent(3);
  env_.Arm({.nth = 1, .kind = FaultPlan::Kind::kNoSpace});
  ASSERT_FALSE(log_->Commit(second).ok());
  ASSERT_TRUE(store_->Resume().ok());
  log_->Reset();
  EXPECT_TRUE(log_->Health().ok());
  EXPECT_EQ(log_->last_committed(), log_->last_staged());
  EXPECT_EQ(log_->stats().pending_bytes, 0U);
  EXPECT_EQ(Replayed(), "1");
  ASSERT_TRUE(CommitEvent(2).ok());
  EXPECT_EQ(Replayed(), "1 2");
  // Who comes late for a dropped ticket must not be told that it was kept.
  EXPECT_EQ(log_->Commit(second).code(), StatusCode::kIoError);
  EXPECT_EQ(log_->Commit(third).code(), StatusCode::kIoError);
  EXPECT_TRUE(log_->Commit(committed).ok());
}

TEST_F(EventLogTest, DroppedTicketsStayDroppedAfterManyResets) {
  std::vector<std::uint64_t> dropped;
  for (std::uint64_t seq = 1; seq <= 200; ++seq) {
    dropped.push_back(StageEvent(1'000));
    log_->Reset();
    ASSERT_TRUE(CommitEvent(seq).ok());
  }
  for (const std::uint64_t ticket : dropped) {
    EXPECT_EQ(log_->Commit(ticket).code(), StatusCode::kIoError);
  }
  EXPECT_TRUE(log_->Commit(log_->last_committed()).ok());
}

TEST_F(EventLogTest, FailedSyncRefusesAsAFailedCommitDoes) {
  ASSERT_TRUE(CommitEvent(1).ok());
  env_.Arm({.nth = 1, .writes = false});
  EXPECT_EQ(log_->Sync().code(), StatusCode::kIoError);
  EXPECT_EQ(log_->Health().code(), StatusCode::kIoError);
  EXPECT_EQ(StageEvent(2), 0U);
}

TEST_F(EventLogTest, StageCommitsByItselfWhenTooMuchWaits) {
  const std::string large(kStagedBytesMax / 4, 'x');
  std::uint64_t last = 0;
  for (int i = 0; i < 6; ++i) {
    const auto ticket =
        log_->Stage([&](Batch& batch) { batch.Put(Family::kKeys, std::to_string(i), large); });
    ASSERT_TRUE(ticket.ok());
    last = *ticket;
    EXPECT_LE(log_->stats().pending_bytes, kStagedBytesMax + large.size() + 1024);
  }
  EXPECT_GT(log_->last_committed(), 0U);
  EXPECT_LT(log_->last_committed(), last);
  ASSERT_TRUE(log_->Commit(last).ok());
  EXPECT_TRUE(store_->Get(Family::kKeys, "0")->has_value());
  EXPECT_TRUE(store_->Get(Family::kKeys, "5")->has_value());
}

TEST_F(EventLogTest, StageThatMustCommitReportsTheFailure) {
  const std::string large(kStagedBytesMax + 1, 'x');
  ASSERT_TRUE(log_->Stage([&](Batch& batch) { batch.Put(Family::kKeys, "a", large); }).ok());
  env_.Arm({.nth = 1, .and_later = true});
  EXPECT_EQ(log_->Stage([](Batch&) {}).status().code(), StatusCode::kIoError);
}

TEST_F(EventLogTest, ManyThreadsCommitInGroupsAndEveryOkIsInTheLog) {
  constexpr int kThreads = 8;
  constexpr std::uint64_t kEvents = 300;
  for (const SyncPolicy policy : {SyncPolicy::kEverySecond, SyncPolicy::kAlways}) {
    Open(policy);
    std::latch start(kThreads);
    std::vector<std::thread> threads;
    std::atomic<int> failed = 0;
    for (int i = 0; i < kThreads; ++i) {
      threads.emplace_back([&, i] {
        start.arrive_and_wait();
        const auto cid = static_cast<std::uint32_t>(100 + i);
        for (std::uint64_t seq = 1; seq <= kEvents; ++seq) {
          const std::uint64_t ticket = StageEvent(seq, cid);
          failed += log_->Commit(ticket).ok() ? 0 : 1;
          // What is acknowledged can be read.
          failed += store_->Get(Family::kEvents, format::EventKey(cid, seq))->has_value() ? 0 : 1;
          failed += log_->last_committed() >= ticket ? 0 : 1;
          if (seq % 50 == 0) {
            failed += log_->Sync().ok() ? 0 : 1;
          }
        }
      });
    }
    for (std::thread& thread : threads) {
      thread.join();
    }
    EXPECT_EQ(failed, 0);
    EXPECT_EQ(log_->stats().changes, kThreads * kEvents);
    EXPECT_EQ(log_->last_committed(), kThreads * kEvents);
    EXPECT_LE(log_->stats().commits, kThreads * kEvents);
  }
}

TEST_F(EventLogTest, FaultUnderManyThreadsLosesNothingThatWasAcknowledged) {
  constexpr int kThreads = 8;
  std::vector<std::uint64_t> acknowledged(kThreads, 0);
  std::vector<std::thread> threads;
  env_.Arm({.nth = 100, .and_later = true, .torn_write = true});
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([this, i, &acknowledged] {
      const auto cid = static_cast<std::uint32_t>(100 + i);
      for (std::uint64_t seq = 1; seq <= 10'000; ++seq) {
        const std::uint64_t ticket = StageEvent(seq, cid);
        if (ticket == 0 || !log_->Commit(ticket).ok()) {
          return;
        }
        acknowledged[i] = seq;
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_FALSE(log_->Health().ok());
  log_.reset();
  store_.reset();
  env_.Disarm();
  Open(SyncPolicy::kAlways);
  for (int i = 0; i < kThreads; ++i) {
    std::uint64_t last = 0;
    ASSERT_TRUE(EventLog::Replay(*store_, nullptr, static_cast<std::uint32_t>(100 + i), 0,
                                 [&last](std::uint64_t seq, const format::Event&) {
                                   last = seq;
                                   return true;
                                 })
                    .ok());
    EXPECT_GE(last, acknowledged[i]);
  }
}

// --- Replay
// ---------------------------------------------------------------------------------------

class ReplayTest : public EventLogTest {
 protected:
  ReplayTest() {
    for (std::uint64_t seq = 1; seq <= 5; ++seq) {
      StageEvent(seq);
      StageEvent(seq + 100, kCid - 1);
      StageEvent(seq + 200, kCid + 1);
    }
    EXPECT_TRUE(log_->Commit(log_->last_staged()).ok());
  }
  void Write(Batch& batch) { EXPECT_TRUE(store_->Write(batch, false).ok()); }
};

TEST_F(ReplayTest, ShowsWhatLiesBehindTheNumberInOrder) {
  EXPECT_EQ(Replayed(0), "1 2 3 4 5");
  EXPECT_EQ(Replayed(3), "4 5");
  EXPECT_EQ(Replayed(5), "");
  EXPECT_EQ(Replayed(1'000), "");
  EXPECT_EQ(Replayed(std::numeric_limits<std::uint64_t>::max()), "");
}

TEST_F(ReplayTest, StopsWhenTheVisitorHasEnough) {
  int seen = 0;
  EXPECT_TRUE(EventLog::Replay(*store_, nullptr, kCid, 0, [&](std::uint64_t, const format::Event&) {
                return ++seen < 2;
              }).ok());
  EXPECT_EQ(seen, 2);
}

TEST_F(ReplayTest, SeesTheSnapshotOnly) {
  const auto snapshot = store_->TakeSnapshot();
  ASSERT_TRUE(CommitEvent(6).ok());
  EXPECT_EQ(Replayed(3, snapshot.get()), "4 5");
  EXPECT_EQ(Replayed(3), "4 5 6");
}

TEST_F(ReplayTest, MissingNumberIsCorruptionThatNamesIt) {
  Batch batch;
  batch.Delete(Family::kEvents, format::EventKey(kCid, 3));
  Write(batch);
  EXPECT_EQ(Replayed(), "corruption: family events: event 3 of collection 3 is missing, found 4");
  EXPECT_EQ(Replayed(2), "corruption: family events: event 3 of collection 3 is missing, found 4");
  EXPECT_EQ(Replayed(3), "4 5");
}

TEST_F(ReplayTest, MissingBeginningIsCorruption) {
  Batch batch;
  batch.DeleteRange(Family::kEvents, format::EventKey(kCid, 1), format::EventKey(kCid, 3));
  Write(batch);
  EXPECT_EQ(Replayed(), "corruption: family events: event 1 of collection 3 is missing, found 3");
  EXPECT_EQ(Replayed(2), "3 4 5");
}

TEST_F(ReplayTest, DamagedRecordIsCorruptionThatNamesIt) {
  Batch batch;
  batch.Put(Family::kEvents, format::EventKey(kCid, 4), "junk");
  Write(batch);
  EXPECT_EQ(Replayed(),
            "corruption: family events: event 4 of collection 3: event: format 106 is not known");
}

TEST_F(ReplayTest, KeyOfAnotherLengthIsCorruption) {
  Batch batch;
  batch.Put(Family::kEvents, format::EventKey(kCid, 5) + "x", Record(5));
  Write(batch);
  EXPECT_EQ(Replayed(), "corruption: family events: a key of 13 bytes in collection 3");
}

}  // namespace
}  // namespace reco::wal
