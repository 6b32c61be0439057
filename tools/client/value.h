// Value: one decoded reply of a server that speaks the Redis protocol.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace reco::client {

// A plain tree. Maps arrive as flat arrays of name and value, as RESP2 sends them.
struct Value {
  enum class Kind : std::uint8_t { kNull, kSimple, kError, kInteger, kBulk, kArray };

  Kind kind = Kind::kNull;
  std::int64_t integer = 0;     // kInteger
  std::string text;             // kSimple, kError, kBulk
  std::vector<Value> elements;  // kArray

  bool is_error() const { return kind == Kind::kError; }
  bool is_array() const { return kind == Kind::kArray; }

  // Returns the value behind `name` in a flat map; null when absent or when this is no array.
  const Value* Find(std::string_view name) const;
  // Returns the text of a scalar: integers in decimal, null as "".
  std::string ToText() const;
  // Returns the number that the scalar's text spells, or `otherwise`.
  double ToDouble(double otherwise = 0) const;
};

// Returns true iff an array can only be read as a map: an even number of elements and every even
// one a name (a lower-case letter, then lower-case letters, digits and -@_.).
bool LooksLikeMap(const Value& value);

}  // namespace reco::client
