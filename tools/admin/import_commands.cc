#include "tools/admin/import_commands.h"

#include <algorithm>
#include <deque>
#include <string_view>
#include <utility>

#include "reco/types.h"

#include "base/clock.h"
#include "tools/terminal/json.h"
#include "tools/terminal/numbers.h"
#include "tools/terminal/progress.h"

namespace reco::admin {
namespace {

using End = ImportSummary::End;

terminal::ProgressMeter ImportMeter(const Session& session, const std::string& key,
                                    const std::string& unit) {
  const Settings& settings = session.settings();
  return {"importing " + key, unit, terminal::StyleFor(stderr, !settings.json && !settings.quiet),
          stderr};
}

void PrintBadLines(const ImportSummary& summary) {
  for (const BadLine& bad : summary.bad_lines) {
    std::fprintf(stderr, "  line %llu: %s\n", static_cast<unsigned long long>(bad.line),
                 bad.message.c_str());
  }
  if (summary.bad > summary.bad_lines.size()) {
    std::fprintf(
        stderr, "  ... and %s more\n",
        terminal::FormatCount(static_cast<std::int64_t>(summary.bad - summary.bad_lines.size()))
            .c_str());
  }
}

const char* EndName(End end) {
  switch (end) {
    case End::kDone:
      return "done";
    case End::kAlreadyDone:
      return "already-imported";
    case End::kTooManyErrors:
      return "too-many-bad-lines";
    case End::kRefused:
      return "refused";
    case End::kLost:
      return "connection-lost";
  }
  return "";
}

void PrintJson(const ImportSummary& summary) {
  const TimeFacts& times = summary.times;
  std::string bad_lines;
  for (const BadLine& bad : summary.bad_lines) {
    std::string entry;
    terminal::AppendMember(&entry, "line", std::to_string(bad.line));
    terminal::AppendMember(&entry, "message", terminal::JsonString(bad.message));
    terminal::AppendElement(&bad_lines, terminal::Braced(entry));
  }
  std::printf(
      "{\"end\": \"%s\", \"records\": %llu, \"sent\": %llu, \"resumed\": %llu, \"bad\": %llu, "
      "\"bad-lines\": [%s], \"seconds\": %s, \"error\": %s, \"skipped\": %llu, "
      "\"repeated-headers\": %llu, \"time-unit\": %s, \"first-time\": %s, \"last-time\": %s}\n",
      EndName(summary.end), static_cast<unsigned long long>(summary.records),
      static_cast<unsigned long long>(summary.sent),
      static_cast<unsigned long long>(summary.resumed),
      static_cast<unsigned long long>(summary.bad), bad_lines.c_str(),
      terminal::JsonDouble(summary.seconds).c_str(),
      summary.refusal.empty() ? "null" : terminal::JsonString(summary.refusal).c_str(),
      static_cast<unsigned long long>(summary.skipped),
      static_cast<unsigned long long>(summary.repeated_headers),
      times.unit ? terminal::JsonString(UnitName(*times.unit)).c_str() : "null",
      times.first_ms ? std::to_string(*times.first_ms).c_str() : "null",
      times.last_ms ? std::to_string(*times.last_ms).c_str() : "null");
}

std::string Count(std::uint64_t count) {
  return terminal::FormatCount(static_cast<std::int64_t>(count));
}

void PrintDone(const ImportSummary& summary, const std::string& what) {
  const double rate = summary.seconds > 0 ? static_cast<double>(summary.sent) / summary.seconds : 0;
  std::printf("%s %s in %s (%s)", Count(summary.sent).c_str(), what.c_str(),
              terminal::FormatDuration(summary.seconds).c_str(),
              terminal::FormatRate(rate).c_str());
  if (summary.resumed > 0) {
    std::printf(", %s were there from an earlier run", Count(summary.resumed).c_str());
  }
  std::printf(", %s bad lines", Count(summary.bad).c_str());
  if (summary.skipped > 0) {
    std::printf(", %s skipped without a time", Count(summary.skipped).c_str());
  }
  if (summary.repeated_headers > 0) {
    std::printf(", %s header lines again in the middle", Count(summary.repeated_headers).c_str());
  }
  std::printf("\n");
  if (const TimeFacts& times = summary.times; times.is_detected && times.unit) {
    std::printf("the times were read as %s (--time-unit)\n", UnitName(*times.unit));
  }
}

// Tells what may be wrong although every line was read.
void PrintWarnings(const ImportSummary& summary) {
  for (const std::string& warning :
       {summary.warning, TimeWarning(summary.times, SystemClock().NowMs())}) {
    if (!warning.empty()) {
      std::fprintf(stderr, "reco-admin: warning: %s\n", warning.c_str());
    }
  }
}

// Says how the import ended. Returns the exit code.
int Conclude(const ImportSummary& summary, const std::string& what, const Settings& settings) {
  if (settings.json) {
    PrintJson(summary);
  } else if (summary.end == End::kDone) {
    PrintDone(summary, what);
  } else if (summary.end == End::kAlreadyDone) {
    std::printf("this input was imported before (%s lines); --again imports it once more\n",
                Count(summary.records).c_str());
  }
  PrintWarnings(summary);
  PrintBadLines(summary);
  switch (summary.end) {
    case End::kDone:
    case End::kAlreadyDone:
      return kExitDone;
    case End::kTooManyErrors:
      std::fprintf(stderr,
                   "reco-admin: stopped after %s bad lines; mend them, or raise --max-errors and "
                   "run the same command again: it goes on where it stopped\n",
                   Count(summary.bad).c_str());
      return kExitBadLines;
    case End::kRefused:
    case End::kLost:
      break;
  }
  // The JSON value has been printed already; an error must not be a second one.
  const Settings to_stderr{settings.endpoint, false, true};
  const int code = Report(summary.end == End::kLost ? Status::Unavailable(summary.refusal)
                                                    : Status::FailedPrecondition(summary.refusal),
                          to_stderr);
  std::fprintf(stderr, "  then run the same command again: it goes on where it stopped\n");
  return code;
}

// Sends the lines of one file of items. Confined to one call of ImportItems.
class ItemImport {
 public:
  ItemImport(Session& session, const ImportItemsRequest& request)
      : session_(session), request_(request), meter_(ImportMeter(session, request.key, "items")) {}

