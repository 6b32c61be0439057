#include "tools/admin/import_history.h"

#include <set>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace reco::admin {
namespace {

TEST(Checksum, TellsApartWhatIsSent) {
  const std::vector<MappedEvent> events = {
      {.user = "ann", .item = "lamp"},
      {.user = "annl", .item = "amp"},
      {.user = "lamp", .item = "ann"},
      {.user = "ann", .item = "lamp", .weight = "1"},
      {.user = "ann", .item = "lamp", .weight = "", .type = "1"},
      {.user = "ann", .item = "lamp", .time_ms = 0},
      {.user = "ann", .item = "lamp", .time_ms = 1},
      {.user = "ann", .item = "lamp", .is_skipped = true},
      {.user = "a user with more than eight bytes", .item = "lamp"},
      {.user = "a user with more than eight bytez", .item = "lamp"},
  };
  std::set<std::uint64_t> checksums;
  for (const MappedEvent& event : events) {
    checksums.insert(Checksum(event));
  }
  checksums.insert(Checksum("ann,lamp"));
  checksums.insert(Checksum("ann,lamp,"));
  EXPECT_EQ(checksums.size(), events.size() + 2);
}

TEST(Chained, TellsTheOrder) {
  const std::uint64_t one = Chained(Chained(kChainStart, 1), 2);
  EXPECT_NE(one, Chained(Chained(kChainStart, 2), 1));
  EXPECT_NE(one, Chained(kChainStart, 1));
  EXPECT_NE(Chained(kChainStart, 0), kChainStart);
}

TEST(Sketch, KeepsTheSmallest) {
  Sketch sketch;
  std::vector<std::uint64_t> expected;
  for (std::uint64_t i = 0; i < 100; ++i) {
    sketch.Add(i * 37 % 100);
    if (i < kSketchSize) {
      expected.push_back(i);
    }
  }
  EXPECT_THAT(sketch.smallest(), ::testing::ElementsAreArray(expected));
}

TEST(PastImport, IsReadAsItWasWritten) {
  PastImport import;
  import.run = "0123abcd";
  import.records = 12'345;
  import.lost = 7;
  import.chain = 0xfedcba9876543210U;
  import.is_done = true;
  import.milestones = {5, 6};
  import.sketch.Add(3);
  import.sketch.Add(~0ULL);
  import.name = "a name, with blanks";
  for (int i = 0; i < 2; ++i) {
    const auto read = Decode(Encode(import));
    ASSERT_TRUE(read.ok()) << read.status().ToString();
    EXPECT_EQ(read->run, import.run);
    EXPECT_EQ(read->records, import.records);
    EXPECT_EQ(read->lost, import.lost);
    EXPECT_EQ(read->chain, import.chain);
    EXPECT_EQ(read->is_done, import.is_done);
    EXPECT_EQ(read->milestones, import.milestones);
    EXPECT_EQ(read->sketch.smallest(), import.sketch.smallest());
    EXPECT_EQ(read->name, import.name);
    import.is_done = false;
    import.milestones.clear();
    import.sketch = Sketch();
    import.name = "";
  }
}

TEST(PastImport, OtherTextsAreRefused) {
  const std::string good = Encode({.run = "0123abcd"});
  ASSERT_TRUE(Decode(good).ok());
  for (const std::string& bad :
       {std::string(), std::string("hello"), "3" + good.substr(1), good.substr(0, 20),
        std::string("2 run x 0 9e3779b97f4a7c15 open   name"),
        std::string("2 run 1 0 9e3779b97f4a7c15 half   name"),
        std::string("2 run 1 0 9e3779b97f4a7c15 open  zz, name")}) {
    EXPECT_EQ(Decode(bad).status().code(), StatusCode::kInvalidArgument) << bad;
  }
}

// What was imported before, as the checksums of its records.
PastImport Past(const std::vector<std::uint64_t>& records) {
  PastImport past;
  Chain chain;
  for (const std::uint64_t record : records) {
    chain.Add(record);
    past.sketch.Add(record);
  }
  past.records = chain.records();
  past.chain = chain.value();
  past.milestones = chain.milestones();
  return past;
}

Comparison Compared(const PastImport& past, const std::vector<std::uint64_t>& records) {
  Comparer comparer(past);
  for (const std::uint64_t record : records) {
    comparer.Add(record);
  }
  return comparer.Outcome();
}

TEST(Comparer, TellsTheSameTheGrownTheChangedAndOthers) {
  const PastImport past = Past({1, 2, 3, 4});
  const auto outcome = [&](const std::vector<std::uint64_t>& records) {
    const Comparison comparison = Compared(past, records);
    EXPECT_FALSE(comparison.begins_with_it && comparison.is_changed);
    return comparison.begins_with_it ? "begins with it"
           : comparison.is_changed   ? "changed"
                                     : "other";
  };
  EXPECT_STREQ(outcome({1, 2, 3, 4}), "begins with it");
  EXPECT_STREQ(outcome({1, 2, 3, 4, 5}), "begins with it");
  EXPECT_STREQ(outcome({1, 2, 3}), "changed");
  EXPECT_STREQ(outcome({1, 2, 9, 4}), "changed");
  EXPECT_STREQ(outcome({2, 1, 3, 4}), "changed");
  EXPECT_STREQ(outcome({1, 2, 8, 9}), "changed");  // half
  EXPECT_STREQ(outcome({1, 7, 8, 9}), "other");
  EXPECT_STREQ(outcome({}), "other");
}

TEST(Comparer, TellsAFileThatEndsEarly) {
  std::vector<std::uint64_t> records;
  for (std::uint64_t i = 1; i <= 5'000; ++i) {
    records.push_back(i * 0x9e3779b97f4a7c15U);
  }
  const PastImport past = Past(records);
  for (const std::size_t count : {1U, 2U, 3U, 100U, 4'999U}) {
    const std::vector<std::uint64_t> first(records.begin(), records.begin() + count);
    EXPECT_TRUE(Compared(past, first).is_changed) << count;
    std::vector<std::uint64_t> other = first;
    other[0] = 7;
    EXPECT_EQ(Compared(past, other).is_changed, count == 4'999U) << count;
  }
}

TEST(Comparer, AnImportThatFinishedNothingBeginsEverything) {
  EXPECT_TRUE(Compared(Past({}), {1, 2}).begins_with_it);
  EXPECT_FALSE(Compared(Past({}), {1, 2}).is_changed);
}

}  // namespace
}  // namespace reco::admin
