#include "format/keys.h"

#include <random>

#include <gtest/gtest.h>

namespace reco::format {
namespace {

std::string Bytes(std::initializer_list<int> values) {
  std::string bytes;
  for (const int value : values) {
    bytes.push_back(static_cast<char>(value));
  }
  return bytes;
}

TEST(Keys, LayoutIsAsDocumented) {
  EXPECT_EQ(KeysKey(3, "shop"), "\x03shop");
  EXPECT_EQ(CollectionPrefix(0x01020304), Bytes({1, 2, 3, 4}));
  EXPECT_EQ(EventKey(1, 0x0102030405060708), Bytes({0, 0, 0, 1, 1, 2, 3, 4, 5, 6, 7, 8}));
  EXPECT_EQ(RecordKey(1, 2), Bytes({0, 0, 0, 1, 0, 0, 0, 2}));
  EXPECT_EQ(PairKey(1, 2, 3), Bytes({0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3}));
  EXPECT_EQ(VectorKey(1, 2, Side::kItem, 3), Bytes({0, 0, 0, 1, 0, 0, 0, 2, 1, 0, 0, 0, 3}));
  EXPECT_EQ(ModelKey(1, 2), Bytes({0, 0, 0, 1, 0, 0, 0, 2}));
  EXPECT_EQ(TokenKey(1, "abc"), Bytes({0, 0, 0, 1, 'a', 'b', 'c'}));
  EXPECT_EQ(JobKey(258), Bytes({0, 0, 0, 0, 0, 0, 1, 2}));
  EXPECT_EQ(CheckpointKey(1), "counters" + Bytes({0, 0, 0, 1}));
}

TEST(Keys, EveryKeyBeginsWithTheShorterPrefix) {
  EXPECT_TRUE(PairKey(9, 8, 7).starts_with(PairPrefix(9, 8)));
  EXPECT_TRUE(PairPrefix(9, 8).starts_with(CollectionPrefix(9)));
  EXPECT_TRUE(VectorKey(9, 8, Side::kUser, 7).starts_with(VectorPrefix(9, 8, Side::kUser)));
  EXPECT_TRUE(VectorPrefix(9, 8, Side::kUser).starts_with(VectorModelPrefix(9, 8)));
  EXPECT_TRUE(EventKey(9, 8).starts_with(CollectionPrefix(9)));
}

TEST(Keys, ByteOrderIsNumericOrder) {
  std::mt19937_64 random(1);
  // Numbers of every width, so that the carry between bytes is exercised.
  const auto number = [&random] { return random() >> (random() % 64); };
  for (int i = 0; i < 10'000; ++i) {
    const std::uint64_t a = number();
    const std::uint64_t b = number();
    const auto a32 = static_cast<std::uint32_t>(a);
    const auto b32 = static_cast<std::uint32_t>(b);
    EXPECT_EQ(EventKey(1, a) < EventKey(1, b), a < b);
    EXPECT_EQ(JobKey(a) < JobKey(b), a < b);
    EXPECT_EQ(PairKey(1, a32, 5) < PairKey(1, b32, 5), a32 < b32);
    EXPECT_EQ(PairKey(1, 5, a32) < PairKey(1, 5, b32), a32 < b32);
    EXPECT_EQ(RecordKey(a32, 0xffffffff) < RecordKey(b32, 0), a32 < b32);
    EXPECT_EQ(VectorKey(1, 1, Side::kUser, a32) < VectorKey(1, 1, Side::kUser, b32), a32 < b32);
  }
  EXPECT_LT(VectorKey(1, 1, Side::kUser, 0xffffffff), VectorKey(1, 1, Side::kItem, 0));
}

TEST(PrefixEnd, IsTheFirstKeyBehindThePrefix) {
  EXPECT_EQ(PrefixEnd("abc"), "abd");
  EXPECT_EQ(PrefixEnd(Bytes({1, 0xff})), Bytes({2}));
  EXPECT_EQ(PrefixEnd(Bytes({1, 0xff, 0xff})), Bytes({2}));
  EXPECT_EQ(PrefixEnd(Bytes({0x7f})), Bytes({0x80}));
  EXPECT_EQ(PrefixEnd(Bytes({0xfe})), Bytes({0xff}));
}

TEST(PrefixEnd, IsEmptyWhenNothingLiesBehind) {
  EXPECT_EQ(PrefixEnd(""), "");
  EXPECT_EQ(PrefixEnd(Bytes({0xff, 0xff})), "");
}

TEST(TrailingOrdinal, ReadsTheLastFourBytes) {
  EXPECT_EQ(TrailingOrdinal(PairKey(1, 2, 0xfffffffe)), 0xfffffffeU);
  EXPECT_EQ(TrailingOrdinal(VectorKey(1, 2, Side::kItem, 77)), 77U);
  EXPECT_EQ(TrailingOrdinal(Bytes({0, 0, 1, 0})), 256U);
}

TEST(TrailingOrdinal, OfAShortKeyIsZero) {
  EXPECT_EQ(TrailingOrdinal(""), 0U);
  EXPECT_EQ(TrailingOrdinal("abc"), 0U);
}

}  // namespace
}  // namespace reco::format
