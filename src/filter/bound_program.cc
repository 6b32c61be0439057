#include "filter/bound_program.h"

#include <array>
#include <cmath>
#include <compare>
#include <new>

namespace reco::filter {

double ApplyToNumbers(Op op, double a, double b) {
  switch (op) {
    case Op::kPower:
      return std::pow(a, b);
    case Op::kMultiply:
      return a * b;
    case Op::kDivide:
      return a / b;  // IEEE: infinity or NaN by zero
    case Op::kModulo:
      return std::fmod(a, b);
    case Op::kAdd:
      return a + b;
    case Op::kSubtract:
      return a - b;
    default:
      return 0;
  }
}

namespace {

// Most comparisons are of two doubles, and quick.
bool AreDoubles(const Value& a, const Value& b) {
  return a.tag == Tag::kNumber && b.tag == Tag::kNumber;
}

}  // namespace

double Apply(Op op, const Value& a, const Value& b) {
  switch (op) {
    case Op::kEqual:
      return (AreDoubles(a, b) ? a.number == b.number : Equal(a, b)) ? 1 : 0;
    case Op::kNotEqual:
      return (AreDoubles(a, b) ? a.number == b.number : Equal(a, b)) ? 0 : 1;
    case Op::kIn:
      return In(a, b) ? 1 : 0;
    case Op::kAnd:
      return Truth(a) && Truth(b) ? 1 : 0;
    case Op::kOr:
      return Truth(a) || Truth(b) ? 1 : 0;
    case Op::kGreater:
      return (AreDoubles(a, b) ? a.number > b.number : std::is_gt(OrderOfOthers(a, b))) ? 1 : 0;
    case Op::kGreaterEqual:
      return (AreDoubles(a, b) ? a.number >= b.number : std::is_gteq(OrderOfOthers(a, b))) ? 1 : 0;
    case Op::kLess:
      return (AreDoubles(a, b) ? a.number < b.number : std::is_lt(OrderOfOthers(a, b))) ? 1 : 0;
    case Op::kLessEqual:
      return (AreDoubles(a, b) ? a.number <= b.number : std::is_lteq(OrderOfOthers(a, b))) ? 1 : 0;
    default:
      return ApplyToNumbers(op, a.number, b.number);
  }
}

namespace {

// The rest of a number is not read.
void SetNumber(double number, Value* value) {
  value->tag = Tag::kNumber;
  value->number = number;
}

}  // namespace

bool BoundProgram::Matches(std::uint32_t ordinal) const {
  if (!records->Test(ordinal)) {
    return false;
  }
  for (const auto& column : columns) {
    if (column->tag(ordinal) == Tag::kMissing) {
      return false;
    }
  }
  const Program& program = filter->program();
  // The parser has checked that no program needs more.
  std::array<Value, kStackMax> stack;  // not initialised, on purpose
  std::size_t size = 0;
  for (const Instruction instruction : program.instructions) {
    switch (instruction.op) {
      case Op::kLiteral:
        stack[size++] = program.literals[instruction.operand];
        break;
      case Op::kField:
        // In place: a copy would wait for the parts just stored.
        ::new (&stack[size++]) Value(columns[instruction.operand]->At(ordinal));
        break;
      case Op::kNot:
        SetNumber(Truth(stack[size - 1]) ? 0 : 1, &stack[size - 1]);
        break;
      default:
        --size;
        SetNumber(Apply(instruction.op, stack[size - 1], stack[size]), &stack[size - 1]);
    }
  }
  return Truth(stack[0]);
}

std::vector<std::string> BoundProgram::MissingFields(std::uint32_t ordinal) const {
  std::vector<std::string> missing;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    if (columns[i]->tag(ordinal) == Tag::kMissing) {
      missing.push_back(filter->fields()[i]);
    }
  }
  return missing;
}

}  // namespace reco::filter
