// Result<T>: a value of type T or the Status that says why there is none.
#pragma once

#include <optional>
#include <utility>

#include "reco/status.h"

namespace reco {

// Holds exactly one of a value and an error. value() needs ok().
template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(std::move(value)) {}          // NOLINT(google-explicit-constructor)
  Result(Status status) : status_(std::move(status)) {}  // NOLINT(google-explicit-constructor)

  bool ok() const { return value_.has_value(); }
  const Status& status() const& { return status_; }
  Status status() && { return std::move(status_); }

  T& value() & { return *value_; }
  const T& value() const& { return *value_; }
  T&& value() && { return std::move(*value_); }
  T& operator*() & { return *value_; }
  const T& operator*() const& { return *value_; }
  T* operator->() { return &*value_; }
  const T* operator->() const { return &*value_; }

 private:
  std::optional<T> value_;
  Status status_;
};

}  // namespace reco

#define RECO_CONCAT_INNER_(a, b) a##b
#define RECO_CONCAT_(a, b) RECO_CONCAT_INNER_(a, b)

// RECO_ASSIGN_OR_RETURN(auto x, MakeX()); returns the error, or assigns the value.
#define RECO_ASSIGN_OR_RETURN(lhs, expr) \
  RECO_ASSIGN_OR_RETURN_IMPL_(RECO_CONCAT_(reco_result_, __LINE__), lhs, expr)
#define RECO_ASSIGN_OR_RETURN_IMPL_(result, lhs, expr) \
  auto result = (expr);                                \
  if (!result.ok()) {                                  \
    return std::move(result).status();                 \
  }                                                    \
  lhs = std::move(result).value()
