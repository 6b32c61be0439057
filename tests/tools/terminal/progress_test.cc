#include "tools/terminal/progress.h"

#include <cstdio>
#include <cstdlib>
#include <string>

#include <gtest/gtest.h>

#include "base/clock.h"

namespace reco::terminal {
namespace {

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
