#include "tools/admin/event_reader.h"

#include <utility>

#include "tools/admin/import_history.h"

namespace reco::admin {

Result<std::unique_ptr<EventReader>> EventReader::Open(const Input& input,
                                                       const EventOptions& options) {
  RECO_ASSIGN_OR_RETURN(
      auto records, OpenReader(input, options.reader, options.has_header, options.columns.Given()));
  std::unique_ptr<EventReader> events(
      new EventReader(options, ResolveOptions(input, options.reader).format, std::move(records)));
  Record& first = events->record_;
  RECO_ASSIGN_OR_RETURN(const bool any, events->reader_->Next(&first));
  if (!any) {
    return Status::InvalidArgument("the input is empty");
  }
  if (!first.error.empty()) {
    return Status::InvalidArgument("line " + std::to_string(first.line) + ": " +
                                   std::string(first.error));
  }
  RECO_ASSIGN_OR_RETURN(events->mapping_,
                        RecordMapping::Resolve(options.columns, first, options.has_header));
  events->is_at_first_ = !options.has_header;
  if (options.has_header) {
    events->header_ = first.raw;
  }
  return events;
}

Result<bool> EventReader::Next() {
  if (!std::exchange(is_at_first_, false)) {
    RECO_ASSIGN_OR_RETURN(const bool more, reader_->Next(&record_));
    if (!more) {
      return false;
    }
  }
  Map();
  return true;
}

void EventReader::Map() {
  event_ = mapping_->Map(record_);
  // RECO.SET has no default weight.
  if (event_.ok() && options_.replace && event_->weight.empty() && !event_->is_skipped) {
    event_ = Status::InvalidArgument("weight is empty, which --set needs");
  }
  checksum_ = event_.ok() ? Checksum(*event_) : Checksum(record_.raw);
}

}  // namespace reco::admin
