#include "tools/admin/item_importer.h"

#include <algorithm>
#include <utility>

#include "reco/types.h"

#include "tools/admin/importer.h"
#include "tools/admin/record_mapping.h"
#include "tools/terminal/json.h"

namespace reco::admin {
namespace {

using client::Value;

constexpr std::string_view kParameter = "attribute-types";
constexpr std::string_view kByOption = "--types";
constexpr std::string_view kByEarlier = "an earlier import";
constexpr std::string_view kByFile = "the file";
constexpr std::string_view kByFirstLines = "the first lines";
constexpr std::string_view kByFirstCell = "its first cell";

bool IsMissing(const Value& reply) {
  return reply.is_error() && reply.text.starts_with("ERR no such collection");
}

// Every line would be refused in the same way.
bool RefusesAll(std::string_view error) {
  return RefusesAllWrites(error) || error.starts_with("ERR unknown subcommand");
}

std::optional<CellType> FindType(const TypeList& types, std::string_view name) {
  const auto found = std::find_if(types.begin(), types.end(),
                                  [name](const auto& type) { return type.first == name; });
  return found != types.end() ? std::optional(found->second) : std::nullopt;
}

void PutType(TypeList* types, const std::string& name, CellType type) {
  const auto found = std::find_if(types->begin(), types->end(),
                                  [&name](const auto& entry) { return entry.first == name; });
  if (found != types->end()) {
    found->second = type;
  } else {
    types->emplace_back(name, type);
  }
}

}  // namespace

Result<ItemSummary> ItemImporter::Run() {
  RECO_ASSIGN_OR_RETURN(Input input, OpenInput(request_.path));
  RECO_ASSIGN_OR_RETURN(const auto reader, Open(input));
  Record first;
  RECO_RETURN_IF_ERROR(
      Begin(*reader, EndingOf(ResolveOptions(input, request_.reader).format), &first));
  RECO_RETURN_IF_ERROR(Survey(*reader, *input.source, first, input.is_stream));
  RECO_RETURN_IF_ERROR(DecideTypes());
  if (any_good_ && !ended()) {
    RECO_RETURN_IF_ERROR(KeepTypes());
  }
  if (input.is_stream) {
    for (std::size_t i = 0; i < kept_.size() && !ended(); ++i) {
      const KeptRecord& kept = kept_[i];
      RECO_RETURN_IF_ERROR(SendRecord({.line = kept.line,
                                       .fields = {kept.fields.begin(), kept.fields.end()},
                                       .error = kept.error,
                                       .raw = kept.raw,
                                       .kinds = kept.kinds},
                                      *input.source));
    }
    kept_ = {};
    RECO_RETURN_IF_ERROR(SendAll(*reader, *input.source));
  } else {
    RECO_ASSIGN_OR_RETURN(const Input again, OpenInput(request_.path));
    RECO_ASSIGN_OR_RETURN(const auto second, Open(again));
    if (request_.has_header) {
      RECO_RETURN_IF_ERROR(second->Next(&first).status());
    }
    RECO_RETURN_IF_ERROR(SendAll(*second, *again.source));
  }
  RECO_RETURN_IF_ERROR(Drain(0));
  if (types_new_ && !ended()) {
    RECO_RETURN_IF_ERROR(KeepTypes());
  }
  meter_.Finish({static_cast<std::int64_t>(summary_.sent), 1, -1, {}});
  summary_.seconds = meter_.elapsed_s();
  summary_.rejects_failure = rejects_->Flush().message();
  summary_.rejects_path = rejects_->path();
  // The server's answers come later than what is seen here.
  std::ranges::sort(summary_.lost_lines, {}, &LostLine::line);
  for (Column& column : columns_) {
    summary_.columns.push_back({column.attribute.name, column.type, column.origin});
  }
  return std::move(summary_);
}

Result<std::unique_ptr<RecordReader>> ItemImporter::Open(const Input& input) const {
  // Those to ask the reader for; none: all.
  std::vector<std::string> columns = request_.columns;
  if (!columns.empty()) {
    columns.push_back(request_.item);
  }
  return OpenReader(input, request_.reader, request_.has_header, columns);
}

Status ItemImporter::Begin(RecordReader& reader, const std::string& ending, Record* first) {
  RECO_ASSIGN_OR_RETURN(const bool more, reader.Next(first));
  if (!more || !first->error.empty()) {
    return Status::InvalidArgument(more ? "the first line is bad: " + std::string(first->error)
                                        : "the input is empty");
  }
  rejects_.emplace(request_.path, ending,
                   std::string(request_.has_header ? first->raw : std::string_view()));
  RECO_ASSIGN_OR_RETURN(ItemColumns found, ResolveItemColumns(first->fields, request_.has_header,
                                                              request_.item, request_.columns));
  width_ = found.width;
  item_ = found.item;
  for (ItemColumns::Attribute& attribute : found.attributes) {
    columns_.push_back({std::move(attribute), {}, {}, {}, {}});
  }
  RECO_ASSIGN_OR_RETURN(const TypeList types, ParseTypes(request_.types));
  for (const auto& given : types) {
    const std::string& name = given.first;  // a lambda cannot take a structured binding
    const CellType type = given.second;
    const auto column = std::find_if(columns_.begin(), columns_.end(),
                                     [&](const Column& one) { return one.attribute.name == name; });
    if (column == columns_.end()) {
      return Status::InvalidArgument("--types names " + Quoted(name) +
                                     ", which is no column that becomes an attribute");
    }
    column->type = type;
    // Who says that a column has numbers wants them however they are written.
    column->numbers = Numbers::kAny;
    column->origin = kByOption;
  }
  for (const std::string& warning : found.warnings) {
    warn_(warning);
  }
  if (const std::string warning = reader.warning(); !warning.empty()) {
    warn_(warning);
  }
  return Status::Ok();
}

Status ItemImporter::Survey(RecordReader& reader, const ByteSource& source, const Record& first,
                            bool keep) {
  Record record = first;
  bool more = true;
  if (request_.has_header) {
    RECO_ASSIGN_OR_RETURN(more, reader.Next(&record));
  }
  std::size_t bytes = 0;
  for (std::uint64_t lines = 0; more; ++lines) {
    if (Fault(record).empty()) {
      any_good_ = true;
      for (Column& column : columns_) {
        column.survey.Add(record.fields[column.attribute.at], record.KindOf(column.attribute.at));
      }
    }
    if (keep) {
      kept_.push_back({record.line,
                       {record.fields.begin(), record.fields.end()},
                       std::string(record.error),
                       std::string(record.raw),
                       record.kinds});
      bytes += record.raw.size();
      for (const std::string& field : kept_.back().fields) {
        bytes += field.size() + sizeof(std::string);
      }
      // What is read must be kept, so this is asked before the next record.
      if (kept_.size() >= kSurveyLines || bytes >= kSurveyBytes) {
        return Status::Ok();
      }
    } else if (lines % kSurveyLines == 0) {
      meter_.Update({0, source.Fraction(), -1, "looking at the types"});
    }
    RECO_ASSIGN_OR_RETURN(more, reader.Next(&record));
  }
  return Status::Ok();
}

Status ItemImporter::DecideTypes() {
  RECO_ASSIGN_OR_RETURN(const Value reply,
                        connection_.Call({"RECO.CONFIG", request_.key, "GET", kParameter}));
  if (reply.is_error() && !IsMissing(reply)) {
    Refuse(reply.text);
    return Status::Ok();
  }
  if (const Value* stored = reply.Find(kParameter); stored != nullptr) {
    RECO_ASSIGN_OR_RETURN(stored_, ParseTypes(stored->text));
  }
  for (Column& column : columns_) {
    const std::optional<CellType> stored = FindType(stored_, column.attribute.name);
    if (column.type) {
      if (stored && stored != column.type) {
        warn_("column " + Quoted(column.attribute.name) + " was of type " +
              std::string(NameOf(*stored)) + " until now: what was imported before keeps it");
      }
      continue;
    }
    column.type = stored;
    column.origin = kByEarlier;
    if (!column.type) {
      column.type = column.survey.Decide();
      column.origin = kept_.empty() ? kByFile : kByFirstLines;
    }
  }
  return Status::Ok();
}

Status ItemImporter::KeepTypes() {
  types_new_ = false;
  TypeList types = stored_;
  for (const Column& column : columns_) {
    if (column.type) {
      PutType(&types, column.attribute.name, *column.type);
    }
  }
  if (types == stored_) {
    return Status::Ok();
  }
  const std::string text = FormatTypes(types);
  if (text.size() > kAttributeTypesBytesMax) {
    warn_("the types of the columns are not kept for later imports: they take " +
          std::to_string(text.size()) + " bytes, at most " +
          std::to_string(kAttributeTypesBytesMax) + " are");
    return Status::Ok();
  }
  RECO_ASSIGN_OR_RETURN(Value reply,
                        connection_.Call({"RECO.CONFIG", request_.key, "SET", kParameter, text}));
  if (IsMissing(reply)) {
    // As the first item would make it.
    RECO_ASSIGN_OR_RETURN(reply, connection_.Call({"RECO.CREATE", request_.key, kParameter, text}));
  }
  if (reply.is_error()) {
    Refuse(reply.text);
  }
  stored_ = std::move(types);
  return Status::Ok();
}

Status ItemImporter::SendAll(RecordReader& reader, const ByteSource& source) {
  Record record;
  while (!ended()) {
    RECO_ASSIGN_OR_RETURN(const bool more, reader.Next(&record));
    if (!more) {
      break;
    }
    RECO_RETURN_IF_ERROR(SendRecord(record, source));
  }
  return Status::Ok();
}

std::string ItemImporter::Fault(const Record& record) const {
  if (!record.error.empty()) {
    return std::string(record.error);
  }
  if (record.fields.size() != width_) {
    return std::to_string(record.fields.size()) + " fields instead of " + std::to_string(width_);
  }
  const std::string_view item = record.fields[item_];
  return item.empty() || item.size() > kIdBytesMax ? "item is empty or longer than 512 bytes" : "";
}

Status ItemImporter::Misfit(const Column& column, std::string_view cell) {
  const bool is_number = *column.type == CellType::kNumber;
  const bool odd_number = is_number && CellJson(CellType::kNumber, Numbers::kAny, cell);
  std::string_view fault = is_number ? "no number" : "neither true nor false";
  if (odd_number) {
    fault = "a number that does not read back as it is written";
  }
  std::string message = "column " + Quoted(column.attribute.name) + " is of type ";
  message.append(NameOf(*column.type)).append(" by ").append(column.origin);
  message.append(", and ").append(Quoted(cell)).append(" is ").append(fault);
  if (odd_number) {
    message +=
        "; --types '" + FormatTypes({{column.attribute.name, CellType::kNumber}}) + "' takes it";
  }
  return Status::InvalidArgument(std::move(message));
}

Result<std::string> ItemImporter::Attributes(const Record& record) {
  std::string json;
  for (Column& column : columns_) {
    const std::string_view cell = record.fields[column.attribute.at];
    const CellKind kind = record.KindOf(column.attribute.at);
    // An empty cell says nothing; an empty string would be a value that filters find.
    if (cell.empty()) {
      continue;
    }
    if (!column.type) {
      // All cells before were empty; in a file that is read twice this happens only when it grew.
      column.survey.Add(cell, kind);
      column.type = column.survey.Decide();
      column.origin = kByFirstCell;
      types_new_ = true;
    }
    const Numbers numbers = kind == CellKind::kNumber ? Numbers::kAny : column.numbers;
    const auto value = CellJson(*column.type, numbers, cell);
    if (!value) {
      return Misfit(column, cell);
    }
    terminal::AppendMember(&json, column.attribute.name, *value);
  }
  return terminal::Braced(json);
}

Status ItemImporter::SendRecord(const Record& record, const ByteSource& source) {
  ++summary_.records;
  if (std::string fault = Fault(record); !fault.empty()) {
    Lose(record.line, record.raw, std::move(fault));
    return Status::Ok();
  }
  const Result<std::string> json = Attributes(record);
  if (!json.ok()) {
    Lose(record.line, record.raw, std::string(json.status().message()));
    return Status::Ok();
  }
  unread_.push_back({record.line, std::string(record.raw)});
  unread_bytes_ += record.raw.size();
  RECO_RETURN_IF_ERROR(connection_.Queue({"RECO.ITEM", request_.replace ? "SET" : "MERGE",
                                          request_.key, record.fields[item_], "ATTRS", *json}));
  if (unread_.size() >= request_.pipeline || unread_bytes_ > kUnreadBytesMax) {
    // Half a pipeline is sent while the other half is being answered.
    RECO_RETURN_IF_ERROR(Drain(std::min(unread_.size(), request_.pipeline) / 2));
    meter_.Update({static_cast<std::int64_t>(summary_.sent), source.Fraction(), -1, {}});
  }
  return Status::Ok();
}

Status ItemImporter::Drain(std::size_t unread_max) {
  while (unread_.size() > unread_max) {
    RECO_ASSIGN_OR_RETURN(const Value reply, connection_.Read());
    const SentLine sent = std::move(unread_.front());
    unread_.pop_front();
    unread_bytes_ -= sent.raw.size();
    if (!reply.is_error()) {
      ++summary_.sent;
    } else if (RefusesAll(reply.text)) {
      Refuse(reply.text);
    } else {
      Lose(sent.line, sent.raw, reply.text);
    }
  }
  return Status::Ok();
}

void ItemImporter::Refuse(std::string message) {
  // The first refusal is the cause; the commands behind it were on their way.
  if (summary_.end != End::kRefused) {
    summary_.end = End::kRefused;
    summary_.refusal = std::move(message);
  }
}

void ItemImporter::Lose(std::uint64_t line, std::string_view raw, std::string message) {
  ++summary_.lost;
  rejects_->Add(line, message, raw).IgnoreError("told by Flush");
  if (summary_.lost_lines.size() < kLostLinesShown) {
    summary_.lost_lines.push_back({line, std::move(message)});
  }
  if (request_.stop_after != 0 && summary_.lost >= request_.stop_after && !ended()) {
    summary_.end = End::kStopped;
  }
}

}  // namespace reco::admin
