// RequestParser: no input breaks it, and where the stream is split does not change what it reads.
// The first byte chooses the limits and the size of the pieces.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "api/protocol/request_parser.h"
#include "base/check.h"

namespace {

using reco::api::RequestParser;

struct Trace {
  std::vector<std::string> arguments;  // of all requests, each behind its count
  bool failed = false;
};

Trace ParsePieces(std::string_view stream, std::size_t piece_bytes,
                  const RequestParser::Limits& limits) {
  RequestParser parser;
  Trace trace;
  std::string pending;
  while (!stream.empty() && !trace.failed) {
    const std::string_view piece = stream.substr(0, piece_bytes);
    stream.remove_prefix(piece.size());
    pending.append(piece);
    while (true) {
      const RequestParser::Outcome outcome = parser.Parse(pending, limits);
      trace.failed = outcome == RequestParser::Outcome::kError;
      if (trace.failed || outcome == RequestParser::Outcome::kIncomplete) {
        break;
      }
      RECO_CHECK(parser.consumed() > 0 && parser.consumed() <= pending.size());
      if (outcome == RequestParser::Outcome::kRequest) {
        RECO_CHECK(!parser.arguments().empty());
        trace.arguments.push_back(std::to_string(parser.arguments().size()));
        trace.arguments.insert(trace.arguments.end(), parser.arguments().begin(),
                               parser.arguments().end());
      }
      pending.erase(0, parser.consumed());
    }
  }
  return trace;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) {
    return 0;
  }
  const RequestParser::Limits limits{.bulk_bytes_max = (data[0] & 1U) != 0 ? 1024 : 1 << 20,
                                     .authenticated = (data[0] & 2U) != 0};
  const std::string_view stream(reinterpret_cast<const char*>(data) + 1, size - 1);
  const Trace whole = ParsePieces(stream, std::max<std::size_t>(1, stream.size()), limits);
  const Trace pieces = ParsePieces(stream, 1U + (data[0] >> 2U), limits);
  RECO_CHECK(whole.failed == pieces.failed || stream.size() > reco::api::kLineBytesMax);
  RECO_CHECK(whole.arguments == pieces.arguments || stream.size() > reco::api::kLineBytesMax);
  return 0;
}
