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

const char* EndName(End end) {
  switch (end) {
    case End::kDone:
      return "done";
    case End::kStopped:
      return "too-many-bad-lines";
    case End::kRefused:
      return "refused";
  }
  return "";
}

std::string JsonName(const std::optional<CellType>& type) {
  return type ? terminal::JsonString(NameOf(*type)) : "null";
}

void PrintJson(const ItemSummary& summary) {
  std::string lines;
  for (const ItemSummary::LostLine& lost : summary.lost_lines) {
    std::string entry;
    terminal::AppendMember(&entry, "line", std::to_string(lost.line));
    terminal::AppendMember(&entry, "message", terminal::JsonString(lost.message));
    terminal::AppendElement(&lines, terminal::Braced(entry));
  }
  std::string types;
  for (const ItemSummary::Column& column : summary.columns) {
    terminal::AppendMember(&types, column.name, JsonName(column.type));
  }
  std::string out;
  const auto number = [&out](std::string_view name, std::uint64_t value) {
    terminal::AppendMember(&out, name, std::to_string(value));
  };
  terminal::AppendMember(&out, "end", terminal::JsonString(EndName(summary.end)));
  number("records", summary.records);
  number("sent", summary.sent);
  number("bad", summary.lost);
  terminal::AppendMember(&out, "bad-lines", std::string("[").append(lines).append("]"));
  terminal::AppendMember(&out, "types", terminal::Braced(types));
  terminal::AppendMember(&out, "seconds", terminal::JsonDouble(summary.seconds));
  terminal::AppendMember(&out, "error",
                         summary.refusal.empty() ? "null" : terminal::JsonString(summary.refusal));
  std::printf("%s\n", terminal::Braced(out).c_str());
}

void PrintText(const ItemSummary& summary) {
  const double rate = summary.seconds > 0 ? static_cast<double>(summary.sent) / summary.seconds : 0;
  std::printf("%s items in %s (%s), %s lines lost\n", Count(summary.sent).c_str(),
              terminal::FormatDuration(summary.seconds).c_str(), terminal::FormatRate(rate).c_str(),
              Count(summary.lost).c_str());
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
  for (const ItemSummary::LostLine& lost : summary.lost_lines) {
    std::fprintf(stderr, "  line %llu: %s\n", static_cast<unsigned long long>(lost.line),
                 terminal::Printable(lost.message).c_str());
  }
  if (summary.lost > summary.lost_lines.size()) {
    std::fprintf(stderr, "  ... and %s more\n",
                 Count(summary.lost - summary.lost_lines.size()).c_str());
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
  if (summary.lost > request.errors_allowed) {
    std::fprintf(stderr,
                 "reco-admin: %s lines were lost, %s are allowed (--allow-errors); mend them and "
                 "run the same command again, which is harmless\n",
                 Count(summary.lost).c_str(), Count(request.errors_allowed).c_str());
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
    PrintJson(*summary);
  } else {
    PrintText(*summary);
  }
  return Conclude(*summary, request);
}

}  // namespace reco::admin
