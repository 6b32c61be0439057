#include "tools/admin/record_reader.h"

#include <algorithm>
#include <array>
#include <utility>

#include "tools/admin/csv_reader.h"
#include "tools/admin/jsonl_reader.h"
#include "tools/admin/rejects_file.h"

namespace reco::admin {
namespace {

constexpr std::size_t kDelimiterBytesMax = 16;
constexpr std::array<std::string_view, 7> kPackings = {".gz",  ".gzip", ".zst", ".zstd",
                                                       ".bz2", ".bz",   ".z"};

std::string LowerCase(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return lower;
}

// Returns the last ending of the file's name, in front of that of its packing.
std::string Ending(std::string_view path) {
  // A file of rejected lines is what the file is that they are from, but not packed.
  std::string name = LowerCase(WithoutRejectsEnding(path.substr(path.find_last_of('/') + 1)));
  for (const std::string_view packing : kPackings) {
    if (name.ends_with(packing)) {
      name.resize(name.size() - packing.size());
      break;
    }
  }
  const std::size_t dot = name.find_last_of('.');
  return dot == std::string::npos ? std::string() : name.substr(dot);
}

// Returns the first character that counts, or NUL.
char FirstCharacter(std::string_view start) {
  if (start.starts_with("\xEF\xBB\xBF")) {
    start.remove_prefix(3);
  }
  while (start.starts_with(kCommentPrefix)) {
    start.remove_prefix(std::min(start.find('\n'), start.size() - 1) + 1);
  }
  const std::size_t at = start.find_first_not_of(" \t\r\n");
  return at == std::string_view::npos ? '\0' : start[at];
}

Format FormatOf(const Input& input) {
  const std::string ending = Ending(input.path);
  if (ending == ".jsonl" || ending == ".ndjson") {
    return Format::kJsonLines;
  }
  if (ending == ".tsv" || ending == ".csv") {
    return ending == ".tsv" ? Format::kTsv : Format::kCsv;
  }
  const char first = FirstCharacter(input.start);
  // An array is no lines either, but of its file JSON is what has to be told.
  const bool is_json = first == '{' || (first == '[' && ending == ".json");
  return is_json ? Format::kJsonLines : Format::kCsv;
}

}  // namespace

ReaderOptions ResolveOptions(const Input& input, const ReaderOptions& options) {
  ReaderOptions resolved = options;
  if (resolved.format == Format::kAuto) {
    // Only CSV has a delimiter, so who names one has said enough.
    resolved.format = options.delimiter.empty() ? FormatOf(input) : Format::kCsv;
  }
  if (resolved.delimiter.empty()) {
    resolved.delimiter = resolved.format == Format::kTsv ? "\t" : ",";
  }
  if (!resolved.quotes) {
    // Writers of tabs and of :: know no quotes, and names that begin with one are theirs.
    resolved.quotes = resolved.delimiter.size() == 1 && resolved.delimiter != "\t";
  }
  return resolved;
}

std::string EndingOf(Format format) {
  switch (format) {
    case Format::kTsv:
      return ".tsv";
    case Format::kJsonLines:
      return ".jsonl";
    case Format::kAuto:
    case Format::kCsv:
      break;
  }
  return ".csv";
}

Result<std::unique_ptr<RecordReader>> OpenReader(const Input& input, const ReaderOptions& options,
                                                 bool has_header,
                                                 const std::vector<std::string>& columns) {
  const ReaderOptions resolved = ResolveOptions(input, options);
  if (resolved.format != Format::kJsonLines) {
    CsvOptions csv;
    csv.delimiter = resolved.delimiter;
    csv.quotes = *resolved.quotes;
    csv.has_header = has_header;
    return std::unique_ptr<RecordReader>(std::make_unique<CsvReader>(*input.source, csv));
  }
  if (!has_header) {
    return Status::InvalidArgument(
        "JSON lines have no header to be without: leave --no-header out, and name columns as in "
        "user.id");
  }
  if (FirstCharacter(input.start) == '[') {
    return Status::InvalidArgument(
        "this is one JSON array; write one object a line: jq -c '.[]' x.json > x.jsonl");
  }
  return std::unique_ptr<RecordReader>(std::make_unique<JsonlReader>(*input.source, columns));
}

Result<std::string> ParseDelimiter(const std::string& text) {
  if (text == "\\t" || text == "tab") {
    return std::string("\t");
  }
  if (text.empty() || text.size() > kDelimiterBytesMax ||
      text.find_first_of("\"\r\n") != std::string::npos) {
    return Status::InvalidArgument(
        "--delimiter takes 1 to 16 characters without quotes and line ends, or tab");
  }
  return text;
}

}  // namespace reco::admin
