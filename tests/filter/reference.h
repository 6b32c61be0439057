// An evaluator of filters that shares nothing with the one under test: it walks a tree of strings
// and reads JSON by itself. Slow. Also makes random expressions and records.
#pragma once

#include <map>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace reco::filter::testing {

struct ReferenceValue {
  enum class Kind { kNull, kNumber, kString, kArray, kUnusable };
  Kind kind = Kind::kUnusable;
  double number = 0;      // for arithmetic
  long double exact = 0;  // for comparisons: 64 bits of mantissa, as many as an int64 has
  std::string text;
  std::vector<ReferenceValue> elements;
};

using ReferenceRecord = std::map<std::string, ReferenceValue>;

// The top-level fields of a JSON object, the last of a repeated name.
ReferenceRecord ReadRecord(std::string_view json);

struct ReferenceNode {
  std::string op;        // "literal", "field", "not", or a binary operator as written
  std::string text;      // of a literal as written, of a field its name
  ReferenceValue value;  // of a literal
  std::vector<ReferenceNode> children;
};

// Whether the record has all fields that the tree names and the tree is true of it.
bool ReferenceMatches(const ReferenceNode& node, const ReferenceRecord& record);

// The expression, with parentheses and quotes of names only where the grammar needs them and, at
// random, elsewhere.
std::string Print(const ReferenceNode& node, std::mt19937_64& random);

ReferenceNode RandomExpression(std::mt19937_64& random, int depth);
std::string RandomRecord(std::mt19937_64& random);

}  // namespace reco::filter::testing
