#include <cstdio>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/clock.h"
#include "tools/terminal/json.h"
#include "tools/terminal/numbers.h"
#include "tools/terminal/progress.h"
#include "tools/terminal/text_table.h"

namespace reco::terminal {
namespace {

TEST(Numbers, ReadLikeText) {
  EXPECT_EQ(FormatCount(0), "0");
  EXPECT_EQ(FormatCount(999), "999");
  EXPECT_EQ(FormatCount(1000), "1,000");
  EXPECT_EQ(FormatCount(-1234567), "-1,234,567");
  EXPECT_EQ(FormatCount(-123), "-123");
  EXPECT_EQ(FormatBytes(1023), "1023 B");
  EXPECT_EQ(FormatBytes(1536), "1.5 KiB");
  EXPECT_EQ(FormatBytes(5e15), "4547.5 TiB");
  EXPECT_EQ(FormatDuration(0.00085), "850 us");
  EXPECT_EQ(FormatDuration(0.0032), "3.2 ms");
  EXPECT_EQ(FormatDuration(4.1), "4.1 s");
  EXPECT_EQ(FormatDuration(125), "2 min 05 s");
  EXPECT_EQ(FormatDuration(11'520), "3 h 12 min");
  EXPECT_EQ(FormatRate(12.34), "12.3/s");
  EXPECT_EQ(FormatRate(84'200.4), "84,200/s");
}

TEST(TextTable, AlignsColumnsByCharacters) {
  TextTable table({Align::kLeft, Align::kRight});
  table.AddRow({"caf\xC3\xA9", "1"});
  table.AddRow({"a", "200"});
  table.AddRow({"tea"});
  EXPECT_EQ(table.ToText(1), " caf\xC3\xA9    1\n a     200\n tea\n");
}

TEST(Json, EscapesWhatMustBe) {
  EXPECT_EQ(JsonString("a\"b\\c\n\x01"), "\"a\\\"b\\\\c\\n\\u0001\"");
  EXPECT_EQ(JsonString("caf\xC3\xA9"), "\"caf\xC3\xA9\"");
  // Not UTF-8: cut off, overlong, a surrogate, beyond U+10FFFF.
  for (const char* bytes : {"\xC3", "\xC0\xAF", "\xED\xA0\x80", "\xF4\x90\x80\x80"}) {
    EXPECT_THAT(JsonString(bytes), ::testing::StartsWith("\"\\ufffd")) << bytes;
  }
}

TEST(Json, OnlyJsonsNumbersAreNumbers) {
  for (const char* text : {"0", "-0", "10", "0.5", "-12.25", "1e5", "1E-5", "2.0e+1"}) {
    EXPECT_TRUE(IsJsonNumber(text)) << text;
  }
  for (const char* text :
       {"", "-", "007", "1.", ".5", "+1", "1e", "1e+", "0x1", "nan", "1 ", "85123A"}) {
    EXPECT_FALSE(IsJsonNumber(text)) << text;
  }
  EXPECT_EQ(JsonScalar("007"), "\"007\"");
  EXPECT_EQ(JsonDouble(0.1), "0.1");
  EXPECT_EQ(JsonDouble(1.0 / 0.0), "null");
}

class MeterOutput {
 public:
  MeterOutput() : stream_(open_memstream(&text_, &size_)) {}
  ~MeterOutput() {
    std::fclose(stream_);
    std::free(text_);
  }
  std::FILE* stream() { return stream_; }
  std::string Take() {
    std::fflush(stream_);
    std::string out(text_ + taken_, size_ - taken_);
    taken_ = size_;
    return out;
  }

 private:
  char* text_ = nullptr;
  std::size_t size_ = 0;
  std::size_t taken_ = 0;
  std::FILE* stream_;
};

TEST(ProgressMeter, LinesComeEveryTwoSeconds) {
  ManualClock clock(0);
  MeterOutput output;
  ProgressMeter meter("importing shop", "lines", ProgressStyle::kLines, output.stream(), clock);
  meter.Update({0, 0, -1, {}});
  clock.AdvanceMs(1'999);
  meter.Update({100, 0.1, -1, {}});
  EXPECT_EQ(output.Take(), "");
  clock.AdvanceMs(1);
  meter.Update({1'000, 0.25, -1, {}});
  EXPECT_EQ(output.Take(), "importing shop  25%  1,000 lines  500/s  2.0 s, 6 s left\n");
  meter.Update({1'001, 0.25, -1, {}});
  EXPECT_EQ(output.Take(), "");
}

TEST(ProgressMeter, AResumedTaskShowsItsOwnRate) {
  ManualClock clock(0);
  MeterOutput output;
  ProgressMeter meter("x", "lines", ProgressStyle::kLines, output.stream(), clock);
  meter.Update({10'000, -1, -1, {}});
  clock.AdvanceMs(10'000);
  meter.Finish({12'000, -1, -1, "done"});
  EXPECT_EQ(output.Take(), "x  12,000 lines  200/s  10.0 s  done\n");
}

TEST(ProgressMeter, ABarRedrawsItsLine) {
  ManualClock clock(0);
  MeterOutput output;
  ProgressMeter meter("x", "", ProgressStyle::kBar, output.stream(), clock);
  clock.AdvanceMs(1'000);
  meter.Update({0, 0.5, 3, "training"});
  const std::string half = std::string(15, '#') + std::string(15, '.');
  EXPECT_EQ(output.Take(), "\rx [" + half + "]  50%  1.0 s, 3 s left  training\033[K");
  meter.Finish({0, 1, -1, {}});
  EXPECT_EQ(output.Take(), "\rx [" + std::string(30, '#') + "] 100%  1.0 s\033[K\n");
}

TEST(ProgressMeter, SilentSaysNothing) {
  MeterOutput output;
  ProgressMeter meter("x", "", ProgressStyle::kSilent, output.stream());
  meter.Update({0, 0.5, -1, {}});
  meter.Finish({0, 1, -1, {}});
  EXPECT_EQ(output.Take(), "");
}

}  // namespace
}  // namespace reco::terminal
