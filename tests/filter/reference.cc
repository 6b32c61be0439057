#include "filter/reference.h"

#include <cctype>
#include <cerrno>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <optional>
#include <regex>
#include <utility>

namespace reco::filter::testing {
namespace {

using Kind = ReferenceValue::Kind;

static_assert(std::numeric_limits<long double>::digits >= 63);

ReferenceValue NumberValue(double number) {
  ReferenceValue value;
  value.kind = Kind::kNumber;
  value.number = number;
  value.exact = number;
  return value;
}

// A number, true, false or null as JSON and expressions write it.
ReferenceValue WordValue(const std::string& word) {
  static const std::regex kInteger("-?[0-9]+");
  if (word == "null") {
    ReferenceValue value;
    value.kind = Kind::kNull;
    return value;
  }
  if (word == "true" || word == "false") {
    return NumberValue(word == "true" ? 1 : 0);
  }
  ReferenceValue value = NumberValue(std::strtod(word.c_str(), nullptr));
  errno = 0;
  const long long integer = std::strtoll(word.c_str(), nullptr, 10);
  if (std::regex_match(word, kInteger) && errno == 0) {
    value.exact = static_cast<long double>(integer);
  }
  return value;
}

class Json {
 public:
  explicit Json(std::string_view text) : text_(text) {}

  ReferenceRecord Object() {
    ReferenceRecord record;
    ++at_;
    for (Space(); text_[at_] != '}'; Space()) {
      at_ += text_[at_] == ',' ? 1 : 0;
      Space();
      const std::string name = String();
      Space();
      ++at_;  // the colon
      record[name] = Value();
    }
    ++at_;
    return record;
  }

 private:
  void Space() {
    while (at_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[at_])) != 0) {
      ++at_;
    }
  }

  // Of \u only those below 128.
  std::string String() {
    std::string value;
    for (++at_; text_[at_] != '"'; ++at_) {
      if (text_[at_] != '\\') {
        value += text_[at_];
        continue;
      }
      ++at_;
      if (text_[at_] == 'u') {
        value += static_cast<char>(std::stoi(std::string(text_.substr(at_ + 1, 4)), nullptr, 16));
        at_ += 4;
      } else {
        value += text_[at_] == 'n' ? '\n' : text_[at_];
      }
    }
    ++at_;
    return value;
  }

  ReferenceValue Value() {
    Space();
    ReferenceValue value;
    if (text_[at_] == '{') {
      Object();
    } else if (text_[at_] == '[') {
      value = Array();
    } else if (text_[at_] == '"') {
      value.kind = Kind::kString;
      value.text = String();
    } else {
      value = Word();
    }
    return value;
  }

  ReferenceValue Array() {
    ReferenceValue value;
    value.kind = Kind::kArray;
    ++at_;
    for (Space(); text_[at_] != ']'; Space()) {
      at_ += text_[at_] == ',' ? 1 : 0;
      value.elements.push_back(Value());
    }
    ++at_;
    for (const ReferenceValue& element : value.elements) {
      if (element.kind == Kind::kArray || element.kind == Kind::kUnusable) {
        return {};
      }
    }
    return value;
  }

