#include "tools/admin/jsonl_reader.h"

#include <cstddef>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace reco::admin {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::StartsWith;

// One record as text: "1:a|b", or "1!why" for a bad line.
std::string Describe(const Record& record) {
  std::string text = std::to_string(record.line);
  if (!record.error.empty()) {
    return text + '!' + std::string(record.error);
  }
  for (std::size_t i = 0; i < record.fields.size(); ++i) {
    text += (i == 0 ? ":" : "|") + std::string(record.fields[i]);
  }
  return text;
}

std::vector<std::string> ReadAll(const std::string& text, const std::vector<std::string>& columns,
                                 std::string* warning = nullptr) {
  std::vector<std::string> all;
  for (const std::size_t chunk : {1 << 20, 3}) {
    const auto source = MemorySource(text, chunk);
    JsonlReader reader(*source, columns);
    std::vector<std::string> records;
    Record record;
    while (reader.Next(&record).value()) {
      records.push_back(Describe(record));
    }
    if (warning != nullptr) {
      *warning = reader.warning();
    }
    EXPECT_TRUE(all.empty() || all == records);
    all = records;
  }
  return all;
}

constexpr const char* kNoObject = "!not one JSON object in UTF-8";

TEST(JsonlReader, ReadsColumnsByTheirPaths) {
  const std::string text =
      R"({"user": {"id": "ann", "age": 7}, "item": "lamp", "meta": {"ts": 978300760, "x": {}}})"
      "\r\n\n  \r\n"
      R"(  {"meta":{"x":[1,{"ts":2}],"ts":1.50E3},"item":17,"user":{"id":"b\u00e9\n\ud83d\ude00"}})"
      " \n";
  EXPECT_THAT(ReadAll(text, {"user.id", "item", "meta.ts"}),
              ElementsAre("0:user.id|item|meta.ts", "1:ann|lamp|978300760",
                          "4:b\xC3\xA9\n\xF0\x9F\x98\x80|17|1.50E3"));
}

TEST(JsonlReader, CellsAreAsTheySpellThemselves) {
  const std::string text =
      R"({"a": true, "b": false, "c": null, "d": -0.10, "e": 12345678901234567890123, "f": "007",)"
      R"( "g": ""})";
  const auto source = MemorySource(text, 100);
  JsonlReader reader(*source, {"a", "b", "c", "d", "e", "f", "g", "none"});
  Record record;
  ASSERT_TRUE(reader.Next(&record).value());
  ASSERT_TRUE(reader.Next(&record).value());
  EXPECT_THAT(record.fields,
              ElementsAre("true", "false", "", "-0.10", "12345678901234567890123", "007", "", ""));
  EXPECT_THAT(record.kinds,
              ElementsAre(CellKind::kBool, CellKind::kBool, CellKind::kNone, CellKind::kNumber,
                          CellKind::kNumber, CellKind::kText, CellKind::kText, CellKind::kNone));
  EXPECT_EQ(record.raw, text);
  EXPECT_FALSE(reader.Next(&record).value());
}

TEST(JsonlReader, AMemberWithADotInItsNameIsAPathToo) {
  EXPECT_THAT(ReadAll(R"({"user.id": "ann", "a.b": {"c": 1}})", {"user.id", "a.b.c"}),
              ElementsAre("0:user.id|a.b.c", "1:ann|1"));
}

TEST(JsonlReader, TheLastOfSeveralCounts) {
  EXPECT_THAT(ReadAll(R"({"a": 1, "a": 2})", {"a", "a"}), ElementsAre("0:a", "1:2"));
}

TEST(JsonlReader, ACellThatIsNoScalarIsBadOnlyWhenAskedFor) {
  const std::string text = "{\"a\":1,\"b\":2}\n{\"a\":{\"c\":1},\"b\":[]}\n{\"a\":[1],\"b\":2}\n";
  EXPECT_THAT(ReadAll(text, {"a"}),
              ElementsAre("0:a", "1:1", "2!'a' is an object; name a value in it, as in 'a.id'",
                          "3!'a' is an array"));
  EXPECT_THAT(ReadAll(text, {"b"}), ElementsAre("0:b", "1:2", "2!'b' is an array", "3:2"));
  EXPECT_THAT(ReadAll(text, {"a.c"}), ElementsAre("0:a.c", "1:", "2:1", "3:"));
  EXPECT_THAT(ReadAll(text, {"a", "a.c"}).at(1), "1:1|");
}

