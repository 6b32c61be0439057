// A collection read back: from its checkpoint, and from the events of the log behind that.
#include "engine/persist/loader.h"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "format/keys.h"
#include "format/records.h"
#include "testing/catalogue.h"

namespace reco::engine::persist {
namespace {

CollectionOptions Small() {
  CollectionOptions options;
  options.dim = 4;
  options.iterations = 2;
  return options;
}

class LoaderTest : public ::testing::Test {
 protected:
  LoaderTest() : catalogue_(Small()) {}

  void Commit() {
    wal::EventLog& log = *catalogue_.storage.log;
    ASSERT_TRUE(log.Commit(log.last_staged()).ok());
  }
  void Checkpoint() { ASSERT_TRUE(catalogue_.collection->checkpointer().Checkpoint().ok()); }
  void Put(store::Family family, const std::string& key, const std::string& value) {
    store::Batch batch;
    batch.Put(family, key, value);
    ASSERT_TRUE(catalogue_.storage.store->Write(batch, false).ok());
  }
  // Another collection of the same rows.
  Status Read() {
    auto opened = Collection::Open(catalogue_.context, 1, Small());
    again_ = opened.ok() ? *opened : nullptr;
    return opened.status();
  }

  void ExpectSame() {
    ReadView first(catalogue_.shared());
    ReadView second(again_->shared());
    EXPECT_EQ(first.state().last_seq(), second.state().last_seq());
    EXPECT_EQ(first.state().interactions(), second.state().interactions());
    EXPECT_EQ(first.state().model().id, second.state().model().id);
    for (const Side side : {Side::kUser, Side::kItem}) {
      const SideState& a = first.state().side(side);
      const SideState& b = second.state().side(side);
      ASSERT_EQ(a.ids.end(), b.ids.end());
      for (std::uint32_t i = 0; i < a.ids.end(); ++i) {
        EXPECT_EQ(a.ids.id(i), b.ids.id(i));
        EXPECT_EQ(a.entities[i].pairs, b.entities[i].pairs);
        EXPECT_EQ(a.entities[i].events, b.entities[i].events);
        EXPECT_EQ(a.entities[i].weight, b.entities[i].weight);
        EXPECT_EQ(a.entities[i].first_ms, b.entities[i].first_ms);
        EXPECT_EQ(a.entities[i].last_ms, b.entities[i].last_ms);
        EXPECT_EQ(a.entities[i].last_seq, b.entities[i].last_seq);
        for (std::uint32_t k = 0; k < a.factors->dim(); ++k) {
          EXPECT_EQ(a.factors->row(i)[k], b.factors->row(i)[k]) << i;
        }
      }
    }
    EXPECT_EQ(first.state().items().entities[0].squares,
              second.state().items().entities[0].squares);
    EXPECT_EQ(first.state().items().entities[0].known_ms,
              second.state().items().entities[0].known_ms);
  }

