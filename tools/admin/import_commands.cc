#include "tools/admin/import_commands.h"

#include <cstdio>

#include "base/clock.h"
#include "tools/admin/import_check.h"
#include "tools/admin/lost_lines.h"
#include "tools/terminal/json.h"
#include "tools/terminal/numbers.h"
#include "tools/terminal/progress.h"
#include "tools/terminal/text_table.h"

namespace reco::admin {
namespace {

using End = ImportSummary::End;

std::string Count(std::uint64_t count) {
  return terminal::FormatCount(static_cast<std::int64_t>(count));
}

std::string Lines(std::uint64_t count) {
  return Count(count) + (count == 1 ? " line" : " lines");
}

std::string LinesWere(std::uint64_t count) {
  return Lines(count) + (count == 1 ? " was" : " were");
}

bool HasTooManyLost(const ImportSummary& summary, const ImportOptions& options) {
  return summary.lost > options.allow_errors;
}

const char* EndName(const ImportSummary& summary, const ImportOptions& options) {
  switch (summary.end) {
    case End::kDone:
      return HasTooManyLost(summary, options) ? "lost-lines" : "done";
    case End::kAlreadyDone:
      return "already-imported";
    case End::kChanged:
      return "changed";
    case End::kStopped:
      return "stopped";
    case End::kRefused:
      return "refused";
    case End::kLost:
      return "connection-lost";
    case End::kReplaced:
      return "collection-deleted";
    case End::kNoRejects:
      return "no-rejects";
  }
  return "";
}

void AppendTimes(std::string* out, const TimeFacts& times) {
  terminal::AppendMember(out, "time-unit",
                         terminal::JsonStringOrNull(times.unit ? UnitName(*times.unit) : ""));
  terminal::AppendMember(out, "first-time",
                         times.first_ms ? std::to_string(*times.first_ms) : "null");
  terminal::AppendMember(out, "last-time", times.last_ms ? std::to_string(*times.last_ms) : "null");
}

void PrintJson(const ImportSummary& summary, const ImportOptions& options) {
  std::string out;
  const auto number = [&out](std::string_view name, std::uint64_t value) {
    terminal::AppendMember(&out, name, std::to_string(value));
  };
  terminal::AppendMember(&out, "end", terminal::JsonString(EndName(summary, options)));
  number("records", summary.records);
  number("sent", summary.sent);
  number("resumed", summary.resumed);
  number("lost", summary.lost);
  terminal::AppendMember(&out, "lost-lines", JsonOf(summary.lost_lines));
  terminal::AppendMember(&out, "rejects", terminal::JsonStringOrNull(summary.rejects_path));
  number("skipped", summary.skipped);
  number("repeated-headers", summary.repeated_headers);
  AppendTimes(&out, summary.times);
  terminal::AppendMember(&out, "seconds", terminal::JsonDouble(summary.seconds));
  terminal::AppendMember(&out, "error",
                         terminal::JsonStringOrNull(
                             summary.refusal.empty() ? summary.rejects_failure : summary.refusal));
  std::printf("%s\n", terminal::Braced(out).c_str());
}

// "done" is said only with exit code 0.
void PrintSent(const ImportSummary& summary, const ImportOptions& options) {
  const double rate = summary.seconds > 0 ? static_cast<double>(summary.sent) / summary.seconds : 0;
  std::printf("%s%s interactions in %s (%s)",
              HasTooManyLost(summary, options) ? "" : "done: ", Count(summary.sent).c_str(),
              terminal::FormatDuration(summary.seconds).c_str(),
              terminal::FormatRate(rate).c_str());
  if (summary.resumed > 0) {
    std::printf(", behind %s that an earlier import had finished", Lines(summary.resumed).c_str());
  }
  if (summary.skipped > 0) {
    std::printf(", %s skipped without a time", Count(summary.skipped).c_str());
  }
  if (summary.repeated_headers > 0) {
    std::printf(", %s header lines again in the middle", Count(summary.repeated_headers).c_str());
  }
  std::printf(", %s lost\n", Lines(summary.lost).c_str());
  if (const TimeFacts& times = summary.times; times.is_detected && times.unit) {
    std::printf("the times were read as %s (--time-unit)\n", UnitName(*times.unit));
  }
}

// Tells what may be wrong although every line was read.
void PrintWarnings(const std::string& of_reader, const TimeFacts& times) {
  for (const std::string& warning : {of_reader, TimeWarning(times, SystemClock().NowMs())}) {
    if (!warning.empty()) {
      std::fprintf(stderr, "reco-admin: warning: %s\n", warning.c_str());
    }
  }
}

// Says what to do about lost lines. Returns the exit code.
int ConcludeLost(const ImportSummary& summary, const ImportOptions& options) {
  if (!HasTooManyLost(summary, options)) {
    return kExitDone;
  }
  if (summary.lost_before > 0) {
    std::fprintf(stderr,
                 "reco-admin: %s lost by an earlier import, which has written them to a "
                 ".rejects file\n",
                 LinesWere(summary.lost_before).c_str());
  }
  std::fprintf(
      stderr,
      "reco-admin: %s were lost, and %s allowed (--allow-errors); mend them in the "
      ".rejects file and import that one: the file itself would be another one when its "
      "lines are changed\n",
      Lines(summary.lost).c_str(),
      (options.allow_errors == 0 ? std::string("none is") : Count(options.allow_errors) + " are")
          .c_str());
  return kExitBadLines;
}

int ConcludeChanged(const ImportSummary& summary) {
  std::fprintf(
      stderr,
      "reco-admin: this is a changed version of %s, of which an earlier import has finished %s; "
      "nothing was sent now\n"
      "  To send lines that were lost then, mend and import its .rejects file. Else say "
      "what to do:\n"
      "  --resume-anyway sends what is behind the first %s, --again sends all of it once "
      "more\n",
      Quoted(summary.earlier->name).c_str(), Lines(summary.earlier->records).c_str(),
      Lines(summary.earlier->records).c_str());
  return kExitUsage;
}

// With --again it would begin anew.
const char* HowToGoOn(const ImportOptions& options) {
  return options.again ? "the same command without --again" : "the same command again";
}

// Says how the import ended. Returns the exit code.
int Conclude(const ImportSummary& summary, const ImportOptions& options, const Settings& settings) {
  if (settings.json) {
    PrintJson(summary, options);
  } else if (summary.end == End::kDone) {
    PrintSent(summary, options);
  } else if (summary.end == End::kAlreadyDone) {
    const bool is_shorter = summary.earlier && summary.records < summary.earlier->records;
    std::printf(is_shorter
                    ? "nothing is behind the first %s, which an earlier import has finished\n"
                    : "this input was imported before (%s); --again imports it once more\n",
                Lines(is_shorter ? summary.earlier->records : summary.records).c_str());
  }
  PrintWarnings(summary.warning, summary.times);
  PrintLostLines({summary.lost_lines, summary.lost - summary.lost_before, summary.rejects_path,
                  summary.rejects_failure});
  switch (summary.end) {
    case End::kDone:
    case End::kAlreadyDone:
      return ConcludeLost(summary, options);
    case End::kChanged:
      return ConcludeChanged(summary);
    case End::kStopped:
      std::fprintf(stderr,
                   "reco-admin: stopped when %s lost (--stop-after); %s goes on where it "
                   "stopped\n",
                   LinesWere(summary.lost - summary.lost_before).c_str(), HowToGoOn(options));
      return kExitBadLines;
    case End::kReplaced:
      std::fprintf(stderr,
                   "reco-admin: the collection was deleted or renamed while its import ran, and "
                   "its key holds another one with a part of the lines: delete that (DEL) and run "
                   "the same command again\n");
      return kExitRefused;
    case End::kNoRejects:
      std::fprintf(stderr,
                   "reco-admin: stopped, since the lost lines could not be kept; then run %s: it "
                   "goes on where it stopped\n",
                   HowToGoOn(options));
      return kExitUsage;
    case End::kRefused:
    case End::kLost:
      break;
  }
  // The JSON value has been printed already; an error must not be a second one.
  const Settings to_stderr{settings.endpoint, false, true};
  const int code = Report(summary.end == End::kLost ? Status::Unavailable(summary.refusal)
                                                    : Status::FailedPrecondition(summary.refusal),
                          to_stderr);
  // Another kind of key stays one.
  if (!summary.refusal.starts_with("WRONGTYPE")) {
    std::fprintf(stderr, "  then run %s: it goes on where it stopped\n", HowToGoOn(options));
  }
  return code;
}

void PrintCheckJson(const CheckReport& report) {
  std::string out;
  const auto number = [&out](std::string_view name, std::uint64_t value) {
    terminal::AppendMember(&out, name, std::to_string(value));
  };
  number("records", report.records);
  number("events", report.events);
  number("lost", report.lost);
  terminal::AppendMember(&out, "lost-lines", JsonOf(report.lost_lines));
  number("skipped", report.skipped);
  number("repeated-headers", report.repeated_headers);
  number("users", report.users);
  number("items", report.items);
  number("types", report.types);
  AppendTimes(&out, report.times);
  std::string events;
  for (const std::string& event : report.first_events) {
    terminal::AppendElement(&events, terminal::JsonString(event));
  }
  terminal::AppendMember(&out, "first-events", std::string("[").append(events).append("]"));
  std::printf("%s\n", terminal::Braced(out).c_str());
}

void PrintCheck(const CheckReport& report) {
  terminal::TextTable table({terminal::Align::kLeft, terminal::Align::kRight});
  table.AddRow({"lines", Count(report.records)});
  table.AddRow({"events", Count(report.events)});
  table.AddRow({"lines that would be lost", Count(report.lost)});
  table.AddRow({"lines skipped without a time", Count(report.skipped)});
  table.AddRow({"header lines in the middle", Count(report.repeated_headers)});
  table.AddRow({"users", Count(report.users)});
  table.AddRow({"items", Count(report.items)});
  table.AddRow({"types", Count(report.types)});
  if (const TimeFacts& times = report.times; times.unit && times.first_ms && times.last_ms) {
    table.AddRow({"unit of the times", UnitName(*times.unit)});
    table.AddRow({"first time", TimeText(*times.first_ms)});
    table.AddRow({"last time", TimeText(*times.last_ms)});
  }
  std::fputs(table.ToText().c_str(), stdout);
  for (const std::string& event : report.first_events) {
    std::printf("  %s\n", event.c_str());
  }
}

}  // namespace

int Import(Session& session, const std::string& path, const ImportOptions& options) {
  const Settings& settings = session.settings();
  auto input = OpenInput(path);
  if (!input.ok()) {
    return Report(input.status(), settings);
  }
  terminal::ProgressMeter meter("importing " + options.key, "lines",
                                terminal::StyleFor(stderr, !settings.json && !settings.quiet),
                                stderr);
  Importer importer(session.connection(), options, meter, [&path] { return OpenInput(path); });
  const auto summary = importer.Run(std::move(input).value());
  if (!summary.ok()) {
    return Report(summary.status(), settings);
  }
  return Conclude(*summary, options, settings);
}

int CheckImport(const Settings& settings, const std::string& path, const ImportOptions& options) {
  auto input = OpenInput(path);
  if (!input.ok()) {
    return Report(input.status(), settings);
  }
  const auto report = CheckInput(*input, options);
  if (!report.ok()) {
    return Report(report.status(), settings);
  }
  if (settings.json) {
    PrintCheckJson(*report);
  } else {
    PrintCheck(*report);
  }
  PrintWarnings(report->warning, report->times);
  PrintLostLines({report->lost_lines, report->lost, {}, {}});
  return report->lost > options.allow_errors ? kExitBadLines : kExitDone;
}

}  // namespace reco::admin
