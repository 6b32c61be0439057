#include "tools/admin/csv_reader.h"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace reco::admin {
namespace {

using ::testing::ElementsAre;

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

std::vector<std::string> ReadAll(const std::string& text, const CsvOptions& options = {},
                                 std::size_t chunk = 1 << 20) {
  const auto source = MemorySource(text, chunk);
  CsvReader reader(*source, options);
  std::vector<std::string> records;
  Record record;
  while (true) {
    const auto more = reader.Next(&record);
    if (!more.ok() || !*more) {
      EXPECT_TRUE(more.ok()) << more.status().ToString();
      return records;
    }
    records.push_back(Describe(record));
  }
}

constexpr const char* kNotClosed =
    "!a quoted field that begins here is not closed before the end of the input";
constexpr const char* kTextAfter = "!text follows a closing quote";

struct Case {
  const char* name;
  std::string text;
  std::vector<std::string> records;
};

std::vector<Case> Cases() {
  return {
      {"plain", "a,b\nc,d\n", {"1:a|b", "2:c|d"}},
      {"no line feed at the end", "a,b\nc,d", {"1:a|b", "2:c|d"}},
      {"CRLF", "a,b\r\nc,d\r\n", {"1:a|b", "2:c|d"}},
      {"CRLF missing its LF at the end", "a,b\r", {"1:a|b"}},
      {"CR alone", "a,b\rc,d\r", {"1:a|b", "2:c|d"}},
      {"CR alone, quotes", "\"a\rb\",c\rd,e", {"1:a\rb|c", "3:d|e"}},
      {"a lone CR is text", "a\rb,c\n", {"1:a\rb|c"}},
      {"byte order mark", "\xEF\xBB\xBFuser,item\nu,i\n", {"1:user|item", "2:u|i"}},
      {"mark before a quote", "\xEF\xBB\xBF\"user\",item\n", {"1:user|item"}},
      {"mark in the middle", "a\n\xEF\xBB\xBF\"b\",c\n", {"1:a", "2:b|c"}},
      {"mark in front of an empty line", "\xEF\xBB\xBF\r\na\n", {"2:a"}},
      {"our comments", "#reco: a \"reason\"\na\n#reco: b\n#recorder,b\n", {"2:a", "4:#recorder|b"}},
      {"other comments are data", "# reco: a\n#\n", {"1:# reco: a", "2:#"}},
      {"a comment within quotes", "\"a\n#reco: b\"\n", {"1:a\n#reco: b"}},
      {"empty input", "", {}},
      {"only a mark", "\xEF\xBB\xBF", {}},
      {"only line ends", "\n\r\n\n", {}},
      {"empty lines are skipped but counted", "a\n\n\r\nb\n", {"1:a", "4:b"}},
      {"empty fields", ",,\n", {"1:||"}},
      {"delimiter at the end", "a,\n", {"1:a|"}},
      {"delimiter at the end of the input", "a,", {"1:a|"}},
      {"quotes", "\"a\",\"b\"\n", {"1:a|b"}},
      {"empty quotes", "\"\",\"\"\n", {"1:|"}},
      {"quoted delimiter", "\"a,b\",c\n", {"1:a,b|c"}},
      {"quoted line feed", "\"a\nb\",c\nd,e\n", {"1:a\nb|c", "3:d|e"}},
      {"quoted CRLF stays", "\"a\r\nb\"\r\nc\r\n", {"1:a\r\nb", "3:c"}},
      {"doubled quotes", "\"say \"\"hi\"\"\",x\n", {"1:say \"hi\"|x"}},
      {"only a doubled quote", "\"\"\"\"\n", {"1:\""}},
      {"quote closed by the end of the input", "\"a\"", {"1:a"}},
      {"quoted field before a last CR", "\"a\"\r", {"1:a"}},
      {"quote inside is text", "5\" nail,b\n", {"1:5\" nail|b"}},
      {"text after a closing quote", "\"a\"b,c\nd,e\n", {std::string("1") + kTextAfter, "2:d|e"}},
      {"a torn quote costs its own line",
       "a,b\n\"torn,c\nd,e\nf,g\n",
       {"1:a|b", std::string("2") + kNotClosed, "3:d|e", "4:f|g"}},
      {"a torn quote on the last line", "a,\"b", {std::string("1") + kNotClosed}},
      {"a quote opens at the very end", "a\nb,\"", {"1:a", std::string("2") + kNotClosed}},
      {"a torn quote with a line end behind it", "\"a\n", {std::string("1") + kNotClosed}},
      {"a torn quote in a later line of its record",
       "\"a\nb\",\"c\nd,e\n",
       {"1!a quoted field that begins in line 2 is not closed before the end of the input",
        std::string("2") + kNotClosed, "3:d|e"}},
      {"bytes that are no UTF-8", "\xFF\xFE,b\n", {"1:\xFF\xFE|b"}},
      {"NUL", std::string("a\0b,c\n", 6), {std::string("1:a\0b|c", 7)}},
  };
}

TEST(CsvReader, ReadsEveryCase) {
  for (const Case& c : Cases()) {
    EXPECT_EQ(ReadAll(c.text), c.records) << c.name;
  }
}

TEST(CsvReader, DoesNotDependOnWhereReadsAreCut) {
  for (const Case& c : Cases()) {
    for (const std::size_t chunk : {1, 2, 3, 7}) {
      EXPECT_EQ(ReadAll(c.text, {}, chunk), c.records) << c.name << " in chunks of " << chunk;
    }
  }
}

TEST(CsvReader, ReadsTabsWithAndWithoutQuotes) {
  CsvOptions options;
  options.delimiter = '\t';
  EXPECT_THAT(ReadAll("a\t\"b\tc\"\n", options), ElementsAre("1:a|b\tc"));
  options.quotes = false;
  EXPECT_THAT(ReadAll("a\t\"b\tc\"\n", options), ElementsAre("1:a|\"b|c\""));
  EXPECT_THAT(ReadAll("\"torn\tb\nc\td\n", options), ElementsAre("1:\"torn|b", "2:c|d"));
}

TEST(CsvReader, AFieldOfTheLargestSizeIsRead) {
  CsvOptions options;
  options.record_bytes_max = 1000;
  const std::string field(1000, 'x');
  EXPECT_THAT(ReadAll(field + "\nb\n", options), ElementsAre("1:" + field, "2:b"));
}

TEST(CsvReader, HugeFieldsAreRefusedAndReadingGoesOn) {
  CsvOptions options;
  options.record_bytes_max = 1000;
  const std::string huge(3'000'000, 'x');
  EXPECT_THAT(ReadAll("a\n" + huge + "\nb\n", options),
              ElementsAre("1:a", "2!the line is longer than 1000 bytes", "3:b"));
  EXPECT_THAT(ReadAll("a\n\"" + huge + "\"\nb\n", options),
              ElementsAre("1:a", "2!the line is longer than 1000 bytes", "3:b"));
}

TEST(CsvReader, ATornQuoteDoesNotSwallowTheLinesBehindIt) {
  std::string text = "\"torn,x\n";
  std::vector<std::string> expected = {
      "1!a quoted field that begins here is not closed within 100 lines"};
  for (int line = 2; line < 5000; ++line) {
    text += "u" + std::to_string(line) + ",i\n";
    expected.push_back(std::to_string(line) + ":u" + std::to_string(line) + "|i");
  }
  EXPECT_EQ(ReadAll(text), expected);
  EXPECT_EQ(ReadAll(text, {}, 100), expected);
  CsvOptions options;
  options.record_bytes_max = 512;
  expected[0] = "1!a quoted field that begins here is not closed within 512 bytes";
  EXPECT_EQ(ReadAll(text, options), expected);
}

TEST(CsvReader, ARecordHasAHundredLinesAndSixtyFourKibibytes) {
  std::string inside;
  for (std::uint64_t line = 1; line < kCsvRecordLinesMax; ++line) {
    inside += "x\n";
  }
  EXPECT_THAT(ReadAll('"' + inside + "y\"\nb\n"), ElementsAre("1:" + inside + "y", "101:b"));
  const auto records = ReadAll('"' + inside + "x\ny\"\nb\n");
  ASSERT_GT(records.size(), 2U);
  EXPECT_EQ(records.front(), "1!a quoted field that begins here is not closed within 100 lines");
  EXPECT_EQ(records.back(), "102:b");
  // Two fields of 60 lines each are too many as well.
  inside.resize(120);
  EXPECT_EQ(ReadAll('"' + inside + "\",\"" + inside + "\"\n").front(),
            "1!a quoted field that begins in line 61 is not closed within 100 lines");
  const std::string half(kCsvRecordBytesMax / 2, 'x');
  EXPECT_EQ(ReadAll('"' + half + '\n' + half + "\"\nb\n").front(),
            "1!a quoted field that begins here is not closed within 64 KiB");
  EXPECT_THAT(ReadAll('"' + half + '\n' + half.substr(3) + "\"\nb\n").back(), "3:b");
  EXPECT_THAT(ReadAll(half + half + "\n" + half + half + "x\nb\n"),
              ElementsAre("1:" + half + half, "2!the line is longer than 64 KiB", "3:b"));
}

TEST(CsvReader, TellsTheTextOfEveryRecord) {
  const std::string text =
      "\xEF\xBB\xBFuser,item\r\n\"a\"\"b\",\"c\r\nd\"\r\n\"e\"f,g\r\n\"torn,h\r\n" +
      std::string(2'000, 'x') + "\r\ni,j";
  const auto source = MemorySource(text, 5);
  CsvOptions options;
  options.record_bytes_max = 1'000;
  CsvReader reader(*source, options);
  Record record;
  std::vector<std::string> raw;
  while (reader.Next(&record).value()) {
    raw.emplace_back(record.raw);
  }
  EXPECT_THAT(raw, ElementsAre("user,item", "\"a\"\"b\",\"c\r\nd\"", "\"e\"f,g", "\"torn,h",
                               std::string(1'000, 'x'), "i,j"));
}

TEST(CsvReader, SplitsAtSeveralCharacters) {
  CsvOptions options;
  options.delimiter = "::";
  options.quotes = false;
  const std::string text = "1::1193::5::978300760\r\n2::\"x::::\n3:::a:::\n";
  for (const std::size_t chunk : {1, 3, 1'000}) {
    EXPECT_THAT(ReadAll(text, options, chunk),
                ElementsAre("1:1|1193|5|978300760", "2:2|\"x||", "3:3|:a|:"));
  }
  options.quotes = true;
  EXPECT_THAT(ReadAll("\"a::b\"::c\n\"a\":c::d\n", options),
              ElementsAre("1:a::b|c", std::string("2") + kTextAfter));
}

TEST(CsvReader, PassesOverItsHeaderMetAgain) {
  CsvOptions options;
  options.has_header = true;
  const std::string text =
      "user,item\na,b\nuser,item\n\xEF\xBB\xBF\"user\",item\r\nuser,items\nuser\nc,d\nuser,item";
  EXPECT_THAT(ReadAll(text, options),
              ElementsAre("1:user|item", "2:a|b", "5:user|items", "6:user", "7:c|d"));
  const auto source = MemorySource(text, 100);
  CsvReader reader(*source, options);
  Record record;
  while (reader.Next(&record).value()) {
  }
  EXPECT_EQ(reader.repeated_headers(), 3U);
  options.has_header = false;
  EXPECT_EQ(ReadAll(text, options).size(), 8U);
}

TEST(CsvReader, ManyBuffersLongInputKeepsItsLineNumbers) {
  std::string text;
  for (int line = 1; line <= 200'000; ++line) {
    text += "user,item\n";
  }
  const std::vector<std::string> records = ReadAll(text);
  ASSERT_EQ(records.size(), 200'000U);
  EXPECT_EQ(records.back(), "200000:user|item");
}

}  // namespace
}  // namespace reco::admin
