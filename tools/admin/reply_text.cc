#include "tools/admin/reply_text.h"

#include <array>
#include <cmath>
#include <ctime>

#include "tools/terminal/json.h"
#include "tools/terminal/numbers.h"
#include "tools/terminal/text_table.h"

namespace reco::admin {
namespace {

using client::Value;
using terminal::Align;

bool EndsWith(std::string_view text, std::string_view end) {
  return text.size() >= end.size() && text.substr(text.size() - end.size()) == end;
}

std::string NumberToText(const Value& value) {
  const std::string text = value.ToText();
  if (!terminal::IsJsonNumber(text)) {
    return terminal::Printable(text);
  }
  const double number = value.ToDouble();
  // Up to 1e15 a double holds whole numbers exactly.
  if (number == std::floor(number) && std::abs(number) < 1e15) {
    return terminal::FormatCount(static_cast<std::int64_t>(number));
  }
  std::array<char, 32> buffer{};
  std::snprintf(buffer.data(), buffer.size(), "%.4g", number);
  return buffer.data();
}

std::string ListToText(std::string_view name, const Value& list) {
  std::string text;
  for (const Value& element : list.elements) {
    text.append(text.empty() ? "" : " ").append(ValueToText(name, element));
  }
  return text.empty() ? "-" : text;
}

}  // namespace

std::string ToJson(const Value& value) {
  switch (value.kind) {
    case Value::Kind::kNull:
      return "null";
    case Value::Kind::kInteger:
      return std::to_string(value.integer);
    case Value::Kind::kSimple:
    case Value::Kind::kError:
    case Value::Kind::kBulk:
      return terminal::JsonScalar(value.text);
    case Value::Kind::kArray:
      break;
  }
  const bool map = LooksLikeMap(value);
  std::string text;
  for (std::size_t i = 0; i < value.elements.size(); i += map ? 2 : 1) {
    if (map) {
      terminal::AppendMember(&text, value.elements[i].text, ToJson(value.elements[i + 1]));
    } else {
      terminal::AppendElement(&text, ToJson(value.elements[i]));
    }
  }
  return std::string(map ? "{" : "[").append(text).append(map ? "}" : "]");
}

std::string FormatTime(std::int64_t time_ms) {
  if (time_ms <= 0) {
    return "-";
  }
  const std::time_t seconds = time_ms / 1000;
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  std::array<char, 40> text{};
  std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M:%S UTC", &parts);
  return text.data();
}

std::string ValueToText(std::string_view name, const Value& value) {
  if (value.kind == Value::Kind::kNull) {
    return "-";
  }
  if (value.is_array()) {
    return ListToText(name, value);
  }
  if (!terminal::IsJsonNumber(value.ToText())) {
    return terminal::Printable(value.ToText());
  }
  const double number = value.ToDouble();
  if (EndsWith(name, "bytes")) {
    return terminal::FormatBytes(number);
  }
  if (EndsWith(name, "-ms")) {
    // This ending names times and spans; 1e11 ms is 1973 as a time and three years as a span.
    return number > 1e11 ? FormatTime(static_cast<std::int64_t>(number))
                         : terminal::FormatDuration(number / 1e3);
  }
  if (EndsWith(name, "-s") || EndsWith(name, "seconds")) {
    // Negative says that it is not known, as of eta-seconds.
    return number < 0 ? "-" : terminal::FormatDuration(number);
  }
  if (name == "percent") {
    return terminal::FormatFixed(number, 0) + '%';
  }
  return NumberToText(value);
}

std::string MapToText(const Value& map, std::size_t indent, std::string_view unit) {
  terminal::TextTable table({Align::kLeft, Align::kLeft});
  std::string nested;
  for (std::size_t i = 0; i + 1 < map.elements.size(); i += 2) {
    const std::string& name = map.elements[i].text;
    const Value& value = map.elements[i + 1];
    // Behind the lines of this one, so that the columns stay together.
    if (LooksLikeMap(value)) {
      nested +=
          std::string(indent, ' ') + name + '\n' +
          MapToText(value, indent + 2, EndsWith(name, "memory") ? "bytes" : std::string_view());
    } else {
      table.AddRow({name, ValueToText(unit.empty() ? name : unit, value)});
    }
  }
  return table.ToText(indent) + nested;
}

}  // namespace reco::admin
