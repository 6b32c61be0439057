#include "tools/admin/import_check.h"

#include <string_view>
#include <unordered_set>

#include "tools/terminal/text_table.h"

namespace reco::admin {
namespace {

class Distinct {
 public:
  void Add(std::string_view text) {
    if (!text.empty()) {
      seen_.insert(Checksum(text));
    }
  }
  std::uint64_t count() const { return seen_.size(); }

 private:
  std::unordered_set<std::uint64_t> seen_;
};

// Returns the words as a shell would take them.
std::string CommandText(const EventCommand& command) {
  std::string text;
  for (const std::string_view word : command.arguments()) {
    text += text.empty() ? "" : " ";
    const bool is_plain = !word.empty() && word.find_first_of(" \"'\t\\") == std::string_view::npos;
    text += terminal::Printable(is_plain ? std::string(word) : '"' + std::string(word) + '"');
  }
  return text;
}

}  // namespace

Result<CheckReport> CheckInput(const Input& input, const ImportOptions& options) {
  CheckReport report;
  Distinct users;
  Distinct items;
  Distinct types;
  RECO_ASSIGN_OR_RETURN(const auto events, EventReader::Open(input, options));
  RECO_ASSIGN_OR_RETURN(bool more, events->Next());
  while (more) {
    ++report.records;
    const Result<MappedEvent>& event = events->event();
    if (!event.ok()) {
      ++report.lost;
      if (report.lost_lines.size() < kLostLinesShown) {
        report.lost_lines.push_back({events->record().line, std::string(event.status().message())});
      }
    } else if (event->is_skipped) {
      ++report.skipped;
    } else {
      ++report.events;
      users.Add(event->user);
      items.Add(event->item);
      types.Add(event->type);
      if (report.first_events.size() < kEventsShown) {
        report.first_events.push_back(CommandText(EventCommand(options, *event)));
      }
    }
    RECO_ASSIGN_OR_RETURN(more, events->Next());
  }
  report.users = users.count();
  report.items = items.count();
  report.types = types.count();
  report.repeated_headers = events->repeated_headers();
  report.times = events->times();
  report.warning = events->warning();
  return report;
}

}  // namespace reco::admin
