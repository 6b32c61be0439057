#include "api/commands/arguments.h"

#include <algorithm>

#include "reco/types.h"

namespace reco::api {
namespace {

constexpr std::string_view kNotInteger = "value is not an integer or out of range";
constexpr std::string_view kNotFloat = "value is not a valid float";

std::string RangeMessage(std::string_view name, std::string_view low, std::string_view high) {
  return std::string(name).append(" must be between ").append(low).append(" and ").append(high);
}

std::string LengthMessage(std::string_view name, std::size_t bytes_max, std::size_t bytes) {
  return std::string(name)
      .append(" must be 1 to ")
      .append(std::to_string(bytes_max))
      .append(" bytes long, got ")
      .append(std::to_string(bytes));
}

}  // namespace

std::string_view Arguments::Word() {
  if (left() == 0) {
    FailSyntax();
    return {};
  }
  return words_[next_++];
}

std::string_view Arguments::Id(std::string_view name) {
  return Text(name, kIdBytesMax);
}

std::string_view Arguments::Text(std::string_view name, std::size_t bytes_max) {
  const std::string_view word = Word();
  if (word.empty() || word.size() > bytes_max) {
    Fail(LengthMessage(name, bytes_max, word.size()));
  }
  return word;
}

std::int64_t Arguments::Integer(std::string_view name, std::int64_t low, std::int64_t high) {
  const std::string_view word = Word();
  // No number and a number out of range differ: the first text is Redis's, the second names the
  // value and the range.
  const std::optional<std::int64_t> value = ParseInteger(word);
  if (!value.has_value()) {
    Fail(kNotInteger);
    // A value in range, so that the handler can go on reading; it tests for failure at the end.
    return low;
  }
  if (*value < low || *value > high) {
    Fail(RangeMessage(name, std::to_string(low), std::to_string(high)));
    return low;
  }
  return *value;
}

double Arguments::Double(std::string_view name, double low, double high) {
  const std::string_view word = Word();
  const std::optional<double> value = ParseDouble(word);
  if (!value.has_value()) {
    Fail(kNotFloat);
    return low;
  }
  if (*value < low || *value > high) {
    Fail(RangeMessage(name, FormatDouble(low), FormatDouble(high)));
    return low;
  }
  return *value;
}

std::uint64_t Arguments::Cursor() {
  const std::string_view word = Word();
  const std::optional<std::uint64_t> cursor = ParseCursor(word);
  if (!cursor.has_value()) {
    Fail("invalid cursor");
  }
  return cursor.value_or(0);
}

bool Arguments::Keyword(std::string_view keyword) {
  if (left() == 0 || !EqualsIgnoreCase(words_[next_], keyword)) {
    return false;
  }
  ++next_;
  return true;
}

bool Arguments::Option(std::string_view keyword) {
  if (!Keyword(keyword)) {
    return false;
  }
  if (std::ranges::find(options_seen_, keyword) != options_seen_.end()) {
    FailSyntax();
  }
  options_seen_.push_back(keyword);
  return true;
}

std::vector<std::string_view> Arguments::CountedIds(const IdList& list) {
  const auto count =
      static_cast<std::size_t>(Integer(list.count, 1, static_cast<std::int64_t>(list.ids_max)));
  // Before anything is read: too few ids are a wrong request, whatever the ids are.
  if (count > left()) {
    FailSyntax();
  }
  std::vector<std::string_view> ids;
  while (!failed_ && ids.size() < count) {
    ids.push_back(Id(list.id));
  }
  return ids;
}

std::vector<std::string_view> Arguments::CountedIds(std::string_view name) {
  return CountedIds({.count = name, .id = "item id", .ids_max = kBasketItemsMax});
}

std::vector<std::string_view> Arguments::RemainingIds(std::string_view name) {
  std::vector<std::string_view> ids;
  ids.reserve(left());
  while (left() > 0) {
    ids.push_back(Id(name));
  }
  return ids;
}

std::vector<std::string_view> Arguments::RemainingIds(const IdList& list) {
  // Before they are copied.
  if (left() > list.ids_max) {
    Fail(RangeMessage(list.count, "1", std::to_string(list.ids_max)));
  }
  return RemainingIds(list.id);
}

void Arguments::Parameter(ParameterList* parameters) {
  const std::string_view word = Word();
  // "TYPE.Purchase" is the parameter "type." of the type "Purchase".
  const std::string_view head = word.substr(0, word.find('.'));
  Parameter(LowerCase(head).append(word.substr(head.size())), parameters);
}

void Arguments::Parameter(std::string name, ParameterList* parameters) {
  const bool repeated =
      std::ranges::any_of(*parameters, [&name](const auto& known) { return known.first == name; });
  if (repeated) {
    FailSyntax();
  }
  parameters->emplace_back(std::move(name), Word());
}

void Arguments::Fail(std::string_view message) {
  // The first error is the one nearest to the cause; what follows may be nonsense.
  if (!failed_) {
    failed_ = true;
    error_.assign("ERR ").append(message);
  }
}

bool Arguments::Reject(Reply& reply) const {
  if (failed_) {
    reply.Error(error_);
  }
  return failed_;
}

}  // namespace reco::api
