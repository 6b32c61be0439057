#include "tools/admin/jsonl_reader.h"

#include <algorithm>
#include <cstring>
#include <simdjson.h>
#include <utility>

#include "base/json.h"
#include "tools/admin/record_mapping.h"
#include "tools/terminal/json.h"

namespace reco::admin {

using simdjson::ondemand::json_type;

struct JsonlReader::Member {
  std::string_view path;
  simdjson::ondemand::value value;
  json_type type;
};

// Visits the values of one object that lie in no array. Keeps the object's text and the strings in
// it until the next one.
class JsonlReader::Parser {
 public:
  // Begins with an object. Returns false when `text` is none.
  bool Load(std::string_view text) {
    // The whole line is checked first: what is read on demand passes over damage elsewhere.
    if (!IsJsonObject(text)) {
      return false;
    }
    // simdjson reads past the end of its text, within a padding of its own.
    if (padded_.size() < text.size() + simdjson::SIMDJSON_PADDING) {
      padded_.resize(text.size() + simdjson::SIMDJSON_PADDING);
    }
    std::memcpy(padded_.data(), text.data(), text.size());
    std::memset(padded_.data() + text.size(), ' ', simdjson::SIMDJSON_PADDING);
    path_.clear();
    return parser_.iterate(padded_.data(), text.size(), padded_.size()).get(document_) ==
               simdjson::SUCCESS &&
           document_.get_object().get(object_) == simdjson::SUCCESS;
  }

  // Calls visit(path, value, type) for each member. True makes it go into the member, an object.
  // Returns false when a string in it is none.
  template <typename Visit>
  bool Walk(const Visit& visit) {
    return WalkObject(object_, visit);
  }

  // Returns a cell's text. False for a string with half a surrogate pair.
  static bool Text(simdjson::ondemand::value value, json_type type, std::string_view* text) {
    if (type == json_type::string) {
      return value.get_string().get(*text) == simdjson::SUCCESS;
    }
    *text = value.raw_json_token();
    // With what stands between the value and the next token.
    while (!text->empty() && std::strchr(" \t\r\n", text->back()) != nullptr) {
      text->remove_suffix(1);
    }
    return true;
  }

 private:
  template <typename Visit>
  bool WalkObject(simdjson::ondemand::object object, const Visit& visit) {
    const std::size_t outside = path_.size();
    for (auto result : object) {
      simdjson::ondemand::field field;
      std::string_view name;
      json_type type{};
      if (std::move(result).get(field) != simdjson::SUCCESS ||
          field.unescaped_key().get(name) != simdjson::SUCCESS ||
          field.value().type().get(type) != simdjson::SUCCESS) {
        return false;
      }
      path_.resize(outside);
      path_ += path_.empty() ? "" : ".";
      path_ += name;
      if (visit(std::string_view(path_), field.value(), type)) {
        simdjson::ondemand::object inner;
        if (field.value().get_object().get(inner) != simdjson::SUCCESS ||
            !WalkObject(inner, visit)) {
          return false;
        }
      }
    }
    path_.resize(outside);
    return true;
  }

