// RecordMapping: which columns of a file mean what, and the checks that turn a line into an event.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "reco/result.h"

#include "tools/admin/record_reader.h"
#include "tools/admin/time_column.h"

namespace reco::admin {

// Columns by header name (a dotted path of JSON lines), or by 1-based number in a file without a
// header.
struct ColumnNames {
  std::string user;
  std::string item;
  std::string weight;  // empty: no such column; so for all below
  std::string time;
  std::string type;
  TimeUnit time_unit = TimeUnit::kAuto;
  NoTime no_time = NoTime::kLost;

  // Returns those that there are.
  std::vector<std::string> Given() const;
};

// One line as an event. Views borrow from the record.
struct MappedEvent {
  std::string_view user;
  std::string_view item;
  std::string_view weight = {};  // checked number; empty: the type's weight
  std::string_view type = {};    // empty: none
  std::optional<std::int64_t> time_ms = {};
  bool is_skipped = false;  // it has no time and is to be passed over (NoTime::kSkip)
};

// Returns the position of the column `name` in `header`; with `has_header` false, `name` is its
// number.
Result<std::size_t> FindColumn(const std::vector<std::string_view>& header, bool has_header,
                               const std::string& name);

// Confined to one thread: the first time that is read may tell the unit of all.
class RecordMapping {
 public:
  // Finds the columns. `first` is the header, or with `has_header` false the first record.
  // kInvalidArgument names the missing column and those there are.
  static Result<RecordMapping> Resolve(const ColumnNames& names, const Record& first,
                                       bool has_header);

  // Makes an event of a line. kInvalidArgument says what is wrong with it, with the value in
  // quotes.
  Result<MappedEvent> Map(const Record& record);

  // Of the records mapped so far; no unit without a column of times.
  const TimeFacts& times() const { return times_.facts(); }

 private:
  std::size_t width_ = 0;
  std::size_t user_ = 0;
  std::size_t item_ = 0;
  std::optional<std::size_t> weight_;
  std::optional<std::size_t> time_;
  std::optional<std::size_t> type_;
  TimeColumn times_;
};

// Returns `text` in quotes for a message, shortened to about 40 bytes, control characters replaced.
std::string Quoted(std::string_view text);

}  // namespace reco::admin
