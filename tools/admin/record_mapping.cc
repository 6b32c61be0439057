#include "tools/admin/record_mapping.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "reco/types.h"

#include "tools/terminal/json.h"
#include "tools/terminal/text_table.h"

namespace reco::admin {
namespace {

constexpr std::size_t kQuotedBytesMax = 40;

std::string_view Trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') {
    text.remove_prefix(1);
  }
  while (!text.empty() && text.back() == ' ') {
    text.remove_suffix(1);
  }
  return text;
}

std::optional<double> ParseNumber(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value)) {
    return std::nullopt;
  }
  return value;
}

Status CheckId(std::string_view what, std::string_view id) {
  if (id.empty()) {
    return Status::InvalidArgument(std::string(what) + " is empty");
  }
  if (id.size() > kIdBytesMax) {
    return Status::InvalidArgument(std::string(what) + " is longer than " +
                                   std::to_string(kIdBytesMax) + " bytes: " + Quoted(id));
  }
  return Status::Ok();
}

}  // namespace

std::vector<std::string> ColumnNames::Given() const {
  std::vector<std::string> names;
  for (const std::string& name : {user, item, weight, time, type}) {
    if (!name.empty()) {
      names.push_back(name);
    }
  }
  return names;
}

std::string Quoted(std::string_view text) {
  const bool shortened = text.size() > kQuotedBytesMax;
  return '\'' + terminal::Printable(std::string(text.substr(0, kQuotedBytesMax))) +
         (shortened ? "...'" : "'");
}

Result<std::size_t> FindColumn(const std::vector<std::string_view>& header, bool has_header,
                               const std::string& name) {
  if (has_header) {
    const auto found = std::find(header.begin(), header.end(), name);
    if (found != header.end()) {
      return static_cast<std::size_t>(found - header.begin());
    }
    std::string columns;
    for (std::string_view column : header) {
      terminal::AppendElement(&columns, Quoted(column));
    }
    return Status::InvalidArgument("the header has no column " + Quoted(name) + "; it has " +
                                   columns + " (is --delimiter right? --no-header missing?)");
  }
  std::size_t number = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  if (error != std::errc() || end != name.data() + name.size() || number == 0 ||
      number > header.size()) {
    return Status::InvalidArgument("column " + Quoted(name) + " is not a number from 1 to " +
                                   std::to_string(header.size()) + ", which --no-header needs");
  }
  return number - 1;
}

namespace {

// Returns the position of the only column of that name.
Result<std::size_t> FindOneColumn(const std::vector<std::string_view>& header, bool has_header,
                                  const std::string& name) {
  if (has_header && std::count(header.begin(), header.end(), name) > 1) {
    return Status::InvalidArgument("the header has more than one column " + Quoted(name) +
                                   ", so it is not clear which is meant: rename the others");
  }
  return FindColumn(header, has_header, name);
}

}  // namespace

Result<RecordMapping> RecordMapping::Resolve(const ColumnNames& names, const Record& first,
                                             bool has_header) {
  RecordMapping mapping;
  mapping.width_ = first.fields.size();
  RECO_ASSIGN_OR_RETURN(mapping.user_, FindOneColumn(first.fields, has_header, names.user));
  RECO_ASSIGN_OR_RETURN(mapping.item_, FindOneColumn(first.fields, has_header, names.item));
  const auto optional = [&](const std::string& name, std::optional<std::size_t>* column) -> Status {
    if (!name.empty()) {
      RECO_ASSIGN_OR_RETURN(*column, FindOneColumn(first.fields, has_header, name));
    }
    return Status::Ok();
  };
  RECO_RETURN_IF_ERROR(optional(names.weight, &mapping.weight_));
  RECO_RETURN_IF_ERROR(optional(names.time, &mapping.time_));
  if (mapping.time_) {
    mapping.times_ = TimeColumn(names.time_unit, names.no_time);
  }
  RECO_RETURN_IF_ERROR(optional(names.type, &mapping.type_));
  return mapping;
}

Result<MappedEvent> RecordMapping::Map(const Record& record) {
  if (!record.error.empty()) {
    return Status::InvalidArgument(std::string(record.error));
  }
  if (record.fields.size() != width_) {
    return Status::InvalidArgument(std::to_string(record.fields.size()) + " fields instead of " +
                                   std::to_string(width_));
  }
  MappedEvent event;
  event.user = record.fields[user_];
  event.item = record.fields[item_];
  RECO_RETURN_IF_ERROR(CheckId("user", event.user));
  RECO_RETURN_IF_ERROR(CheckId("item", event.item));
  if (weight_) {
    // Only checked: the server reads the number as it stands in the file.
    event.weight = Trimmed(record.fields[*weight_]);
    if (!event.weight.empty() && !ParseNumber(event.weight)) {
      return Status::InvalidArgument("weight is not a number: " + Quoted(event.weight));
    }
  }
  if (time_) {
    RECO_ASSIGN_OR_RETURN(const ReadTime time, times_.Read(Trimmed(record.fields[*time_])));
    event.time_ms = time.time_ms;
    event.is_skipped = time.is_skipped;
  }
  if (type_) {
    event.type = record.fields[*type_];
  }
  return event;
}

}  // namespace reco::admin
