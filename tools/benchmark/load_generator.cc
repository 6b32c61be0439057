#include "tools/benchmark/load_generator.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <deque>
#include <thread>
#include <unistd.h>
#include <utility>
#include <vector>

#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>

#include "tools/benchmark/resp.h"
#include "tools/benchmark/schedule.h"
#include "tools/benchmark/socket.h"

namespace reco::benchmark {
namespace {

constexpr std::size_t kReadBytes = 262'144;
constexpr int kPollMs = 100;
constexpr int kStallPollsMax = 300;  // 30 s without a single reply: the server hangs

std::uint64_t NowNs() {
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(
                                        std::chrono::steady_clock::now().time_since_epoch())
                                        .count());
}

// The state that all threads share.
struct Shared {
  const LoadOptions& options;
  std::atomic<std::int64_t> requests_left;  // counts only
  std::atomic<bool> failed{false};          // set once; another thread's news, no data behind it
  std::uint64_t start_ns = 0;
  std::uint64_t end_ns = 0;  // of a closed loop with a duration
};

struct Client {
  Descriptor fd;
  std::unique_ptr<RequestSource> source;
  ReplyScanner scanner;
  RequestSource::Batch batch;  // the one on its way
  std::string_view unsent;     // of its bytes
  std::size_t unanswered = 0;
  std::uint64_t since_ns = 0;  // when its latency began
  std::string replies;         // only when the batch forbids a text in them
  bool waits_writable = false;
};

// One thread's share of the connections. Confined to its thread once it runs.
class Driver {
 public:
  // At a set rate `schedule` says when batches are due; in a closed loop it is not used.
  Driver(Shared& shared, const Schedule& schedule)
      : shared_(shared),
        schedule_(schedule),
        epoll_(epoll_create1(EPOLL_CLOEXEC)),
        timer_(timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC)) {}

  Status AddClient(Descriptor fd, std::unique_ptr<RequestSource> source) {
    auto client = std::make_unique<Client>();
    client->fd = std::move(fd);
    client->source = std::move(source);
    RECO_RETURN_IF_ERROR(Watch(client->fd.get(), EPOLL_CTL_ADD, EPOLLIN, client.get()));
    clients_.push_back(std::move(client));
    return Status::Ok();
  }

  void Run() {
    // One thread's failure ends all: a run with fewer connections measures something else.
    status_ = paced() ? PacedLoop() : ClosedLoop();
    if (!status_.ok()) {
      shared_.failed = true;
    }
  }

  const Status& status() const { return status_; }
  std::uint64_t last_reply_ns() const { return last_reply_ns_; }

  void MergeInto(LoadResult* result) const {
    result->latency_ns.Merge(latency_ns_);
    result->requests += latency_ns_.count();
    result->errors += errors_;
    result->empty += empty_;
    result->late += late_;
    for (const auto& client : clients_) {
      if (result->first_error.empty()) {
        result->first_error = client->scanner.first_error();
      }
    }
    if (result->first_error.empty()) {
      result->first_error = first_forbidden_;
    }
  }

 private:
  bool paced() const { return shared_.options.rate > 0; }

  Status ClosedLoop() {
    for (const auto& client : clients_) {
      // From here on the answers to a batch send the next one.
      RECO_RETURN_IF_ERROR(GoOn(*client));
    }
    Status status;
    while (status.ok() && active_ > 0 && !shared_.failed) {
      status = Poll();
    }
    return status;
  }

  Status PacedLoop() {
    // Edge-triggered: an expired timer wakes once and needs no reading.
    RECO_RETURN_IF_ERROR(Watch(timer_.get(), EPOLL_CTL_ADD, EPOLLIN | EPOLLET, nullptr));
    for (const auto& client : clients_) {
      free_.push_back(client.get());
    }
    Status status = SendDue();
    while (status.ok() && (active_ > 0 || !schedule_.done()) && !shared_.failed) {
      status = Poll();
      if (status.ok()) {
        status = SendDue();
      }
    }
    return status;
  }

  // Sends what is due as far as connections are free, then sets the timer for what comes next.
  // With no connection free the next reply leads back here.
  Status SendDue() {
    while (!schedule_.done() && !free_.empty()) {
      const std::uint64_t due_ns = shared_.start_ns + schedule_.next_ns();
      const std::uint64_t now_ns = NowNs();
      if (due_ns > now_ns) {
        return SetTimer(due_ns);
      }
      Client& client = *free_.front();
      free_.pop_front();
      schedule_.Advance();
      RECO_RETURN_IF_ERROR(StartBatch(client, due_ns));
      // Measured at the decision to send; the sending itself belongs to the latency.
      late_ += now_ns - due_ns > kLateNs ? client.batch.requests : 0;
    }
    return Status::Ok();
  }

