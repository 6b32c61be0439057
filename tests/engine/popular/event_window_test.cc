#include "engine/popular/event_window.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/popular/recent_events.h"

namespace reco::engine {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::kAll;
using testing::kStart;
using testing::Reference;
using testing::Stream;
using testing::Tell;

void ExpectWindow(const EventWindow& window, const Reference& reference, std::int64_t from_ms) {
  for (const PopularBy by : {PopularBy::kUsers, PopularBy::kWeight, PopularBy::kEvents}) {
    const auto expected = reference.Window(by, from_ms);
    const auto found = window.Top(by, kAll);
    ASSERT_EQ(found.size(), expected.size());
    for (std::size_t i = 0; i < found.size(); ++i) {
      const auto at = expected.find(found[i].ordinal);
      ASSERT_NE(at, expected.end());
      ASSERT_EQ(found[i].value, at->second) << "multiples of 1/2 add up exactly";
      ASSERT_TRUE(i == 0 || found[i - 1].value > found[i].value ||
                  found[i - 1].ordinal < found[i].ordinal);
    }
  }
}

TEST(EventWindow, AgreesWithBruteForceUnderRandomChangesAsTimeGoesOn) {
  for (const Feedback feedback : {Feedback::kImplicit, Feedback::kExplicit}) {
    constexpr std::int64_t kLength = 4'000;
    EventWindow window(kLength, feedback);
    Reference reference(feedback == Feedback::kExplicit);
    Stream stream(3, &window, &reference);
    for (int step = 1; step <= 20'000; ++step) {
      // Ratings only within the window: what an older one replaces is another matter.
      stream.Step(feedback == Feedback::kExplicit ? 1 : 2 * kLength);
      if (step % 5'000 == 0) {
        stream.Pass(kLength / 2);
      }
      if (step % 100 == 0) {
        window.Advance(stream.now_ms());
        ASSERT_NO_FATAL_FAILURE(ExpectWindow(window, reference, stream.now_ms() - kLength)) << step;
      }
    }
    stream.Pass(2 * kLength);
    window.Advance(stream.now_ms());
    EXPECT_THAT(window.Top(PopularBy::kUsers, kAll), IsEmpty());
    EXPECT_EQ(window.size(), 0U);
  }
}

TEST(EventWindow, AnEventCountsUntilItIsAsOldAsTheWindow) {
  EventWindow window(1'000, Feedback::kImplicit);
  Tell(window, {1, 7, 1, kStart, kStart, false});
  window.Advance(kStart + 999);
  EXPECT_THAT(window.Top(PopularBy::kEvents, kAll), ElementsAre(RankedValue{7, 1}));
  window.Advance(kStart + 1'000);
  EXPECT_THAT(window.Top(PopularBy::kEvents, kAll), IsEmpty());
}

TEST(EventWindow, AnEventFromLaterThanItsTimeIsAsOneOfNow) {
  EventWindow window(1'000, Feedback::kImplicit);
  window.Advance(kStart);
  window.Add({1, 7, 1, kStart + 5'000, kStart + 5'000, false});
  EXPECT_THAT(window.Top(PopularBy::kEvents, kAll), ElementsAre(RankedValue{7, 1}));
  window.Advance(kStart + 5'999);
  EXPECT_THAT(window.Top(PopularBy::kEvents, kAll), ElementsAre(RankedValue{7, 1}));
  window.Advance(kStart + 6'000);
  EXPECT_THAT(window.Top(PopularBy::kEvents, kAll), IsEmpty());
}

TEST(EventWindow, AUserWhoseEventsCancelCountsForNothing) {
  EventWindow window(1'000, Feedback::kImplicit);
  Tell(window, {1, 7, -1, kStart, kStart, false});
  Tell(window, {1, 8, 0.3, kStart, kStart, false});
  Tell(window, {2, 8, 0.3, kStart + 10, kStart + 10, false});
  for (const double weight : {-0.1, -0.2}) {
    Tell(window, {2, 8, weight, kStart + 20, kStart + 20, false});
  }
  EXPECT_THAT(window.Top(PopularBy::kUsers, kAll), ElementsAre(RankedValue{8, 1}));
  EXPECT_THAT(window.Top(PopularBy::kEvents, kAll), ElementsAre(RankedValue{8, 1}));
  // Until the like of the other has left.
  window.Advance(kStart + 999);
  EXPECT_THAT(window.Top(PopularBy::kUsers, kAll), ElementsAre(RankedValue{8, 1}));
  window.Advance(kStart + 1'000);
  EXPECT_THAT(window.Top(PopularBy::kUsers, kAll), IsEmpty());
}

TEST(EventWindow, APairWeighsNoMoreAndNoLessThanAStoredOneCan) {
  EventWindow window(1'000, Feedback::kImplicit);
  Tell(window, {1, 7, 1e-300, kStart, kStart, true});  // 0 as float32
  EXPECT_THAT(window.Top(PopularBy::kUsers, kAll), IsEmpty());
  for (int i = 0; i < 3; ++i) {
    Tell(window, {1, 8, kWeightMax, kStart + i, kStart + i, false});
  }
  Tell(window, {2, 8, 2, kStart + 3, kStart + 3, false});
  EXPECT_THAT(window.Top(PopularBy::kWeight, kAll), ElementsAre(RankedValue{8, kWeightMax + 2}));
  window.Advance(kStart + 1'001);  // of the three one is left
  EXPECT_THAT(window.Top(PopularBy::kWeight, kAll), ElementsAre(RankedValue{8, kWeightMax + 2}));
  window.Advance(kStart + 1'002);
  EXPECT_THAT(window.Top(PopularBy::kWeight, kAll), ElementsAre(RankedValue{8, 2}));
}

TEST(EventWindow, AClockThatStepsBackBringsNothingBack) {
  EventWindow window(1'000, Feedback::kImplicit);
  Tell(window, {1, 7, 1, kStart, kStart, false});
  window.Advance(kStart + 1'000);
  window.Advance(kStart);
  EXPECT_THAT(window.Top(PopularBy::kEvents, kAll), IsEmpty());
}

TEST(EventWindow, RemovedEventsDoNotPileUp) {
  EventWindow window(1'000'000'000, Feedback::kImplicit);
  for (int i = 0; i < 50'000; ++i) {
    Tell(window, {1, 7, 1, kStart + i, kStart + i, false});
    window.Remove(1, 7);
  }
  EXPECT_EQ(window.size(), 0U);
  EXPECT_LT(window.memory_bytes(), 1'000'000U);
}

}  // namespace
}  // namespace reco::engine
