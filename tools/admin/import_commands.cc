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

}  // namespace

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

}  // namespace reco::admin
