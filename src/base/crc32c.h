// CRC-32C (Castagnoli), by the processor's instruction where it has one.
#pragma once

#include <cstdint>
#include <string_view>

namespace reco {

// Returns the checksum of `bytes`, or of bytes in front of them and these, given the checksum of
// those. Thread-safe. With SSE 4.2 some three times as fast as without.
std::uint32_t Crc32c(std::string_view bytes, std::uint32_t crc = 0);
// The same without the instruction, on any processor.
std::uint32_t Crc32cByTables(std::string_view bytes, std::uint32_t crc = 0);

}  // namespace reco
