#include "filter/parser.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "base/check.h"
#include "filter/filter.h"
#include "filter/lexer.h"
#include "filter/syntax_error.h"

namespace reco::filter {
namespace {

struct Binary {
  Op op = Op::kLiteral;
  int precedence = 0;  // 0: no binary operator
};

constexpr int kPowerPrecedence = 6;

Binary BinaryOf(TokenKind kind) {
  switch (kind) {
    case TokenKind::kOr:
      return {Op::kOr, 1};
    case TokenKind::kAnd:
      return {Op::kAnd, 2};
    case TokenKind::kGreater:
      return {Op::kGreater, 3};
    case TokenKind::kGreaterEqual:
      return {Op::kGreaterEqual, 3};
    case TokenKind::kLess:
      return {Op::kLess, 3};
    case TokenKind::kLessEqual:
      return {Op::kLessEqual, 3};
    case TokenKind::kEqual:
      return {Op::kEqual, 3};
    case TokenKind::kNotEqual:
      return {Op::kNotEqual, 3};
    case TokenKind::kIn:
      return {Op::kIn, 3};
    case TokenKind::kAdd:
      return {Op::kAdd, 4};
    case TokenKind::kSubtract:
      return {Op::kSubtract, 4};
    case TokenKind::kMultiply:
      return {Op::kMultiply, 5};
    case TokenKind::kDivide:
      return {Op::kDivide, 5};
    case TokenKind::kModulo:
      return {Op::kModulo, 5};
    case TokenKind::kPower:
      return {Op::kPower, kPowerPrecedence};
    default:
      return {};
  }
}

// Precedence climbing; every function appends the instructions of what it took.
class Parser {
 public:
  Parser(std::string_view text, std::vector<Token> tokens)
      : text_(text), tokens_(std::move(tokens)) {}

  Result<Program> Run() {
    RECO_RETURN_IF_ERROR(Expression(1));
    if (front().kind == TokenKind::kClose) {
      return Error("no '(' for this ')'");
    }
    if (front().kind != TokenKind::kEnd) {
      return Error("expected an operator");
    }
    // Nesting is bounded, so the stack is: BoundProgram relies on it.
    RECO_CHECK(program_.stack_max <= kStackMax);
    return std::move(program_);
  }

 private:
  const Token& front() const { return tokens_[at_]; }
  Status Error(std::string_view what) const { return SyntaxError(what, text_, front().position); }

  void Emit(Op op, std::size_t operand = 0) {
    program_.instructions.push_back({op, static_cast<std::uint32_t>(operand)});
    if (op == Op::kLiteral || op == Op::kField) {
      program_.stack_max = std::max(program_.stack_max, ++stack_);
    } else if (op != Op::kNot) {
      --stack_;
    }
  }

  Status Deeper() {
    if (++nesting_ > kFilterNestingMax) {
      return Error("nested more than " + std::to_string(kFilterNestingMax) + " deep");
    }
    return Status::Ok();
  }

  // Takes operators of at least `precedence`.
  Status Expression(int precedence) {
    RECO_RETURN_IF_ERROR(Unary());
    for (;;) {
      const Binary binary = BinaryOf(front().kind);
      if (binary.precedence == 0 || binary.precedence < precedence) {
        return Status::Ok();
      }
      RECO_RETURN_IF_ERROR(RightSide(binary));
      Emit(binary.op);
    }
  }

  // Takes an operator's right side. All operators group from the left but **.
  Status RightSide(Binary binary) {
    const bool power = binary.precedence == kPowerPrecedence;
    // The right of ** nests in itself, so it counts as depth.
    if (power) {
      RECO_RETURN_IF_ERROR(Deeper());
    }
    ++at_;
    RECO_RETURN_IF_ERROR(Expression(power ? binary.precedence : binary.precedence + 1));
    nesting_ -= power ? 1 : 0;
    return Status::Ok();
  }

  Status Unary() {
    if (front().kind != TokenKind::kNot) {
      return Primary();
    }
    RECO_RETURN_IF_ERROR(Deeper());
    ++at_;
    RECO_RETURN_IF_ERROR(Unary());
    Emit(Op::kNot);
    --nesting_;
    return Status::Ok();
  }

  Status Primary() {
    switch (front().kind) {
      case TokenKind::kOpen:
        return Parenthesized();
      case TokenKind::kOpenArray:
        return Array();
      case TokenKind::kField:
        return Field();
      default:
        break;
    }
    Value value{};
    RECO_RETURN_IF_ERROR(Scalar(&value));
    EmitLiteral(value);
    return Status::Ok();
  }

