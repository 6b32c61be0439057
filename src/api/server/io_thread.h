// IoThread: one thread with its own event loop and its share of the connections. It works in
// turns: all connections that have something to read run their commands, then one commit makes
// their writes durable, then their replies leave (D12, I3).
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <thread>
#include <unordered_set>
#include <vector>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include "api/config/config_options.h"
#include "api/server/dispatcher.h"
#include "api/server/statistics.h"

namespace reco::api {

class Connection;
class Server;

// Everything but Start, Stop, context() and statistics() is confined to the thread itself.
class IoThread {
 public:
  IoThread(Server* server, bool first);
  ~IoThread();
  IoThread(const IoThread&) = delete;
  IoThread& operator=(const IoThread&) = delete;

  void Start();
  // Ends the turn, closes the connections and joins.
  void Stop();

  boost::asio::io_context& context() { return context_; }
  ThreadStatistics& statistics() { return statistics_; }
  const ThreadStatistics& statistics() const { return statistics_; }

  // Takes over an accepted socket of this thread's context, or refuses it.
  void Adopt(boost::asio::ip::tcp::socket socket);

  Server& server() { return *server_; }
  Dispatcher& dispatcher() { return dispatcher_; }
  // Returns the newest options; the reference holds until the next call.
  const ServerOptions& options();
  // Has the connection settled when the turn ends; opens a turn when none is open.
  void Touch(std::shared_ptr<Connection> connection);
  // Notes that a reply of this turn was made on the state of this Database::generation().
  void NoteGeneration(std::uint64_t generation);
  // Has the connection ask again in kHoldUpIntervalMs.
  static constexpr int kHoldUpIntervalMs = 5;
  void HoldUp(std::shared_ptr<Connection> connection);
  void Forget(const std::shared_ptr<Connection>& connection) { connections_.erase(connection); }

 private:
  // Lets replies leave that tell of nothing but committed changes; then commits, and lets the
  // others leave (I3).
  void EndTurn();
  // Has the Committer do it, which settles `waiting`. Returns false when that is to be done here.
  bool CommitElsewhere(std::uint64_t generation, std::vector<std::shared_ptr<Connection>> waiting);
  void EndHoldUp();
  void ScheduleCron();
  // Checks the limits of time of all connections, each second.
  void Cron();
  void CloseAll();

  Server* const server_;
  const bool first_;  // samples the server's rates
  ThreadStatistics statistics_;
  Dispatcher dispatcher_;
  ServerOptions options_;
  std::uint64_t options_generation_ = 0;

  std::unordered_set<std::shared_ptr<Connection>> connections_;
  std::vector<std::shared_ptr<Connection>> touched_;
  std::vector<std::shared_ptr<Connection>> settling_;  // touched_ of the turn that ends
  std::vector<std::shared_ptr<Connection>> held_up_;
  bool stopped_ = false;
  bool turn_open_ = false;  // EndTurn is queued
  static constexpr std::uint64_t kNoGeneration = std::numeric_limits<std::uint64_t>::max();
  std::uint64_t turn_generation_ = kNoGeneration;  // the oldest of its replies

  // Last, so that handlers still queued are destroyed while the members above are there.
  boost::asio::io_context context_;
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
  boost::asio::steady_timer cron_;
  boost::asio::steady_timer hold_up_;
  std::thread thread_;
};

}  // namespace reco::api
