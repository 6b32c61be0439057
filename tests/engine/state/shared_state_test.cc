#include "engine/state/shared_state.h"

#include <atomic>
#include <thread>

#include <gtest/gtest.h>

#include "testing/catalogue.h"
#include "testing/freeze.h"

namespace reco::engine {
namespace {

using testing::Catalogue;

TEST(SharedState, EventsSinceTheLastFreezeAreKnownWithoutTheLock) {
  Catalogue catalogue;
  catalogue.Add("u", "i");
  catalogue.Add("u", "i");
  EXPECT_EQ(catalogue.shared().hints().unfrozen_events, 2U);
  {
    WriteView view(catalogue.shared());
    static_cast<void>(testing::Freeze(view.state()));
  }
  EXPECT_EQ(catalogue.shared().hints().unfrozen_events, 0U);
}

TEST(SharedState, YieldLetsAWriterIn) {
  Catalogue catalogue;
  std::atomic<bool> written = false;
  ReadView view(catalogue.shared());
  std::thread writer([&] {
    WriteView exclusive(catalogue.shared());
    exclusive.set_trained_at_ms(7);
    written = true;
  });
  EXPECT_EQ(view.trained_at_ms(), 0);
  while (!written) {
    EXPECT_EQ(view.trained_at_ms(), 0);  // never between two yields
    std::this_thread::yield();
    view.Yield();
    if (view.trained_at_ms() != 0) {
      break;
    }
  }
  EXPECT_EQ(view.trained_at_ms(), 7);
  writer.join();
}

TEST(SharedState, DroppedIsSeenByTheNextView) {
  Catalogue catalogue;
  catalogue.collection->Drop();
  ReadView view(catalogue.shared());
  EXPECT_TRUE(view.dropped());
}

#ifdef RECO_DCHECKS

TEST(SharedStateDeathTest, SecondViewOfAThreadStopsTheProgram) {
  Catalogue catalogue;
  EXPECT_DEATH(
      {
        ReadView view(catalogue.shared());
        const auto again = [&] { return catalogue.collection->options(); };
        static_cast<void>(again());
      },
      "invariant broken");
}

TEST(SharedStateDeathTest, TurnTakenUnderAViewStopsTheProgram) {
  Catalogue catalogue;
  EXPECT_DEATH(
      {
        ReadView view(catalogue.shared());
        const TurnLock turn(catalogue.shared().turns().recent);
      },
      "invariant broken");
}

TEST(SharedState, ViewsOfTwoCollectionsGoTogether) {
  Catalogue one;
  Catalogue other;
  ReadView view(one.shared());
  ReadView another(other.shared());
  EXPECT_EQ(view.state().last_seq(), another.state().last_seq());
}

#endif

}  // namespace
}  // namespace reco::engine
