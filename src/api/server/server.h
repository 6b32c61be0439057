// Server: the daemon around a Database. Owns the listening sockets, the io threads, the workers,
// the configuration and the statistics; commands reach all of them through it.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "reco/engine.h"

#include "api/commands/command_table.h"
#include "api/config/config.h"
#include "api/config/open_files.h"
#include "api/server/client_registry.h"
#include "api/server/committer.h"
#include "api/server/log.h"
#include "api/server/statistics.h"
#include "api/server/worker_pool.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "base/thread_annotations.h"

namespace reco::api {

class IoThread;
class Listener;

// The version that clients look for; ours is RECO_VERSION.
inline constexpr std::string_view kRedisVersion = "7.0.15";
inline constexpr std::string_view kRecoVersion = RECO_VERSION;

// Thread-safe once started. The Database and the Log must outlive it.
class Server {
 public:
  // Serves these groups of commands, which must outlive it. `config_file` is only shown. Opens no
  // socket: commands can be run against it without Start(). `clock` must outlive it.
  Server(Database* database, std::span<const std::span<const CommandSpec>> commands,
         const ServerOptions& options, Log* log, std::string config_file = {},
         const Clock& clock = SystemClock());
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Listens and starts the threads. kIoError names the address that could not be bound.
  Status Start();
  // Has SIGTERM and SIGINT request a shutdown and SIGHUP a reload from now on; SIGUSR1 and SIGUSR2
  // are told in the log. Right after Start.
  void HandleSignals();
  // Blocks until a shutdown is requested, and reloads meanwhile on this thread when that is.
  void WaitForShutdown(const std::function<void()>& reload = [] {}) EXCLUDES(requests_mutex_);
  // Each makes WaitForShutdown do so; any thread.
  void RequestShutdown() EXCLUDES(requests_mutex_);
  void RequestReload() EXCLUDES(requests_mutex_);
  // Stops accepting, lets running commands finish, sends what can be sent, closes, joins.
  void Stop();

  Database& database() { return *database_; }
  const CommandTable& commands() const { return commands_; }
  const Clock& clock() const { return clock_; }
  Config& config() { return config_; }
  const Config& config() const { return config_; }
  ClientRegistry& clients() { return clients_; }
  const ClientRegistry& clients() const { return clients_; }
  WorkerPool& workers() { return *workers_; }
  Committer& committer() { return committer_; }
  void Write(LogLevel level, std::string_view text) const { log_->Write(level, text); }

  // Returns the port that is listened on; differs from the option when that is 0.
  std::uint16_t port() const { return port_; }
  const std::string& config_file() const { return config_file_; }
  const std::string& run_id() const { return run_id_; }
  std::int64_t started_us() const { return started_us_; }  // Clock::MonotonicUs
  std::size_t io_threads() const { return io_threads_.size(); }

  // Sets options and makes them effective, as Config::Set.
  Status SetOptions(std::span<const std::string_view> pairs);
  Status ReopenLog() { return log_->Reopen(); }

  // The sockets that are accepted and not closed yet, also of those who are no clients (any more).
  std::atomic<std::int64_t> sockets = 0;  // relaxed: a bound that one more or less may pass

  // Returns what all io threads have counted for one row, by CommandEntry::index.
  CommandTotals CommandSums(std::size_t index) const;
  std::uint64_t CommandsProcessed() const;
  std::map<std::string, std::uint64_t> ErrorSums() const;
  std::uint64_t Sum(Counter ThreadStatistics::*counter) const;
  void ResetStatistics();
  // Computes the rate of commands since the last call. Called about once a second.
  void SampleRate();
  // Closes the clients with the largest buffers until those of all take at most so many bytes.
  void EvictClients(std::uint64_t bytes_max);
  std::uint64_t commands_per_second() const { return rate_.load(std::memory_order_relaxed); }

  // Returns the io thread whose turn it is to take a new connection.
  IoThread& NextIoThread();

  Counter connections_received;
  Counter connections_rejected;
  Counter query_limit_disconnections;
  Counter output_limit_disconnections;
  Counter evicted_clients;

 private:
  // Makes changed options effective. An error is the text to answer.
  Status ApplyOptions(const ServerOptions& before, const ServerOptions& after);
  // Waits for a request. Returns true when it is one to reload.
  bool AwaitReload() EXCLUDES(requests_mutex_);

  Database* const database_;
  Log* const log_;
  const Clock& clock_;
  const CommandTable commands_;
  Config config_;
  ClientRegistry clients_;
  const std::string config_file_;
  const std::string run_id_;
  const std::int64_t started_us_;
  std::uint16_t port_ = 0;  // set by Start
  OpenFiles files_;         // set by Start

  std::unique_ptr<WorkerPool> workers_;
  Committer committer_;
  std::vector<std::unique_ptr<IoThread>> io_threads_;
  std::unique_ptr<Listener> listener_;
  bool running_ = false;  // between Start and Stop; confined to their caller

  std::atomic<std::size_t> next_thread_ = 0;  // relaxed: only spreads connections
  std::atomic<std::uint64_t> rate_ = 0;       // relaxed: a figure of INFO
  std::uint64_t sampled_commands_ = 0;        // confined to the thread that samples
  std::int64_t sampled_us_ = 0;

  Mutex requests_mutex_;
  CondVar requested_;
  bool shutdown_requested_ GUARDED_BY(requests_mutex_) = false;
  bool reload_requested_ GUARDED_BY(requests_mutex_) = false;
};

}  // namespace reco::api
