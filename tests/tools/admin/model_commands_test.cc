#include "tools/admin/model_commands.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace reco::admin {
namespace {

using ::testing::ElementsAre;

TEST(SplitParameters, TakesNameAndValue) {
  const auto words = SplitParameters({"iterations=15", "reg=0.1", "x=a=b", "y="});
  ASSERT_TRUE(words.ok());
  EXPECT_THAT(*words, ElementsAre("iterations", "15", "reg", "0.1", "x", "a=b", "y", ""));
  EXPECT_FALSE(SplitParameters({"iterations"}).ok());
  EXPECT_FALSE(SplitParameters({"=15"}).ok());
}

}  // namespace
}  // namespace reco::admin