  Status Parenthesized() {
    const std::size_t open = front().position;
    RECO_RETURN_IF_ERROR(Deeper());
    ++at_;
    RECO_RETURN_IF_ERROR(Expression(1));
    if (front().kind == TokenKind::kEnd) {
      return SyntaxError("unclosed '('", text_, open);
    }
    if (front().kind != TokenKind::kClose) {
      return Error("expected an operator or ')'");
    }
    ++at_;
    --nesting_;
    return Status::Ok();
  }

  Status Field() {
    std::vector<std::string>& fields = program_.fields;
    const auto known = std::find(fields.begin(), fields.end(), front().text);
    const auto index = static_cast<std::size_t>(known - fields.begin());
    if (known == fields.end()) {
      if (fields.size() == kFilterFieldsMax) {
        return Error("more than " + std::to_string(kFilterFieldsMax) + " fields");
      }
      fields.push_back(front().text);
    }
    ++at_;
    Emit(Op::kField, index);
    return Status::Ok();
  }

  Status Scalar(Value* value) {
    switch (front().kind) {
      case TokenKind::kNumber:
        *value =
            front().integer != 0 ? Value::Integer(front().integer) : Value::Number(front().number);
        break;
      case TokenKind::kTrue:
        *value = Value::Number(1);
        break;
      case TokenKind::kFalse:
        *value = Value::Number(0);
        break;
      case TokenKind::kNull:
        *value = Value::Null();
        break;
      case TokenKind::kString:
        program_.strings.push_back(std::make_unique<const StringEntry>(
            StringEntry{front().text, NumberOf(front().text), 1}));
        *value = Value::String(*program_.strings.back());
        break;
      default:
        return Error("expected a value");
    }
    ++at_;
    return Status::Ok();
  }

  Status Array() {
    const std::size_t open = front().position;
    auto array = std::make_unique<LiteralArray>();
    ++at_;
    bool more = front().kind != TokenKind::kCloseArray;
    while (more) {
      RECO_RETURN_IF_ERROR(AddElement(open, array.get()));
      more = front().kind == TokenKind::kComma;
      at_ += more ? 1 : 0;
    }
    if (front().kind == TokenKind::kEnd) {
      return SyntaxError("unclosed '['", text_, open);
    }
    if (front().kind != TokenKind::kCloseArray) {
      return Error("expected ',' or ']'");
    }
    ++at_;
    array->Sort();
    Value value = Value::Null();
    value.tag = Tag::kLiteralArray;
    value.literal = array.get();
    program_.arrays.push_back(std::move(array));
    EmitLiteral(value);
    return Status::Ok();
  }

  Status AddElement(std::size_t open, LiteralArray* array) {
    Value value{};
    switch (front().kind) {
      case TokenKind::kField:
      case TokenKind::kOpen:
      case TokenKind::kOpenArray:
        return Error("expected a literal (arrays hold numbers, strings, true, false, null)");
      case TokenKind::kEnd:
        return SyntaxError("unclosed '['", text_, open);
      default:
        break;
    }
    RECO_RETURN_IF_ERROR(Scalar(&value));
    if (value.tag == Tag::kString) {
      array->strings.push_back(value.string->text);
    } else if (value.tag == Tag::kNumber) {
      array->numbers.push_back(value.number);
    } else if (value.tag == Tag::kInteger) {
      array->integers.push_back(value.integer);
    } else {
      array->has_null = true;
    }
    return Status::Ok();
  }

  void EmitLiteral(const Value& value) {
    program_.literals.push_back(value);
    Emit(Op::kLiteral, program_.literals.size() - 1);
  }

  const std::string_view text_;
  const std::vector<Token> tokens_;
  std::size_t at_ = 0;
  std::size_t nesting_ = 0;
  std::size_t stack_ = 0;
  Program program_;
};

}  // namespace

Result<Program> ParseProgram(std::string_view text) {
  if (text.size() > kFilterBytesMax) {
    return Status::InvalidArgument("filter: " + std::to_string(text.size()) + " bytes, at most " +
                                   std::to_string(kFilterBytesMax));
  }
  RECO_ASSIGN_OR_RETURN(std::vector<Token> tokens, Tokenize(text));
  return Parser(text, std::move(tokens)).Run();
}

}  // namespace reco::filter
