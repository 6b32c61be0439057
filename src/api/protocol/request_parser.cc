#include "api/protocol/request_parser.h"

#include <cstring>
#include <optional>
#include <utility>

#include "api/protocol/words.h"

namespace reco::api {
namespace {

constexpr auto kNpos = std::string_view::npos;
constexpr std::size_t kArgumentsKept = 4096;  // capacity that stays after a large request

// Position of `terminator`, or kNpos. A NUL byte before it hides it, as it does from Redis's
// strchr: a client whose stream has lost step runs into the length limit instead of being obeyed.
std::size_t FindTerminator(std::string_view input, std::size_t from, char terminator) {
  const std::size_t at = input.find(terminator, from);
  if (at == kNpos || std::memchr(input.data() + from, '\0', at - from) != nullptr) {
    return kNpos;
  }
  return at;
}

}  // namespace

RequestParser::Outcome RequestParser::Parse(std::string_view input, const Limits& limits) {
  if (!error_.empty()) {
    return Outcome::kError;
  }
  if (done_) {
    StartRequest();
  }
  if (input.empty()) {
    return Outcome::kIncomplete;
  }
  if (missing_ == 0) {
    if (input[0] != '*') {
      return ParseInline(input);
    }
    const Outcome outcome = ParseHeader(input, limits);
    if (outcome != Outcome::kRequest) {
      return outcome;
    }
  }
  return ParseArguments(input, limits);
}

RequestParser::Outcome RequestParser::Fail(std::string message) {
  error_ = "Protocol error: " + std::move(message);
  return Outcome::kError;
}

RequestParser::Outcome RequestParser::ParseInline(std::string_view input) {
  const std::size_t newline = FindTerminator(input, 0, '\n');
  if (newline == kNpos) {
    return input.size() > kLineBytesMax ? Fail("too big inline request") : Outcome::kIncomplete;
  }
  std::string_view line = input.substr(0, newline);
  if (!line.empty() && line.back() == '\r') {
    line.remove_suffix(1);
  }
  if (!SplitQuotedWords(line, &inline_bytes_, &slices_)) {
    return Fail("unbalanced quotes in request");
  }
  position_ = newline + 1;
  done_ = true;
  if (slices_.empty()) {
    return Outcome::kEmpty;
  }
  Finish(inline_bytes_);
  return Outcome::kRequest;
}

RequestParser::Outcome RequestParser::ReadLength(std::string_view input, const char* too_big,
                                                 Length* length) {
  const std::size_t end = FindTerminator(input, position_, '\r');
  if (end == kNpos) {
    return input.size() - position_ > kLineBytesMax ? Fail(too_big) : Outcome::kIncomplete;
  }
  if (end + 2 > input.size()) {
    return Outcome::kIncomplete;
  }
  const std::string_view digits =
      end > position_ ? input.substr(position_ + 1, end - position_ - 1) : std::string_view();
  const std::optional<std::int64_t> value = ParseInteger(digits);
  length->valid = value.has_value();
  length->value = value.value_or(0);
  length->end = end + 2;  // that the byte behind CR is LF is not looked at
  return Outcome::kRequest;
}

RequestParser::Outcome RequestParser::ParseHeader(std::string_view input, const Limits& limits) {
  Length count;
  const Outcome outcome = ReadLength(input, "too big mbulk count string", &count);
  if (outcome != Outcome::kRequest) {
    return outcome;
  }
  if (!count.valid || count.value > kArgumentsMax) {
    return Fail("invalid multibulk length");
  }
  if (!limits.authenticated && count.value > kUnauthenticatedArgumentsMax) {
    return Fail("unauthenticated multibulk length");
  }
  position_ = count.end;
  if (count.value <= 0) {
    done_ = true;
    return Outcome::kEmpty;
  }
  missing_ = count.value;
  return Outcome::kRequest;
}

RequestParser::Outcome RequestParser::ParseArguments(std::string_view input, const Limits& limits) {
  while (missing_ > 0) {
    if (bulk_ < 0) {
      Length length;
      const Outcome outcome = ReadLength(input, "too big bulk count string", &length);
      if (outcome != Outcome::kRequest) {
        return outcome;
      }
      if (input[position_] != '$') {
        return Fail(std::string("expected '$', got '") + input[position_] + "'");
      }
      if (!length.valid || length.value < 0 || length.value > limits.bulk_bytes_max) {
        return Fail("invalid bulk length");
      }
      if (!limits.authenticated && length.value > kUnauthenticatedBulkBytesMax) {
        return Fail("unauthenticated bulk length");
      }
      position_ = length.end;
      bulk_ = length.value;
    }
    const auto length = static_cast<std::size_t>(bulk_);
    if (input.size() - position_ < length + 2) {
      return Outcome::kIncomplete;
    }
    slices_.push_back({.offset = position_, .length = length});
    position_ += length + 2;  // the two bytes behind a bulk are not looked at
    bulk_ = -1;
    --missing_;
  }
  Finish(input);
  done_ = true;
  return Outcome::kRequest;
}

void RequestParser::Finish(std::string_view base) {
  for (const Slice& slice : slices_) {
    arguments_.push_back(base.substr(slice.offset, slice.length));
  }
}

void RequestParser::StartRequest() {
  position_ = 0;
  done_ = false;
  missing_ = 0;
  bulk_ = -1;
  slices_.clear();
  arguments_.clear();
  inline_bytes_.clear();
  if (slices_.capacity() > kArgumentsKept) {
    slices_.shrink_to_fit();
    arguments_.shrink_to_fit();
  }
}

}  // namespace reco::api
