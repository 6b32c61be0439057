#include "filter/attribute_columns.h"

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "base/mutex.h"

namespace reco::filter {
namespace {

std::shared_ptr<const Filter> Compile(const std::string& text) {
  auto filter = Filter::Compile(text);
  EXPECT_TRUE(filter.ok()) << filter.status().ToString();
  return filter.value();
}

// Columns and the records they are made of. `passes` counts how often the first one was read.
class Shop {
 public:
  explicit Shop(AttributeColumnsOptions options = {}) : columns(options) {}

  void Set(std::uint32_t ordinal, const std::string& json) {
    records[ordinal] = json;
    columns.Set(ordinal, json);
  }
  void Erase(std::uint32_t ordinal) {
    records.erase(ordinal);
    columns.Erase(ordinal);
  }
  // Calls `use` with the records.
  template <typename Use>
  auto WithRecords(Use use) {
    const auto json = [this](std::uint32_t ordinal) {
      ++reads;
      passes += !records.empty() && ordinal == records.begin()->first ? 1 : 0;
      const auto found = records.find(ordinal);
      return found != records.end() ? std::string_view(found->second) : std::string_view();
    };
    const std::uint32_t end = records.empty() ? 0 : records.rbegin()->first + 1;
    return use(RecordSource{end, json});
  }
  BoundFilter Bind(const std::string& text) {
    return WithRecords(
        [&](const RecordSource& source) { return columns.Bind(Compile(text), source); });
  }
  BoundFilter BindPrepared(const std::string& text) {
    return WithRecords(
        [&](const RecordSource& source) { return columns.BindPrepared(Compile(text), source); });
  }
  bool Step(FilterUse* use) {
    return WithRecords([&](const RecordSource& source) { return columns.Prepare(use, source); });
  }
  std::vector<std::uint32_t> Matching(const std::string& text) {
    const BoundFilter bound = Bind(text);
    std::vector<std::uint32_t> all;
    for (std::uint32_t i = 0; i < 2000; ++i) {
      if (bound.Matches(i)) {
        all.push_back(i);
      }
    }
    return all;
  }

