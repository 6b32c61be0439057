// A compiled expression: postfix instructions over a stack of values. Immutable once made.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "filter/value.h"

namespace reco::filter {

enum class Op : std::uint8_t {
  kLiteral,  // pushes literals[operand]
  kField,    // pushes the value of fields[operand]
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

struct Instruction {
  Op op = Op::kLiteral;
  std::uint32_t operand = 0;
};

struct Program {
  std::vector<Instruction> instructions;
  std::vector<Value> literals;      // into strings and arrays
  std::vector<std::string> fields;  // distinct, in the order of first mention
  std::vector<std::unique_ptr<const StringEntry>> strings;
  std::vector<std::unique_ptr<const LiteralArray>> arrays;
  std::size_t stack_max = 0;  // values on the stack at once
};

// By the bounds of nesting: at each level an operand waits for each of the six binary precedences.
inline constexpr std::size_t kStackMax = 400;

}  // namespace reco::filter
