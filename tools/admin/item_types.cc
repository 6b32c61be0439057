#include "tools/admin/item_types.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>

#include "base/tagged_names.h"
#include "tools/admin/record_mapping.h"
#include "tools/terminal/json.h"

namespace reco::admin {
namespace {

constexpr std::array<std::string_view, 3> kNames = {"number", "boolean", "text"};

// A row for each spelling, true behind false.
constexpr std::array<std::array<std::string_view, 2>, 3> kBooleans = {
    {{"false", "true"}, {"False", "True"}, {"FALSE", "TRUE"}}};

std::optional<double> FiniteDouble(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool good = error == std::errc() && end == text.data() + text.size();
  return good && std::isfinite(value) ? std::optional(value) : std::nullopt;
}

template <typename... Format>
bool PrintsAs(std::string_view text, double value, Format... format) {
  std::array<char, 400> printed{};  // 309 digits before the point, or 324 behind it
  const auto [end, error] =
      std::to_chars(printed.data(), printed.data() + printed.size(), value, format...);
  return error == std::errc() && std::string_view(printed.data(), end) == text;
}

}  // namespace

std::string_view NameOf(CellType type) {
  return kNames[static_cast<std::size_t>(type)];
}

Result<TypeList> ParseTypes(std::string_view text) {
  const std::optional<TaggedNames> names = ParseTaggedNames(text);
  if (!names) {
    return Status::InvalidArgument(
        "types are given as name:type with commas between, a name with "
        "a comma, a colon, a blank or a quote in double quotes, not " +
        Quoted(text));
  }
  TypeList types;
  for (const auto& given : *names) {
    const std::string& name = given.first;  // a lambda cannot take a structured binding
    const std::string& word = given.second;
    const auto found = std::find(kNames.begin(), kNames.end(), word);
    if (found == kNames.end()) {
      return Status::InvalidArgument("the type of " + Quoted(name) +
                                     " must be number, boolean or text, not " + Quoted(word));
    }
    const auto same = [&name](const auto& type) { return type.first == name; };
    if (std::any_of(types.begin(), types.end(), same)) {
      return Status::InvalidArgument("the type of " + Quoted(name) + " is given twice");
    }
    types.emplace_back(name, static_cast<CellType>(found - kNames.begin()));
  }
  return types;
}

std::string FormatTypes(const TypeList& types) {
  TaggedNames names;
  for (const auto& [name, type] : types) {
    names.emplace_back(name, NameOf(type));
  }
  return FormatTaggedNames(names);
}

bool IsCanonicalNumber(std::string_view text) {
  if (!terminal::IsJsonNumber(text)) {
    return false;
  }
  if (text.find_first_of(".eE") == std::string_view::npos) {
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc() && end == text.data() + text.size() && text != "-0";
  }
  const std::optional<double> value = FiniteDouble(text);
  // Both ways of writing it: 0.00001 is as good as 1e-05.
  return value && (PrintsAs(text, *value, std::chars_format::fixed) || PrintsAs(text, *value));
}

std::optional<std::string> CellJson(CellType type, Numbers numbers, std::string_view cell) {
  switch (type) {
    case CellType::kNumber: {
      const bool fits = numbers == Numbers::kCanonical
                            ? IsCanonicalNumber(cell)
                            : terminal::IsJsonNumber(cell) && FiniteDouble(cell);
      return fits ? std::optional(std::string(cell)) : std::nullopt;
    }
    case CellType::kBoolean:
      for (const auto& spelling : kBooleans) {
        const auto found = std::find(spelling.begin(), spelling.end(), cell);
        if (found != spelling.end()) {
          return std::string(found == spelling.begin() ? "false" : "true");
        }
      }
      return std::nullopt;
    case CellType::kText:
      break;
  }
  return terminal::JsonString(cell);
}

void TypeSurvey::Add(std::string_view cell, CellKind kind) {
  if (cell.empty()) {
    return;
  }
  seen_ = true;
  // JSON says itself what is a number, however it is written, and that "5" is none. Whole numbers
  // beyond 64 bits are their neighbours in filters.
  const bool is_whole = cell.find_first_of(".eE") == std::string_view::npos;
  numbers_ = numbers_ &&
             (kind == CellKind::kNumber && !is_whole ? FiniteDouble(cell).has_value()
              : kind == CellKind::kNumber || kind == CellKind::kUnknown ? IsCanonicalNumber(cell)
                                                                        : false);
  if (kind == CellKind::kText) {
    spellings_ = 0;
  }
  for (std::size_t i = 0; spellings_ != 0 && i < kBooleans.size(); ++i) {
    if (std::find(kBooleans[i].begin(), kBooleans[i].end(), cell) == kBooleans[i].end()) {
      spellings_ &= ~(1U << i);
    }
  }
}

std::optional<CellType> TypeSurvey::Decide() const {
  if (!seen_) {
    return std::nullopt;
  }
  return numbers_ ? CellType::kNumber : spellings_ != 0 ? CellType::kBoolean : CellType::kText;
}

}  // namespace reco::admin