  simdjson::ondemand::parser parser_;
  simdjson::ondemand::document document_;
  simdjson::ondemand::object object_;
  std::string padded_;
  std::string path_;  // of the value being visited
};

namespace {

constexpr std::string_view kNoObject = "not one JSON object in UTF-8";

CellKind KindOf(json_type type) {
  switch (type) {
    case json_type::number:
      return CellKind::kNumber;
    case json_type::boolean:
      return CellKind::kBool;
    case json_type::null:
      return CellKind::kNone;
    default:
      return CellKind::kText;
  }
}

}  // namespace

JsonlReader::JsonlReader(ByteSource& source, const std::vector<std::string>& columns)
    : lines_(source, kJsonLineBytesMax),
      are_asked_for_(!columns.empty()),
      parser_(std::make_unique<Parser>()) {
  for (const std::string& column : columns) {
    if (std::find(columns_.begin(), columns_.end(), column) == columns_.end()) {
      columns_.push_back(column);
    }
  }
}

JsonlReader::~JsonlReader() = default;

Result<bool> JsonlReader::NextLine() {
  while (true) {
    RECO_ASSIGN_OR_RETURN(const bool more, lines_.Next());
    if (!more) {
      return false;
    }
    const std::string_view text = lines_.text();
    if (text.find_first_not_of(" \t\r") != std::string_view::npos &&
        !text.starts_with(kCommentPrefix)) {
      return true;
    }
  }
}

Result<bool> JsonlReader::Next(Record* record) {
  record->fields.clear();
  record->kinds.clear();
  record->error = {};
  if (!is_line_pending_) {
    RECO_ASSIGN_OR_RETURN(const bool more, NextLine());
    if (!more) {
      return false;
    }
  }
  is_line_pending_ = false;
  record->line = lines_.line();
  record->raw = lines_.text();
  error_.clear();
  if (lines_.is_cut()) {
    error_ = "the line is longer than " + std::to_string(kJsonLineBytesMax / 1024) + " KiB";
  } else if (!is_header_told_) {
    RECO_RETURN_IF_ERROR(TellHeader(record));
  } else {
    ReadObject(record);
  }
  if (!error_.empty()) {
    record->fields.clear();
    record->kinds.clear();
    record->error = error_;
  }
  return true;
}

// Makes the header. The first line is only looked at: it comes again as a record.
Status JsonlReader::TellHeader(Record* record) {
  if (!are_asked_for_) {
    FindColumns();
    if (!error_.empty()) {
      return Status::Ok();
    }
  }
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    const std::string& column = columns_[i];
    nodes_[column].column = i;
    for (std::size_t dot = column.find('.'); dot != std::string::npos;
         dot = column.find('.', dot + 1)) {
      nodes_[column.substr(0, dot)].is_inside = true;
    }
  }
  if (are_asked_for_) {
    ReadObject(record);
    if (error_.empty()) {
      WarnOfMissing(*record);
    }
    // A bad line says so in its turn.
    error_.clear();
    record->kinds.clear();
  }
  record->fields.assign(columns_.begin(), columns_.end());
  record->line = 0;
  record->raw = {};
  is_header_told_ = true;
  is_line_pending_ = true;
  return Status::Ok();
}

void JsonlReader::FindColumns() {
  std::string left_out;
  const bool is_object =
      parser_->Load(lines_.text()) &&
      parser_->Walk([&](std::string_view path, simdjson::ondemand::value, json_type type) {
        if (type == json_type::array) {
          terminal::AppendElement(&left_out, Quoted(path));
        } else if (type != json_type::object &&
                   std::find(columns_.begin(), columns_.end(), path) == columns_.end()) {
          columns_.emplace_back(path);
        }
        return type == json_type::object;
      });
  if (!is_object) {
    columns_.clear();
    error_ = kNoObject;
  } else if (!left_out.empty()) {
    warning_ = "left out, because they are arrays: " + left_out;
  }
}

void JsonlReader::WarnOfMissing(const Record& first) {
  std::string missing;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    if (first.kinds[i] == CellKind::kNone) {
      terminal::AppendElement(&missing, Quoted(columns_[i]));
    }
  }
  if (!missing.empty()) {
    warning_ = "the first object has no " + missing;
  }
}

std::string JsonlReader::ReadCell(const Member& member, std::size_t column, Record* record) const {
  const bool is_object = member.type == json_type::object;
  if (is_object || member.type == json_type::array) {
    if (!are_asked_for_) {
      return {};
    }
    const std::string path = Quoted(member.path);
    return is_object ? path + " is an object; name a value in it, as in " +
                           Quoted(std::string(member.path) + ".id")
                     : path + " is an array";
  }
  std::string_view text;
  record->kinds[column] = KindOf(member.type);
  const bool good =
      member.type == json_type::null || Parser::Text(member.value, member.type, &text);
  record->fields[column] = text;
  return good ? std::string() : Quoted(member.path) + " holds half a surrogate pair";
}

void JsonlReader::ReadObject(Record* record) {
  record->fields.assign(columns_.size(), {});
  record->kinds.assign(columns_.size(), CellKind::kNone);
  const auto visit = [&](std::string_view path, simdjson::ondemand::value value, json_type type) {
    const auto found = nodes_.find(path);
    if (found == nodes_.end()) {
      return false;
    }
    if (const std::size_t column = found->second.column; column != kNoColumn) {
      const std::string problem = ReadCell({path, value, type}, column, record);
      error_ = error_.empty() ? problem : error_;
    }
    return type == json_type::object && found->second.is_inside;
  };
  if (!parser_->Load(lines_.text()) || !parser_->Walk(visit)) {
    error_ = kNoObject;
  }
}

}  // namespace reco::admin
