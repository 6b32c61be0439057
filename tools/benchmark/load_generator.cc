#include "tools/benchmark/load_generator.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <fcntl.h>
#include <netdb.h>
#include <system_error>
#include <thread>
#include <unistd.h>
#include <utility>
#include <vector>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "tools/benchmark/resp.h"

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

std::string ErrorText(int code) {
  return std::error_code(code, std::generic_category()).message();
}

// Owns a file descriptor.
class Descriptor {
 public:
  explicit Descriptor(int fd = -1) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Descriptor() {
    if (fd_ >= 0) {
      close(fd_);
    }
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

Result<Descriptor> Connect(const client::Endpoint& endpoint) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  const std::string port = std::to_string(endpoint.port);
  if (getaddrinfo(endpoint.host.c_str(), port.c_str(), &hints, &list) != 0) {
    return Status::Unavailable("cannot find the host " + endpoint.host);
  }
  Descriptor socket_fd;
  int failure = 0;
  for (const addrinfo* at = list; at != nullptr && socket_fd.get() < 0; at = at->ai_next) {
    Descriptor attempt(socket(at->ai_family, at->ai_socktype | SOCK_CLOEXEC, at->ai_protocol));
    if (attempt.get() >= 0 && connect(attempt.get(), at->ai_addr, at->ai_addrlen) == 0) {
      socket_fd = std::move(attempt);
    } else {
      failure = errno;
    }
  }
  freeaddrinfo(list);
  if (socket_fd.get() < 0) {
    return Status::Unavailable("cannot connect to " + endpoint.host + ':' + port + ": " +
                               ErrorText(failure));
  }
  const int on = 1;
  setsockopt(socket_fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  return socket_fd;
}

// Nothing is sent for an empty password.
Status Authenticate(int fd, const std::string& password) {
  if (password.empty()) {
    return Status::Ok();
  }
  std::string command;
  AppendCommand(&command, {"AUTH", password});
  std::array<char, 512> reply{};
  const bool sent = write(fd, command.data(), command.size()) == std::ssize(command);
  const ssize_t count = sent ? read(fd, reply.data(), reply.size()) : -1;
  if (count <= 0 || reply[0] != '+') {
    return Status::FailedPrecondition("the server refuses the password");
  }
  return Status::Ok();
}

// What all threads share.
struct Shared {
  const LoadOptions& options;
  std::atomic<std::int64_t> requests_left;  // counts only
  std::atomic<bool> failed{false};          // set once; another thread's news, no data behind it
  std::uint64_t end_ns;                     // with a duration
};

struct Client {
  Descriptor fd;
  std::unique_ptr<RequestSource> source;
  ReplyScanner scanner;
  std::string_view unsent;
  std::size_t unanswered = 0;
  std::uint64_t sent_ns = 0;
  bool waits_writable = false;
};

// One thread's share of the connections. Confined to its thread once it runs.
class Driver {
 public:
  explicit Driver(Shared& shared) : shared_(shared), epoll_(epoll_create1(EPOLL_CLOEXEC)) {}

  Status AddClient(Descriptor fd, std::unique_ptr<RequestSource> source) {
    if (fcntl(fd.get(), F_SETFL, fcntl(fd.get(), F_GETFL) | O_NONBLOCK) != 0) {
      return Status::Unavailable("cannot prepare a socket");
    }
    auto client = std::make_unique<Client>();
    client->fd = std::move(fd);
    client->source = std::move(source);
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.ptr = client.get();
    if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, client->fd.get(), &event) != 0) {
      return Status::Unavailable("cannot watch a socket");
    }
    clients_.push_back(std::move(client));
    return Status::Ok();
  }

  void Run() {
    status_ = Loop();
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
    for (const auto& client : clients_) {
      if (result->first_error.empty()) {
        result->first_error = client->scanner.first_error();
      }
    }
  }

 private:
  Status Loop() {
    for (const auto& client : clients_) {
      RECO_RETURN_IF_ERROR(StartBatch(*client));
    }
    Status status;
    while (status.ok() && active_ > 0 && !shared_.failed) {
      status = Poll();
    }
    return status;
  }

