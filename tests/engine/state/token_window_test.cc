#include "engine/state/token_window.h"

#include <gtest/gtest.h>

#include "store/store.h"

namespace reco::engine {
namespace {

constexpr std::uint32_t kCid = 1;

TEST(TokenWindow, AnswersTheNumberOfAKnownToken) {
  TokenWindow window;
  store::Batch rows;
  window.Remember("a", 7, 10, kCid, &rows);
  EXPECT_EQ(window.Find("a"), 7U);
  EXPECT_EQ(window.Find("b"), std::nullopt);
  EXPECT_EQ(window.Find(""), std::nullopt);
  EXPECT_EQ(rows.count(), 1U);
}

TEST(TokenWindow, ForgetsTheOldestBeyondTheWindow) {
  TokenWindow window;
  store::Batch rows;
  window.Restore("old", 1);
  window.Remember("a", 2, 2, kCid, &rows);
  window.Remember("b", 3, 2, kCid, &rows);
  EXPECT_EQ(window.Find("old"), std::nullopt);
  EXPECT_EQ(window.Find("a"), 2U);
  EXPECT_EQ(window.Find("b"), 3U);
  EXPECT_EQ(rows.count(), 3U);  // two put, one deleted
}

TEST(TokenWindow, RemembersNothingWithoutATokenOrAWindow) {
  TokenWindow window;
  store::Batch rows;
  window.Remember("", 1, 10, kCid, &rows);
  window.Remember("a", 1, 0, kCid, &rows);
  EXPECT_EQ(rows.count(), 0U);
  EXPECT_EQ(window.Find("a"), std::nullopt);
  EXPECT_EQ(window.memory_bytes(), 0U);
}

}  // namespace
}  // namespace reco::engine