  ReferenceValue Word() {
    std::size_t end = at_;
    while (end < text_.size() && std::string_view(",]} \n").find(text_[end]) == std::string::npos) {
      ++end;
    }
    const std::string word(text_.substr(at_, end - at_));
    at_ = end;
    return WordValue(word);
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

double ToNumber(const ReferenceValue& value) {
  static const std::regex kDecimal(R"([+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?)");
  if (value.kind == Kind::kNumber) {
    return value.number;
  }
  if (value.kind == Kind::kString && std::regex_match(value.text, kDecimal)) {
    return std::strtod(value.text.c_str(), nullptr);
  }
  return 0;
}

bool IsTrue(const ReferenceValue& value) {
  switch (value.kind) {
    case Kind::kNumber:
      return value.number != 0;
    case Kind::kString:
      return !value.text.empty();
    case Kind::kArray:
      return true;
    default:
      return false;
  }
}

bool AreEqual(const ReferenceValue& a, const ReferenceValue& b) {
  if (a.kind == Kind::kString && b.kind == Kind::kString) {
    return a.text == b.text;
  }
  if (a.kind == Kind::kNumber && b.kind == Kind::kNumber) {
    return a.exact == b.exact;
  }
  return a.kind == Kind::kNull && b.kind == Kind::kNull;
}

// Below, at or above 0 as a is before, at or behind b; none of what has no order.
std::optional<int> OrderOf(const ReferenceValue& a, const ReferenceValue& b) {
  if (a.kind == Kind::kString && b.kind == Kind::kString) {
    for (std::size_t i = 0; i < a.text.size() && i < b.text.size(); ++i) {
      if (a.text[i] != b.text[i]) {
        return static_cast<unsigned char>(a.text[i]) < static_cast<unsigned char>(b.text[i]) ? -1
                                                                                             : 1;
      }
    }
    return a.text.size() < b.text.size() ? -1 : a.text.size() > b.text.size() ? 1 : 0;
  }
  if (a.kind != Kind::kNumber || b.kind != Kind::kNumber || std::isnan(a.exact) ||
      std::isnan(b.exact)) {
    return std::nullopt;
  }
  return a.exact < b.exact ? -1 : a.exact > b.exact ? 1 : 0;
}

bool IsIn(const ReferenceValue& a, const ReferenceValue& b) {
  if (b.kind == Kind::kArray) {
    for (const ReferenceValue& element : b.elements) {
      if (AreEqual(a, element)) {
        return true;
      }
    }
    return false;
  }
  return a.kind == Kind::kString && b.kind == Kind::kString &&
         b.text.find(a.text) != std::string::npos;
}

double Binary(const std::string& op, const ReferenceValue& a, const ReferenceValue& b) {
  using Compute = double (*)(double, double);
  static const std::map<std::string, Compute> kOfNumbers = {
      {"+", [](double x, double y) { return x + y; }},
      {"-", [](double x, double y) { return x - y; }},
      {"*", [](double x, double y) { return x * y; }},
      {"/", [](double x, double y) { return x / y; }},
      {"%", [](double x, double y) { return std::fmod(x, y); }},
      {"**", [](double x, double y) { return std::pow(x, y); }},
  };
  using Judge = bool (*)(const ReferenceValue&, const ReferenceValue&);
  static const std::map<std::string, Judge> kOfValues = {
      {"or", [](const auto& x, const auto& y) { return IsTrue(x) || IsTrue(y); }},
      {"and", [](const auto& x, const auto& y) { return IsTrue(x) && IsTrue(y); }},
      {"<", [](const auto& x, const auto& y) { return OrderOf(x, y).value_or(1) < 0; }},
      {"<=", [](const auto& x, const auto& y) { return OrderOf(x, y).value_or(1) <= 0; }},
      {">", [](const auto& x, const auto& y) { return OrderOf(x, y).value_or(-1) > 0; }},
      {">=", [](const auto& x, const auto& y) { return OrderOf(x, y).value_or(-1) >= 0; }},
      {"==", AreEqual},
      {"!=", [](const auto& x, const auto& y) { return !AreEqual(x, y); }},
      {"in", IsIn},
  };
  const auto judge = kOfValues.find(op);
  if (judge != kOfValues.end()) {
    return judge->second(a, b) ? 1 : 0;
  }
  return kOfNumbers.at(op)(ToNumber(a), ToNumber(b));
}

ReferenceValue Evaluate(const ReferenceNode& node, const ReferenceRecord& record) {
  if (node.op == "literal") {
    return node.value;
  }
  if (node.op == "field") {
    return record.at(node.text);
  }
  const ReferenceValue first = Evaluate(node.children[0], record);
  if (node.op == "not") {
    return NumberValue(IsTrue(first) ? 0 : 1);
  }
  return NumberValue(Binary(node.op, first, Evaluate(node.children[1], record)));
}

bool HasFields(const ReferenceNode& node, const ReferenceRecord& record) {
  if (node.op == "field") {
    const auto found = record.find(node.text);
    return found != record.end() && found->second.kind != Kind::kUnusable;
  }
  for (const ReferenceNode& child : node.children) {
    if (!HasFields(child, record)) {
      return false;
    }
  }
  return true;
}

int Precedence(const std::string& op) {
  static const std::map<std::string, int> kTable = {
      {"or", 1}, {"and", 2}, {"==", 3}, {"!=", 3},  {"<", 3},     {"<=", 3},
      {">", 3},  {">=", 3},  {"in", 3}, {"+", 4},   {"-", 4},     {"*", 5},
      {"/", 5},  {"%", 5},   {"**", 6}, {"not", 7}, {"field", 8}, {"literal", 8}};
  return kTable.at(op);
}

template <typename T>
const T& Pick(const std::vector<T>& from, std::mt19937_64& random) {
  return from[random() % from.size()];
}

std::string Child(const ReferenceNode& node, bool wrap, std::mt19937_64& random) {
  const std::string text = Print(node, random);
  return wrap || random() % 8 == 0 ? "(" + text + ")" : text;
}

ReferenceNode Literal(std::string text, ReferenceValue value) {
  return {"literal", std::move(text), std::move(value), {}};
}

// As written, and what it stands for.
ReferenceNode RandomScalar(std::mt19937_64& random) {
  static const std::vector<std::string> kNumbers = {"0",     "1",
                                                    "-1",    "2",
                                                    "10",    "-2.5",
                                                    "1e1",   "true",
                                                    "false", "0.5",
                                                    "25e-1", "123456789012345678",
                                                    "1e17",  "123456789012345680.0",
                                                    "2.",    "9007199254740993",
                                                    "1e300", "-9223372036854775808",
                                                    "-1e19", "9223372036854775807"};
  static const std::vector<std::pair<std::string, std::string>> kStrings = {
      {"\"\"", ""},
      {"'noir'", "noir"},
      {"\"noir\"", "noir"},
      {"'drama'", "drama"},
      {"'10'", "10"},
      {"\"-2.5\"", "-2.5"},
      {"'o'", "o"},
      {"'a b'", "a b"},
      {R"('\'"')", "'\""},
      {R"("\n\u0041")", "\nA"},
      {"'noir drama'", "noir drama"},
      {"'2024-01-31'", "2024-01-31"},
      {"'\xc3\xa9'", "\xc3\xa9"}};
  const auto kind = random() % 12;
  if (kind == 0) {
    return Literal("null", WordValue("null"));
  }
  if (kind < 6) {
    const std::string& text = Pick(kNumbers, random);
    return Literal(text, WordValue(text));
  }
  const auto& [text, meaning] = Pick(kStrings, random);
  ReferenceValue value;
  value.kind = Kind::kString;
  value.text = meaning;
  return Literal(text, value);
}

ReferenceNode RandomArray(std::mt19937_64& random) {
  ReferenceNode node = Literal("[", {});
  node.value.kind = Kind::kArray;
  const std::size_t count = random() % (random() % 4 == 0 ? 20 : 4);
  for (std::size_t i = 0; i < count; ++i) {
    const ReferenceNode element = RandomScalar(random);
    node.text += (i > 0 ? ", " : "") + element.text;
    node.value.elements.push_back(element.value);
  }
  node.text += "]";
  return node;
}

// Those that are words and those that need quotes.
const std::vector<std::string> kNames = {"a",        "b",          "c",          "long_name-1",
                                         "\xc3\xa9", "unit price", R"(o'"\n.])", ""};

// In quotes, with escapes; JSON has the double ones alone.
std::string Quote(const std::string& text, char quote) {
  std::string quoted(1, quote);
  for (const char c : text) {
    quoted += c == quote || c == '\\' ? "\\" : "";
    quoted += c;
  }
  return quoted + quote;
}

std::string PrintField(const std::string& name, std::mt19937_64& random) {
  static const std::regex kWord("[A-Za-z0-9_\x80-\xff-]+");
  if (std::regex_match(name, kWord) && random() % 4 != 0) {
    return "." + name;
  }
  const std::string space(random() % 4 == 0 ? 1 : 0, ' ');
  return ".[" + space + Quote(name, random() % 2 == 0 ? '"' : '\'') + space + "]";
}

ReferenceNode RandomLeaf(std::mt19937_64& random) {
  const auto kind = random() % 10;
  if (kind < 6) {
    return {"field", Pick(kNames, random), {}, {}};
  }
  return kind < 9 ? RandomScalar(random) : RandomArray(random);
}

std::string RandomJson(std::mt19937_64& random, int depth) {
  static const std::vector<std::string> kScalars = {"0",
                                                    "1",
                                                    "-1",
                                                    "2",
                                                    "10",
                                                    "-2.5",
                                                    "1e1",
                                                    "true",
                                                    "false",
                                                    "null",
                                                    R"("")",
                                                    R"("noir")",
                                                    R"("drama")",
                                                    R"("10")",
                                                    R"("-2.5")",
                                                    R"("a b")",
                                                    R"("o")",
                                                    R"("'\"")",
                                                    R"("\nA")",
                                                    R"("\u006eoir")",
                                                    "1.0",
                                                    R"("+1")",
                                                    R"(" 1")",
                                                    R"("0x1")",
                                                    R"("inf")",
                                                    R"("noir drama")",
                                                    R"("1.")",
                                                    R"(".5")",
                                                    "123456789012345679",
                                                    "123456789012345678",
                                                    "123456789012345680.0",
                                                    "9223372036854775807",
                                                    "9223372036854775808",
                                                    "-9007199254740993",
                                                    "9007199254740993 ",
                                                    "123456789012345678901",
                                                    R"("123456789012345678")",
                                                    R"("2024-02-01")",
                                                    "\"\xc3\xa9\""};
  const auto kind = random() % 10;
  if (kind < 7 || depth > 2) {
    return Pick(kScalars, random);
  }
  if (kind == 9) {
    return R"({"a": )" + RandomJson(random, depth + 1) + "}";
  }
  std::string array = "[";
  const std::size_t count = random() % 5;
  for (std::size_t i = 0; i < count; ++i) {
    array += (i > 0 ? "," : "") +
             (random() % 20 == 0 ? RandomJson(random, depth + 1) : Pick(kScalars, random));
  }
  return array + "]";
}

}  // namespace

