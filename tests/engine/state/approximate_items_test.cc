#include "engine/state/approximate_items.h"

#include <cstdint>
#include <memory>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "model/factor_table.h"

namespace reco::engine {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

constexpr std::uint32_t kRows = 100;

class ApproximateItemsTest : public ::testing::Test {
 protected:
  ApproximateItemsTest() : table_(4) {
    table_.Grow(kRows);
    items_.graph = std::make_shared<index::ApproximateIndex>(table_, index::ApproximateOptions());
    items_.rows = kRows;
  }
  void Change(std::uint32_t rows) {
    for (std::uint32_t row = 0; row < rows; ++row) {
      table_.mutable_row(row)[0] = 1;
      items_.graph->Refresh(row);
    }
  }

  model::FactorTable table_;
  ApproximateItems items_;
};

TEST_F(ApproximateItemsTest, AnswerOnceBuiltAndWhileATenthOfThemIsOutOfDateAtMost) {
  EXPECT_FALSE(items_.answers());
  items_.built = true;
  EXPECT_TRUE(items_.answers());
  Change(kRows / 10);
  EXPECT_TRUE(items_.answers());
  Change(kRows / 10 + 1);
  EXPECT_FALSE(items_.answers());
}

TEST_F(ApproximateItemsTest, FiguresHaveTheRecallOnceItIsMeasured) {
  items_.built = true;
  Change(3);
  EXPECT_THAT(items_.Figures(),
              ElementsAre(Pair("rows", 100), Pair("pending", 3), Pair("answering", 1)));
  items_.recall = 0.75;
  EXPECT_THAT(items_.Figures().back(), Pair("recall@20", 0.75));
  EXPECT_THAT(ApproximateItems().Figures(), IsEmpty());
}

TEST(ApproximateBuild, IsBuiltWhenNothingThatWasNotedFirstIsMissing) {
  ApproximateBuild build;
  EXPECT_FALSE(build.built());
  build.missing = 2;
  EXPECT_FALSE(build.built());
  build.missing = 0;
  EXPECT_TRUE(build.built());
}

}  // namespace
}  // namespace reco::engine
