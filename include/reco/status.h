// Status: the result of an operation that can fail and returns no value.
//
// A Status is a value type. Distinct Status objects may be used from distinct
// threads; sharing one object needs external synchronization.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace reco {

// Values are part of the wire protocol and of the C API. Append only.
enum class StatusCode : std::uint8_t {
  kOk = 0,
  kNotFound = 1,            // the key, user, item, job or model does not exist
  kAlreadyExists = 2,       // what was to be created is already there
  kInvalidArgument = 3,     // the caller's input is wrong; nothing was changed
  kFailedPrecondition = 4,  // the input is fine but the state does not allow it now
  kResourceExhausted = 5,   // a documented bound (memory, queue, count) is reached
  kCorruption = 6,          // stored bytes do not read back as what was written
  kIoError = 7,             // the file system failed; writes are refused until it recovers
  kUnavailable = 8,         // closing, cancelled or busy; trying again later may work
  kWrongType = 9,           // the key holds another kind of value
};

class [[nodiscard]] Status {
 public:
  Status() = default;  // OK; holds no allocation.
  Status(StatusCode code, std::string message)
      : rep_(std::make_unique<Rep>(Rep{code, std::move(message)})) {}

  Status(const Status& other) : rep_(other.rep_ ? std::make_unique<Rep>(*other.rep_) : nullptr) {}
  Status& operator=(const Status& other) {
    if (this != &other) {
      rep_ = other.rep_ ? std::make_unique<Rep>(*other.rep_) : nullptr;
    }
    return *this;
  }
  Status(Status&&) noexcept = default;
  Status& operator=(Status&&) noexcept = default;
  ~Status() = default;

  static Status Ok() { return {}; }
  static Status NotFound(std::string m) { return {StatusCode::kNotFound, std::move(m)}; }
  static Status AlreadyExists(std::string m) { return {StatusCode::kAlreadyExists, std::move(m)}; }
  static Status InvalidArgument(std::string m) {
    return {StatusCode::kInvalidArgument, std::move(m)};
  }
  static Status FailedPrecondition(std::string m) {
    return {StatusCode::kFailedPrecondition, std::move(m)};
  }
  static Status ResourceExhausted(std::string m) {
    return {StatusCode::kResourceExhausted, std::move(m)};
  }
  static Status Corruption(std::string m) { return {StatusCode::kCorruption, std::move(m)}; }
  static Status IoError(std::string m) { return {StatusCode::kIoError, std::move(m)}; }
  static Status Unavailable(std::string m) { return {StatusCode::kUnavailable, std::move(m)}; }
  static Status WrongType() {
    return {StatusCode::kWrongType, "operation against a key holding the wrong kind of value"};
  }

  bool ok() const { return rep_ == nullptr; }
  StatusCode code() const { return rep_ ? rep_->code : StatusCode::kOk; }
  // Lower case, no full stop: what was found and where. Empty when ok().
  std::string_view message() const { return rep_ ? std::string_view(rep_->message) : ""; }
  // "ok" or "<code name>: <message>", for logs and tests.
  std::string ToString() const;

  // States that an error is dropped on purpose; `why` is for the reader.
  void IgnoreError(std::string_view why) const { static_cast<void>(why); }

 private:
  struct Rep {
    StatusCode code;
    std::string message;
  };
  std::unique_ptr<Rep> rep_;
};

// "not-found", "io-error", ...
std::string_view StatusCodeName(StatusCode code);

}  // namespace reco

// Returns from the calling function when `expr` is an error Status.
#define RECO_RETURN_IF_ERROR(expr)                               \
  if (::reco::Status reco_status_ = (expr); reco_status_.ok()) { \
  } else                                                         \
    return reco_status_