  Status SetTimer(std::uint64_t due_ns) {
    // Replies that come in between lead here again with the same time.
    if (timer_ns_ == due_ns) {
      return Status::Ok();
    }
    timer_ns_ = due_ns;
    itimerspec when{};
    when.it_value.tv_sec = static_cast<time_t>(due_ns / 1'000'000'000);
    when.it_value.tv_nsec = static_cast<long>(due_ns % 1'000'000'000);
    if (timerfd_settime(timer_.get(), TFD_TIMER_ABSTIME, &when, nullptr) != 0) {
      return Status::Unavailable("cannot set a timer: " + ErrorText(errno));
    }
    return Status::Ok();
  }

  // Waits for events once and handles them.
  Status Poll() {
    std::array<epoll_event, 128> events{};
    const int count =
        epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), kPollMs);
    // With nothing on its way, silence is only the wait for the next due time.
    stalled_polls_ = count == 0 && active_ > 0 ? stalled_polls_ + 1 : 0;
    if (stalled_polls_ > kStallPollsMax) {
      return Status::Unavailable("the server has not answered for 30 seconds");
    }
    for (int i = 0; i < count; ++i) {
      const epoll_event& event = events[static_cast<std::size_t>(i)];
      if (event.data.ptr != nullptr) {
        RECO_RETURN_IF_ERROR(Handle(*static_cast<Client*>(event.data.ptr), event.events));
      }
    }
    return Status::Ok();
  }

  Status Handle(Client& client, std::uint32_t events) {
    if ((events & EPOLLOUT) != 0) {
      RECO_RETURN_IF_ERROR(Write(client));
    }
    if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) {
      return Read(client);
    }
    return Status::Ok();
  }

  bool MayContinue() {
    const LoadOptions& options = shared_.options;
    if (options.requests == 0) {
      return NowNs() < shared_.end_ns;
    }
    // Taken from the common count before it is sent, so that all threads together send less than a
    // batch too many.
    const auto batch = static_cast<std::int64_t>(options.pipeline);
    return shared_.requests_left.fetch_sub(batch, std::memory_order_relaxed) > 0;
  }

  // Gives a connection that has nothing on its way the next thing to do.
  Status GoOn(Client& client) {
    if (paced()) {
      free_.push_back(&client);
      return Status::Ok();
    }
    return MayContinue() ? StartBatch(client, NowNs()) : Status::Ok();
  }

  Status StartBatch(Client& client, std::uint64_t since_ns) {
    client.since_ns = since_ns;
    ++active_;
    return SendNext(client);
  }

  Status SendNext(Client& client) {
    client.batch = client.source->NextBatch(shared_.options.pipeline);
    if (client.batch.requests == 0) {  // the end of a replay
      --active_;
      schedule_.Stop();
      return Status::Ok();
    }
    client.unsent = client.batch.bytes;
    client.unanswered = client.batch.requests;
    client.replies.clear();
    return Write(client);
  }

  Status Write(Client& client) {
    while (!client.unsent.empty()) {
      const ssize_t count =
          send(client.fd.get(), client.unsent.data(), client.unsent.size(), MSG_NOSIGNAL);
      if (count < 0 && errno != EAGAIN && errno != EINTR) {
        return Status::Unavailable("cannot send: " + ErrorText(errno));
      }
      if (count < 0 && errno == EAGAIN) {
        break;
      }
      client.unsent.remove_prefix(static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
    }
    return WatchWritable(client, !client.unsent.empty());
  }

  Status WatchWritable(Client& client, bool wanted) {
    if (client.waits_writable == wanted) {
      return Status::Ok();
    }
    client.waits_writable = wanted;
    return Watch(client.fd.get(), EPOLL_CTL_MOD, wanted ? EPOLLIN | EPOLLOUT : EPOLLIN, &client);
  }

  Status Watch(int fd, int operation, std::uint32_t events, Client* client) {
    epoll_event event{};
    event.events = events;
    event.data.ptr = client;
    if (epoll_ctl(epoll_.get(), operation, fd, &event) != 0) {
      return Status::Unavailable("cannot watch a socket");
    }
    return Status::Ok();
  }

  Status Read(Client& client) {
    // One read an event: epoll reports what is left, after the other connections had their turn.
    const ssize_t count = read(client.fd.get(), buffer_.data(), buffer_.size());
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) {
      return Status::Ok();
    }
    if (count <= 0) {
      return Status::Unavailable("the server closed a connection");
    }
    const std::string_view bytes(buffer_.data(), static_cast<std::size_t>(count));
    const auto counts = client.scanner.Feed(bytes);
    // A reply too many means that the ends of replies were not found.
    if (counts.malformed || counts.replies > client.unanswered) {
      return Status::Unavailable("the server does not speak the Redis protocol");
    }
    last_reply_ns_ = NowNs();
    // A batch that another one continues is no request yet: the latency of both counts from its
    // sending.
    if (!client.batch.continues) {
      latency_ns_.Record(last_reply_ns_ - client.since_ns, counts.replies);
    }
    errors_ += counts.errors;
    empty_ += counts.empty;
    client.unanswered -= counts.replies;
    if (!client.batch.forbidden.empty()) {
      // The text may lie across two reads.
      client.replies += bytes;
    }
    return client.unanswered == 0 && counts.replies > 0 ? Answered(client) : Status::Ok();
  }

  // Ends a batch whose replies are all there, and goes on.
  Status Answered(Client& client) {
    const std::string_view forbidden = client.batch.forbidden;
    if (!forbidden.empty() && client.replies.find(forbidden) != std::string::npos) {
      ++errors_;
      first_forbidden_ = "a reply still holds '" + std::string(forbidden) + "'";
    }
    if (client.batch.continues) {
      return SendNext(client);
    }
    --active_;
    return GoOn(client);
  }

  Shared& shared_;
  Schedule schedule_;
  const Descriptor epoll_;
  const Descriptor timer_;  // at a set rate
  std::uint64_t timer_ns_ = 0;
  std::vector<std::unique_ptr<Client>> clients_;
  std::deque<Client*> free_;  // at a set rate; the longest free first
  std::vector<char> buffer_ = std::vector<char>(kReadBytes);
  int stalled_polls_ = 0;   // in a row without an event although replies are missing
  std::size_t active_ = 0;  // clients that wait for replies
  Histogram latency_ns_;
  std::uint64_t errors_ = 0;
  std::uint64_t empty_ = 0;
  std::uint64_t late_ = 0;
  std::string first_forbidden_;
  std::uint64_t last_reply_ns_ = 0;
  Status status_;
};

