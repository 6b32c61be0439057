#include "tools/admin/record_reader.h"

#include <cstddef>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace reco::admin {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Input InputOf(const std::string& path, const std::string& text) {
  return {MemorySource(text, 1 << 16), path == "-", path, text.substr(0, 65'536)};
}

ReaderOptions Resolved(const std::string& path, const std::string& text,
                       const ReaderOptions& options = {}) {
  return ResolveOptions(InputOf(path, text), options);
}

// The fields of the second record.
std::vector<std::string> Second(const std::string& path, const std::string& text,
                                const ReaderOptions& options = {}, bool has_header = true) {
  const Input input = InputOf(path, text);
  const auto reader = OpenReader(input, options, has_header, {"user.id", "item"});
  Record record;
  EXPECT_TRUE((*reader)->Next(&record).value());
  EXPECT_TRUE((*reader)->Next(&record).value());
  return {record.fields.begin(), record.fields.end()};
}

TEST(ResolveOptions, TheEndingTellsTheFormat) {
  struct Case {
    const char* path;
    Format format;
  };
  const Case cases[] = {
      {"x.csv", Format::kCsv},
      {"x.tsv", Format::kTsv},
      {"x.TSV", Format::kTsv},
      {"x.tsv.gz", Format::kTsv},
      {"x.Tsv.ZST", Format::kTsv},
      {"x.tsv.bz2", Format::kTsv},
      {"my.tsv.backup.csv", Format::kCsv},
      {"a.tsv/x", Format::kCsv},
      {"a.tsv/x.csv.gz", Format::kCsv},
      {"x.tsv.bak", Format::kCsv},
      {"tsv", Format::kCsv},
      {".tsv", Format::kTsv},
      {"x.jsonl", Format::kJsonLines},
      {"x.JSONL.gz", Format::kJsonLines},
      {"x.ndjson", Format::kJsonLines},
      {"x.jsonl.csv", Format::kCsv},
      {"x.dat", Format::kCsv},
      {"-", Format::kCsv},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(Resolved(c.path, "user,item\n").format, c.format) << c.path;
  }
}

TEST(ResolveOptions, ABraceAtTheStartIsJsonLinesUnlessTheEndingSaysOtherwise) {
  for (const char* text : {"{\"a\":1}", "\xEF\xBB\xBF{\"a\":1}", "\n  {\"a\":1}"}) {
    EXPECT_EQ(Resolved("-", text).format, Format::kJsonLines);
    EXPECT_EQ(Resolved("x.log.gz", text).format, Format::kJsonLines);
    EXPECT_EQ(Resolved("x.csv", text).format, Format::kCsv);
  }
  ReaderOptions options;
  options.delimiter = "|";
  EXPECT_EQ(Resolved("-", "{a}|b\n", options).format, Format::kCsv);
  options = {};
  options.format = Format::kJsonLines;
  EXPECT_EQ(Resolved("x.csv", "", options).format, Format::kJsonLines);
}

TEST(ResolveOptions, QuotesGoWithTheDelimiter) {
  EXPECT_TRUE(*Resolved("x.csv", "").quotes);
  EXPECT_FALSE(*Resolved("x.tsv", "").quotes);
  ReaderOptions options;
  for (const auto& [delimiter, quotes] : {std::pair{"\t", false}, {"::", false}, {";", true}}) {
    options.delimiter = delimiter;
    EXPECT_EQ(*Resolved("x.csv", "", options).quotes, quotes) << delimiter;
  }
  options.delimiter = "\t";
  options.quotes = true;
  EXPECT_TRUE(*Resolved("x.tsv", "", options).quotes);
}

TEST(EndingOf, IsThatByWhichTheFormatIsKnown) {
  for (const Format format : {Format::kCsv, Format::kTsv, Format::kJsonLines}) {
    EXPECT_EQ(Resolved("x" + EndingOf(format), "").format, format);
  }
}

TEST(ResolveOptions, LostLinesAreReadAsTheirFileIs) {
  EXPECT_EQ(Resolved("x.tsv.rejects", "").format, Format::kTsv);
  EXPECT_EQ(Resolved("x.tsv.rejects.2", "").format, Format::kTsv);
  EXPECT_EQ(Resolved("x.jsonl.gz.rejects", "").format, Format::kJsonLines);
  EXPECT_EQ(Resolved("x.json.rejects", "#reco: line 7: bad\n#reco: \n{\"a\":1}").format,
            Format::kJsonLines);
  EXPECT_EQ(Resolved("x", "#reco: line 7").format, Format::kCsv);
}

TEST(OpenReader, ReadsWhatThePathsSay) {
  EXPECT_THAT(Second("x.tsv", "user\titem\nu1\t\"Heroes\n"), ElementsAre("u1", "\"Heroes"));
  EXPECT_THAT(Second("x.csv", "user,item\nu1,\"He,roes\"\n"), ElementsAre("u1", "He,roes"));
  EXPECT_THAT(Second("-", "{\"item\":5,\"user\":{\"id\":\"ann\"}}\n"), ElementsAre("ann", "5"));
  ReaderOptions options;
  options.delimiter = "::";
  EXPECT_THAT(
      Second("ratings.dat", "1::1193::5::978300760\n1::661::3::978302109\n", options, false),
      ElementsAre("1", "661", "3", "978302109"));
  options = {};
  options.quotes = true;
  EXPECT_THAT(Second("x.tsv", "user\titem\nu1\t\"He\troes\"\n", options),
              ElementsAre("u1", "He\troes"));
}

TEST(OpenReader, RefusesWhatIsNoLinesOfJson) {
  const Input lines = InputOf("x.jsonl", "{}\n");
  EXPECT_THAT(OpenReader(lines, {}, false, {}).status().message(), HasSubstr("no header"));
  for (const char* path : {"x.json", "x.jsonl"}) {
    const Input array = InputOf(path, "[{\"a\": 1}]");
    EXPECT_THAT(OpenReader(array, {}, true, {}).status().message(), HasSubstr("jq -c '.[]'"));
  }
}

TEST(ParseDelimiter, TakesTabsAndUpToSixteenCharacters) {
  EXPECT_EQ(ParseDelimiter("\\t").value(), "\t");
  EXPECT_EQ(ParseDelimiter("tab").value(), "\t");
  EXPECT_EQ(ParseDelimiter("\t").value(), "\t");
  EXPECT_EQ(ParseDelimiter(";").value(), ";");
  EXPECT_EQ(ParseDelimiter("::").value(), "::");
  EXPECT_TRUE(ParseDelimiter(std::string(16, '-')).ok());
  for (const std::string& text : {std::string(), std::string(17, '-'), std::string("\""),
                                  std::string("\n"), std::string("\r"), std::string(",\"")}) {
    EXPECT_FALSE(ParseDelimiter(text).ok()) << text;
  }
}

}  // namespace
}  // namespace reco::admin