  AttributeColumns columns;
  std::map<std::uint32_t, std::string> records;
  std::atomic<int> passes = 0;
  std::atomic<int> reads = 0;
};

using Ordinals = std::vector<std::uint32_t>;

TEST(AttributeColumnsTest, OnePassMakesTheColumnsThatAreMissing) {
  Shop shop;
  shop.Set(1, R"({"a":1,"b":2})");
  EXPECT_EQ(shop.columns.memory_bytes(), 0U) << "nothing is kept before a filter asks";
  EXPECT_EQ(shop.Matching(".a == 1 and .b == 2"), Ordinals{1});
  EXPECT_EQ(shop.passes, 1);
  EXPECT_EQ(shop.Matching(".b > .a"), Ordinals{1});
  EXPECT_EQ(shop.Matching("1 == 1"), Ordinals{1});
  EXPECT_EQ(shop.passes, 1);
  EXPECT_EQ(shop.Matching(".c == 1 or .a == 1"), Ordinals{});
  EXPECT_EQ(shop.passes, 2);
  EXPECT_EQ(shop.columns.column_count(), 3U);
}

TEST(AttributeColumnsTest, NamesTheFieldsThatARecordLacks) {
  using Names = std::vector<std::string>;
  Shop shop;
  shop.Set(1, R"({"a":1,"b c":null})");
  shop.Set(2, R"({"a":{"x":1},"d":1})");
  for (int use = 0; use < 2; ++use) {
    const BoundFilter bound = shop.Bind(".['b c'] or .a or .['b c'] or .d");
    EXPECT_EQ(bound.MissingFields(1), Names{"d"});
    EXPECT_EQ(bound.MissingFields(2), (Names{"b c", "a"}));
    EXPECT_EQ(bound.MissingFields(3), (Names{"b c", "a", "d"}));
    EXPECT_EQ(bound.MissingFields(100'000), (Names{"b c", "a", "d"}));
  }
  EXPECT_EQ(shop.Bind("1").MissingFields(3), Names{});
  const BoundFilter before = shop.Bind(".a");
  EXPECT_EQ(before.MissingFields(2), Names{"a"});
  shop.Set(2, R"({"a":0})");
  EXPECT_EQ(shop.Bind(".a").MissingFields(2), Names{});
}

// Integers that no double is take the room of a number.
TEST(AttributeColumnsTest, LargeIntegersTakeNoMoreRoom) {
  static_assert(sizeof(Element) == 16);
  const auto bytes = [](const std::string& number) {
    Shop shop;
    for (std::uint32_t i = 0; i < 512; ++i) {
      shop.Set(i, R"({"a":)" + number + R"(,"b":[)" + number + ",1]}");
    }
    EXPECT_EQ(shop.Matching(".a == " + number + " and .a in .b").size(), 512U);
    EXPECT_EQ(shop.Matching(".a == 1 or not (.a in .b)").size(), 0U);
    return shop.columns.memory_bytes();
  };
  EXPECT_EQ(bytes("123456789012345679"), bytes("7"));
}

TEST(AttributeColumnsTest, ColumnsAndBitmapsFollowEveryChange) {
  Shop shop;
  EXPECT_EQ(shop.Matching(".a in ['x', 7]"), Ordinals{});
  shop.Set(1500, R"({"a":"x"})");
  shop.Set(3, R"({"a":7})");
  shop.Set(4, R"({"b":7})");
  EXPECT_EQ(shop.Matching(".a in ['x', 7]"), (Ordinals{3, 1500}));
  EXPECT_EQ(shop.Bind(".a in ['x', 7]").match_count(), 2U);
  shop.Set(4, R"({"a":["x"],"b":7})");
  shop.Set(3, R"({"a":"X"})");
  EXPECT_EQ(shop.Matching(".a in ['x', 7]"), Ordinals{1500});
  EXPECT_EQ(shop.Matching("'x' in .a"), (Ordinals{4, 1500}));
  shop.Erase(1500);
  shop.Erase(1999);
  EXPECT_EQ(shop.Matching(".a in ['x', 7]"), Ordinals{});
  EXPECT_EQ(shop.Matching("'x' in .a"), Ordinals{4});
  shop.Set(3, "no object");
  EXPECT_EQ(shop.Matching("1"), Ordinals{4});
  EXPECT_EQ(shop.passes, 0) << "there was no record to read";
  shop.records.erase(3);
  shop.columns.Clear();
  EXPECT_EQ(shop.columns.memory_bytes(), 0U);
  EXPECT_EQ(shop.Matching("1"), Ordinals{4});
  EXPECT_EQ(shop.passes, 1);
}

TEST(AttributeColumnsTest, BitmapComesWithTheSecondUseOrWithTheFirstOfFewRows) {
  AttributeColumnsOptions options;
  options.first_use_rows_max = 10;
  Shop shop(options);
  shop.Set(9, R"({"a":1})");
  EXPECT_EQ(shop.Bind(".a == 1").match_count(), 1U);
  EXPECT_FALSE(shop.Bind(".a == 1").words().empty());
  shop.Set(10, R"({"a":1})");
  EXPECT_EQ(shop.Bind(".a == 1").match_count(), 2U) << "kept";
  const BoundFilter first = shop.Bind(".a >= 1");
  EXPECT_FALSE(first.match_count().has_value());
  EXPECT_TRUE(first.words().empty());
  first.ForEachMatch([](std::uint32_t) -> bool {
    ADD_FAILURE() << "not known yet";
    return true;
  });
  EXPECT_TRUE(first.Matches(10));
  EXPECT_EQ(shop.Bind(".a >= 1").match_count(), 2U);
}

TEST(AttributeColumnsTest, ForEachMatchAscendsAndStopsWhenTold) {
  Shop shop;
  for (const std::uint32_t ordinal : {700U, 5U, 64U, 63U, 128U}) {
    shop.Set(ordinal, R"({"a":1})");
  }
  Ordinals seen;
  shop.Bind(".a").ForEachMatch([&](std::uint32_t ordinal) {
    seen.push_back(ordinal);
    return seen.size() < 4;
  });
  EXPECT_EQ(seen, (Ordinals{5, 63, 64, 128}));
}

TEST(AttributeColumnsTest, KeepsTheFiltersUsedLast) {
  AttributeColumnsOptions options;
  options.filters_max = 3;
  options.first_use_rows_max = 0;
  Shop shop(options);
  shop.Set(1, R"({"a":1})");
  for (int i = 0; i < 3; ++i) {
    shop.Bind(".a == " + std::to_string(i));
  }
  EXPECT_TRUE(shop.Bind(".a == 0").match_count().has_value());
  shop.Bind(".a == 3");  // in place of .a == 1
  EXPECT_EQ(shop.columns.filter_count(), 3U);
  EXPECT_TRUE(shop.Bind(".a == 0").match_count().has_value());
  EXPECT_TRUE(shop.Bind(".a == 2").match_count().has_value());
  EXPECT_FALSE(shop.Bind(".a == 1").match_count().has_value());
}

TEST(AttributeColumnsTest, BitmapsStayWithinTheirBytes) {
  AttributeColumnsOptions options;
  options.bitmap_bytes_max = 1000;
  options.first_use_rows_max = 1 << 20;
  Shop shop(options);
  shop.Set(1999, R"({"a":1})");  // 256 bytes a bitmap
  for (int i = 0; i < 10; ++i) {
    EXPECT_TRUE(shop.Bind(".a == " + std::to_string(i)).match_count().has_value());
    EXPECT_LE(shop.columns.filter_count(), 3U);
  }
  shop.Set(8000, R"({"a":1})");  // more than 1000 bytes a bitmap
  for (int i = 0; i < 3; ++i) {
    const BoundFilter bound = shop.Bind(".a == 1 and 1");
    EXPECT_FALSE(bound.match_count().has_value());
    EXPECT_TRUE(bound.Matches(8000));
  }
  EXPECT_EQ(shop.passes, 1);
}

TEST(AttributeColumnsTest, ColumnsStayWithinTheirNumber) {
  AttributeColumnsOptions options;
  options.columns_max = kFilterFieldsMax;
  Shop shop(options);
  shop.Set(1, R"({"f3":1,"f199":1})");
  for (int i = 0; i < 200; ++i) {
    const bool has = i == 3 || i == 199;
    EXPECT_EQ(shop.Matching(".f" + std::to_string(i)), has ? Ordinals{1} : Ordinals{});
    EXPECT_LE(shop.columns.column_count(), kFilterFieldsMax);
  }
  shop.Set(1, R"({"f3":0,"f199":1})");
  EXPECT_EQ(shop.Matching(".f3"), Ordinals{});
  EXPECT_EQ(shop.Matching(".f199"), Ordinals{1});
  std::string all = ".g0";
  for (std::size_t i = 1; i < kFilterFieldsMax; ++i) {
    all += " or .g" + std::to_string(i);
  }
  EXPECT_EQ(shop.Matching(all), Ordinals{});
  EXPECT_EQ(shop.columns.column_count(), kFilterFieldsMax);
  EXPECT_EQ(shop.columns.filter_count(), 1U);
}

TEST(AttributeColumnsTest, ColumnsTakeMemoryWhereValuesAre) {
  AttributeColumnsOptions options;
  options.bitmap_bytes_max = 0;
  Shop shop(options);
  constexpr std::uint32_t kRecords = 100'000;
  for (std::uint32_t i = 0; i < kRecords; ++i) {
    shop.Set(i, i == 70'000 ? R"({"all":1,"one":1})" : R"({"all":1})");
  }
  shop.Bind("1");
  const std::size_t records = shop.columns.memory_bytes();
  shop.Bind(".nobody");
  const std::size_t nobody = shop.columns.memory_bytes() - records;
  EXPECT_EQ(nobody, 0U);
  shop.Bind(".one");
  const std::size_t one = shop.columns.memory_bytes() - records;
  EXPECT_GT(one, 0U);
  EXPECT_LT(one, kRecords / 2);
  shop.Bind(".all");
  const std::size_t all = shop.columns.memory_bytes() - records - one;
  EXPECT_GE(all, kRecords * 9U);
  EXPECT_LT(all, kRecords * 10U);
  // And follows the values as they come and go.
  for (std::uint32_t i = 0; i < kRecords; ++i) {
    shop.Set(i, R"({"nobody":"x","one":[1]})");
  }
  EXPECT_EQ(shop.Matching(".nobody == 'x' and 1 in .one and .all == 1"), Ordinals{});
  EXPECT_EQ(shop.Matching(".nobody == 'x' and 1 in .one").size(), 2000U);
  EXPECT_GT(shop.columns.memory_bytes(), 2 * all);
  for (std::uint32_t i = 0; i < kRecords; ++i) {
    shop.Erase(i);
  }
  EXPECT_LT(shop.columns.memory_bytes(), all);
}

TEST(AttributeColumnsTest, ReplacedValuesDoNotPileUp) {
  Shop shop;
  shop.Set(0, R"({"s":"kept string that is long","a":["kept","x"]})");
  ASSERT_EQ(shop.Matching("'kept' in .a and .s == 'kept string that is long'"), Ordinals{0});
  std::size_t bytes_at_first = 0;
  for (int i = 0; i < 100000; ++i) {
    const std::string n = std::to_string(i);
    shop.Set(1 + i % 5, R"({"s":"a string of its own )" + n + R"(","a":["y)" + n + R"(",1,2]})");
    if (i == 500) {  // its strings have late places in the dictionaries, which move
      shop.Set(10, R"({"s":"a late string","a":["late",3]})");
    }
    bytes_at_first = i == 5000 ? shop.columns.memory_bytes() : bytes_at_first;
  }
  EXPECT_LT(shop.columns.memory_bytes(), 2 * bytes_at_first);
  EXPECT_EQ(shop.Matching("'kept' in .a and .s == 'kept string that is long'"), Ordinals{0});
  EXPECT_EQ(shop.Matching("'late' in .a and 3 in .a and .s == 'a late string'"), Ordinals{10});
  EXPECT_EQ(shop.Matching(".s == 'a string of its own 99998' and 'y99998' in .a"), Ordinals{4});
  EXPECT_EQ(shop.Matching(".s == 'a string of its own 50000'"), Ordinals{});
}

// {"a":0..9,"b":"s0".."s9","c":[0..9]} and some more to read.
std::string RandomRecord(std::mt19937_64& random) {
  const std::string n = std::to_string(random() % 10);
  std::string json = R"({"text":"nobody asks for this part of the record","a":)";
  json.append(n).append(R"(,"b":"s)").append(n).append(R"(","c":[)").append(n).append("]}");
  return json;
}

// Many terms, so that a step of the bitmap is short.
std::string ManyTerms(const std::string& first) {
  std::string text = first;
  for (int i = 0; i < 60; ++i) {
    text += " and .a * 2 < 100";
  }
  return text;
}

struct StepTest : public ::testing::Test {
  static constexpr std::uint32_t kRecords = 20'000;

  StepTest() {
    for (std::uint32_t i = 0; i < kRecords; ++i) {
      if (i % 10 != 7) {
        shop.Set(i, RandomRecord(random));
      }
    }
  }

  // A change of a random record, or of a new one.
  void ChangeOne() {
    const auto ordinal = static_cast<std::uint32_t>(random() % (kRecords + 500));
    if (random() % 3 == 0) {
      shop.Erase(ordinal);
    } else {
      shop.Set(ordinal, random() % 10 == 0 ? "no object" : RandomRecord(random));
    }
  }

  void ExpectExact(const std::string& text) {
    Shop fresh;
    fresh.records = shop.records;
    const BoundFilter want = fresh.Bind(text);
    const BoundFilter bound = shop.BindPrepared(text);
    ASSERT_EQ(bound.match_count(), want.match_count());
    ASSERT_TRUE(want.match_count() > kRecords / 20) << "too few match to test much";
    for (std::uint32_t i = 0; i < kRecords + 500; ++i) {
      ASSERT_EQ(bound.Matches(i), want.Matches(i)) << text << ", record " << i;
    }
  }

  std::mt19937_64 random{3};
  Shop shop;
};

TEST_F(StepTest, ChangesBetweenStepsAreKept) {
  const std::string text = ManyTerms(".b == 's3' or 5 in .c");
  FilterUse use{.filter = Compile(text)};
  int steps = 1;
  std::size_t bytes = 0;
  for (; !shop.Step(&use); ++steps) {
    EXPECT_GE(shop.columns.memory_bytes(), bytes / 2) << "what is being made is counted";
    bytes = shop.columns.memory_bytes();
    for (int i = 0; i < 50; ++i) {
      ChangeOne();
    }
  }
  EXPECT_GT(steps, 40);
  EXPECT_GT(bytes, kRecords);
  ExpectExact(text);
  for (int i = 0; i < 200; ++i) {
    ChangeOne();
  }
  ExpectExact(text);
  EXPECT_EQ(shop.passes, 1);
}

TEST_F(StepTest, AStepReadsFewRecords) {
  FilterUse use{.filter = Compile(".a == 3 and .nobody")};
  for (bool done = false; !done;) {
    const int before = shop.reads;
    done = shop.Step(&use);
    EXPECT_LE(shop.reads - before, 5'000);
  }
  EXPECT_EQ(shop.reads, static_cast<int>(kRecords));
}

TEST_F(StepTest, UsesShareTheirSteps) {
  const std::string first = ManyTerms(".b == 's3'");
  const std::string second = ManyTerms("3 in .c");  // and one more column
  std::vector<FilterUse> uses = {
      {.filter = Compile(first)}, {.filter = Compile(second)}, {.filter = Compile(first)}};
  int steps = 0;
  for (bool done = false; !done; ++steps) {
    done = true;
    for (FilterUse& use : uses) {
      done = shop.Step(&use) && done;
    }
    ChangeOne();
  }
  ExpectExact(first);
  ExpectExact(second);
  EXPECT_EQ(shop.passes, 2);
  EXPECT_EQ(shop.columns.column_count(), 3U);
}

TEST_F(StepTest, AFilterThatIsDroppedWhileItIsMadeEnds) {
  AttributeColumnsOptions options;
  options.filters_max = 1;
  Shop small(options);
  small.records = shop.records;
  FilterUse first{.filter = Compile(ManyTerms(".a == 1"))};
  FilterUse second{.filter = Compile(ManyTerms(".a == 2"))};
  int steps = 0;
  for (bool done = false; !done && steps < 1'000; ++steps) {
    const bool first_done = small.Step(&first);
    done = small.Step(&second) && first_done;
  }
  EXPECT_LT(steps, 1'000);
  EXPECT_EQ(small.Matching(".a == 1 and 1").size(), small.Matching(ManyTerms(".a == 1")).size());
}

// Whether `filter` matches a record with these attributes, by columns of its own.
bool MatchesAlone(const std::shared_ptr<const Filter>& filter, std::string_view json) {
  AttributeColumns columns;
  const auto record = [json](std::uint32_t) { return json; };
  return columns.Bind(filter, {1, record}).Matches(0);
}

// Prepares the filter, each step under a lock of its own, and asks it about some records. Returns
// how many answers were wrong.
int AskInSteps(Shop& shop, SharedMutex& mutex, const std::string& text, std::uint32_t ordinals) {
  FilterUse use{.filter = Compile(text)};
  for (bool done = false; !done;) {
    const ReaderLock lock(mutex);
    done = shop.Step(&use);
  }
  const ReaderLock lock(mutex);
  const BoundFilter bound = shop.BindPrepared(text);
  int wrong = 0;
  for (std::uint32_t i = 0; i < ordinals; i += 997) {
    const auto found = shop.records.find(i);
    const bool match = found != shop.records.end() && MatchesAlone(use.filter, found->second);
    wrong += bound.Matches(i) != match ? 1 : 0;
  }
  return wrong;
}

TEST_F(StepTest, ReadersMakeFiltersBesideAWriter) {
  SharedMutex mutex;
  std::atomic<bool> stop = false;
  std::atomic<int> wrong = 0;
  const std::vector<std::string> firsts = {".b == 's3'", "5 in .c", ".a >= 4", ".b in ['s1']"};
  std::thread writer([&] {
    while (!stop) {
      const WriterLock lock(mutex);
      ChangeOne();
    }
  });
  std::vector<std::thread> readers;
  readers.reserve(3);
  for (std::size_t thread = 0; thread < 3; ++thread) {
    readers.emplace_back([&, thread] {
      for (std::size_t round = 0; round < 4; ++round) {
        const std::string text = ManyTerms(firsts[(thread + round) % firsts.size()]);
        wrong += AskInSteps(shop, mutex, text, kRecords + 500);
      }
    });
  }
  for (std::thread& reader : readers) {
    reader.join();
  }
  stop = true;
  writer.join();
  EXPECT_EQ(wrong, 0);
}

TEST(AttributeColumnsTest, ThreadsBindAtOnce) {
  AttributeColumnsOptions options;
  options.first_use_rows_max = 100;
  options.filters_max = 4;
  Shop shop(options);
  constexpr std::uint32_t kRecords = 1000;
  for (std::uint32_t i = 0; i < kRecords; ++i) {
    const std::string n = std::to_string(i % 10);
    shop.Set(i, R"({"a":)" + n + R"(,"b":"s)" + n + R"(","c":[)" + n + "]}");
  }
  const std::vector<std::string> texts = {".a == 3",       ".b == 's3'", "3 in .c",
                                          ".b in ['s3']",  "'3' in .b",  ".a == 3 and .b",
                                          ".c and .a == 3"};
  std::vector<std::thread> threads;
  std::atomic<int> wrong = 0;
  for (std::size_t t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (std::size_t round = 0; round < 40; ++round) {
        const BoundFilter bound = shop.Bind(texts[(t + round * (t + 1)) % texts.size()]);
        for (std::uint32_t i = 0; i < kRecords + 10; ++i) {
          wrong += bound.Matches(i) != (i < kRecords && i % 10 == 3) ? 1 : 0;
        }
        wrong += bound.match_count().value_or(kRecords / 10) != kRecords / 10 ? 1 : 0;
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(wrong, 0);
  EXPECT_LE(shop.passes, 3) << "one a column";
}

}  // namespace
}  // namespace reco::filter
