// Fields are remembered as places in the buffer while a record is read, because the buffer grows
// and moves, and become views when the record is whole.
#include "tools/admin/csv_reader.h"

#include <algorithm>
#include <cstring>

namespace reco::admin {
namespace {

constexpr std::size_t kReadBytes = 262'144;
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

constexpr std::string_view kNotClosed = "a quoted field is not closed";
constexpr std::string_view kTextAfterQuote = "text follows a closing quote";
constexpr std::string_view kTooLong = "the line is too long";

}  // namespace

Result<bool> CsvReader::Ensure(std::size_t at) {
  while (at >= buffer_.size()) {
    if (source_ended_) {
      return false;
    }
    const std::size_t size = buffer_.size();
    buffer_.resize(size + kReadBytes);
    auto count = source_.Read(buffer_.data() + size, kReadBytes);
    buffer_.resize(size + (count.ok() ? *count : 0));
    RECO_RETURN_IF_ERROR(count.status());
    source_ended_ = *count == 0;
  }
  return true;
}

Result<bool> CsvReader::SkipMarkAndEmptyLines() {
  if (!started_) {
    started_ = true;
    RECO_ASSIGN_OR_RETURN(const bool long_enough, Ensure(kByteOrderMark.size() - 1));
    if (long_enough &&
        std::string_view(buffer_).substr(0, kByteOrderMark.size()) == kByteOrderMark) {
      at_ = kByteOrderMark.size();
    }
  }
  while (true) {
    RECO_ASSIGN_OR_RETURN(const bool more, Ensure(at_));
    if (!more) {
      return false;
    }
    std::size_t end = at_;
    // A line that holds only CR and LF is empty too.
    if (buffer_[end] == '\r') {
      RECO_ASSIGN_OR_RETURN(const bool behind, Ensure(end + 1));
      end += behind ? 1 : 0;
    }
    if (buffer_[end] != '\n') {
      return true;
    }
    at_ = end + 1;
    ++line_;
  }
}

Result<bool> CsvReader::Next(CsvRecord* record) {
  record->fields.clear();
  record->error = {};
  RECO_ASSIGN_OR_RETURN(const bool more, SkipMarkAndEmptyLines());
  if (!more) {
    return false;
  }
  // Only now and then: each time would move the buffer for every record.
  if (at_ >= kReadBytes) {
    buffer_.erase(0, at_);
    at_ = 0;
  }
  begin_ = at_;
  record->line = line_;
  spans_.clear();
  auto outcome = Outcome::kFieldEnd;
  while (outcome == Outcome::kFieldEnd) {
    RECO_ASSIGN_OR_RETURN(outcome, ReadField());
  }
  if (outcome == Outcome::kBad) {
    RECO_RETURN_IF_ERROR(SkipBadLine(record));
    return true;
  }
  line_ += CountLines(begin_, at_);
  for (const Span& span : spans_) {
    record->fields.push_back(Resolve(span));
  }
  return true;
}

Result<CsvReader::Outcome> CsvReader::ReadField() {
  RECO_ASSIGN_OR_RETURN(const bool more, Ensure(at_));
  if (more && options_.quotes && buffer_[at_] == '"') {
    return ReadQuotedField();
  }
  const std::size_t first = at_;
  while (true) {
    RECO_ASSIGN_OR_RETURN(const bool readable, Ensure(at_));
    if (!readable) {
      break;
    }
    const char* text = buffer_.data();
    const std::size_t size = buffer_.size();
    while (at_ < size && text[at_] != options_.delimiter && text[at_] != '\n') {
      ++at_;
    }
    // Without a limit a file without line feeds would be read into memory whole.
    if (at_ - begin_ > options_.record_bytes_max) {
      error_ = kTooLong;
      return Outcome::kBad;
    }
    if (at_ < size) {
      break;
    }
  }
  std::size_t end = at_;
  const bool line_end = end >= buffer_.size() || buffer_[end] == '\n';
  // CR belongs to the line end only there; inside a line it is text.
  if (line_end && end > first && buffer_[end - 1] == '\r') {
    --end;
  }
  return EndOfField({first, end - first, false});
}

// Ends a field. at_ stands on the delimiter, the line feed or the end of the input.
Result<CsvReader::Outcome> CsvReader::EndOfField(Span field) {
  spans_.push_back(field);
  const bool field_end = at_ < buffer_.size() && buffer_[at_] == options_.delimiter;
  at_ = std::min(at_ + 1, buffer_.size());
  return field_end ? Outcome::kFieldEnd : Outcome::kRecordEnd;
}

Result<CsvReader::Outcome> CsvReader::ReadQuotedField() {
  const std::size_t first = ++at_;
  bool doubled = false;
  while (true) {
    RECO_ASSIGN_OR_RETURN(const bool readable, Ensure(at_));
    if (!readable || at_ - begin_ > options_.record_bytes_max) {
      error_ = kNotClosed;
      return Outcome::kBad;
    }
    const void* quote = std::memchr(buffer_.data() + at_, '"', buffer_.size() - at_);
    if (quote == nullptr) {
      at_ = buffer_.size();
      continue;
    }
    at_ = static_cast<std::size_t>(static_cast<const char*>(quote) - buffer_.data()) + 1;
    RECO_ASSIGN_OR_RETURN(const bool behind, Ensure(at_));
    if (!behind || buffer_[at_] != '"') {
      break;
    }
    // Undone when the record is whole; the place of the field includes both.
    doubled = true;
    ++at_;
  }
  const Span field{first, at_ - 1 - first, doubled};
  // CRLF is a line end too; a lone CR is text.
  RECO_ASSIGN_OR_RETURN(const bool two_more, Ensure(at_ + 1));
  if (two_more && buffer_[at_] == '\r' && buffer_[at_ + 1] == '\n') {
    ++at_;
  }
  const bool at_end = at_ >= buffer_.size() || (buffer_[at_] == '\r' && at_ + 1 == buffer_.size());
  if (at_end || buffer_[at_] == options_.delimiter || buffer_[at_] == '\n') {
    at_ = at_end ? buffer_.size() : at_;
    return EndOfField(field);
  }
  error_ = kTextAfterQuote;
  return Outcome::kBad;
}

Status CsvReader::SkipBadLine(CsvRecord* record) {
  record->error = error_;
  // Back to where the line began: a quote that is not closed may have swallowed many good lines.
  at_ = begin_;
  while (true) {
    RECO_ASSIGN_OR_RETURN(const bool more, Ensure(at_));
    if (!more) {
      return Status::Ok();
    }
    const void* end = std::memchr(buffer_.data() + at_, '\n', buffer_.size() - at_);
    if (end != nullptr) {
      at_ = static_cast<std::size_t>(static_cast<const char*>(end) - buffer_.data()) + 1;
      ++line_;
      return Status::Ok();
    }
    // Nothing of a line that is being thrown away has to be kept.
    buffer_.clear();
    begin_ = 0;
    at_ = 0;
  }
}

// Makes a view of a field. Doubled quotes are undone in place: the text only gets shorter.
std::string_view CsvReader::Resolve(const Span& span) {
  char* text = buffer_.data() + span.offset;
  if (!span.has_doubled_quotes) {
    return {text, span.size};
  }
  std::size_t kept = 0;
  for (std::size_t i = 0; i < span.size; ++i) {
    text[kept++] = text[i];
    i += text[i] == '"' ? 1 : 0;
  }
  return {text, kept};
}

std::uint64_t CsvReader::CountLines(std::size_t from, std::size_t to) const {
  return static_cast<std::uint64_t>(std::count(buffer_.begin() + static_cast<std::ptrdiff_t>(from),
                                               buffer_.begin() + static_cast<std::ptrdiff_t>(to),
                                               '\n'));
}

}  // namespace reco::admin
