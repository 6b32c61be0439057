#include "base/crc32c.h"

#include <array>
#include <cstddef>
#include <cstring>

#if defined(__x86_64__)
#include <nmmintrin.h>
#endif

namespace reco {
namespace {

constexpr std::uint32_t kPolynomial = 0x82f63b78U;  // reflected

using Tables = std::array<std::array<std::uint32_t, 256>, 8>;

// Slicing by 8 (Kounavis and Berry 2005): tables[k] is what a byte adds k bytes further on.
constexpr Tables MakeTables() {
  Tables tables{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) {
      crc = (crc >> 1U) ^ ((crc & 1U) != 0 ? kPolynomial : 0U);
    }
    tables[0][byte] = crc;
  }
  for (std::size_t byte = 0; byte < 256; ++byte) {
    for (std::size_t k = 1; k < tables.size(); ++k) {
      const std::uint32_t before = tables[k - 1][byte];
      tables[k][byte] = (before >> 8U) ^ tables[0][before & 0xffU];
    }
  }
  return tables;
}

constexpr Tables kTables = MakeTables();

std::uint32_t ByTables(const char* data, std::size_t size, std::uint32_t crc) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(data[i]); };
  for (; size >= 8; size -= 8, data += 8) {
    std::uint32_t next = 0;
    for (std::size_t i = 0; i < 8; ++i) {
      const std::uint32_t mixed = i < 4 ? byte(i) ^ ((crc >> (8U * i)) & 0xffU) : byte(i);
      next ^= kTables[7 - i][mixed];
    }
    crc = next;
  }
  for (std::size_t i = 0; i < size; ++i) {
    crc = (crc >> 8U) ^ kTables[0][(crc ^ byte(i)) & 0xffU];
  }
  return crc;
}

#if defined(__x86_64__)
[[gnu::target("sse4.2")]] std::uint32_t ByInstruction(const char* data, std::size_t size,
                                                      std::uint32_t crc) {
  std::uint64_t wide = crc;
  for (; size >= sizeof(wide); size -= sizeof(wide), data += sizeof(wide)) {
    std::uint64_t word = 0;
    std::memcpy(&word, data, sizeof(word));
    wide = _mm_crc32_u64(wide, word);
  }
  crc = static_cast<std::uint32_t>(wide);
  for (std::size_t i = 0; i < size; ++i) {
    crc = _mm_crc32_u8(crc, static_cast<std::uint8_t>(data[i]));
  }
  return crc;
}
#endif

}  // namespace

std::uint32_t Crc32c(std::string_view bytes, std::uint32_t crc) {
#if defined(__x86_64__)
  static const bool kHasInstruction = __builtin_cpu_supports("sse4.2") != 0;
  if (kHasInstruction) {
    return ~ByInstruction(bytes.data(), bytes.size(), ~crc);
  }
#endif
  return Crc32cByTables(bytes, crc);
}

std::uint32_t Crc32cByTables(std::string_view bytes, std::uint32_t crc) {
  return ~ByTables(bytes.data(), bytes.size(), ~crc);
}

}  // namespace reco
