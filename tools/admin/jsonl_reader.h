// JsonlReader: reads JSON lines, one object a line, as records with columns.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "reco/result.h"

#include "tools/admin/byte_source.h"
#include "tools/admin/line_buffer.h"
#include "tools/admin/record_reader.h"

namespace reco::admin {

inline constexpr std::size_t kJsonLineBytesMax = 1'048'576;

// Columns are named by dotted paths: user.id is the member id of the object user, and a member
// whose own name is "user.id" just as well. Cells: a string's text, a number as it is spelled, true
// and false, and nothing for null and what is missing; of a name that is said twice the last. A
// cell that is an object or an array makes the line bad when the column was asked for by name.
//
// Without names, the columns are the members of the first object in its order, objects in it taken
// apart into paths. Arrays, which no cell can hold, are left out, and warning() names them; one
// that turns up later in another column is an empty cell. Members that the first object does not
// have are not read.
//
// The first record is a header made of the names, without a line number. A line that is no object
// in valid UTF-8 is bad, and so is one of more than kJsonLineBytesMax bytes. Blank lines and lines
// that begin with kCommentPrefix are passed over.
//
// Confined to one thread.
class JsonlReader final : public RecordReader {
 public:
  // `source` is borrowed and must outlive the reader.
  JsonlReader(ByteSource& source, const std::vector<std::string>& columns);
  ~JsonlReader() override;

  Result<bool> Next(Record* record) override;
  std::string warning() const override { return warning_; }

 private:
  class Parser;
  struct Member;  // one of an object
  struct Node {
    std::size_t column = kNoColumn;
    bool is_inside = false;  // columns lie in the object of this path
  };
  static constexpr std::size_t kNoColumn = static_cast<std::size_t>(-1);

  Result<bool> NextLine();
  Status TellHeader(Record* record);
  void ReadObject(Record* record);
  // Fills the cell of a member. Returns what is wrong with it, or "".
  std::string ReadCell(const Member& member, std::size_t column, Record* record) const;
  void FindColumns();
  void WarnOfMissing(const Record& first);

  LineBuffer lines_;
  const bool are_asked_for_;
  std::vector<std::string> columns_;
  std::map<std::string, Node, std::less<>> nodes_;
  const std::unique_ptr<Parser> parser_;
  bool is_header_told_ = false;
  bool is_line_pending_ = false;  // the first line, which the header was made from
  std::string error_;
  std::string warning_;
};

}  // namespace reco::admin
