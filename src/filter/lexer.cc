#include "filter/lexer.h"

#include <array>
#include <charconv>
#include <system_error>
#include <utility>

#include "filter/filter.h"
#include "filter/string_literal.h"
#include "filter/syntax_error.h"
#include "filter/value.h"

namespace reco::filter {
namespace {

struct Word {
  std::string_view text;
  TokenKind kind;
};

constexpr Word kWords[] = {
    {"and", TokenKind::kAnd},   {"or", TokenKind::kOr},     {"not", TokenKind::kNot},
    {"in", TokenKind::kIn},     {"true", TokenKind::kTrue}, {"false", TokenKind::kFalse},
    {"null", TokenKind::kNull},
};

// A sign that begins with another stands before it.
constexpr Word kSigns[] = {
    {"**", TokenKind::kPower},        {"*", TokenKind::kMultiply}, {"/", TokenKind::kDivide},
    {"%", TokenKind::kModulo},        {"+", TokenKind::kAdd},      {"-", TokenKind::kSubtract},
    {">=", TokenKind::kGreaterEqual}, {">", TokenKind::kGreater},  {"<=", TokenKind::kLessEqual},
    {"<", TokenKind::kLess},          {"==", TokenKind::kEqual},   {"!=", TokenKind::kNotEqual},
    {"!", TokenKind::kNot},           {"&&", TokenKind::kAnd},     {"||", TokenKind::kOr},
    {"(", TokenKind::kOpen},          {")", TokenKind::kClose},    {"[", TokenKind::kOpenArray},
    {"]", TokenKind::kCloseArray},    {",", TokenKind::kComma},
};

bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}

bool IsLetter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// Returns true iff a name may hold the byte. Bytes of other scripts in UTF-8 are taken as letters.
bool IsNameByte(char c) {
  return IsLetter(c) || IsDigit(c) || c == '_' || c == '-' || static_cast<unsigned char>(c) >= 0x80;
}

// Returns true iff a value may stand after `kind`.
bool OpensValue(TokenKind kind) {
  switch (kind) {
    case TokenKind::kNumber:
    case TokenKind::kString:
    case TokenKind::kField:
    case TokenKind::kTrue:
    case TokenKind::kFalse:
    case TokenKind::kNull:
    case TokenKind::kClose:
    case TokenKind::kCloseArray:
      return false;
    default:
      return true;
  }
}

class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}

  Result<std::vector<Token>> Run() {
    for (SkipSpace(); at_ < text_.size(); SkipSpace()) {
      if (tokens_.size() == kFilterTokensMax) {
        return Error("more than " + std::to_string(kFilterTokensMax) + " tokens");
      }
      Token& token = tokens_.emplace_back();
      token.position = at_;
      RECO_RETURN_IF_ERROR(Take(&token));
    }
    tokens_.emplace_back().position = text_.size();
    return std::move(tokens_);
  }

 private:
  Status Error(std::string_view what) const { return SyntaxError(what, text_, at_); }
  char Peek(std::size_t ahead = 0) const {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
  }

  void SkipSpace() {
    const std::size_t next = text_.find_first_not_of(" \t\r\n\v\f", at_);
    at_ = next == std::string_view::npos ? text_.size() : next;
  }

  Status Take(Token* token) {
    // The token itself is in the list already: the one before it decides.
    const bool value = tokens_.size() == 1 || OpensValue(tokens_[tokens_.size() - 2].kind);
    const char c = Peek();
    if (IsDigit(c) || (c == '-' && value && IsDigit(Peek(1)))) {
      return TakeNumber(token);
    }
    if (c == '"' || c == '\'') {
      token->kind = TokenKind::kString;
      return ReadStringLiteral(text_, &at_, &token->text);
    }
    if (c == '.') {
      return TakeField(token);
    }
    return IsLetter(c) ? TakeWord(token) : TakeSign(token);
  }

  void SkipDigits() {
    while (IsDigit(Peek())) {
      ++at_;
    }
  }

  Status TakeNumber(Token* token) {
    token->kind = TokenKind::kNumber;
    at_ += Peek() == '-' ? 1 : 0;
    SkipDigits();
    if (Peek() == '.') {
      ++at_;
      SkipDigits();
    }
    if (Peek() == 'e' || Peek() == 'E') {
      ++at_;
      at_ += Peek() == '+' || Peek() == '-' ? 1 : 0;
      if (!IsDigit(Peek())) {
        return Error("expected a digit of the exponent");
      }
      SkipDigits();
    }
    const char* end = text_.data() + at_;
    const auto parsed = std::from_chars(text_.data() + token->position, end, token->number);
    if (parsed.ec != std::errc() || parsed.ptr != end) {
      return SyntaxError("number beyond the range of a double", text_, token->position);
    }
    std::int64_t integer = 0;
    const auto whole = std::from_chars(text_.data() + token->position, end, integer);
    if (whole.ec == std::errc() && whole.ptr == end) {
      token->integer = BeyondDouble(integer);
    }
    return Status::Ok();
  }

  Status TakeField(Token* token) {
    token->kind = TokenKind::kField;
    ++at_;
    if (Peek() == '[') {
      return TakeQuotedName(token);
    }
    if (!IsNameByte(Peek())) {
      return Error("expected the name of a field");
    }
    while (IsNameByte(Peek())) {
      ++at_;
    }
    token->text = text_.substr(token->position + 1, at_ - token->position - 1);
    return Status::Ok();
  }

  // Takes ["name"] behind the dot of a field.
  Status TakeQuotedName(Token* token) {
    const std::size_t open = at_;
    ++at_;
    SkipSpace();
    if (Peek() != '"' && Peek() != '\'') {
      return Error("expected the name of a field in quotes");
    }
    RECO_RETURN_IF_ERROR(ReadStringLiteral(text_, &at_, &token->text));
    SkipSpace();
    if (at_ == text_.size()) {
      return SyntaxError("unclosed '['", text_, open);
    }
    if (Peek() != ']') {
      return Error("expected ']'");
    }
    ++at_;
    return Status::Ok();
  }

  Status TakeWord(Token* token) {
    std::size_t end = at_;
    // Without '-', which is an operator behind a word.
    while (end < text_.size() && (IsNameByte(text_[end]) && text_[end] != '-')) {
      ++end;
    }
    const std::string_view found = text_.substr(at_, end - at_);
    for (const Word& word : kWords) {
      if (word.text == found) {
        token->kind = word.kind;
        at_ = end;
        return Status::Ok();
      }
    }
    return Error("unknown word (a field begins with a dot, a string with a quote)");
  }

  Status TakeSign(Token* token) {
    for (const Word& sign : kSigns) {
      if (text_.substr(at_).starts_with(sign.text)) {
        token->kind = sign.kind;
        at_ += sign.text.size();
        return Status::Ok();
      }
    }
    return Error(Peek() == '=' ? "unknown sign (equality is ==)" : "unknown sign");
  }

  const std::string_view text_;
  std::size_t at_ = 0;
  std::vector<Token> tokens_;
};

}  // namespace

Result<std::vector<Token>> Tokenize(std::string_view text) {
  return Lexer(text).Run();
}

}  // namespace reco::filter