  Result<ImportSummary> Run() {
    RECO_ASSIGN_OR_RETURN(const Input input, OpenInput(request_.path));
    RECO_ASSIGN_OR_RETURN(const auto reader,
                          OpenReader(input, request_.reader, request_.has_header, Columns()));
    Record record;
    RECO_ASSIGN_OR_RETURN(bool more, reader->Next(&record));
    if (!more || !record.error.empty()) {
      return Status::InvalidArgument(more ? "the first line is bad: " + std::string(record.error)
                                          : "the input is empty");
    }
    RECO_RETURN_IF_ERROR(Resolve(record));
    if (request_.has_header) {
      RECO_ASSIGN_OR_RETURN(more, reader->Next(&record));
    }
    while (more && summary_.end == End::kDone) {
      RECO_RETURN_IF_ERROR(Send(record));
      RECO_RETURN_IF_ERROR(DrainWhenFull(*input.source));
      RECO_ASSIGN_OR_RETURN(more, reader->Next(&record));
    }
    RECO_RETURN_IF_ERROR(Drain(0));
    meter_.Finish({static_cast<std::int64_t>(summary_.sent), 1, -1, {}});
    summary_.seconds = meter_.elapsed_s();
    summary_.repeated_headers = reader->repeated_headers();
    summary_.warning = reader->warning();
    return summary_;
  }

 private:
  // Those to ask the reader for; none: all.
  std::vector<std::string> Columns() const {
    std::vector<std::string> columns = request_.columns;
    if (!columns.empty()) {
      columns.push_back(request_.item);
    }
    return columns;
  }

  Status Resolve(const Record& first) {
    // The first line says how many fields a good line has.
    width_ = first.fields.size();
    RECO_ASSIGN_OR_RETURN(item_, FindColumn(first.fields, request_.has_header, request_.item));
    for (const std::string& name : request_.columns) {
      RECO_ASSIGN_OR_RETURN(const std::size_t column,
                            FindColumn(first.fields, request_.has_header, name));
      columns_.push_back(column);
      // Without a header attributes are called column1, column2, ...
      names_.push_back(request_.has_header ? name : "column" + name);
    }
    if (request_.columns.empty()) {
      for (std::size_t column = 0; column < width_; ++column) {
        if (column != item_) {
          columns_.push_back(column);
          names_.push_back(request_.has_header ? std::string(first.fields[column])
                                               : "column" + std::to_string(column + 1));
        }
      }
    }
    return Status::Ok();
  }

