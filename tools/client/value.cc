#include "tools/client/value.h"

#include <algorithm>
#include <charconv>
#include <cstddef>

namespace reco::client {
namespace {

// Returns true iff the value could be a name in a map, by the rule of LooksLikeMap.
bool IsName(const Value& value) {
  if (value.kind != Value::Kind::kBulk && value.kind != Value::Kind::kSimple) {
    return false;
  }
  const std::string& text = value.text;
  return !text.empty() && text[0] >= 'a' && text[0] <= 'z' &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
                  std::string_view("-@_.").find(c) != std::string_view::npos;
         });
}

}  // namespace

const Value* Value::Find(std::string_view name) const {
  // Only names are compared: a value may read like one.
  for (std::size_t i = 0; i + 1 < elements.size(); i += 2) {
    if (elements[i].text == name) {
      return &elements[i + 1];
    }
  }
  return nullptr;
}

std::string Value::ToText() const {
  switch (kind) {
    case Kind::kInteger:
      return std::to_string(integer);
    case Kind::kSimple:
    case Kind::kError:
    case Kind::kBulk:
      return text;
    case Kind::kNull:
    case Kind::kArray:
      break;
  }
  return {};
}

double Value::ToDouble(double otherwise) const {
  if (kind == Kind::kInteger) {
    return static_cast<double>(integer);
  }
  double number = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  return error == std::errc() && stop == end ? number : otherwise;
}

bool LooksLikeMap(const Value& value) {
  if (!value.is_array() || value.elements.empty() || value.elements.size() % 2 != 0) {
    return false;
  }
  for (std::size_t i = 0; i < value.elements.size(); i += 2) {
    if (!IsName(value.elements[i])) {
      return false;
    }
  }
  return true;
}

}  // namespace reco::client
