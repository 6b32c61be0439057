// EventReader: an input as the events that an import sends, line by line, each with a checksum of
// what it says.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "reco/result.h"

#include "tools/admin/byte_source.h"
#include "tools/admin/record_mapping.h"
#include "tools/admin/record_reader.h"

namespace reco::admin {

// What decides which events an input has.
struct EventOptions {
  ColumnNames columns;
  ReaderOptions reader;
  bool has_header = true;
  bool replace = false;  // RECO.SET in place of RECO.ADD: each needs a weight
};

// Confined to one thread.
class EventReader {
 public:
  // `input` is borrowed. kInvalidArgument: it is empty, its first line is bad, or a column is
  // missing.
  static Result<std::unique_ptr<EventReader>> Open(const Input& input, const EventOptions& options);

  // Moves to the next record. Returns false at the end.
  Result<bool> Next();

  // Of the record at hand, until the next call of Next(). An event that is not ok says what is
  // wrong with its line.
  const Record& record() const { return record_; }
  const Result<MappedEvent>& event() const { return event_; }
  // The same for two lines that are sent alike.
  std::uint64_t checksum() const { return checksum_; }

  Format format() const { return format_; }
  // The header as it stands in the input, or "".
  const std::string& header() const { return header_; }
  const TimeFacts& times() const { return mapping_->times(); }
  std::uint64_t repeated_headers() const { return reader_->repeated_headers(); }
  std::string warning() const { return reader_->warning(); }

 private:
  EventReader(const EventOptions& options, Format format, std::unique_ptr<RecordReader> reader)
      : options_(options), format_(format), reader_(std::move(reader)) {}

  void Map();

  const EventOptions options_;
  const Format format_;
  const std::unique_ptr<RecordReader> reader_;
  std::optional<RecordMapping> mapping_;
  std::string header_;
  Record record_;
  bool is_at_first_ = false;  // it was read by Open, as there is no header
  Result<MappedEvent> event_ = MappedEvent();
  std::uint64_t checksum_ = 0;
};

}  // namespace reco::admin
