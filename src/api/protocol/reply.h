// Reply: appends RESP2 or RESP3 to a connection's output. Confined to the io thread or worker that
// runs the command.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "reco/status.h"

namespace reco::api {

// Writes exactly one reply a command. Aggregates announce their length first; the elements follow.
class Reply {
 public:
  // `protocol` is 2 or 3. `out` is borrowed.
  Reply(std::string* out, int protocol) : out_(out), protocol_(protocol) {}

  int protocol() const { return protocol_; }
  void set_protocol(int protocol) { protocol_ = protocol; }
  // Returns true once Error or Failure was called; the caller counts errors by code.
  bool failed() const { return failed_; }

  void Simple(std::string_view text);  // +OK
  void Ok() { Simple("OK"); }
  // Answers an error. `text` is "CODE text"; CR and LF become spaces.
  void Error(std::string_view text);
  // Answers the wire's error for a Status: ERR, WRONGTYPE, MISCONF, OOM, ...; see doc/commands.md.
  void Failure(const Status& status);
  void Integer(std::int64_t value);
  void Bulk(std::string_view bytes);
  void Double(double value);  // RESP3 ',' ; RESP2 bulk of the shortest text that reads back
  // The shortest text that reads back as the same float32.
  void Float32(float value);
  void Boolean(bool value);              // RESP3 '#' ; RESP2 integer
  void Verbatim(std::string_view text);  // RESP3 '=txt:' ; RESP2 bulk
  void Null();                           // RESP3 '_' ; RESP2 $-1
  void NullArray();                      // RESP3 '_' ; RESP2 *-1
  void Array(std::size_t count);
  void Map(std::size_t pairs);   // RESP3 '%' ; RESP2 flat array of 2 x pairs
  void Set(std::size_t count);   // RESP3 '~' ; RESP2 array
  void Push(std::size_t count);  // RESP3 '>' ; RESP2 array

 private:
  std::string* out_;
  int protocol_;
  bool failed_ = false;
};

// Returns the shortest decimal that reads back as `value`; inf, -inf, nan. Integers up to 2^53
// without a point or an exponent.
std::string FormatDouble(double value);

}  // namespace reco::api
