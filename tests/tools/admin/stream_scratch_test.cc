#include "tools/admin/stream_scratch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace reco::admin {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

TEST(StreamParameters, OverridesReplaceAndRulesOfRetrainingAreNotInherited) {
  const StreamParameters inherited = {
      {"dim", "64"}, {"retrain-every", "500"}, {"retrain-interval", "60"}, {"type.View", "2"}};
  const auto merged =
      MergeParameters(inherited, {"DIM=8", "type.View=3", "type.view=4", "foldin=off"});
  ASSERT_TRUE(merged.ok());
  EXPECT_THAT(*merged, ElementsAre(Pair("dim", "8"), Pair("type.View", "3"), Pair("type.view", "4"),
                                   Pair("foldin", "off")));
  EXPECT_EQ(FindParameterValue(*merged, "foldin"), "off");
  EXPECT_EQ(FindParameterValue(*merged, "recency"), "");
  const auto weights = TypeWeights(*merged);
  ASSERT_TRUE(weights.ok());
  EXPECT_THAT(*weights, ElementsAre(Pair("View", 3), Pair("view", 4)));
}

TEST(StreamParameters, AreRefusedWhenMalformed) {
  EXPECT_FALSE(MergeParameters({}, {"dim"}).ok());
  EXPECT_FALSE(TypeWeights({{"type.view", "much"}}).ok());
}

}  // namespace
}  // namespace reco::admin