ReferenceRecord ReadRecord(std::string_view json) {
  return Json(json).Object();
}

bool ReferenceMatches(const ReferenceNode& node, const ReferenceRecord& record) {
  return HasFields(node, record) && IsTrue(Evaluate(node, record));
}

std::string Print(const ReferenceNode& node, std::mt19937_64& random) {
  if (node.op == "literal") {
    return node.text;
  }
  if (node.op == "field") {
    return PrintField(node.text, random);
  }
  const int own = Precedence(node.op);
  if (node.op == "not") {
    const bool wrap = Precedence(node.children[0].op) < own;
    return (random() % 2 == 0 ? "!" : "not ") + Child(node.children[0], wrap, random);
  }
  const bool power = node.op == "**";
  const int left = Precedence(node.children[0].op);
  const int right = Precedence(node.children[1].op);
  std::string op = node.op;
  if (random() % 2 == 0) {
    op = op == "and" ? "&&" : op == "or" ? "||" : op;
  }
  return Child(node.children[0], power ? left <= own : left < own, random) + " " + op + " " +
         Child(node.children[1], power ? right < own : right <= own, random);
}

ReferenceNode RandomExpression(std::mt19937_64& random, int depth) {
  static const std::vector<std::string> kBinary = {"or", "and", "==", "!=",  "<",  "<=", ">",
                                                   ">=", "in",  "in", "+",   "-",  "*",  "/",
                                                   "%",  "**",  "==", "and", "or", "in"};
  if (depth == 0 || random() % 8 == 0) {
    return RandomLeaf(random);
  }
  if (random() % 8 == 0) {
    return {"not", "", {}, {RandomExpression(random, depth - 1)}};
  }
  const std::string op = Pick(kBinary, random);
  ReferenceNode left = RandomExpression(random, depth - 1);
  ReferenceNode right =
      op == "in" && random() % 2 == 0 ? RandomArray(random) : RandomExpression(random, depth - 1);
  return {op, "", {}, {std::move(left), std::move(right)}};
}

std::string RandomRecord(std::mt19937_64& random) {
  std::string json = "{";
  for (const std::string& name : kNames) {
    const std::size_t times = random() % 12 == 0 ? random() % 3 : 1;
    for (std::size_t i = 0; i < times; ++i) {
      json += (json.size() > 1 ? ", " : "") + Quote(name, '"') + ": " + RandomJson(random, 0);
    }
  }
  return json + "}";
}

}  // namespace reco::filter::testing
