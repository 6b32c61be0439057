#include "reco/status.h"

#include <string>

#include <gtest/gtest.h>

#include "reco/result.h"

namespace reco {
namespace {

Result<int> Half(int value) {
  if (value % 2 != 0) {
    return Status::InvalidArgument("odd");
  }
  return value / 2;
}

Result<int> Quarter(int value) {
  RECO_ASSIGN_OR_RETURN(const int half, Half(value));
  return Half(half);
}

TEST(Status, OkCarriesNothing) {
  const Status status;
  EXPECT_TRUE(status.ok());
  EXPECT_EQ(status.message(), "");
  EXPECT_EQ(status.ToString(), "ok");
}

TEST(Status, CopiesAreEqualAndIndependent) {
  Status first = Status::NotFound("user x");
  const Status second = first;
  first = Status::Ok();
  EXPECT_EQ(second.ToString(), "not-found: user x");
  EXPECT_TRUE(first.ok());
}

TEST(Result, PropagatesTheFirstError) {
  EXPECT_EQ(*Quarter(8), 2);
  EXPECT_EQ(Quarter(6).status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(Quarter(3).status().message(), "odd");
}

}  // namespace
}  // namespace reco
