#include "tools/admin/text_encoding.h"

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace reco::admin {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

Result<std::string> Decode(const std::string& bytes, std::size_t chunk = 1 << 20) {
  auto source = DecodedText(MemorySource(bytes, chunk));
  RECO_RETURN_IF_ERROR(source.status());
  std::string text;
  std::vector<char> buffer(5);
  while (true) {
    RECO_ASSIGN_OR_RETURN(const std::size_t count, (*source)->Read(buffer.data(), buffer.size()));
    if (count == 0) {
      return text;
    }
    text.append(buffer.data(), count);
  }
}

// UTF-16 of these units, behind a mark.
std::string Utf16(const std::u16string& units, bool is_big) {
  std::string bytes;
  for (const char16_t unit : u"\xFEFF" + units) {
    const char high = static_cast<char>(unit >> 8U);
    const char low = static_cast<char>(unit & 0xFFU);
    bytes += is_big ? high : low;
    bytes += is_big ? low : high;
  }
  return bytes;
}

TEST(DecodedText, MakesUtf8OfUtf16) {
  const std::u16string units = u"a,\u00E9,\u20AC,\U0001F600\r\n";
  const std::string text = "a,\xC3\xA9,\xE2\x82\xAC,\xF0\x9F\x98\x80\r\n";
  for (const bool is_big : {false, true}) {
    for (const std::size_t chunk : {1, 2, 3, 1'000}) {
      EXPECT_EQ(Decode(Utf16(units, is_big), chunk).value(), text) << is_big << ' ' << chunk;
    }
    EXPECT_EQ(Decode(Utf16(u"", is_big)).value(), "");
  }
  // More than is read at a time, so that pairs are cut.
  std::u16string many = u"x";
  std::string expected = "x";
  for (int i = 0; i < 100'000; ++i) {
    many += u"\U0001F600";
    expected += "\xF0\x9F\x98\x80";
  }
  EXPECT_EQ(Decode(Utf16(many, false)).value(), expected);
}

TEST(DecodedText, HalfAPairBecomesTheReplacement) {
  const std::u16string high(1, char16_t{0xD83D});
  const std::u16string low(1, char16_t{0xDE00});
  for (const std::u16string& half : {high, low}) {
    EXPECT_EQ(Decode(Utf16(u"a" + half + u"b", false)).value(),
              "a\xEF\xBF\xBD"
              "b");
    EXPECT_EQ(Decode(Utf16(u"a" + half, true)).value(), "a\xEF\xBF\xBD");
  }
  EXPECT_EQ(Decode(Utf16(high + high + low, true)).value(), "\xEF\xBF\xBD\xF0\x9F\x98\x80");
}

TEST(DecodedText, HalfAUnitAtTheEndIsDamage) {
  const auto text = Decode(Utf16(u"ab", false) + "c", 1);
  EXPECT_EQ(text.status().code(), StatusCode::kCorruption);
  EXPECT_EQ(text.status().message(), "the UTF-16 text ends within a character");
}

TEST(DecodedText, LeavesOtherTextAsItIs) {
  for (const std::string& text :
       {std::string(), std::string("a"), std::string("\xEF\xBB\xBFuser,item\n"),
        std::string("\xE9,a\n"), std::string("a\0b", 3), std::string("PK,PAR\n"),
        std::string(3'000, 'x')}) {
    for (const std::size_t chunk : {1, 1'000}) {
      EXPECT_EQ(Decode(text, chunk).value(), text);
    }
  }
}

TEST(DecodedText, RefusesWhatIsNoTextByName) {
  struct Case {
    std::string start;
    const char* what;
    const char* advice;
  };
  const std::string zip("PK\x03\x04\x14\0\0\0\x08\0", 10);
  const Case cases[] = {
      {"PAR1\x15\x04", "this is a Parquet file;", "pd.read_parquet"},
      {zip + std::string(20, '\1') + "[Content_Types].xml", "this is an Excel file (xlsx);",
       "pd.read_excel"},
      {zip + std::string(20, '\1') + "xl/workbook.xml", "this is an Excel file (xlsx);", "to_csv"},
      {zip + "mimetypeapplication/vnd.oasis.opendocument.spreadsheet", "this is a spreadsheet",
       "CSV"},
      {zip + "clicks.csv", "this is a zip archive;", "unzip -p"},
      {std::string(257, 'x') + std::string("ustar\0", 6), "this is a tar archive;", "tar -xOf"},
      {std::string(257, 'x') + "ustar  ", "this is a tar archive;", "tar -xOf"},
      {"Obj\x01", "this is an Avro file;", "avro-tools"},
      {std::string("\xFD"
                   "7zXZ\0",
                   6),
       "this is xz data;", "xz -dc"},
      {"7z\xBC\xAF\x27\x1C", "this is a 7z archive;", "7z x"},
      {"\xD0\xCF\x11\xE0\xA1", "this is an old Excel file", "CSV"},
      {std::string("SQLite format 3\0", 16), "this is a SQLite database;", "sqlite3 -header -csv"},
      {std::string("\xFF\xFE\0\0a\0\0\0", 8), "this is UTF-32;", "iconv"},
      {std::string("\0\0\xFE\xFF\0\0\0a", 8), "this is UTF-32;", "iconv"},
  };
  for (const Case& c : cases) {
    const auto text = Decode(c.start, 1);
    EXPECT_EQ(text.status().code(), StatusCode::kInvalidArgument) << c.what;
    EXPECT_THAT(std::string(text.status().message()), StartsWith(c.what));
    EXPECT_THAT(std::string(text.status().message()), HasSubstr(c.advice));
  }
}

}  // namespace
}  // namespace reco::admin
