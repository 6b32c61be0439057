#include "tools/admin/item_commands.h"

#include <cstdio>
#include <string>

#include "tools/terminal/json.h"
#include "tools/terminal/numbers.h"
#include "tools/terminal/text_table.h"

namespace reco::admin {
namespace {

using End = ItemSummary::End;

std::string Count(std::uint64_t count) {
  return terminal::FormatCount(static_cast<std::int64_t>(count));
}

// "done" is said only with exit code 0.
bool IsDone(const ItemSummary& summary, const ImportItemsRequest& request) {
  return summary.end == End::kDone && summary.lost <= request.allow_errors &&
         summary.rejects_failure.empty();
}

const char* EndName(const ItemSummary& summary, const ImportItemsRequest& request) {
  switch (summary.end) {
    case End::kDone:
      return IsDone(summary, request)          ? "done"
             : summary.rejects_failure.empty() ? "lost-lines"
                                               : "no-rejects";
    case End::kStopped:
      return "stopped";
    case End::kRefused:
      return "refused";
  }
  return "";
}

std::string JsonName(const std::optional<CellType>& type) {
  return terminal::JsonStringOrNull(type ? NameOf(*type) : std::string_view());
}

void PrintJson(const ItemSummary& summary, const ImportItemsRequest& request) {
  std::string types;
  for (const ItemSummary::Column& column : summary.columns) {
    terminal::AppendMember(&types, column.name, JsonName(column.type));
  }
  std::string out;
  const auto number = [&out](std::string_view name, std::uint64_t value) {
    terminal::AppendMember(&out, name, std::to_string(value));
  };
  terminal::AppendMember(&out, "end", terminal::JsonString(EndName(summary, request)));
  number("records", summary.records);
  number("sent", summary.sent);
  number("lost", summary.lost);
  terminal::AppendMember(&out, "lost-lines", JsonOf(summary.lost_lines));
  terminal::AppendMember(&out, "rejects", terminal::JsonStringOrNull(summary.rejects_path));
  terminal::AppendMember(&out, "types", terminal::Braced(types));
  terminal::AppendMember(&out, "seconds", terminal::JsonDouble(summary.seconds));
  terminal::AppendMember(&out, "error",
                         terminal::JsonStringOrNull(
                             summary.refusal.empty() ? summary.rejects_failure : summary.refusal));
  std::printf("%s\n", terminal::Braced(out).c_str());
}

void PrintText(const ItemSummary& summary, const ImportItemsRequest& request) {
  const double rate = summary.seconds > 0 ? static_cast<double>(summary.sent) / summary.seconds : 0;
  std::printf("%s%s items in %s (%s), %s lines lost\n", IsDone(summary, request) ? "done: " : "",
              Count(summary.sent).c_str(), terminal::FormatDuration(summary.seconds).c_str(),
              terminal::FormatRate(rate).c_str(), Count(summary.lost).c_str());
  terminal::TextTable table(
      {terminal::Align::kLeft, terminal::Align::kLeft, terminal::Align::kLeft});
  table.AddRow({"column", "type", "decided by"});
  for (const ItemSummary::Column& column : summary.columns) {
    table.AddRow({terminal::Printable(column.name),
                  column.type ? std::string(NameOf(*column.type)) : "-",
                  column.type ? std::string(column.origin) : "all cells are empty"});
  }
  if (!summary.columns.empty()) {
    std::printf("%s", table.ToText(2).c_str());
  }
}

// Says on standard error what was lost, and why it ended early. Returns the exit code.
int Conclude(const ItemSummary& summary, const ImportItemsRequest& request) {
  PrintLostLines({summary.lost_lines, summary.lost, summary.rejects_path, summary.rejects_failure});
  if (!summary.rejects_failure.empty() && summary.end != End::kRefused) {
    return kExitUsage;
  }
  switch (summary.end) {
    case End::kDone:
      break;
    case End::kStopped:
      std::fprintf(stderr, "reco-admin: stopped when %s lines were lost (--stop-after)\n",
                   Count(summary.lost).c_str());
      return kExitBadLines;
    case End::kRefused:
      return Report(Status::FailedPrecondition(summary.refusal), Settings{{}, false, true});
  }
  if (summary.lost > request.allow_errors) {
    std::fprintf(stderr,
                 "reco-admin: %s lines were lost, %s are allowed (--allow-errors); mend them in "
                 "the .rejects file and import that one, or in the file and run the same command "
                 "again, which is harmless\n",
                 Count(summary.lost).c_str(), Count(request.allow_errors).c_str());
    return kExitBadLines;
  }
  return kExitDone;
}

}  // namespace

int ImportItems(Session& session, const ImportItemsRequest& request) {
  const Settings& settings = session.settings();
  terminal::ProgressMeter meter("importing " + request.key, "items",
                                terminal::StyleFor(stderr, !settings.json && !settings.quiet),
                                stderr);
  const auto warn = [](const std::string& warning) {
    std::fprintf(stderr, "reco-admin: warning: %s\n", warning.c_str());
  };
  const auto summary = ItemImporter(session.connection(), request, meter, warn).Run();
  if (!summary.ok()) {
    return Report(summary.status(), settings);
  }
  if (settings.json) {
    PrintJson(*summary, request);
  } else {
    PrintText(*summary, request);
  }
  return Conclude(*summary, request);
}

}  // namespace reco::admin
