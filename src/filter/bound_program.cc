#include "filter/bound_program.h"

#include <array>
#include <cmath>

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
    case Op::kGreater:
      return a > b ? 1 : 0;
    case Op::kGreaterEqual:
      return a >= b ? 1 : 0;
    case Op::kLess:
      return a < b ? 1 : 0;
    case Op::kLessEqual:
      return a <= b ? 1 : 0;
    default:
      return 0;
  }
}

Value Apply(Op op, const Value& a, const Value& b) {
  const auto truth = [](bool value) { return Value::Number(value ? 1 : 0); };
  switch (op) {
    case Op::kEqual:
      return truth(Equal(a, b));
    case Op::kNotEqual:
      return truth(!Equal(a, b));
    case Op::kIn:
      return truth(In(a, b));
    case Op::kAnd:
      return truth(Truth(a) && Truth(b));
    case Op::kOr:
      return truth(Truth(a) || Truth(b));
    default:
      return Value::Number(ApplyToNumbers(op, a.number, b.number));
  }
}

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
  std::array<Value, kStackMax> stack;  // not initialised, on purpose
  std::size_t size = 0;
  for (const Instruction instruction : program.instructions) {
    switch (instruction.op) {
      case Op::kLiteral:
        stack[size++] = program.literals[instruction.operand];
        break;
      case Op::kField:
        stack[size++] = columns[instruction.operand]->At(ordinal);
        break;
      case Op::kNot:
        stack[size - 1] = Value::Number(Truth(stack[size - 1]) ? 0 : 1);
        break;
      default:
        --size;
        stack[size - 1] = Apply(instruction.op, stack[size - 1], stack[size]);
    }
  }
  return Truth(stack[0]);
}

}  // namespace reco::filter