  Status Send(const Record& record) {
    ++summary_.records;
    if (!record.error.empty() || record.fields.size() != width_) {
      CountBad(record.line, !record.error.empty()
                                ? std::string(record.error)
                                : std::to_string(record.fields.size()) + " fields instead of " +
                                      std::to_string(width_));
      return Status::Ok();
    }
    const std::string_view item = record.fields[item_];
    if (item.empty() || item.size() > kIdBytesMax) {
      CountBad(record.line, "item is empty or longer than 512 bytes");
      return Status::Ok();
    }
    const std::string json = AttributesJson(names_, columns_, record.fields);
    lines_.push_back(record.line);
    return session_.connection().Queue({"RECO.ITEM", "SET", request_.key, item, "ATTRS", json});
  }

  Status DrainWhenFull(const ByteSource& source) {
    if (lines_.size() < request_.pipeline) {
      return Status::Ok();
    }
    // Half a pipeline is sent while the other half is being answered.
    RECO_RETURN_IF_ERROR(Drain(request_.pipeline / 2));
    meter_.Update({static_cast<std::int64_t>(summary_.sent), source.Fraction(), -1, {}});
    return Status::Ok();
  }

  Status Drain(std::size_t unread_max) {
    while (lines_.size() > unread_max) {
      RECO_ASSIGN_OR_RETURN(const client::Value reply, session_.connection().Read());
      const std::uint64_t line = lines_.front();
      lines_.pop_front();
      if (!reply.is_error()) {
        ++summary_.sent;
      } else if (RefusesAllWrites(reply.text)) {
        summary_.end = End::kRefused;
        summary_.refusal = reply.text;
      } else {
        CountBad(line, reply.text);
      }
    }
    return Status::Ok();
  }

  void CountBad(std::uint64_t line, std::string message) {
    ++summary_.bad;
    if (summary_.bad_lines.size() < kBadLinesShown) {
      summary_.bad_lines.push_back({line, std::move(message)});
    }
    if (summary_.bad > request_.errors_max && summary_.end == End::kDone) {
      summary_.end = End::kTooManyErrors;
    }
  }

  Session& session_;
  const ImportItemsRequest& request_;
  terminal::ProgressMeter meter_;
  ImportSummary summary_;
  std::size_t width_ = 0;
  std::size_t item_ = 0;
  std::vector<std::size_t> columns_;
  std::vector<std::string> names_;
  std::deque<std::uint64_t> lines_;  // of the commands not answered yet
};

}  // namespace

std::string AttributesJson(const std::vector<std::string>& names,
                           const std::vector<std::size_t>& columns,
                           const std::vector<std::string_view>& fields) {
  std::string json;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const std::string_view cell = fields[columns[i]];
    // An empty cell says nothing; an empty string would be a value that filters find.
    if (!cell.empty()) {
      terminal::AppendMember(&json, names[i], terminal::JsonScalar(cell));
    }
  }
  return terminal::Braced(json);
}

int Import(Session& session, const std::string& path, const ImportOptions& options) {
  auto input = OpenInput(path);
  if (!input.ok()) {
    return Report(input.status(), session.settings());
  }
  terminal::ProgressMeter meter = ImportMeter(session, options.key, "lines");
  Importer importer(session.connection(), options, meter);
  const auto summary = importer.Run(std::move(input).value());
  if (!summary.ok()) {
    return Report(summary.status(), session.settings());
  }
  return Conclude(*summary, "interactions", session.settings());
}

int ImportItems(Session& session, const ImportItemsRequest& request) {
  const auto summary = ItemImport(session, request).Run();
  if (!summary.ok()) {
    return Report(summary.status(), session.settings());
  }
  return Conclude(*summary, "items", session.settings());
}

}  // namespace reco::admin
