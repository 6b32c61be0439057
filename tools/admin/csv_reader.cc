// A line without quotes is split where it stands. Fields of one with quotes are remembered as
// places while it is read, because the text grows and moves, and become views when the record is
// whole.
#include "tools/admin/csv_reader.h"

#include <algorithm>
#include <cstring>

namespace reco::admin {
namespace {

std::string SizeText(std::size_t bytes) {
  return bytes % 1024 == 0 ? std::to_string(bytes / 1024) + " KiB"
                           : std::to_string(bytes) + " bytes";
}

}  // namespace

Result<bool> CsvReader::NextLine() {
  while (true) {
    RECO_ASSIGN_OR_RETURN(const bool more, lines_.Next());
    if (!more) {
      return false;
    }
    const std::string_view text = lines_.text();
    if (!text.empty() && (text[0] != '#' || !text.starts_with(kCommentPrefix))) {
      return true;
    }
  }
}

Result<bool> CsvReader::Next(Record* record) {
  record->error = {};
  record->kinds.clear();
  do {
    record->fields.clear();
    RECO_ASSIGN_OR_RETURN(const bool more, NextLine());
    if (!more) {
      return false;
    }
    record->line = lines_.line();
    RECO_RETURN_IF_ERROR(ReadRecord(record));
    if (!error_.empty()) {
      record->fields.clear();
      record->error = error_;
      // Back to where the line began: a quote that is not closed may have swallowed good lines.
      lines_.KeepFirstLine();
    }
    record->raw = lines_.text();
  } while (options_.has_header && IsHeaderAgain(*record));
  return true;
}

// Remembers the first record, and answers whether a later one is the same.
bool CsvReader::IsHeaderAgain(const Record& record) {
  if (!is_header_known_) {
    is_header_known_ = true;
    header_.assign(record.fields.begin(), record.fields.end());
    return false;
  }
  // Most records differ in their first field already.
  if (record.fields.empty() ||
      !std::equal(record.fields.begin(), record.fields.end(), header_.begin(), header_.end())) {
    return false;
  }
  ++repeated_headers_;
  return true;
}

Status CsvReader::ReadRecord(Record* record) {
  error_.clear();
  if (lines_.is_cut()) {
    error_ = "the line is longer than " + SizeText(options_.record_bytes_max);
    return Status::Ok();
  }
  const std::string_view text = lines_.text();
  if (options_.quotes && std::memchr(text.data(), '"', text.size()) != nullptr) {
    return ReadWithQuotes(record);
  }
  if (options_.delimiter.size() == 1) {
    SplitAtCharacter(options_.delimiter[0], record);
  } else {
    SplitAtString(record);
  }
  return Status::Ok();
}

void CsvReader::SplitAtCharacter(char delimiter, Record* record) const {
  const std::string_view text = lines_.text();
  const char* const end = text.data() + text.size();
  const char* first = text.data();
  for (const char* at = first; at != end; ++at) {
    if (*at == delimiter) {
      record->fields.emplace_back(first, static_cast<std::size_t>(at - first));
      first = at + 1;
    }
  }
  record->fields.emplace_back(first, static_cast<std::size_t>(end - first));
}

void CsvReader::SplitAtString(Record* record) const {
  const std::string_view text = lines_.text();
  std::size_t first = 0;
  while (true) {
    const std::size_t at = text.find(options_.delimiter, first);
    record->fields.push_back(text.substr(first, at - first));
    if (at == std::string_view::npos) {
      return;
    }
    first = at + options_.delimiter.size();
  }
}

Status CsvReader::ReadWithQuotes(Record* record) {
  spans_.clear();
  at_ = 0;
  while (true) {
    if (at_ < lines_.text().size() && lines_.text()[at_] == '"') {
      RECO_RETURN_IF_ERROR(ReadQuotedField());
      if (!error_.empty()) {
        return Status::Ok();
      }
    } else {
      const std::size_t stop =
          std::min(lines_.text().find(options_.delimiter, at_), lines_.text().size());
      spans_.push_back({at_, stop - at_, false});
      at_ = stop;
    }
    const std::string_view rest = lines_.text().substr(at_);
    if (rest.empty()) {
      break;
    }
    if (!rest.starts_with(options_.delimiter)) {
      error_ = "text follows a closing quote";
      return Status::Ok();
    }
    at_ += options_.delimiter.size();
  }
  Resolve(record);
  return Status::Ok();
}

Status CsvReader::ReadQuotedField() {
  const std::uint64_t line = lines_.line() + lines_.lines() - 1;
  const std::size_t first = ++at_;
  bool doubled = false;
  while (true) {
    const std::string_view text = lines_.text();
    const std::size_t quote = text.find('"', at_);
    if (quote == std::string_view::npos) {
      at_ = text.size();
      if (lines_.lines() >= kCsvRecordLinesMax) {
        SayNotClosed(line, "within " + std::to_string(kCsvRecordLinesMax) + " lines");
        return Status::Ok();
      }
      RECO_ASSIGN_OR_RETURN(const auto extension, lines_.Extend());
      if (extension != LineBuffer::Extension::kDone) {
        SayNotClosed(line, extension == LineBuffer::Extension::kTooLong
                               ? "within " + SizeText(options_.record_bytes_max)
                               : "before the end of the input");
        return Status::Ok();
      }
      continue;
    }
    at_ = quote + 1;
    if (at_ == text.size() || text[at_] != '"') {
      break;
    }
    // Undone when the record is whole; the place of the field includes both.
    doubled = true;
    ++at_;
  }
  spans_.push_back({first, at_ - 1 - first, doubled});
  return Status::Ok();
}

void CsvReader::SayNotClosed(std::uint64_t line, const std::string& where) {
  const std::string begins = line == lines_.line() ? "here" : "in line " + std::to_string(line);
  error_ = "a quoted field that begins " + begins + " is not closed " + where;
}

// Makes views of the fields. The text itself stays as it is, for Record::raw.
void CsvReader::Resolve(Record* record) {
  const std::string_view text = lines_.text();
  undoubled_.clear();
  // Enough for all, so that views into it stay.
  undoubled_.reserve(text.size());
  for (const Span& span : spans_) {
    const std::string_view field = text.substr(span.offset, span.size);
    if (!span.has_doubled_quotes) {
      record->fields.push_back(field);
      continue;
    }
    const std::size_t begin = undoubled_.size();
    for (std::size_t i = 0; i < field.size(); ++i) {
      undoubled_ += field[i];
      i += field[i] == '"' ? 1 : 0;
    }
    record->fields.push_back(std::string_view(undoubled_).substr(begin));
  }
}

}  // namespace reco::admin
