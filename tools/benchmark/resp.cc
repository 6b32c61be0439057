#include "tools/benchmark/resp.h"

#include <algorithm>
#include <charconv>

namespace reco::benchmark {
namespace {

constexpr std::size_t kHeaderBytesMax = 65'536;

}  // namespace

void AppendCommand(std::string* out, std::span<const std::string_view> arguments) {
  *out += '*' + std::to_string(arguments.size()) + "\r\n";
  for (std::string_view argument : arguments) {
    *out += '$' + std::to_string(argument.size()) + "\r\n";
    *out += argument;
    *out += "\r\n";
  }
}

void AppendCommand(std::string* out, std::initializer_list<std::string_view> arguments) {
  AppendCommand(out, std::span<const std::string_view>(arguments.begin(), arguments.size()));
}

ReplyScanner::Counts ReplyScanner::Feed(std::string_view bytes) {
  Counts counts;
  while (!bytes.empty() && !counts.malformed) {
    // In a bulk string: its bytes are counted, not looked at.
    if (skip_ > 0) {
      const std::size_t skipped = std::min<std::uint64_t>(skip_, bytes.size());
      bytes.remove_prefix(skipped);
      skip_ -= skipped;
      if (skip_ == 0) {
        EndElement(&counts);
      }
      continue;
    }
    const std::size_t end = bytes.find('\n');
    // A header may come in pieces.
    header_ += bytes.substr(0, end);
    if (end == std::string_view::npos) {
      counts.malformed = header_.size() > kHeaderBytesMax;
      break;
    }
    bytes.remove_prefix(end + 1);
    HandleHeader(&counts);
    header_.clear();
  }
  return counts;
}

void ReplyScanner::HandleHeader(Counts* counts) {
  if (header_.size() < 2 || header_.back() != '\r') {
    counts->malformed = true;
    return;
  }
  header_.pop_back();
  const char type = header_[0];
  const bool sized = type == '$' || type == '*';
  std::int64_t size = 0;
  if (sized) {
    const char* end = header_.data() + header_.size();
    const auto [stop, error] = std::from_chars(header_.data() + 1, end, size);
    counts->malformed = error != std::errc() || stop != end || size < -1;
  }
  // A reply's first header tells whether it is an error or empty; elements of an array do not
  // count.
  if (at_start_) {
    is_error_ = type == '-';
    is_empty_ = sized && (size < 0 || (type == '*' && size == 0));
    at_start_ = false;
    if (is_error_ && first_error_.empty()) {
      first_error_ = header_.substr(1);
    }
  }
  if (type == '$' && size >= 0) {
    skip_ = static_cast<std::uint64_t>(size) + 2;
  } else if (type == '*' && size > 0) {
    // The array is replaced by its elements, so that nesting needs no stack.
    missing_ += static_cast<std::uint64_t>(size) - 1;
  } else if (sized || type == '+' || type == '-' || type == ':') {
    EndElement(counts);
  } else {
    counts->malformed = true;
  }
}

void ReplyScanner::EndElement(Counts* counts) {
  if (--missing_ > 0) {
    return;
  }
  ++counts->replies;
  counts->errors += is_error_ ? 1 : 0;
  counts->empty += is_empty_ ? 1 : 0;
  missing_ = 1;
  at_start_ = true;
}

}  // namespace reco::benchmark
