#include "api/server/server.h"

#include <algorithm>
#include <functional>
#include <random>
#include <set>
#include <thread>
#include <utility>
#include <vector>

#include <boost/asio/post.hpp>

#include "api/server/io_thread.h"
#include "api/server/listener.h"

namespace reco::api {
namespace {

constexpr std::size_t kWorkerQueueMax = 10'000;
constexpr std::size_t kIoThreadsDefaultMax = 4;

std::size_t Cores() {
  return std::max<std::size_t>(1, std::thread::hardware_concurrency());
}

std::string MakeRunId() {
  std::random_device random;
  std::string id;
  for (int i = 0; i < 40; ++i) {
    id.push_back("0123456789abcdef"[random() % 16]);
  }
  return id;
}

}  // namespace

Server::Server(Database* database, std::span<const std::span<const CommandSpec>> commands,
               const ServerOptions& options, Log* log, std::string config_file, const Clock& clock)
    : database_(database),
      log_(log),
      clock_(clock),
      commands_(commands),
      config_(options),
      config_file_(std::move(config_file)),
      run_id_(MakeRunId()),
      started_us_(clock.MonotonicUs()),
      committer_(database),
      sampled_us_(started_us_) {
  const auto io_threads = static_cast<std::size_t>(options.io_threads);
  const auto worker_threads = static_cast<std::size_t>(options.worker_threads);
  workers_ =
      std::make_unique<WorkerPool>(worker_threads > 0 ? worker_threads : Cores(), kWorkerQueueMax);
  const std::size_t count = io_threads > 0 ? io_threads : std::min(Cores(), kIoThreadsDefaultMax);
  for (std::size_t i = 0; i < count; ++i) {
    io_threads_.push_back(std::make_unique<IoThread>(this, i == 0));
  }
}

Server::~Server() {
  Stop();
}

Status Server::Start() {
  const ServerOptions options = config_.Snapshot();
  RECO_ASSIGN_OR_RETURN(files_, PlanOpenFiles(options));
  // Lowered, not refused: the same file is to start a server where fewer files may be open.
  if (const std::int64_t clients = files_.clients; clients < options.maxclients) {
    Write(LogLevel::kWarning, "maxclients lowered to " + std::to_string(clients) +
                                  ": the limit of open files allows no more");
    config_.Adjust([clients](ServerOptions* adjusted) { adjusted->maxclients = clients; });
  }
  listener_ = std::make_unique<Listener>(this, &io_threads_[0]->context());
  // Binds before any thread runs, so that a failed start has nothing to stop.
  RECO_RETURN_IF_ERROR(listener_->Open(options));
  port_ = listener_->port();
  config_.Adjust([this](ServerOptions* adjusted) { adjusted->port = port_; });
  listener_->Start();
  running_ = true;
  for (const std::unique_ptr<IoThread>& thread : io_threads_) {
    thread->Start();
  }
  Write(LogLevel::kNotice, "Ready to accept connections on port " + std::to_string(port_));
  return Status::Ok();
}

void Server::HandleSignals() {
  listener_->HandleSignals();
}

void Server::WaitForShutdown(const std::function<void()>& reload) {
  while (AwaitReload()) {
    reload();
  }
}

bool Server::AwaitReload() {
  const MutexLock lock(requests_mutex_);
  while (!shutdown_requested_ && !reload_requested_) {
    requested_.Wait(requests_mutex_);
  }
  reload_requested_ = false;
  return !shutdown_requested_;
}

void Server::RequestShutdown() {
  const MutexLock lock(requests_mutex_);
  shutdown_requested_ = true;
  requested_.NotifyAll();
}

void Server::RequestReload() {
  const MutexLock lock(requests_mutex_);
  reload_requested_ = true;
  requested_.NotifyAll();
}

void Server::Stop() {
  if (!running_) {
    return;
  }
  running_ = false;
  // In this order: no new connections, then no running slow commands and no commits, whose replies
  // are posted to the io threads, then the io threads, which send them.
  boost::asio::post(io_threads_[0]->context(), [this] { listener_->Close(); });
  // Who waits for a job is told that it was cancelled. All first, since they end one by one.
  const std::vector<JobInfo> jobs = database_->Jobs();
  for (const JobInfo& job : jobs) {
    database_->CancelJob(job.id).IgnoreError("it may have ended");
  }
  for (const JobInfo& job : jobs) {
    database_->WaitJob(job.id, 0).status().IgnoreError("it may be forgotten");
  }
  workers_->Stop();
  committer_.Stop();
  for (const std::unique_ptr<IoThread>& thread : io_threads_) {
    thread->Stop();
  }
}

Status Server::SetOptions(std::span<const std::string_view> pairs) {
  return config_.Set(pairs, [this](const ServerOptions& before, const ServerOptions& after) {
    return ApplyOptions(before, after);
  });
}

Status Server::ApplyOptions(const ServerOptions& before, const ServerOptions& after) {
  // The only one that can fail comes first, so that all are changed or none.
  if (after.maxclients > before.maxclients) {
    const std::int64_t needed = files_.Needed(after.maxclients);
    if (const std::int64_t limit = RaiseOpenFileLimit(needed); limit < needed) {
      return Status::InvalidArgument(
          "CONFIG SET failed (possibly related to argument 'maxclients') - The operating system is "
          "not able to handle the specified number of clients, try with " +
          std::to_string(after.maxclients - (needed - limit)));
    }
  }
  if (before.appendfsync != after.appendfsync) {
    database_->SetSyncPolicy(static_cast<SyncPolicy>(after.appendfsync));
  }
  if (before.maxmemory_bytes != after.maxmemory_bytes) {
    database_->SetMemoryLimit(static_cast<std::uint64_t>(after.maxmemory_bytes));
  }
  if (before.loglevel != after.loglevel) {
    log_->set_level(static_cast<LogLevel>(after.loglevel));
  }
  return Status::Ok();
}

CommandTotals Server::CommandSums(std::size_t index) const {
  CommandTotals totals;
  for (const std::unique_ptr<IoThread>& thread : io_threads_) {
    const CommandCounters& counters =
        static_cast<const IoThread&>(*thread).statistics().command(index);
    totals.calls += counters.calls.value();
    totals.nanoseconds += counters.nanoseconds.value();
    totals.failed += counters.failed.value();
    totals.rejected += counters.rejected.value();
  }
  return totals;
}

std::uint64_t Server::CommandsProcessed() const {
  std::uint64_t calls = 0;
  for (std::size_t i = 0; i < commands_.size(); ++i) {
    calls += CommandSums(i).calls;
  }
  return calls;
}

std::map<std::string, std::uint64_t> Server::ErrorSums() const {
  std::map<std::string, std::uint64_t> totals;
  for (const std::unique_ptr<IoThread>& thread : io_threads_) {
    thread->statistics().AddErrorsTo(&totals);
  }
  return totals;
}

std::uint64_t Server::Sum(Counter ThreadStatistics::*counter) const {
  std::uint64_t total = 0;
  for (const std::unique_ptr<IoThread>& thread : io_threads_) {
    total += (thread->statistics().*counter).value();
  }
  return total;
}

void Server::ResetStatistics() {
  for (const std::unique_ptr<IoThread>& thread : io_threads_) {
    thread->statistics().Reset();
  }
  for (Counter* counter :
       {&connections_received, &connections_rejected, &query_limit_disconnections,
        &output_limit_disconnections, &evicted_clients}) {
    counter->Reset();
  }
  database_->ResetStatistics();
}

void Server::SampleRate() {
  const std::uint64_t commands = CommandsProcessed();
  const std::int64_t now_us = clock_.MonotonicUs();
  // CONFIG RESETSTAT may have set the counters back since.
  if (now_us > sampled_us_ && commands >= sampled_commands_) {
    rate_.store((commands - sampled_commands_) * 1'000'000 /
                    static_cast<std::uint64_t>(now_us - sampled_us_),
                std::memory_order_relaxed);
  }
  sampled_commands_ = commands;
  sampled_us_ = now_us;
}

void Server::EvictClients(std::uint64_t bytes_max) {
  std::uint64_t bytes = 0;
  std::vector<std::pair<std::uint64_t, std::uint64_t>> largest;  // bytes, id
  clients_.ForEach([&](Client& client) {
    const std::uint64_t of_client = client.buffer_bytes();  // once: it changes meanwhile
    bytes += of_client;
    if (!client.no_evict()) {
      largest.emplace_back(of_client, client.id());
    }
  });
  std::ranges::sort(largest, std::greater());
  std::set<std::uint64_t> evicted;
  for (auto at = largest.begin(); at != largest.end() && bytes > bytes_max; ++at) {
    bytes -= at->first;
    evicted.insert(at->second);
  }
  if (evicted.empty()) {
    return;
  }
  clients_.ForEach([&](Client& client) {
    if (evicted.contains(client.id())) {
      client.RequestClose();
    }
  });
  evicted_clients.Add(evicted.size());
  Write(LogLevel::kWarning, "Closed " + std::to_string(evicted.size()) +
                                " clients with the largest buffers: all are above "
                                "maxmemory-clients");
}

IoThread& Server::NextIoThread() {
  const std::size_t index = next_thread_.fetch_add(1, std::memory_order_relaxed);
  return *io_threads_[index % io_threads_.size()];
}

}  // namespace reco::api
