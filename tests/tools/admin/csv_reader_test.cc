#include "tools/admin/csv_reader.h"

#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace reco::admin {
namespace {

using ::testing::ElementsAre;

// One record as text: "1:a|b", or "1!why" for a bad line.
std::string Describe(const CsvRecord& record) {
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
  CsvRecord record;
  while (true) {
    const auto more = reader.Next(&record);
    if (!more.ok() || !*more) {
      EXPECT_TRUE(more.ok()) << more.status().ToString();
      return records;
    }
    records.push_back(Describe(record));
  }
}

constexpr const char* kNotClosed = "!a quoted field is not closed";
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
      {"a lone CR is text", "a\rb,c\n", {"1:a\rb|c"}},
      {"byte order mark", "\xEF\xBB\xBFuser,item\nu,i\n", {"1:user|item", "2:u|i"}},
      {"mark before a quote", "\xEF\xBB\xBF\"user\",item\n", {"1:user|item"}},
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
              ElementsAre("1:a", "2!the line is too long", "3:b"));
  EXPECT_THAT(ReadAll("a\n\"" + huge + "\"\nb\n", options),
              ElementsAre("1:a", std::string("2") + kNotClosed, "3:b"));
}

TEST(CsvReader, ATornQuoteDoesNotSwallowTheLinesBehindIt) {
  std::string text = "\"torn,x\n";
  std::vector<std::string> expected = {std::string("1") + kNotClosed};
  for (int line = 2; line < 5000; ++line) {
    text += "u" + std::to_string(line) + ",i\n";
    expected.push_back(std::to_string(line) + ":u" + std::to_string(line) + "|i");
  }
  CsvOptions options;
  options.record_bytes_max = 4096;
  EXPECT_EQ(ReadAll(text, options), expected);
  EXPECT_EQ(ReadAll(text, options, 100), expected);
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
