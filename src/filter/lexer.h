// The tokens of an expression.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "reco/result.h"

namespace reco::filter {

enum class TokenKind : std::uint8_t {
  kEnd,
  kNumber,
  kString,
  kField,
  kTrue,
  kFalse,
  kNull,
  kOpen,
  kClose,
  kOpenArray,
  kCloseArray,
  kComma,
  kNot,
  kPower,
  kMultiply,
  kDivide,
  kModulo,
  kAdd,
  kSubtract,
  kGreater,
  kGreaterEqual,
  kLess,
  kLessEqual,
  kEqual,
  kNotEqual,
  kIn,
  kAnd,
  kOr,
};

struct Token {
  TokenKind kind = TokenKind::kEnd;
  std::size_t position = 0;  // of its first byte
  double number = 0;
  std::int64_t integer = 0;  // of a number written as an int64 that no double is; else 0
  std::string text;          // of a string, its escapes resolved; the name of a field
};

// Returns all tokens, the last of them kEnd. A minus sign before a digit begins a number where a
// value may stand, and is an operator elsewhere. kInvalidArgument as Filter::Compile says, also for
// more than kFilterTokensMax tokens (kEnd apart).
Result<std::vector<Token>> Tokenize(std::string_view text);

}  // namespace reco::filter
