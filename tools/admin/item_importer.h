// ItemImporter: sends a file of items to a server, a line at a time, as their attributes.
//
// The types of the columns (item_types.h) are decided before the first line is sent: by the option
// --types, else as an earlier import into the collection has them, else by the cells. A regular
// file is read twice for that; of a stream the first lines are kept and decide. The collection
// keeps the types in its parameter attribute-types. Sending a file again is harmless.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "reco/result.h"
#include "reco/status.h"

#include "tools/admin/byte_source.h"
#include "tools/admin/item_columns.h"
#include "tools/admin/item_types.h"
#include "tools/admin/lost_lines.h"
#include "tools/admin/record_reader.h"
#include "tools/admin/rejects_file.h"
#include "tools/client/connection.h"
#include "tools/terminal/progress.h"

namespace reco::admin {

// Of a stream, lines and bytes that decide about the types, whichever comes first.
inline constexpr std::size_t kSurveyLines = 10'000;
inline constexpr std::size_t kSurveyBytes = 64 << 20;
inline constexpr std::size_t kUnreadBytesMax = 16 << 20;  // of lines that are not answered yet
inline constexpr std::size_t kAttributeTypesBytesMax = 8 << 10;  // as the server has it

struct ImportItemsRequest {
  std::string key;
  std::string path;                  // "-": standard input
  std::string item;                  // the column that holds the id
  std::vector<std::string> columns;  // attributes; empty: all others
  std::string types;                 // "price:number,code:text"; wins over all else
  bool replace = false;              // RECO.ITEM SET: attributes that the file lacks go
  ReaderOptions reader;
  bool has_header = true;
  std::uint64_t allow_errors = 0;  // lost lines with which an import still counts as done
  std::uint64_t stop_after = 0;    // stop when so many lines are lost; 0: never
  std::size_t pipeline = 1'000;    // commands sent before the oldest is answered
};

struct ItemSummary {
  enum class End : std::uint8_t {
    kDone,     // at the end of the file, whatever was lost on the way
    kStopped,  // stop_after lines are lost
    kRefused,  // the server refuses writes; `refusal` says why
  };
  struct Column {
    std::string name;
    std::optional<CellType> type;  // nullopt: all cells are empty
    std::string_view origin;       // who decided
  };

  End end = End::kDone;
  std::uint64_t records = 0;  // lines that hold data
  std::uint64_t sent = 0;     // acknowledged
  std::uint64_t lost = 0;
  std::vector<LostLine> lost_lines;  // the first kLostLinesShown
  std::string rejects_path;          // where they are; "": there are none
  std::string rejects_failure;       // why they are not there
  std::vector<Column> columns;
  std::string refusal;
  double seconds = 0;
};

// One import. Confined to one thread.
class ItemImporter {
 public:
  // All are borrowed. `warn` gets a line of text at a time.
  ItemImporter(client::Connection& connection, const ImportItemsRequest& request,
               terminal::ProgressMeter& meter, std::function<void(const std::string&)> warn)
      : connection_(connection), request_(request), meter_(meter), warn_(std::move(warn)) {}

  // Errors are those of the options and the input, and a lost connection; how the server and the
  // lines ended it is in the summary.
  Result<ItemSummary> Run();

 private:
  using End = ItemSummary::End;

  struct Column {
    ItemColumns::Attribute attribute;
    TypeSurvey survey;
    std::optional<CellType> type;
    Numbers numbers = Numbers::kCanonical;
    std::string_view origin;
  };
  struct SentLine {
    std::uint64_t line = 0;
    std::string raw;
  };
  // A record that outlives the reader's buffer.
  struct KeptRecord {
    std::uint64_t line = 0;
    std::vector<std::string> fields;
    std::string error;
    std::string raw;
    std::vector<CellKind> kinds;
  };

  Result<std::unique_ptr<RecordReader>> Open(const Input& input) const;

  // Reads the first line, from which the columns follow.
  Status Begin(RecordReader& reader, const std::string& ending, Record* first);
  // Looks at the cells of all lines; with `keep` only at the first ones, which it keeps.
  Status Survey(RecordReader& reader, const ByteSource& source, const Record& first, bool keep);
  Status DecideTypes();
  // Stores the types with the collection, which is made when it is missing.
  Status KeepTypes();
  Status SendAll(RecordReader& reader, const ByteSource& source);
  Status SendRecord(const Record& record, const ByteSource& source);
  // Returns the attributes as JSON; kInvalidArgument names the column whose cell does not fit.
  Result<std::string> Attributes(const Record& record);
  // Returns why the cell does not fit its column's type.
  static Status Misfit(const Column& column, std::string_view cell);
  Status Drain(std::size_t unread_max);
  void Lose(std::uint64_t line, std::string_view raw, std::string message);
  void Refuse(std::string message);
  // Returns what is wrong with a line but for the types of its cells; empty: nothing.
  std::string Fault(const Record& record) const;
  bool ended() const { return summary_.end != End::kDone; }

  client::Connection& connection_;
  const ImportItemsRequest& request_;
  terminal::ProgressMeter& meter_;
  const std::function<void(const std::string&)> warn_;
  ItemSummary summary_;
  std::size_t width_ = 0;
  std::size_t item_ = 0;
  std::vector<Column> columns_;
  bool any_good_ = false;   // a line that will be sent
  TypeList stored_;         // with the collection
  bool types_new_ = false;  // a type was decided since they were stored
  std::vector<KeptRecord> kept_;
  std::optional<RejectsFile> rejects_;
  std::deque<SentLine> unread_;  // lines of the commands not answered yet
  std::size_t unread_bytes_ = 0;
};

}  // namespace reco::admin
