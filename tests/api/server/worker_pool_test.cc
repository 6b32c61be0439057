#include "api/server/worker_pool.h"

#include <atomic>
#include <latch>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace reco::api {
namespace {

TEST(WorkerPool, EveryTaskThatWasTakenRunsInOrder) {
  std::vector<int> order;
  std::latch done(100);
  WorkerPool pool(1, 100);
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(pool.Submit([&, i] {
      order.push_back(i);
      done.count_down();
    }));
  }
  done.wait();
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(order[static_cast<std::size_t>(i)], i);
  }
}

// Each waits for the other.
TEST(WorkerPool, TasksRunAtOnceOnItsThreads) {
  std::latch both(2);
  std::latch done(2);
  WorkerPool pool(2, 10);
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(pool.Submit([&] {
      both.arrive_and_wait();
      done.count_down();
    }));
  }
  done.wait();
}

TEST(WorkerPool, RefusesBeyondTheBoundOfItsQueue) {
  std::latch running(1);
  std::latch release(1);
  std::atomic<int> ran = 0;
  WorkerPool pool(1, 2);
  ASSERT_TRUE(pool.Submit([&] {
    running.count_down();
    release.wait();
  }));
  running.wait();  // so that the queue is empty
  EXPECT_TRUE(pool.Submit([&] { ++ran; }));
  EXPECT_TRUE(pool.Submit([&] { ++ran; }));
  EXPECT_FALSE(pool.Submit([&] { ran += 100; }));
  std::latch last(1);
  release.count_down();
  while (!pool.Submit([&] { last.count_down(); })) {
  }
  last.wait();
  EXPECT_EQ(ran, 2);
}

TEST(WorkerPool, StopDropsWhatIsQueuedAndTakesNothingMore) {
  std::latch running(1);
  std::latch release(1);
  std::atomic<int> queued_ran = 0;
  WorkerPool pool(1, 1'000'000'000);
  ASSERT_TRUE(pool.Submit([&] {
    running.count_down();
    release.wait();
  }));
  running.wait();
  ASSERT_TRUE(pool.Submit([&] { ++queued_ran; }));
  std::thread stopper([&] { pool.Stop(); });
  while (pool.Submit([&] { ++queued_ran; })) {  // refused once it is stopped
    std::this_thread::yield();
  }
  release.count_down();
  stopper.join();
  EXPECT_EQ(queued_ran, 0);
}

}  // namespace
}  // namespace reco::api
