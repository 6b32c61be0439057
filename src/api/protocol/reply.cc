#include "api/protocol/reply.h"

#include <array>
#include <charconv>
#include <cmath>

#include "base/numbers.h"

namespace reco::api {
namespace {

// Appends prefix, decimal number, CRLF: the head of nearly every reply.
void AppendHeader(std::string* out, char prefix, std::int64_t value) {
  std::array<char, 24> text;
  text[0] = prefix;
  char* end = std::to_chars(text.data() + 1, text.data() + text.size() - 2, value).ptr;
  *end++ = '\r';
  *end++ = '\n';
  out->append(text.data(), static_cast<std::size_t>(end - text.data()));
}

}  // namespace

void Reply::Simple(std::string_view text) {
  out_->push_back('+');
  out_->append(text);
  out_->append("\r\n");
}

void Reply::Error(std::string_view text) {
  failed_ = true;
  out_->push_back('-');
  for (const char c : text) {
    // An error is one line, and its text may hold what a client has sent.
    out_->push_back(c == '\r' || c == '\n' ? ' ' : c);
  }
  out_->append("\r\n");
}

void Reply::Failure(const Status& status) {
  constexpr std::string_view kMemory = "memory";
  const std::string_view message = status.message();
  switch (status.code()) {
    case StatusCode::kWrongType:
      Error("WRONGTYPE Operation against a key holding the wrong kind of value");
      return;
    case StatusCode::kIoError:
      // Clients know the code from Redis, where it means that the disk takes no writes.
      Error("MISCONF Errors writing to the log: " + std::string(message));
      return;
    case StatusCode::kResourceExhausted:
      // Other limits, such as that of collections, are no OOM: freeing memory would not help.
      if (message.substr(0, kMemory.size()) == kMemory) {
        Error("OOM command not allowed when used memory > 'maxmemory'.");
        return;
      }
      break;
    default:
      break;
  }
  Error("ERR " + std::string(message));
}

void Reply::Integer(std::int64_t value) {
  AppendHeader(out_, ':', value);
}

void Reply::Bulk(std::string_view bytes) {
  AppendHeader(out_, '$', static_cast<std::int64_t>(bytes.size()));
  out_->append(bytes);
  out_->append("\r\n");
}

void Reply::Double(double value) {
  if (protocol_ < 3) {
    Bulk(FormatDouble(value));
    return;
  }
  out_->push_back(',');
  out_->append(FormatDouble(value));
  out_->append("\r\n");
}

void Reply::Float32(float value) {
  Double(Shown(value));
}

void Reply::Boolean(bool value) {
  if (protocol_ < 3) {
    Integer(value ? 1 : 0);
    return;
  }
  out_->append(value ? "#t\r\n" : "#f\r\n");
}

void Reply::Verbatim(std::string_view text) {
  if (protocol_ < 3) {
    Bulk(text);
    return;
  }
  constexpr std::string_view kFormat = "txt:";
  AppendHeader(out_, '=', static_cast<std::int64_t>(kFormat.size() + text.size()));
  out_->append(kFormat);
  out_->append(text);
  out_->append("\r\n");
}

void Reply::Null() {
  out_->append(protocol_ < 3 ? "$-1\r\n" : "_\r\n");
}

void Reply::NullArray() {
  out_->append(protocol_ < 3 ? "*-1\r\n" : "_\r\n");
}

void Reply::Array(std::size_t count) {
  AppendHeader(out_, '*', static_cast<std::int64_t>(count));
}

void Reply::Map(std::size_t pairs) {
  if (protocol_ < 3) {
    Array(pairs * 2);
    return;
  }
  AppendHeader(out_, '%', static_cast<std::int64_t>(pairs));
}

void Reply::Set(std::size_t count) {
  AppendHeader(out_, protocol_ < 3 ? '*' : '~', static_cast<std::int64_t>(count));
}

void Reply::Push(std::size_t count) {
  AppendHeader(out_, protocol_ < 3 ? '*' : '>', static_cast<std::int64_t>(count));
}

std::string FormatDouble(double value) {
  if (std::isnan(value)) {
    return "nan";
  }
  if (std::isinf(value)) {
    return value > 0 ? "inf" : "-inf";
  }
  // Above 2^53 not every integer is a double, so digits would pretend a precision that is not
  // there.
  constexpr double kExactIntegerMax = 9007199254740992.0;
  std::array<char, 32> text;
  char* const last = text.data() + text.size();
  // to_chars of a double would write 100000 as 1e+05. The sign of -0 would be lost as an integer.
  const bool integral = std::trunc(value) == value && std::abs(value) <= kExactIntegerMax;
  const std::to_chars_result result =
      integral && !(value == 0 && std::signbit(value))
          ? std::to_chars(text.data(), last, static_cast<std::int64_t>(value))
          : std::to_chars(text.data(), last, value);
  return {text.data(), result.ptr};
}

}  // namespace reco::api
