// RecordReader: an input as records, whatever its format: CSV, TSV or JSON lines.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "reco/result.h"

#include "tools/admin/byte_source.h"

namespace reco::admin {

// Lines of ours in a file, as a file of rejected lines has them: readers pass over them.
inline constexpr std::string_view kCommentPrefix = "#reco: ";

// What a cell of JSON was; kNone: null or missing, kUnknown: CSV does not tell.
enum class CellKind : std::uint8_t { kUnknown, kText, kNumber, kBool, kNone };

// Views live until the next call of Next() and no longer than the reader.
struct Record {
  std::uint64_t line = 0;                     // 1-based number of the record's first line
  std::vector<std::string_view> fields = {};  // empty when the line is bad
  std::string_view error = {};                // empty: a good record; otherwise what is wrong
  // The record as it stands in the decoded input, without its line end; of a bad one the line that
  // is bad. Cut at the reader's bound.
  std::string_view raw = {};
  std::vector<CellKind> kinds = {};  // of each cell; empty for CSV

  CellKind KindOf(std::size_t field) const {
    return kinds.empty() ? CellKind::kUnknown : kinds[field];
  }
};

// Confined to one thread.
class RecordReader {
 public:
  virtual ~RecordReader() = default;

  // Reads the next record. Returns false at the end. An error is the source's; a malformed line is
  // none, see Record::error. With a header, the first record is the header.
  virtual Result<bool> Next(Record* record) = 0;

  // Header lines in the middle, as of files put together, that Next has passed over so far.
  virtual std::uint64_t repeated_headers() const { return 0; }

  // What the caller should tell once the first record is read, or "": columns left out.
  virtual std::string warning() const { return {}; }
};

enum class Format : std::uint8_t { kAuto, kCsv, kTsv, kJsonLines };

struct ReaderOptions {
  Format format = Format::kAuto;
  std::string delimiter = {};       // of CSV; empty: a comma, a tab for TSV
  std::optional<bool> quotes = {};  // none: on, but off for tabs and several characters
};

// Returns `options` with nothing left open: the format by the ending of the input's path (.jsonl,
// .ndjson, .tsv and .csv in any case, in front of .gz, .zst, .bz2 and the like), for another ending
// JSON lines when the text begins with a brace; and the delimiter and quotes that go with it.
ReaderOptions ResolveOptions(const Input& input, const ReaderOptions& options);

// Returns the ending by which a file of the format is known, ".csv" and so on.
std::string EndingOf(Format format);

// Opens a reader of `input`, which is borrowed. With `has_header` the first record is the header:
// for JSON lines, which have none, a made-up one of the names in `columns`, or without any of the
// names in the first object. kInvalidArgument: JSON that is no lines, JSON lines without header.
Result<std::unique_ptr<RecordReader>> OpenReader(const Input& input, const ReaderOptions& options,
                                                 bool has_header,
                                                 const std::vector<std::string>& columns);

// Returns the delimiter that `text` of a command line stands for: "\t" and "tab" are a tab.
// kInvalidArgument: it is empty, too long, or holds a quote or a line end.
Result<std::string> ParseDelimiter(const std::string& text);

}  // namespace reco::admin
