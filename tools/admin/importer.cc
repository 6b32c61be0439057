#include "tools/admin/importer.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <memory>
#include <random>
#include <utility>

namespace reco::admin {
namespace {

using End = ImportSummary::End;
using client::Value;

// Returns the options that decide what is sent; how fast and how tolerant is left out, so that an
// import can be resumed with another pipeline or more errors.
std::string DescribeOptions(const ImportOptions& options, const Input& input) {
  const ColumnNames& columns = options.columns;
  std::string text;
  for (const std::string& part :
       {options.key, columns.user, columns.item, columns.weight, columns.time, columns.type}) {
    // With lengths, so that no two lists of names read the same.
    text += std::to_string(part.size()) + ':' + part;
  }
  text += UnitName(columns.time_unit);
  text += std::to_string(static_cast<int>(columns.no_time));
  text += Describe(ResolveOptions(input, options.reader));
  text += options.has_header ? 'h' : '-';
  text += options.replace ? 'r' : 'a';
  return text;
}

std::string NewRun() {
  std::random_device random;
  return Fingerprint(std::to_string(random()) + ':' + std::to_string(random())).substr(0, 8);
}

struct Progress {
  std::string run;
  std::uint64_t records = 0;
  bool done = false;
};

// Reads "<run> <records>", with " done" behind it when the import is complete.
Result<Progress> ParseProgress(const std::string& text) {
  Progress progress;
  const std::size_t space = text.find(' ');
  const char* end = text.data() + text.size();
  if (space != std::string::npos && space > 0) {
    progress.run = text.substr(0, space);
    const auto [stop, error] = std::from_chars(text.data() + space + 1, end, progress.records);
    progress.done = std::string_view(stop, end) == " done";
    if (error == std::errc() && (stop == end || progress.done)) {
      return progress;
    }
  }
  return Status::InvalidArgument("the key that holds the progress has an unknown value: " +
                                 Quoted(text));
}

}  // namespace

bool RefusesAllWrites(std::string_view error) {
  constexpr std::array<std::string_view, 9> kCodes = {"MISCONF",  "OOM",    "LOADING",
                                                      "NOAUTH",   "NOPERM", "WRONGTYPE",
                                                      "READONLY", "BUSY",   "MASTERDOWN"};
  const std::string_view code = error.substr(0, error.find(' '));
  return std::find(kCodes.begin(), kCodes.end(), code) != kCodes.end() ||
         error.substr(0, 19) == "ERR unknown command";
}

Result<ImportSummary> Importer::Run(Input input) {
  Status status = Begin(input);
  if (status.ok() && !ended()) {
    RECO_ASSIGN_OR_RETURN(const auto reader, OpenReader(input, options_.reader, options_.has_header,
                                                        options_.columns.Given()));
    status = SendRecords(*reader, *input.source);
    summary_.repeated_headers = reader->repeated_headers();
    summary_.warning = reader->warning();
  }
  if (status.ok() && summary_.end == End::kDone) {
    status = Finish(input.is_stream);
  }
  summary_.seconds = meter_.elapsed_s();
  // A lost connection is an end like others: the caller says how to go on.
  if (status.code() == StatusCode::kUnavailable) {
    summary_.end = End::kLost;
    summary_.refusal = std::string(status.message());
    return summary_;
  }
  RECO_RETURN_IF_ERROR(status);
  return summary_;
}

Status Importer::Begin(const Input& input) {
  // Another file, other columns or another collection is another import, with progress of its own.
  const std::string fingerprint = Fingerprint(DescribeOptions(options_, input) + input.identity);
  progress_key_ = "reco:import:" + fingerprint;
  RECO_ASSIGN_OR_RETURN(const Value stored, connection_.Call({"GET", progress_key_}));
  Value reply = stored;
  if (stored.kind == Value::Kind::kBulk && !options_.again) {
    RECO_ASSIGN_OR_RETURN(const Progress progress, ParseProgress(stored.text));
    run_ = progress.run;
    resume_at_ = progress.records;
    if (progress.done) {
      summary_.end = End::kAlreadyDone;
      summary_.records = progress.records;
      summary_.resumed = progress.records;
    }
  } else if (!stored.is_error()) {
    // A new run has new tokens, without which --again would count nothing.
    run_ = NewRun();
    RECO_ASSIGN_OR_RETURN(reply, connection_.Call({"SET", progress_key_, run_ + " 0"}));
  }
  if (reply.is_error()) {
    summary_.end = End::kRefused;
    summary_.refusal = reply.text;
  }
  token_prefix_ = "imp:" + fingerprint + ':' + run_ + ':';
  acknowledged_ = resume_at_;
  progress_at_ = resume_at_;
  return Status::Ok();
}

Status Importer::SendRecords(RecordReader& reader, const ByteSource& source) {
  Record record;
  RECO_ASSIGN_OR_RETURN(bool more, reader.Next(&record));
  if (!more) {
    return Status::InvalidArgument("the input is empty");
  }
  if (!record.error.empty()) {
    return Status::InvalidArgument("line " + std::to_string(record.line) + ": " +
                                   std::string(record.error));
  }
  RECO_ASSIGN_OR_RETURN(RecordMapping mapping,
                        RecordMapping::Resolve(options_.columns, record, options_.has_header));
  if (options_.has_header) {
    RECO_ASSIGN_OR_RETURN(more, reader.Next(&record));
  }
  while (more && !ended()) {
    RECO_RETURN_IF_ERROR(SendRecord(mapping, record));
    RECO_RETURN_IF_ERROR(DrainWhenFull(source));
    if (!ended()) {
      RECO_ASSIGN_OR_RETURN(more, reader.Next(&record));
    }
  }
  summary_.times = mapping.times();
  RECO_RETURN_IF_ERROR(Drain(0));
  if (summary_.end == End::kDone) {
    // Bad lines at the end have no reply that would move it on.
    acknowledged_ = summary_.records;
    meter_.Finish({static_cast<std::int64_t>(acknowledged_), 1, -1, {}});
  }
  return Status::Ok();
}

// Reads answers when enough is queued. Half a pipeline is sent while the other half is being
// answered.
Status Importer::DrainWhenFull(const ByteSource& source) {
  if (queued_ <= options_.pipeline / 2) {
    return Status::Ok();
  }
  RECO_RETURN_IF_ERROR(Drain(options_.pipeline / 2));
  meter_.Update({static_cast<std::int64_t>(acknowledged_), source.Fraction(), -1, {}});
  return Status::Ok();
}

Status Importer::SendRecord(RecordMapping& mapping, const Record& record) {
  ++summary_.records;
  // Lines of an earlier run are checked as well, and their bad ones count against --max-errors
  // again.
  auto event = mapping.Map(record);
  // RECO.SET has no default weight.
  if (event.ok() && options_.replace && event->weight.empty()) {
    event = Status::InvalidArgument("weight is empty, which --set needs");
  }
  if (!event.ok()) {
    CountBadLine(record.line, std::string(event.status().message()));
    return Status::Ok();
  }
  if (event->is_skipped) {
    ++summary_.skipped;
    return Status::Ok();
  }
  if (summary_.records <= resume_at_) {
    ++summary_.resumed;
    return Status::Ok();
  }
  QueueEvent(*event);
  unread_.push_back({summary_.records, record.line, false});
  return Status::Ok();
}

void Importer::QueueEvent(const MappedEvent& event) {
  std::array<std::string_view, 12> arguments;
  std::size_t count = 0;
  const auto add = [&](std::string_view argument) { arguments[count++] = argument; };
  add(options_.replace ? "RECO.SET" : "RECO.ADD");
  add(options_.key);
  add(event.user);
  add(event.item);
  if (!event.weight.empty()) {
    add(event.weight);
  }
  if (!event.type.empty()) {
    add("TYPE");
    add(event.type);
  }
  const std::string time = event.time_ms ? std::to_string(*event.time_ms) : std::string();
  if (event.time_ms) {
    add("TS");
    add(time);
  }
  const std::string token = token_prefix_ + std::to_string(summary_.records);
  // RECO.SET takes no token and needs none: set twice is set once.
  if (!options_.replace) {
    add("ID");
    add(token);
  }
  connection_.Queue(client::Arguments(arguments.data(), count))
      .IgnoreError("a lost connection shows in the next Flush or Read");
  ++queued_;
}

Status Importer::Drain(std::size_t unread_max) {
  RECO_RETURN_IF_ERROR(connection_.Flush());
  queued_ = 0;
  while (unread_.size() > unread_max) {
    RECO_ASSIGN_OR_RETURN(const Value reply, connection_.Read());
    const Unacknowledged sent = unread_.front();
    unread_.pop_front();
    RECO_RETURN_IF_ERROR(HandleReply(sent, reply));
    // Queued behind records whose replies are still missing, but it names only those that are
    // acknowledged.
    if (acknowledged_ >= progress_at_ + kProgressEvery && !ended()) {
      QueueProgress();
    }
  }
  return Status::Ok();
}

Status Importer::HandleReply(const Unacknowledged& sent, const Value& reply) {
  if (reply.is_error() && (sent.is_progress || RefusesAllWrites(reply.text))) {
    // The first refusal is the cause; the commands behind it were on their way.
    if (summary_.end != End::kRefused) {
      summary_.end = End::kRefused;
      summary_.refusal = reply.text;
    }
    return Status::Ok();
  }
  if (sent.is_progress) {
    return Status::Ok();
  }
  if (reply.is_error()) {
    CountBadLine(sent.line, reply.text);
  } else {
    ++summary_.sent;
  }
  // After a refusal the records behind it may be acknowledged, but the one refused is missing.
  if (summary_.end != End::kRefused) {
    acknowledged_ = sent.record;
  }
  return Status::Ok();
}

void Importer::QueueProgress() {
  progress_at_ = acknowledged_;
  const std::string value = run_ + ' ' + std::to_string(progress_at_);
  connection_.Queue({"SET", progress_key_, value})
      .IgnoreError("a lost connection shows in the next Flush or Read");
  unread_.push_back({progress_at_, 0, true});
  ++queued_;
}

Status Importer::Finish(bool is_stream) {
  // Another stream may begin with the same bytes, so only files are remembered.
  const std::string value = run_ + ' ' + std::to_string(summary_.records) + " done";
  RECO_ASSIGN_OR_RETURN(
      const Value reply,
      is_stream ? connection_.Call({"DEL", progress_key_})
                : connection_.Call({"SET", progress_key_, value, "EX", kDoneKeptSeconds}));
  if (reply.is_error()) {
    summary_.end = End::kRefused;
    summary_.refusal = reply.text;
  }
  return Status::Ok();
}

void Importer::CountBadLine(std::uint64_t line, std::string message) {
  ++summary_.bad;
  if (summary_.bad_lines.size() < kBadLinesShown) {
    summary_.bad_lines.push_back({line, std::move(message)});
  }
  if (summary_.bad > options_.errors_max && summary_.end == End::kDone) {
    summary_.end = End::kTooManyErrors;
  }
}

}  // namespace reco::admin
