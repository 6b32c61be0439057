// Fixed-width integers in byte strings: big-endian for keys, so that bytewise order is numeric
// order; little-endian for values. Readers check lengths themselves.
#pragma once

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace reco {

template <std::unsigned_integral T>
void AppendBigEndian(std::string* out, T value) {
  for (int shift = static_cast<int>(sizeof(T) - 1) * 8; shift >= 0; shift -= 8) {
    out->push_back(static_cast<char>(value >> static_cast<unsigned>(shift)));
  }
}

// Needs offset + sizeof(T) <= bytes.size().
template <std::unsigned_integral T>
T ReadBigEndian(std::string_view bytes, std::size_t offset) {
  T value = 0;
  for (std::size_t i = 0; i < sizeof(T); ++i) {
    value = static_cast<T>(value << 8U) | static_cast<std::uint8_t>(bytes[offset + i]);
  }
  return value;
}

template <std::unsigned_integral T>
void AppendLittleEndian(std::string* out, T value) {
  for (std::size_t i = 0; i < sizeof(T); ++i) {
    out->push_back(static_cast<char>(value >> (8U * i)));
  }
}

// Needs offset + sizeof(T) <= bytes.size().
template <std::unsigned_integral T>
T ReadLittleEndian(std::string_view bytes, std::size_t offset) {
  T value = 0;
  for (std::size_t i = sizeof(T); i > 0; --i) {
    value = static_cast<T>(value << 8U) | static_cast<std::uint8_t>(bytes[offset + i - 1]);
  }
  return value;
}

}  // namespace reco
