#include "engine/rows/solver_pool.h"

#include <gtest/gtest.h>

namespace reco::engine {
namespace {

TEST(SolverPool, AFolderIsUsedAgainAndNeverTwiceAtOnce) {
  SolverPool pool(4, Feedback::kImplicit);
  RowFolder* outer = nullptr;
  RowFolder* inner = nullptr;
  pool.With([&](RowFolder& first) {
    outer = &first;
    pool.With([&](RowFolder& second) { inner = &second; });
  });
  EXPECT_NE(inner, outer);
  const auto is_known = [&](const RowFolder* folder) { return folder == inner || folder == outer; };
  pool.With([&](RowFolder& first) {
    pool.With([&](RowFolder& second) {
      EXPECT_NE(&first, &second);
      EXPECT_TRUE(is_known(&first));
      EXPECT_TRUE(is_known(&second));
    });
  });
}

}  // namespace
}  // namespace reco::engine