  // Waits for events once and handles them.
  Status Poll() {
    std::array<epoll_event, 128> events{};
    const int count =
        epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), kPollMs);
    stalled_polls_ = count == 0 ? stalled_polls_ + 1 : 0;
    if (stalled_polls_ > kStallPollsMax) {
      return Status::Unavailable("the server has not answered for 30 seconds");
    }
    for (int i = 0; i < count; ++i) {
      auto& client = *static_cast<Client*>(events[static_cast<std::size_t>(i)].data.ptr);
      RECO_RETURN_IF_ERROR(Handle(client, events[static_cast<std::size_t>(i)].events));
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
    const auto batch = static_cast<std::int64_t>(options.pipeline);
    return shared_.requests_left.fetch_sub(batch, std::memory_order_relaxed) > 0;
  }

  Status StartBatch(Client& client) {
    if (!MayContinue()) {
      return Status::Ok();
    }
    const RequestSource::Batch batch = client.source->NextBatch(shared_.options.pipeline);
    if (batch.requests == 0) {
      return Status::Ok();
    }
    client.unsent = batch.bytes;
    client.unanswered = batch.requests;
    client.sent_ns = NowNs();
    ++active_;
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
    epoll_event event{};
    event.events = wanted ? EPOLLIN | EPOLLOUT : EPOLLIN;
    event.data.ptr = &client;
    if (epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, client.fd.get(), &event) != 0) {
      return Status::Unavailable("cannot watch a socket");
    }
    return Status::Ok();
  }

  Status Read(Client& client) {
    const ssize_t count = read(client.fd.get(), buffer_.data(), buffer_.size());
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) {
      return Status::Ok();
    }
    if (count <= 0) {
      return Status::Unavailable("the server closed a connection");
    }
    const auto counts =
        client.scanner.Feed(std::string_view(buffer_.data(), static_cast<std::size_t>(count)));
    if (counts.malformed || counts.replies > client.unanswered) {
      return Status::Unavailable("the server does not speak the Redis protocol");
    }
    last_reply_ns_ = NowNs();
    latency_ns_.Record(last_reply_ns_ - client.sent_ns, counts.replies);
    errors_ += counts.errors;
    empty_ += counts.empty;
    client.unanswered -= counts.replies;
    if (client.unanswered == 0 && counts.replies > 0) {
      --active_;
      return StartBatch(client);
    }
    return Status::Ok();
  }

  Shared& shared_;
  const Descriptor epoll_;
  std::vector<std::unique_ptr<Client>> clients_;
  std::vector<char> buffer_ = std::vector<char>(kReadBytes);
  int stalled_polls_ = 0;   // in a row without an event
  std::size_t active_ = 0;  // clients that wait for replies
  Histogram latency_ns_;
  std::uint64_t errors_ = 0;
  std::uint64_t empty_ = 0;
  std::uint64_t last_reply_ns_ = 0;
  Status status_;
};

}  // namespace

Result<LoadResult> RunLoad(const LoadOptions& options, const SourceFactory& make_source) {
  Shared shared{options, static_cast<std::int64_t>(options.requests), {}, 0};
  std::vector<std::unique_ptr<Driver>> drivers;
  for (std::size_t i = 0; i < std::min(options.threads, options.clients); ++i) {
    drivers.push_back(std::make_unique<Driver>(shared));
  }
  for (std::size_t i = 0; i < options.clients; ++i) {
    RECO_ASSIGN_OR_RETURN(Descriptor fd, Connect(options.endpoint));
    RECO_RETURN_IF_ERROR(Authenticate(fd.get(), options.endpoint.password));
    RECO_RETURN_IF_ERROR(drivers[i % drivers.size()]->AddClient(std::move(fd), make_source(i)));
  }
  const std::uint64_t start_ns = NowNs();
  shared.end_ns = start_ns + static_cast<std::uint64_t>(options.duration_s * 1e9);
  std::vector<std::thread> threads;
  threads.reserve(drivers.size() - 1);
  for (std::size_t i = 1; i < drivers.size(); ++i) {
    threads.emplace_back([driver = drivers[i].get()] { driver->Run(); });
  }
  drivers[0]->Run();
  for (std::thread& thread : threads) {
    thread.join();
  }
  LoadResult result;
  std::uint64_t end_ns = start_ns;
  for (const auto& driver : drivers) {
    RECO_RETURN_IF_ERROR(driver->status());
    driver->MergeInto(&result);
    end_ns = std::max(end_ns, driver->last_reply_ns());
  }
  result.seconds = static_cast<double>(end_ns - start_ns) / 1e9;
  return result;
}

}  // namespace reco::benchmark
