#include "filter/bitmap.h"

#include <cstdint>
#include <random>
#include <set>
#include <vector>

#include <gtest/gtest.h>

namespace reco::filter {
namespace {

TEST(Bitmap, GrowsWithWhatIsSetOnly) {
  Bitmap bitmap;
  bitmap.Set(1'000, false);
  EXPECT_TRUE(bitmap.words().empty());
  EXPECT_FALSE(bitmap.Test(1'000));
  bitmap.Set(64, true);
  EXPECT_EQ(bitmap.words().size(), 2U);
  EXPECT_TRUE(bitmap.Test(64));
  EXPECT_FALSE(bitmap.Test(0));
  EXPECT_FALSE(bitmap.Test(128));
}

TEST(Bitmap, SettingABitTwiceCountsOnce) {
  Bitmap bitmap;
  bitmap.Set(5, true);
  bitmap.Set(5, true);
  EXPECT_EQ(bitmap.count(), 1U);
  bitmap.Set(5, false);
  bitmap.Set(5, false);
  EXPECT_EQ(bitmap.count(), 0U);
}

TEST(Bitmap, WholeWordsReplaceWhatWasThere) {
  Bitmap bitmap;
  bitmap.Set(70, true);
  bitmap.Set(200, true);
  const std::vector<std::uint64_t> words = {0b101, ~std::uint64_t{0}};
  bitmap.SetWords(1, words);
  EXPECT_EQ(bitmap.count(), 2 + 64 + 1U);
  EXPECT_TRUE(bitmap.Test(64));
  EXPECT_FALSE(bitmap.Test(70));
  EXPECT_TRUE(bitmap.Test(191));
  EXPECT_TRUE(bitmap.Test(200));
}

TEST(Bitmap, AgreesWithASetUnderRandomChanges) {
  Bitmap bitmap;
  std::set<std::uint32_t> expected;
  std::mt19937 random(2);
  for (int step = 0; step < 10'000; ++step) {
    const std::uint32_t row = random() % 700;
    const bool value = random() % 2 == 0;
    bitmap.Set(row, value);
    if (value) {
      expected.insert(row);
    } else {
      expected.erase(row);
    }
  }
  EXPECT_EQ(bitmap.count(), expected.size());
  for (std::uint32_t row = 0; row < 800; ++row) {
    EXPECT_EQ(bitmap.Test(row), expected.contains(row)) << row;
  }
}

TEST(Bitmap, WordsForRoundsUp) {
  EXPECT_EQ(Bitmap::WordsFor(0), 0U);
  EXPECT_EQ(Bitmap::WordsFor(64), 1U);
  EXPECT_EQ(Bitmap::WordsFor(65), 2U);
}

}  // namespace
}  // namespace reco::filter
