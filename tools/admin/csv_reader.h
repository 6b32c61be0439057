// CsvReader: reads CSV and TSV as found in the wild, one record at a time, in bounded memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "reco/result.h"

#include "tools/admin/byte_source.h"
#include "tools/admin/line_buffer.h"
#include "tools/admin/record_reader.h"

namespace reco::admin {

inline constexpr std::size_t kCsvRecordBytesMax = 65'536;
inline constexpr std::uint64_t kCsvRecordLinesMax = 100;

struct CsvOptions {
  std::string delimiter = ",";  // not empty; without quotes and line ends
  bool quotes = true;           // false: a quote is a character like any other
  bool has_header = false;      // the first record's fields, met again, are passed over
  std::size_t record_bytes_max = kCsvRecordBytesMax;  // of one record, line ends in quotes included
};

// Grammar: RFC 4180 with the line ends of LineBuffer and any bytes in fields, NUL among them. A
// field that begins with a quote ends at the next single quote; a doubled quote stands for one;
// delimiters and line ends inside belong to the field. A quote elsewhere is an ordinary character.
// Empty lines and lines that begin with kCommentPrefix are passed over.
//
// A bad line costs no more than itself: when a quote is not closed within kCsvRecordLinesMax lines,
// record_bytes_max or the input, the line on which the record begins is reported, with the line of
// that quote, and reading goes on at the next line.
//
// Confined to one thread. Holds at most record_bytes_max plus one read buffer.
class CsvReader final : public RecordReader {
 public:
  // `source` is borrowed and must outlive the reader.
  CsvReader(ByteSource& source, const CsvOptions& options)
      : options_(options), lines_(source, options.record_bytes_max) {}

  Result<bool> Next(Record* record) override;
  std::uint64_t repeated_headers() const override { return repeated_headers_; }

 private:
  struct Span {
    std::size_t offset;  // in the text of lines_, which may move
    std::size_t size;
    bool has_doubled_quotes;
  };

  Result<bool> NextLine();
  // Fill record->fields, or set error_.
  Status ReadRecord(Record* record);
  void SplitAtCharacter(char delimiter, Record* record) const;
  void SplitAtString(Record* record) const;
  Status ReadWithQuotes(Record* record);
  // Reads the field at at_, and moves at_ to what follows its closing quote.
  Status ReadQuotedField();
  void Resolve(Record* record);
  void SayNotClosed(std::uint64_t line, const std::string& where);
  bool IsHeaderAgain(const Record& record);

  const CsvOptions options_;
  LineBuffer lines_;
  std::size_t at_ = 0;  // next byte of the text to look at
  std::vector<Span> spans_;
  std::string undoubled_;  // fields without the doubling of their quotes
  std::string error_;
  bool is_header_known_ = false;
  std::vector<std::string> header_;
  std::uint64_t repeated_headers_ = 0;
};

}  // namespace reco::admin