Pace PaceOf(const LoadOptions& options) {
  if (options.rate <= 0) {
    return {};
  }
  const auto in_time = static_cast<std::uint64_t>(std::max(1.0, options.rate * options.duration_s));
  return Pace::Of(options.rate, options.pipeline,
                  options.requests > 0 ? options.requests : in_time);
}

void RunAll(const std::vector<std::unique_ptr<Driver>>& drivers) {
  std::vector<std::thread> threads;
  threads.reserve(drivers.size() - 1);
  for (std::size_t i = 1; i < drivers.size(); ++i) {
    threads.emplace_back([driver = drivers[i].get()] { driver->Run(); });
  }
  // The calling thread drives too, so that one thread means one.
  drivers[0]->Run();
  for (std::thread& thread : threads) {
    thread.join();
  }
}

}  // namespace

Result<LoadResult> RunLoad(const LoadOptions& options, const SourceFactory& make_source) {
  Shared shared{options, static_cast<std::int64_t>(options.requests)};
  const Pace pace = PaceOf(options);
  // A thread without a connection would have nothing to do.
  const std::size_t threads = std::min(options.threads, options.clients);
  std::vector<std::unique_ptr<Driver>> drivers;
  for (std::size_t i = 0; i < threads; ++i) {
    drivers.push_back(std::make_unique<Driver>(shared, Schedule(pace, i, threads)));
  }
  for (std::size_t i = 0; i < options.clients; ++i) {
    RECO_ASSIGN_OR_RETURN(Descriptor fd, OpenSocket(options.endpoint));
    RECO_RETURN_IF_ERROR(drivers[i % threads]->AddClient(std::move(fd), make_source(i)));
  }
  // The clock starts when all connections stand.
  shared.start_ns = NowNs();
  shared.end_ns = shared.start_ns + static_cast<std::uint64_t>(options.duration_s * 1e9);
  RunAll(drivers);
  LoadResult result;
  std::uint64_t end_ns = shared.start_ns;
  for (const auto& driver : drivers) {
    RECO_RETURN_IF_ERROR(driver->status());
    driver->MergeInto(&result);
    // The run ends with its last reply, not with the last wait.
    end_ns = std::max(end_ns, driver->last_reply_ns());
  }
  result.seconds = static_cast<double>(end_ns - shared.start_ns) / 1e9;
  return result;
}

}  // namespace reco::benchmark
