#include "base/coding.h"

#include <cstdint>
#include <string>

#include <gtest/gtest.h>

namespace reco {
namespace {

TEST(Coding, BytesStandInTheOrderThatTheNameSays) {
  std::string big;
  AppendBigEndian(&big, std::uint32_t{0x01020384});
  EXPECT_EQ(big, "\x01\x02\x03\x84");
  std::string little;
  AppendLittleEndian(&little, std::uint32_t{0x01020384});
  EXPECT_EQ(little, "\x84\x03\x02\x01");
}

template <typename T>
void ExpectComesBack(T value) {
  std::string bytes = "x";  // an odd place
  AppendBigEndian(&bytes, value);
  AppendLittleEndian(&bytes, value);
  ASSERT_EQ(bytes.size(), 1 + 2 * sizeof(T));
  EXPECT_EQ(ReadBigEndian<T>(bytes, 1), value);
  EXPECT_EQ(ReadLittleEndian<T>(bytes, 1 + sizeof(T)), value);
}

TEST(Coding, EveryWidthComesBackFromAnyPlace) {
  for (const std::uint64_t value : {0ULL, 1ULL, 0x80ULL, 0xff00ULL, 0x0123456789abcdefULL, ~0ULL}) {
    ExpectComesBack(static_cast<std::uint8_t>(value));
    ExpectComesBack(static_cast<std::uint16_t>(value));
    ExpectComesBack(static_cast<std::uint32_t>(value));
    ExpectComesBack(value);
  }
}

TEST(Coding, OrderOfBigEndianBytesIsNumericOrder) {
  const std::uint64_t ascending[] = {0, 1, 0x7f, 0x80, 0xff, 0x100, 0xffffffff, 0x100000000, ~0ULL};
  std::string before;
  for (const std::uint64_t value : ascending) {
    std::string bytes;
    AppendBigEndian(&bytes, value);
    EXPECT_LT(before, bytes) << value;
    before = bytes;
  }
}

}  // namespace
}  // namespace reco
