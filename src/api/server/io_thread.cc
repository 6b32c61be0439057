#include "api/server/io_thread.h"

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>

#include <boost/asio/ip/address.hpp>
#include <boost/asio/post.hpp>

#include "api/server/connection.h"
#include "api/server/server.h"
#include "base/check.h"
#include "base/thread_name.h"

namespace reco::api {
namespace {

constexpr auto kCronInterval = std::chrono::seconds(1);

constexpr std::string_view kProtectedMode =
    "DENIED Redis is running in protected mode because protected mode is enabled and no password "
    "is set for the default user. In this mode connections are only accepted from the loopback "
    "interface. If you want to connect from external computers you may adopt one of the following "
    "solutions: 1) Disable protected mode with the command 'CONFIG SET protected-mode no' sent "
    "from the loopback interface, or with 'protected-mode no' in the configuration file, but make "
    "sure that the server is not reachable from the internet if you do so. 2) Set a password with "
    "the option requirepass. NOTE: You only need to do one of the above things in order for the "
    "server to start accepting connections from the outside.";

bool IsLoopback(const boost::asio::ip::address& address) {
  // An IPv4 peer of an IPv6 socket is as local as it is over IPv4.
  if (address.is_v6() && address.to_v6().is_v4_mapped()) {
    return boost::asio::ip::make_address_v4(boost::asio::ip::v4_mapped, address.to_v6())
        .is_loopback();
  }
  return address.is_loopback();
}

}  // namespace

IoThread::IoThread(Server* server, bool first)
    : server_(server),
      first_(first),
      statistics_(server->commands().size()),
      dispatcher_(server, &statistics_),
      // Tells Asio that one thread runs the context.
      context_(1),
      work_(context_.get_executor()),
      cron_(context_),
      hold_up_(context_) {}

IoThread::~IoThread() = default;

void IoThread::Start() {
  ScheduleCron();
  thread_ = std::thread([this] {
    NameThread("io");
    context_.run();
  });
}

void IoThread::Stop() {
  if (!thread_.joinable()) {
    return;
  }
  // Without work_ the context ends when the last handler has, so nothing queued is lost.
  boost::asio::post(context_, [this] {
    CloseAll();
    stopped_ = true;  // the timer may have expired already, which cancel() does not undo
    cron_.cancel();
    hold_up_.cancel();
    work_.reset();
  });
  thread_.join();
}

const ServerOptions& IoThread::options() {
  // Asked for each request: one atomic read, and the copy is made only after a change.
  const std::uint64_t generation = server_->config().generation();
  if (generation != options_generation_) {
    options_ = server_->config().Snapshot();
    options_generation_ = generation;
  }
  return options_;
}

void IoThread::Adopt(boost::asio::ip::tcp::socket socket) {
  server_->connections_received.Add();
  const auto connection = Connection::Make(std::move(socket), *this);
  if (connection == nullptr) {
    server_->sockets.fetch_sub(1, std::memory_order_relaxed);
    return;  // the peer is gone already
  }
  // Also one that is refused: it must live until its error is sent.
  connections_.insert(connection);
  const ServerOptions& current = options();
  // The new one is not among them yet: Start() registers it.
  if (server_->clients().size() >= static_cast<std::size_t>(current.maxclients)) {
    server_->connections_rejected.Add();
    connection->Refuse("ERR max number of clients reached");
  } else if (current.protected_mode && current.requirepass.empty() &&
             !IsLoopback(connection->peer())) {
    server_->connections_rejected.Add();
    connection->Refuse(kProtectedMode);
  } else {
    connection->Start();
  }
}

void IoThread::NoteGeneration(std::uint64_t generation) {
  // The oldest of the turn stands for all of it: what a recovery has undone since is answered with
  // the error (I15).
  turn_generation_ = std::min(turn_generation_, generation);
}

void IoThread::Touch(std::shared_ptr<Connection> connection) {
  touched_.push_back(std::move(connection));
  if (!turn_open_) {
    turn_open_ = true;
    // Runs behind the handlers that are ready now, so that all their writes share one commit.
    boost::asio::post(context_, [this] { EndTurn(); });
  }
}

void IoThread::EndTurn() {
  // First, and with the list swapped here: Settle() may run commands, which open the next turn.
  turn_open_ = false;
  settling_.swap(touched_);
  Database& database = server_->database();
  const std::uint64_t generation = std::exchange(turn_generation_, kNoGeneration);
  // Who has seen no data does not wait for a recovery.
  const bool asked =
      std::ranges::any_of(settling_, [](const auto& connection) { return connection->seen() > 0; });
  const std::uint64_t committed = asked ? database.CommittedUpTo(generation) : 0;
  const auto waiting = std::stable_partition(
      settling_.begin(), settling_.end(),
      [committed](const auto& connection) { return connection->seen() <= committed; });
  for (auto at = settling_.begin(); at != waiting; ++at) {
    (*at)->Settle(Status::Ok());
  }
  // A write of this thread may already have been committed, or undone, with those of another;
  // Commit answers for it (I15).
  if (waiting != settling_.end() && !CommitElsewhere(generation, {waiting, settling_.end()})) {
    const Status status = database.Commit(generation);
    for (auto at = waiting; at != settling_.end(); ++at) {
      (*at)->Settle(status);
    }
  }
  settling_.clear();
}

bool IoThread::CommitElsewhere(std::uint64_t generation,
                               std::vector<std::shared_ptr<Connection>> waiting) {
  // Handing it on takes about 70 us: more than a commit without a sync, and for nothing when all of
  // this thread's connections wait.
  if (options().appendfsync != static_cast<std::int64_t>(SyncPolicy::kAlways) ||
      waiting.size() == connections_.size()) {
    return false;
  }
  std::uint64_t seen = 0;
  for (const std::shared_ptr<Connection>& connection : waiting) {
    connection->Park();
    seen = std::max(seen, connection->seen());
  }
  const auto shared =
      std::make_shared<const std::vector<std::shared_ptr<Connection>>>(std::move(waiting));
  return server_->committer().Submit(generation, seen, [this, shared](const Status& status) {
    boost::asio::post(context_, [shared, status] {
      for (const std::shared_ptr<Connection>& connection : *shared) {
        connection->Settle(status);
      }
    });
  });
}

void IoThread::HoldUp(std::shared_ptr<Connection> connection) {
  held_up_.push_back(std::move(connection));
  // One timer for all of them.
  if (held_up_.size() == 1) {
    hold_up_.expires_after(std::chrono::milliseconds(kHoldUpIntervalMs));
    hold_up_.async_wait([this](const boost::system::error_code& error) {
      if (!error && !stopped_) {
        EndHoldUp();
      }
    });
  }
}

void IoThread::EndHoldUp() {
  // Those that are held up again make the next round.
  const std::vector<std::shared_ptr<Connection>> connections = std::exchange(held_up_, {});
  for (const std::shared_ptr<Connection>& connection : connections) {
    connection->EndHoldUp();
  }
}

void IoThread::ScheduleCron() {
  cron_.expires_after(kCronInterval);
  cron_.async_wait([this](const boost::system::error_code& error) {
    if (!error && !stopped_) {
      Cron();
      ScheduleCron();
    }
  });
}

void IoThread::Cron() {
  if (first_) {
    server_->SampleRate();
    if (const std::int64_t bytes_max = options().clients_bytes_max; bytes_max > 0) {
      server_->EvictClients(static_cast<std::uint64_t>(bytes_max));
    }
  }
  const std::vector<std::shared_ptr<Connection>> connections(connections_.begin(),
                                                             connections_.end());
  for (const std::shared_ptr<Connection>& connection : connections) {
    connection->CheckLimits();  // may close it, which takes it out of connections_
  }
}

void IoThread::CloseAll() {
  if (!touched_.empty()) {
    EndTurn();
  }
  const std::vector<std::shared_ptr<Connection>> connections(connections_.begin(),
                                                             connections_.end());
  for (const std::shared_ptr<Connection>& connection : connections) {
    connection->Close();
  }
  held_up_.clear();
}

}  // namespace reco::api
