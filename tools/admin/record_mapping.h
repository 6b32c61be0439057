// RecordMapping: which columns of a file mean what, and the checks that turn a line into an event.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "reco/result.h"

#include "tools/admin/csv_reader.h"

namespace reco::admin {

enum class TimeUnit : std::uint8_t { kMilliseconds, kSeconds };

// Columns by header name, or by 1-based number in a file without a header.
struct ColumnNames {
  std::string user;
  std::string item;
  std::string weight;  // empty: no such column; so for all below
  std::string time;
  std::string type;
  TimeUnit time_unit = TimeUnit::kMilliseconds;
};

// One line as an event. Views borrow from the record.
struct MappedEvent {
  std::string_view user;
  std::string_view item;
  std::string_view weight;  // checked number; empty: the type's weight
  std::string_view type;    // empty: none
  std::optional<std::int64_t> time_ms;
};

// Returns the position of the column `name` in `header`; with `has_header` false, `name` is its
// number.
Result<std::size_t> FindColumn(const std::vector<std::string_view>& header, bool has_header,
                               const std::string& name);

// Immutable after Resolve.
class RecordMapping {
 public:
  // Finds the columns. `first` is the header, or with `has_header` false the first record.
  // kInvalidArgument names the missing column and those there are.
  static Result<RecordMapping> Resolve(const ColumnNames& names, const CsvRecord& first,
                                       bool has_header);

  // Makes an event of a line. kInvalidArgument says what is wrong with it, with the value in
  // quotes.
  Result<MappedEvent> Map(const CsvRecord& record) const;

 private:
  std::size_t width_ = 0;
  std::size_t user_ = 0;
  std::size_t item_ = 0;
  std::optional<std::size_t> weight_;
  std::optional<std::size_t> time_;
  std::optional<std::size_t> type_;
  TimeUnit time_unit_ = TimeUnit::kMilliseconds;
};

// Returns `text` in quotes for a message, shortened to about 40 bytes, control characters replaced.
std::string Quoted(std::string_view text);

}  // namespace reco::admin
