#include "store/rocksdb_status.h"

#include <cctype>
#include <string>

namespace reco::store {
namespace {

StatusCode CodeOf(const rocksdb::Status& status) {
  using Code = rocksdb::Status::Code;
  switch (status.code()) {
    case Code::kOk:
      return StatusCode::kOk;
    case Code::kNotFound:
    case Code::kColumnFamilyDropped:
      return StatusCode::kNotFound;
    case Code::kCorruption:
      return StatusCode::kCorruption;
    case Code::kNotSupported:
    case Code::kInvalidArgument:
    case Code::kCompactionTooLarge:
      return StatusCode::kFailedPrecondition;
    case Code::kIOError:
      return StatusCode::kIoError;
    default:
      return status.IsMemoryLimit() ? StatusCode::kResourceExhausted : StatusCode::kUnavailable;
  }
}

}  // namespace

Status ToStatus(const rocksdb::Status& status, std::string_view where) {
  if (status.ok()) {
    return {};
  }
  std::string message(where);
  if (!message.empty()) {
    message.append(": ");
  }
  if (status.IsNoSpace()) {
    message.append(kDiskFullText).append(": ");
  }
  const std::size_t begin = message.size();
  message.append(status.getState() != nullptr ? status.getState() : status.ToString());
  // The first word in lower case, unless it is a name such as CURRENT.
  const auto upper = [&message](std::size_t at) {
    return at < message.size() && std::isupper(static_cast<unsigned char>(message[at])) != 0;
  };
  if (upper(begin) && !upper(begin + 1)) {
    message[begin] = static_cast<char>(std::tolower(static_cast<unsigned char>(message[begin])));
  }
  return {CodeOf(status), std::move(message)};
}

}  // namespace reco::store
