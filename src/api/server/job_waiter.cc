#include "api/server/job_waiter.h"

#include <chrono>
#include <utility>

#include <boost/asio/post.hpp>

namespace reco::api {

JobWaiter::JobWaiter(boost::asio::io_context& context, Database& database, std::uint64_t job,
                     std::int64_t timeout_ms, Over over)
    : database_(database),
      over_(std::move(over)),
      timer_(context),
      link_(std::make_shared<Link>(Link{this})) {
  const auto end_later = [&context, link = link_, job](const Result<JobInfo>& ended) {
    boost::asio::post(context, [link, job, ended] {
      if (link->waiter != nullptr) {
        // Asked again, by the thread whose reply is to wait for what is staged; it may be
        // forgotten.
        const Result<JobInfo> known = link->waiter->database_.Job(job);
        link->waiter->End(known.ok() ? known : ended);
      }
    });
  };
  // Told by the thread that ends the job, or here.
  const Result<std::uint64_t> watch =
      database.WatchJob(job, [end_later](const JobInfo& ended) { end_later(ended); });
  if (!watch.ok()) {
    end_later(watch.status());
    return;
  }
  watch_ = *watch;
  if (timeout_ms > 0) {
    timer_.expires_after(std::chrono::milliseconds(timeout_ms));
    timer_.async_wait([link = link_, job](const boost::system::error_code& error) {
      if (!error && link->waiter != nullptr) {
        link->waiter->End(link->waiter->database_.Job(job));
      }
    });
  }
}

JobWaiter::~JobWaiter() {
  database_.UnwatchJob(watch_);
  link_->waiter = nullptr;
}

void JobWaiter::End(const Result<JobInfo>& job) {
  // The other one may be queued, too.
  link_->waiter = nullptr;
  const Over over = std::move(over_);
  over(job);
}

}  // namespace reco::api
