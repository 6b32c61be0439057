#include "base/crc32c.h"

#include <string>

#include <gtest/gtest.h>

namespace reco {
namespace {

// The definition, a bit at a time.
std::uint32_t Reference(std::string_view bytes) {
  std::uint32_t crc = 0xffffffffU;
  for (const char byte : bytes) {
    crc ^= static_cast<std::uint8_t>(byte);
    for (int bit = 0; bit < 8; ++bit) {
      crc = (crc >> 1U) ^ ((crc & 1U) != 0 ? 0x82f63b78U : 0U);
    }
  }
  return ~crc;
}

TEST(Crc32c, IsThatOfRfc3720) {
  EXPECT_EQ(Crc32c("123456789"), 0xe3069283U);
  EXPECT_EQ(Crc32c(std::string(32, '\0')), 0x8a9136aaU);
  EXPECT_EQ(Crc32c(std::string(32, '\xff')), 0x62a8ab43U);
  EXPECT_EQ(Crc32c(""), 0U);
}

TEST(Crc32c, EveryLengthAndEverySplitAgreeWithTheDefinition) {
  std::string bytes;
  for (int i = 0; i < 70; ++i) {
    EXPECT_EQ(Crc32c(bytes), Reference(bytes)) << i;
    EXPECT_EQ(Crc32cByTables(bytes), Reference(bytes)) << i;
    for (std::size_t split = 0; split <= bytes.size(); ++split) {
      const std::string_view view(bytes);
      EXPECT_EQ(Crc32c(view.substr(split), Crc32c(view.substr(0, split))), Reference(bytes));
    }
    bytes.push_back(static_cast<char>(i * 37 + 11));
  }
}

}  // namespace
}  // namespace reco
