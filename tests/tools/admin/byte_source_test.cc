#include "tools/admin/byte_source.h"

#include <gtest/gtest.h>

namespace reco::admin {
namespace {

TEST(ByteSource, MissingFileIsNotFound) {
  const auto input = OpenInput("/nonexistent/file.csv");
  EXPECT_EQ(input.status().code(), StatusCode::kNotFound);
  EXPECT_EQ(OpenInput("/").status().code(), StatusCode::kIoError);
}

TEST(Fingerprint, IsFnv1a) {
  EXPECT_EQ(Fingerprint(""), "cbf29ce484222325");
  EXPECT_EQ(Fingerprint("a"), "af63dc4c8601ec8c");
}

}  // namespace
}  // namespace reco::admin
