#include "base/scratch_pool.h"

#include <memory>

#include <gtest/gtest.h>

namespace reco {
namespace {

TEST(ScratchPool, AnObjectIsUsedAgainAndNeverTwiceAtOnce) {
  int made = 0;
  ScratchPool<int> pool([&made] {
    ++made;
    return std::make_unique<int>();
  });
  int* outer = nullptr;
  int* inner = nullptr;
  pool.With([&](int& first) {
    outer = &first;
    pool.With([&](int& second) { inner = &second; });
  });
  EXPECT_NE(inner, outer);
  const auto is_known = [&](const int* object) { return object == inner || object == outer; };
  pool.With([&](int& first) {
    pool.With([&](int& second) {
      EXPECT_NE(&first, &second);
      EXPECT_TRUE(is_known(&first));
      EXPECT_TRUE(is_known(&second));
    });
  });
  EXPECT_EQ(made, 2);
}

}  // namespace
}  // namespace reco
