#include "base/check.h"

#include <string>

#include <gtest/gtest.h>

namespace reco {
namespace {

constexpr char kPlace[] = "check_test\\.cc:[0-9]+: ";

TEST(CheckDeathTest, BrokenCheckSaysWhere) {
  const int rows = 3;
  EXPECT_DEATH(RECO_CHECK(rows == 4), std::string(kPlace) + "invariant broken: rows == 4");
}

TEST(CheckTest, ConditionThatHoldsGoesOn) {
  int evaluated = 0;
  RECO_CHECK(++evaluated == 1);
  EXPECT_EQ(evaluated, 1);
}

#ifdef RECO_DCHECKS

TEST(CheckDeathTest, BrokenInvariantIsNamed) {
  const int rows = 3;
  EXPECT_DEATH(RECO_DCHECK(rows == 4, "I7"),
               std::string(kPlace) + "invariant I7 broken: rows == 4");
}

TEST(CheckTest, InvariantThatHoldsGoesOn) {
  int evaluated = 0;
  RECO_DCHECK(++evaluated == 1, "I1");
  EXPECT_EQ(evaluated, 1);
}

#else

TEST(CheckTest, WithoutChecksTheConditionIsNotEvaluated) {
  int evaluated = 0;
  RECO_DCHECK(++evaluated == 2, "I1");
  EXPECT_EQ(evaluated, 0);
}

#endif

}  // namespace
}  // namespace reco
