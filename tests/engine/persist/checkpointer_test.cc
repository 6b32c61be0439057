#include "engine/persist/checkpointer.h"

#include <optional>
#include <string>

#include <gtest/gtest.h>

#include "format/keys.h"
#include "format/records.h"
#include "testing/catalogue.h"
#include "testing/freeze.h"

namespace reco::engine::persist {
namespace {

using testing::Catalogue;

// What the checkpoint on disk says; 0 without one.
std::uint64_t SeqOnDisk(const Catalogue& catalogue) {
  const auto stored =
      catalogue.storage.store->Get(store::Family::kDefault, format::CheckpointKey(1));
  EXPECT_TRUE(stored.ok());
  return *stored ? format::DecodeCheckpoint(**stored)->seq : 0;
}

const auto kNoRows = [](const FrozenRows&, store::DerivedGroup&) {};
const auto kCaughtUp = [] { return Status::Ok(); };

// Few events may be much to write: records of up to 64 KB.
TEST(Checkpointer, IsDueByBytesAsWellAsByEvents) {
  Catalogue catalogue;
  const Checkpointer& checkpointer = catalogue.collection->checkpointer();
  const std::string json = "{\"text\":\"" + std::string(60'000, 'x') + "\"}";
  const auto set = [&](int item) {
    RecordUpdate update;
    update.attributes = json;
    ASSERT_TRUE(
        writer::SetRecord(catalogue.shared(), Side::kItem, "i" + std::to_string(item), update)
            .ok());
  };
  int records = 0;
  while (!checkpointer.Due(false)) {
    ASSERT_LT(records, 100);
    set(records++);
  }
  EXPECT_NEAR(records, 1'600 * 1'000 / 60'000, 2);
  ASSERT_TRUE(catalogue.collection->checkpointer().Checkpoint().ok());
  EXPECT_FALSE(checkpointer.Due(false));
  // What a click copies is the whole record of its item.
  int clicks = 0;
  while (!checkpointer.Due(false) && clicks < records) {
    catalogue.Add("u", "i" + std::to_string(clicks++));
  }
  EXPECT_GT(clicks, records - 3);
  EXPECT_TRUE(checkpointer.Due(false));
}

TEST(Checkpointer, WritesWhatIsDirtyAndCommitsTheLogFirst) {
  Catalogue catalogue;
  catalogue.Add("u", "i");
  catalogue.Add("u", "j");
  EXPECT_EQ(catalogue.storage.log->last_committed(), 0U);
  ASSERT_TRUE(catalogue.collection->checkpointer().Checkpoint().ok());
  EXPECT_EQ(SeqOnDisk(catalogue), 2U);
  EXPECT_EQ(catalogue.collection->checkpointer().seq(), 2U);
  EXPECT_EQ(catalogue.storage.log->last_committed(), catalogue.storage.log->last_staged());
}

TEST(Checkpointer, IsDueByTheCountOfEventsSinceTheLast) {
  Catalogue catalogue;
  catalogue.options.checkpoint_events = 3;
  Checkpointer& checkpointer = catalogue.collection->checkpointer();
  catalogue.Add("u", "i");
  catalogue.Add("u", "i");
  EXPECT_FALSE(checkpointer.Due(false));
  catalogue.Add("u", "i");
  EXPECT_TRUE(checkpointer.Due(false));
  ASSERT_TRUE(checkpointer.Checkpoint().ok());
  EXPECT_FALSE(checkpointer.Due(false));
}

TEST(Checkpointer, SwapThatFailsWritesNothing) {
  Catalogue catalogue;
  catalogue.Add("u", "i");
  const auto fail = [](WriteView&) { return Status::Unavailable("no"); };
  EXPECT_FALSE(catalogue.collection->checkpointer().EndTraining(kCaughtUp, fail, kNoRows).ok());
  EXPECT_EQ(SeqOnDisk(catalogue), 0U);
  ASSERT_TRUE(catalogue.collection->checkpointer().Checkpoint().ok());
  EXPECT_EQ(SeqOnDisk(catalogue), 1U);
}

TEST(Checkpointer, RowsOfASwapGoIntoTheSameGroup) {
  Catalogue catalogue;
  catalogue.Add("u", "i");
  const auto nothing = [](WriteView&) { return Status::Ok(); };
  const auto add = [](const FrozenRows&, store::DerivedGroup& batch) {
    batch.Put(store::Family::kDefault, "beside", "the swap");
  };
  ASSERT_TRUE(catalogue.collection->checkpointer().EndTraining(kCaughtUp, nothing, add).ok());
  EXPECT_EQ(SeqOnDisk(catalogue), 1U);
  EXPECT_EQ(*catalogue.storage.store->Get(store::Family::kDefault, "beside"), "the swap");
}

TEST(Checkpointer, ADropDoesNotWaitForTheCheckpointInFlight) {
  Catalogue catalogue;
  catalogue.Add("u", "i");
  bool in_flight = false;
  const auto nothing = [](WriteView&) { return Status::Ok(); };
  const auto drop = [&](const FrozenRows&, store::DerivedGroup&) {
    in_flight = catalogue.collection->Drop();
  };
  ASSERT_TRUE(catalogue.collection->checkpointer().EndTraining(kCaughtUp, nothing, drop).ok());
  EXPECT_TRUE(in_flight);
  EXPECT_EQ(SeqOnDisk(catalogue), 1U);  // which the caller is to delete again
  EXPECT_FALSE(catalogue.collection->Drop());
}

TEST(Checkpointer, DroppedCollectionIsNotWritten) {
  Catalogue catalogue;
  catalogue.Add("u", "i");
  catalogue.collection->Drop();
  const auto nothing = [](WriteView&) { return Status::Ok(); };
  EXPECT_EQ(catalogue.collection->checkpointer().EndTraining(kCaughtUp, nothing, kNoRows).code(),
            StatusCode::kNotFound);
  EXPECT_EQ(SeqOnDisk(catalogue), 0U);
}

#ifdef RECO_DCHECKS

// What a checkpoint without its commit would be: rows on disk ahead of the log.
TEST(CheckpointerDeathTest, RowsAheadOfTheLogStopTheProgram) {
  Catalogue catalogue;
  catalogue.Add("u", "i");
  const std::uint64_t ticket = catalogue.storage.log->last_staged();
  FrozenRows frozen;
  {
    WriteView view(catalogue.shared());
    frozen = testing::Freeze(view.state());
  }
  EXPECT_DEATH(static_cast<void>(WriteFrozen(catalogue.shared(), frozen, ticket, kNoRows).ok()),
               "invariant I4 broken");
  ASSERT_TRUE(catalogue.storage.log->Commit(ticket).ok());
  EXPECT_TRUE(WriteFrozen(catalogue.shared(), frozen, ticket, kNoRows).ok());
}

#endif

}  // namespace
}  // namespace reco::engine::persist
