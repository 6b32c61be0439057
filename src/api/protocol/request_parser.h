// RequestParser: finds the requests in the bytes a connection sends (RESP arrays of bulk strings,
// and inline commands). Incremental and allocation-free once warm; the limits, the strictness and
// the error texts are those of Redis 7.0.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "api/protocol/quoted_words.h"

namespace reco::api {

// Arguments of one request at most. Redis waits for up to 2^31; nothing sensible sends that many.
inline constexpr std::int64_t kArgumentsMax = 1'048'576;
// Bytes that may wait for the end of an inline line or of a length.
inline constexpr std::size_t kLineBytesMax = 64U << 10U;
// Limits of a client that has not authenticated.
inline constexpr std::int64_t kUnauthenticatedArgumentsMax = 10;
inline constexpr std::int64_t kUnauthenticatedBulkBytesMax = 16'384;

// Confined to the connection's io thread.
class RequestParser {
 public:
  enum class Outcome : std::uint8_t {
    kIncomplete,  // more bytes are needed
    kRequest,     // arguments() and consumed() are valid
    kEmpty,       // a request without arguments, which gets no reply; consumed() is valid
    kError,       // error() is valid; the stream cannot be followed any further
  };

  struct Limits {
    std::int64_t bulk_bytes_max = 512LL << 20U;  // proto-max-bulk-len
    bool authenticated = true;
  };

  // Finds the next request. `input` starts where the first request not yet consumed starts. After
  // kIncomplete call again with the same bytes and more behind them, at the same or another
  // address. After kRequest and kEmpty the next call starts a new request, behind the consumed
  // bytes.
  Outcome Parse(std::string_view input, const Limits& limits);

  // Returns views into the input of the last call, or of an inline request into the parser: valid
  // until the next call, while the input stays where it is.
  std::span<const std::string_view> arguments() const { return arguments_; }
  std::size_t consumed() const { return position_; }
  // Returns "Protocol error: ...", without a code.
  const std::string& error() const { return error_; }

 private:
  // Ends the stream: kError, with this message, now and from now on.
  Outcome Fail(std::string message);
  Outcome ParseInline(std::string_view input);
  Outcome ParseHeader(std::string_view input, const Limits& limits);
  Outcome ParseArguments(std::string_view input, const Limits& limits);
  struct Length {
    bool valid = false;  // a strict decimal
    std::int64_t value = 0;
    std::size_t end = 0;  // behind the CR and the byte after it
  };
  // Reads the decimal behind the byte at position_, up to CR. kRequest: `*length` is set.
  Outcome ReadLength(std::string_view input, const char* too_big, Length* length);
  // Makes the arguments from their places in `base`.
  void Finish(std::string_view base);
  void StartRequest();

  std::size_t position_ = 0;  // parsed so far, from the start of the request
  bool done_ = false;         // the last call answered kRequest or kEmpty
  std::int64_t missing_ = 0;  // arguments still to come; 0: the header has not been read
  std::int64_t bulk_ = -1;    // length of the argument being read; -1: not known yet
  std::vector<Slice> slices_;
  std::vector<std::string_view> arguments_;
  std::string inline_bytes_;
  std::string error_;
};

}  // namespace reco::api
