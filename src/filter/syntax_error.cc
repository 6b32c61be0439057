#include "filter/syntax_error.h"

#include <algorithm>

namespace reco::filter {
namespace {

// Of the text on either side of the place; enough for a line of redis-cli.
constexpr std::size_t kBytesBefore = 40;
constexpr std::size_t kBytesAfter = 24;

}  // namespace

std::string Printable(std::string_view bytes) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string shown;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '\\') {
      shown += "\\\\";
    } else if (byte >= 0x20 && byte < 0x7f) {
      shown += c;
    } else {
      shown += "\\x";
      shown += kHex[byte >> 4];
      shown += kHex[byte & 0xf];
    }
  }
  return shown;
}

Status SyntaxError(std::string_view what, std::string_view text, std::size_t position) {
  position = std::min(position, text.size());
  const std::size_t begin = position > kBytesBefore ? position - kBytesBefore : 0;
  const std::size_t end = std::min(text.size(), position + kBytesAfter);
  std::string message = "filter: " + Printable(what);
  message += " at byte " + std::to_string(position + 1) + ": ";
  message += begin > 0 ? "..." : "";
  message += Printable(text.substr(begin, position - begin));
  message += '^';
  message += Printable(text.substr(position, end - position));
  message += end < text.size() ? "..." : "";
  return Status::InvalidArgument(std::move(message));
}

}  // namespace reco::filter
