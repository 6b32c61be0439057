#include "base/sorted.h"

#include <vector>

#include <gtest/gtest.h>

namespace reco {
namespace {

TEST(Sorted, DistinctSortsAndDropsRepeats) {
  EXPECT_EQ(Distinct(std::vector<int>{3, 1, 3, 2, 1}), (std::vector<int>{1, 2, 3}));
  EXPECT_EQ(Distinct(std::vector<int>{}), std::vector<int>{});
}

TEST(Sorted, ContainsFindsMembersOnly) {
  const std::vector<int> sorted = {1, 3, 5};
  EXPECT_TRUE(Contains(sorted, 3));
  EXPECT_FALSE(Contains(sorted, 4));
}

}  // namespace
}  // namespace reco