TEST(JsonlReader, LinesThatAreNoObjectAreBad) {
  for (const char* line :
       {"[1]", "1", "\"a\"", "null", "{", "{\"a\":1", "{\"a\":1}}", "{\"a\":1} {\"a\":2}",
        "{'a':1}", "{\"a\":NaN}", "{\"a\":1,}", "{\"a\":\"\xE9\"}", "{\"a\":\"x\ty\"}", "user,item",
        "{\"b\":[1,{]}, \"a\":1}"}) {
    EXPECT_THAT(ReadAll("{\"a\":0}\n" + std::string(line) + "\n{\"a\":3}", {"a"}),
                ElementsAre("0:a", "1:0", std::string("2") + kNoObject, "3:3"))
        << line;
  }
  EXPECT_THAT(ReadAll("{\"a\":\"\\ud83d\"}\n{\"a\":1}", {"a"}).at(1), StartsWith("1!"));
  // The first line is bad as a record; who asks for all columns has no header without it.
  EXPECT_THAT(ReadAll("x\n{\"a\":1}\n", {"a"}),
              ElementsAre("0:a", std::string("1") + kNoObject, "2:1"));
  EXPECT_THAT(ReadAll("x\n", {}), ElementsAre(std::string("1") + kNoObject));
}

TEST(JsonlReader, WithoutNamesTheFirstObjectTellsThem) {
  std::string warning;
  EXPECT_THAT(ReadAll("{\"id\":1,\"p\":{\"eur\":2,\"tags\":[1]},\"t\":null,\"s\":\"x\",\"l\":[]}\n"
                      "{\"s\":\"y\",\"t\":[1],\"id\":2,\"new\":5,\"p\":{\"eur\":null}}\n",
                      {}, &warning),
              ElementsAre("0:id|p.eur|t|s", "1:1|2||x", "2:2|||y"));
  EXPECT_EQ(warning, "left out, because they are arrays: 'p.tags', 'l'");
}

TEST(JsonlReader, ANameThatTheFirstObjectDoesNotHaveIsTold) {
  std::string warning;
  EXPECT_THAT(ReadAll("{\"a\":1}\n{\"b\":2}\n", {"a", "b"}, &warning),
              ElementsAre("0:a|b", "1:1|", "2:|2"));
  EXPECT_EQ(warning, "the first object has no 'b'");
  ReadAll("{\"a\":1}\n", {"a"}, &warning);
  EXPECT_EQ(warning, "");
}

TEST(JsonlReader, PassesOverMarksAndOurComments) {
  EXPECT_THAT(ReadAll("\xEF\xBB\xBF#reco: why\n\xEF\xBB\xBF{\"a\":1}\n#reco: x\n{\"a\":2}", {"a"}),
              ElementsAre("0:a", "2:1", "4:2"));
  EXPECT_THAT(ReadAll("", {"a"}), IsEmpty());
  EXPECT_THAT(ReadAll("#reco: \n\n", {}), IsEmpty());
}

TEST(JsonlReader, HugeLinesAreBadAndReadingGoesOn) {
  const std::string text = "{\"a\":1}\n{\"a\":\"" + std::string(kJsonLineBytesMax, 'x') +
                           "\"}\n{\"a\":\"" + std::string(kJsonLineBytesMax - 8, 'y') +
                           "\"}\n{\"a\":4}\n";
  const auto source = MemorySource(text, 1 << 20);
  JsonlReader reader(*source, {"a"});
  Record record;
  std::vector<std::string> records;
  while (reader.Next(&record).value()) {
    EXPECT_LE(record.raw.size(), kJsonLineBytesMax);
    records.push_back(Describe(record).substr(0, 40));
  }
  EXPECT_THAT(records, ElementsAre("0:a", "1:1", "2!the line is longer than 1024 KiB",
                                   "3:" + std::string(38, 'y'), "4:4"));
}

TEST(JsonlReader, DeepObjectsAreRead) {
  std::string deep = "1";
  for (int i = 0; i < 30; ++i) {
    deep = "{\"x\":" + deep + "}";
  }
  EXPECT_THAT(ReadAll("{\"a\":1,\"b\":" + deep + "}", {"a"}), ElementsAre("0:a", "1:1"));
}

}  // namespace
}  // namespace reco::admin
