// Groups of derived rows: seen at once, durable with a flush, all of a group or nothing (D37).
#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include <gtest/gtest.h>

#include "store/store.h"
#include "testing/temp_dir.h"

namespace reco::store {
namespace {

class GroupsTest : public ::testing::Test {
 protected:
  GroupsTest() { options_.path = dir_ / "db"; }

  // Without a flush before it, what a crash would do.
  void Open() {
    store_.reset();
    Result<std::unique_ptr<Store>> opened = Store::Open(options_);
    ASSERT_TRUE(opened.ok()) << opened.status().ToString();
    store_ = std::move(opened).value();
  }
  void Put(Family family, std::string_view key, std::string_view value) {
    Batch batch;
    batch.Put(family, key, value);
    const Status status = store_->Write(batch, false);
    ASSERT_TRUE(status.ok()) << status.ToString();
  }
  // The value, or "none".
  std::string Get(Family family, std::string_view key) {
    const auto value = store_->Get(family, key);
    EXPECT_TRUE(value.ok()) << value.status().ToString();
    return value.ok() ? value->value_or("none") : "";
  }

  testing::TempDir dir_;
  StoreOptions options_;
  std::unique_ptr<Store> store_;
};

// More changes than one step takes.
void PutGroup(DerivedGroup& group, const std::string& value, int count = 200) {
  for (int i = 0; i < count; ++i) {
    group.Put(Family::kUsers, "row" + std::to_string(i), value);
  }
}

TEST_F(GroupsTest, AGroupIsSeenAtOnceAndGoesWithACrash) {
  Open();
  Put(Family::kKeys, "logged", "1");
  const auto group = store_->BeginGroup();
  PutGroup(*group, "new");
  group->Delete(Family::kKeys, "logged");
  ASSERT_TRUE(group->Finish().ok());
  EXPECT_EQ(Get(Family::kUsers, "row0") + Get(Family::kUsers, "row199"), "newnew");
  EXPECT_EQ(Get(Family::kKeys, "logged"), "none");
  EXPECT_TRUE(store_->has_unflushed_groups());
  Open();  // nothing was flushed
  EXPECT_EQ(Get(Family::kUsers, "row0") + Get(Family::kUsers, "row199"), "nonenone");
  EXPECT_EQ(Get(Family::kKeys, "logged"), "1");
  EXPECT_FALSE(store_->has_unflushed_groups());
}

TEST_F(GroupsTest, AFlushMakesGroupsDurable) {
  Open();
  const auto group = store_->BeginGroup();
  PutGroup(*group, "new");
  group->DeleteRange(Family::kUsers, "row1", "row2");
  ASSERT_TRUE(group->Finish().ok());
  ASSERT_TRUE(store_->Flush().ok());
  EXPECT_FALSE(store_->has_unflushed_groups());
  Open();
  EXPECT_EQ(Get(Family::kUsers, "row0") + Get(Family::kUsers, "row99"), "newnew");
  EXPECT_EQ(Get(Family::kUsers, "row1") + Get(Family::kUsers, "row199"), "nonenone");
}

// Buffers that are full many times over are flushed once the group has ended, not into it.
TEST_F(GroupsTest, NoFlushComesIntoAGroup) {
  options_.write_buffer_bytes = 1 << 20;
  Open();
  const auto fill = [this] {
    for (int i = 0; i < 8; ++i) {
      Put(Family::kKeys, "key" + std::to_string(i), std::string(1 << 19, 'x'));
    }
  };
  auto group = store_->BeginGroup();
  PutGroup(*group, "half");
  fill();
  group.reset();  // given up
  EXPECT_FALSE(store_->Health().ok());
  EXPECT_FALSE(store_->Flush().ok());
  Open();
  EXPECT_EQ(Get(Family::kUsers, "row0"), "none");
  EXPECT_EQ(Get(Family::kKeys, "key7"), std::string(1 << 19, 'x'));

  group = store_->BeginGroup();
  PutGroup(*group, "whole");
  fill();
  EXPECT_GE(store_->unflushed_bytes(), 4U << 20U);
  ASSERT_TRUE(group->Finish().ok());
  EXPECT_FALSE(store_->has_unflushed_groups());  // the flush has begun
  EXPECT_LT(store_->unflushed_bytes(), 1U << 20U);
  ASSERT_TRUE(store_->Flush().ok());
  Open();
  EXPECT_EQ(Get(Family::kUsers, "row199"), "whole");
}

TEST_F(GroupsTest, AFlushWaitsForTheGroupsThatAreBegun) {
  Open();
  auto first = store_->BeginGroup();
  auto second = store_->BeginGroup();
  PutGroup(*first, "first");
  std::atomic<bool> flushed = false;
  std::thread flush([&] {
    EXPECT_TRUE(store_->Flush().ok());
    flushed = true;
  });
  ASSERT_TRUE(second->Finish().ok());
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  EXPECT_FALSE(flushed);
  ASSERT_TRUE(first->Finish().ok());
  flush.join();
  Open();
  EXPECT_EQ(Get(Family::kUsers, "row199"), "first");
}

}  // namespace
}  // namespace reco::store
