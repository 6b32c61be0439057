// JobWaiter: one connection's wait for a job, without a thread: the job's end, or a timer, wakes
// the io thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "reco/engine.h"

namespace reco::api {

// Confined to the thread that runs `context`; that and the database must outlive it.
class JobWaiter {
 public:
  // Takes the job as it stands at the end of the wait, or why there is none.
  using Over = std::function<void(const Result<JobInfo>& job)>;

  // Calls `over` once, from `context`, when the job has ended or after timeout_ms (0: without end).
  // `over` may destroy the waiter.
  JobWaiter(boost::asio::io_context& context, Database& database, std::uint64_t job,
            std::int64_t timeout_ms, Over over);
  // Behind it `over` is not called any more.
  ~JobWaiter();
  JobWaiter(const JobWaiter&) = delete;
  JobWaiter& operator=(const JobWaiter&) = delete;

 private:
  // What handlers that are queued already know of the waiter.
  struct Link {
    JobWaiter* waiter;
  };

  void End(const Result<JobInfo>& job);

  Database& database_;
  Over over_;
  boost::asio::steady_timer timer_;
  std::shared_ptr<Link> link_;
  std::uint64_t watch_ = 0;  // 0: none
};

}  // namespace reco::api
