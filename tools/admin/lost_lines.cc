#include "tools/admin/lost_lines.h"

#include <cstdio>

#include "tools/terminal/json.h"
#include "tools/terminal/numbers.h"
#include "tools/terminal/text_table.h"

namespace reco::admin {

void PrintLostLines(const LostLinesReport& report) {
  for (const LostLine& lost : report.shown) {
    std::fprintf(stderr, "  line %llu: %s\n", static_cast<unsigned long long>(lost.line),
                 terminal::Printable(lost.message).c_str());
  }
  if (report.count > report.shown.size()) {
    std::fprintf(
        stderr, "  ... and %s more\n",
        terminal::FormatCount(static_cast<std::int64_t>(report.count - report.shown.size()))
            .c_str());
  }
  if (!report.rejects_path.empty()) {
    std::fprintf(stderr, "  the lost lines, each behind its reason, are in %s\n",
                 report.rejects_path.c_str());
  }
  if (!report.rejects_failure.empty()) {
    std::fprintf(stderr, "reco-admin: %s\n", report.rejects_failure.c_str());
  }
}

std::string JsonOf(const std::vector<LostLine>& lines) {
  std::string list;
  for (const LostLine& lost : lines) {
    std::string entry;
    terminal::AppendMember(&entry, "line", std::to_string(lost.line));
    terminal::AppendMember(&entry, "message", terminal::JsonString(lost.message));
    terminal::AppendElement(&list, terminal::Braced(entry));
  }
  return std::string("[").append(list).append("]");
}

}  // namespace reco::admin
