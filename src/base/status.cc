#include "reco/status.h"

namespace reco {

std::string_view StatusCodeName(StatusCode code) {
  switch (code) {
    case StatusCode::kOk:
      return "ok";
    case StatusCode::kNotFound:
      return "not-found";
    case StatusCode::kAlreadyExists:
      return "already-exists";
    case StatusCode::kInvalidArgument:
      return "invalid-argument";
    case StatusCode::kFailedPrecondition:
      return "failed-precondition";
    case StatusCode::kResourceExhausted:
      return "resource-exhausted";
    case StatusCode::kCorruption:
      return "corruption";
    case StatusCode::kIoError:
      return "io-error";
    case StatusCode::kUnavailable:
      return "unavailable";
    case StatusCode::kWrongType:
      return "wrong-type";
  }
  return "unknown";
}

std::string Status::ToString() const {
  std::string text(StatusCodeName(code()));
  if (!ok()) {
    text.append(": ").append(message());
  }
  return text;
}

}  // namespace reco
