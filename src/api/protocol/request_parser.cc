#include "api/protocol/request_parser.h"

#include <cstring>
#include <optional>
#include <utility>

#include "api/protocol/words.h"

namespace reco::api {
namespace {

constexpr auto kNpos = std::string_view::npos;
constexpr std::size_t kArgumentsKept = 4096;  // capacity that stays after a large request

// Returns the position of `terminator`, or kNpos. A NUL byte before it hides it, as it does from
// Redis's strchr: a client whose stream has lost step runs into the length limit instead of being
// obeyed.
std::size_t FindTerminator(std::string_view input, std::size_t from, char terminator) {
  const std::size_t at = input.find(terminator, from);
  if (at == kNpos || std::memchr(input.data() + from, '\0', at - from) != nullptr) {
    return kNpos;
  }
  return at;
}

}  // namespace

RequestParser::Outcome RequestParser::Parse(std::string_view input, const Limits& limits) {
  // Nobody can tell any more where the next request starts.
  if (!error_.empty()) {
    return Outcome::kError;
  }
  // The last request is forgotten only now, so that its arguments were valid until this call.
  if (done_) {
    StartRequest();
  }
  if (input.empty()) {
    return Outcome::kIncomplete;
  }
  // A header that is complete is not read again when more of its arguments arrive.
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
  // People at a terminal send LF, protocols CRLF.
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
  // The words are unescaped copies, so they cannot be views into the input.
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
  // The caller says what is wrong with it, because Redis complains of a wrong first byte first.
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
  // Strangers get no further than AUTH and HELLO need, so that they cannot fill the memory.
  if (!limits.authenticated && count.value > kUnauthenticatedArgumentsMax) {
    return Fail("unauthenticated multibulk length");
  }
  position_ = count.end;
  // Redis takes *0 and negative counts as requests without words, which get no reply.
  if (count.value <= 0) {
    done_ = true;
    return Outcome::kEmpty;
  }
  // Nothing is reserved by what is announced: *1048576 is a few bytes.
  missing_ = count.value;
  return Outcome::kRequest;
}

RequestParser::Outcome RequestParser::ParseArguments(std::string_view input, const Limits& limits) {
  // Goes on where the last call ran out of bytes; arguments that are complete are not read again.
  while (missing_ > 0) {
    if (bulk_ < 0) {
      Length length;
      const Outcome outcome = ReadLength(input, "too big bulk count string", &length);
      if (outcome != Outcome::kRequest) {
        return outcome;
      }
      // The length is read first because Redis waits for the whole line before it looks at its
      // first byte.
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
    // Places instead of views: the input may move before the request is complete.
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
  // One request of many words must not cost the connection its memory for good.
  if (slices_.capacity() > kArgumentsKept) {
    slices_.shrink_to_fit();
    arguments_.shrink_to_fit();
  }
}

}  // namespace reco::api