  testing::Catalogue catalogue_;
  std::shared_ptr<Collection> again_;
};

TEST_F(LoaderTest, EventsOfTheLogAloneGiveTheState) {
  catalogue_.Fill(6, 9);
  const std::string_view item = "i0";
  ASSERT_TRUE(writer::Remove(catalogue_.shared(), "u0", {&item, 1}).ok());
  Commit();
  ASSERT_TRUE(Read().ok());
  ExpectSame();
  EXPECT_EQ(again_->checkpointer().seq(), 0U);
}

TEST_F(LoaderTest, CheckpointModelAndLaterEventsGiveTheState) {
  catalogue_.Fill(6, 9);
  catalogue_.Train();
  catalogue_.Add("u1", "i3", 2);
  catalogue_.Add("new", "i4", 2);
  Commit();
  ASSERT_TRUE(Read().ok());
  ExpectSame();
  EXPECT_GT(again_->checkpointer().seq(), 0U);
  EXPECT_LT(again_->checkpointer().seq(), ReadView(again_->shared()).state().last_seq());
}

// Two users and two items of one call, one of each twice: solved once and together, and again so.
TEST_F(LoaderTest, AddsOfOneCallAreReplayedTogether) {
  catalogue_.Fill(6, 9);
  catalogue_.Train();
  const Interaction call[] = {{.user = "u1", .item = "i3", .weight = 2},
                              {.user = "u2", .item = "i3", .weight = 1},
                              {.user = "u1", .item = "new", .weight = 3},
                              {.user = "u1", .item = "i3", .weight = 1}};
  ASSERT_TRUE(writer::Add(catalogue_.shared(), call, false).ok());
  catalogue_.Add("u1", "i4", 2);
  Commit();
  ASSERT_TRUE(Read().ok());
  ExpectSame();
}

TEST_F(LoaderTest, AnEventThatGoesOnACallWithoutABeginningIsCorruption) {
  catalogue_.Add("u", "i");
  Checkpoint();
  format::Event event;
  event.user = event.item = 0;
  event.with_previous = true;
  std::string record;
  format::EncodeEvent(event, &record);
  Put(store::Family::kEvents, format::EventKey(1, 2), record);
  EXPECT_EQ(Read().code(), StatusCode::kCorruption);
}

TEST_F(LoaderTest, TokensAreRemembered) {
  const Interaction interaction = {.user = "u", .item = "i", .token = "once"};
  ASSERT_TRUE(writer::Add(catalogue_.shared(), {&interaction, 1}, false).ok());
  Checkpoint();
  ASSERT_TRUE(Read().ok());
  EXPECT_EQ(ReadView(again_->shared()).tokens().Find("once"), 1U);
}

TEST_F(LoaderTest, AnIdUsedAgainAfterItsDeletionNamesTheLaterOrdinal) {
  catalogue_.Add("u", "i");
  Checkpoint();  // "i" is 0 on disk, and its deletion only in the log
  ASSERT_TRUE(*writer::DeleteRecord(catalogue_.shared(), Side::kItem, "i"));
  catalogue_.Add("u", "i", 5);
  Commit();
  ASSERT_TRUE(Read().ok());
  EXPECT_EQ(ReadView(again_->shared()).state().items().ids.Find("i"), 1U);
  ExpectSame();
}

TEST_F(LoaderTest, TwoLiveRecordsOfOneIdAreCorruption) {
  catalogue_.Add("u", "i");
  Checkpoint();
  format::EntityRecord record;
  record.id = "i";
  Put(store::Family::kItems, format::RecordKey(1, 1), format::EncodeEntity(record));
  EXPECT_EQ(Read().code(), StatusCode::kCorruption);
}

TEST_F(LoaderTest, RowsThatNameUnknownOnesAreCorruption) {
  catalogue_.Fill(6, 9);
  catalogue_.Train();
  std::string value;
  format::EncodeVector(std::vector<float>(4), &value);
  Put(store::Family::kVectors, format::VectorKey(1, 1, Side::kItem, 99), value);
  EXPECT_EQ(Read().code(), StatusCode::kCorruption);
}

// As trainings of older versions wrote them.
TEST_F(LoaderTest, ZerosOfADeletedItemTakeNoVector) {
  catalogue_.Fill(6, 9);
  catalogue_.Train();
  const std::uint32_t gone = *ReadView(catalogue_.shared()).state().items().ids.Find("i4");
  ASSERT_TRUE(*writer::DeleteRecord(catalogue_.shared(), Side::kItem, "i4"));
  Checkpoint();
  std::string value;
  format::EncodeVector(std::vector<float>(4), &value);
  Put(store::Family::kVectors, format::VectorKey(1, 1, Side::kItem, gone), value);
  ASSERT_TRUE(Read().ok());
  for (std::uint32_t item = 0; item < 9; ++item) {
    EXPECT_EQ(ReadView(again_->shared()).state().items().factors->has_vector(item), item != gone);
  }
}

TEST_F(LoaderTest, AnEventThatNamesAnUnknownUserIsCorruption) {
  catalogue_.Add("u", "i");
  Commit();
  format::Event event;
  event.user = 7;
  event.item = 0;
  std::string record;
  format::EncodeEvent(event, &record);
  Put(store::Family::kEvents, format::EventKey(1, 2), record);
  EXPECT_EQ(Read().code(), StatusCode::kCorruption);
}

TEST_F(LoaderTest, APairWithoutAUserIsCorruption) {
  catalogue_.Add("u", "i");
  Commit();
  format::Event event;
  event.item = 0;
  std::string record;
  format::EncodeEvent(event, &record);
  Put(store::Family::kEvents, format::EventKey(1, 2), record);
  EXPECT_EQ(Read().code(), StatusCode::kCorruption);
}

TEST_F(LoaderTest, AMissingActiveModelIsCorruption) {
  catalogue_.Fill(6, 9);
  catalogue_.Train();
  store::Batch batch;
  batch.Delete(store::Family::kModels, format::ModelKey(1, 1));
  ASSERT_TRUE(catalogue_.storage.store->Write(batch, false).ok());
  EXPECT_EQ(Read().code(), StatusCode::kCorruption);
}

}  // namespace
}  // namespace reco::engine::persist
