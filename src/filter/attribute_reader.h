// Reads the attributes of a user or an item: the top-level fields of one JSON object, typed.
// Nested values are told apart from the rest but not read.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "base/function_ref.h"

namespace reco::filter {

enum class AttributeType : std::uint8_t {
  kNull = 0,
  kBoolean = 1,
  kNumber = 2,
  kString = 3,
  kArray = 4,  // of scalars (the four above) only
  kOther = 5,  // an object, an array with anything but scalars in it, or a scalar that no value of
               // ours can hold: a number beyond double, a string with half a surrogate pair
};

// Null, a boolean, a number or a string.
struct AttributeScalar {
  AttributeType type = AttributeType::kNull;
  double number = 0;  // a number, or the double next to it; 1 and 0 for true and false; else 0
  std::string_view text = {};  // a string, its escapes resolved: UTF-8, may hold NUL; else empty
  std::int64_t integer = 0;    // a number written as an int64 that no double is; else 0
};

struct AttributeValue {
  AttributeScalar scalar;                     // of an array or another value only the type is set
  std::span<const AttributeScalar> elements;  // of an array, in order

  AttributeType type() const { return scalar.type; }
};

// Keeps its buffers from one Read to the next, so that reading many records allocates little.
// Confined to one thread at a time.
class AttributeReader {
 public:
  // The views it is given live until `visit` returns.
  using Visitor = FunctionRef<void(std::string_view name, const AttributeValue& value)>;

  AttributeReader();
  ~AttributeReader();
  AttributeReader(const AttributeReader&) = delete;
  AttributeReader& operator=(const AttributeReader&) = delete;

  // Calls `visit` once for each top-level field of the object `json`, in the order of their names
  // (bytes compared). A name that occurs several times has the value of its last occurrence; a name
  // that is no UTF-8 text once its escapes are resolved (half a surrogate pair) is left out. False,
  // with `visit` never called, when `json` is no JSON object; what passes IsJsonObject is one.
  // `visit` must not call Read of the same reader. Linear but for sorting the names.
  bool Read(std::string_view json, Visitor visit);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace reco::filter
