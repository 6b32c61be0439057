#include "api/server/listener.h"

#include <chrono>
#include <csignal>
#include <utility>

#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/post.hpp>

#include "api/protocol/quoted_words.h"
#include "api/server/io_thread.h"
#include "api/server/server.h"

namespace reco::api {
namespace {

namespace asio = boost::asio;
using Tcp = asio::ip::tcp;

constexpr auto kRetryInterval = std::chrono::milliseconds(100);

// Returns true iff the error says that this machine does not have the address, which is all that a
// leading - excuses: a port in use is an error.
bool IsAbsentAddress(const boost::system::error_code& error) {
  return error == asio::error::address_family_not_supported ||
         error == boost::system::errc::address_not_available ||
         error == boost::system::errc::protocol_not_supported;
}

}  // namespace

Listener::Listener(Server* server, asio::io_context* context)
    : server_(server), context_(context), signals_(*context) {}

Status Listener::Open(const ServerOptions& options) {
  port_ = static_cast<std::uint16_t>(options.port);
  std::string bytes;
  std::vector<Slice> words;
  if (!SplitQuotedWords(options.bind, &bytes, &words)) {
    return Status::InvalidArgument("option 'bind': unbalanced quotes");
  }
  for (const Slice& word : words) {
    std::string address = bytes.substr(word.offset, word.length);
    const bool optional = address.substr(0, 1) == "-";
    address.erase(0, optional ? 1 : 0);
    RECO_RETURN_IF_ERROR(Bind(address, optional, static_cast<int>(options.tcp_backlog)));
  }
  if (sockets_.empty()) {
    return Status::IoError("option 'bind': no address of '" + options.bind +
                           "' could be listened on");
  }
  return Status::Ok();
}

Status Listener::Bind(const std::string& address, bool optional, int backlog) {
  boost::system::error_code error;
  asio::ip::address parsed;
  if (address == "*") {
    parsed = asio::ip::address_v4::any();
  } else if (address == "::*") {
    parsed = asio::ip::address_v6::any();
  } else {
    parsed = asio::ip::make_address(address, error);
    if (error) {
      return Status::InvalidArgument("option 'bind': '" + address + "' is not an IP address");
    }
  }
  const Tcp::endpoint endpoint(parsed, port_);
  Tcp::acceptor acceptor(*context_);
  acceptor.open(endpoint.protocol(), error);
  if (!error && parsed.is_v6()) {
    // Lets "*" and "::*" share a port; by Linux's default the latter takes IPv4 as well.
    acceptor.set_option(asio::ip::v6_only(true), error);
  }
  if (!error) {
    // A restart need not wait for old connections to leave TIME_WAIT.
    acceptor.set_option(Tcp::acceptor::reuse_address(true), error);
  }
  if (!error) {
    acceptor.bind(endpoint, error);
  }
  if (!error) {
    acceptor.listen(backlog, error);
  }
  if (error && optional && IsAbsentAddress(error)) {
    return Status::Ok();
  }
  if (error) {
    return Status::IoError("cannot listen on " + address + ":" + std::to_string(port_) + ": " +
                           error.message());
  }
  if (port_ == 0) {
    // The next address takes the same port.
    port_ = acceptor.local_endpoint().port();
  }
  sockets_.push_back(std::unique_ptr<Socket>(
      new Socket{.acceptor = std::move(acceptor), .retry = asio::steady_timer(*context_)}));
  return Status::Ok();
}

void Listener::Start() {
  for (const std::unique_ptr<Socket>& socket : sockets_) {
    Accept(socket.get());
  }
}

void Listener::Accept(Socket* socket) {
  // The socket belongs to the context of the thread that will serve it from the start; this handler
  // runs on the first thread, so the connection is made over there.
  IoThread& target = server_->NextIoThread();
  socket->acceptor.async_accept(
      target.context(),
      [this, socket, &target](const boost::system::error_code& error, Tcp::socket accepted) {
        if (!socket->acceptor.is_open()) {
          return;
        }
        if (!error) {
          Hand(std::move(accepted), target);
          Accept(socket);
          return;
        }
        server_->Write(LogLevel::kWarning, "cannot accept a connection: " + error.message());
        // Without file descriptors the next accept would fail at once as well, in a busy loop.
        socket->retry.expires_after(kRetryInterval);
        socket->retry.async_wait([this, socket](const boost::system::error_code& cancelled) {
          if (!cancelled && socket->acceptor.is_open()) {
            Accept(socket);
          }
        });
      });
}

void Listener::Hand(Tcp::socket accepted, IoThread& target) {
  // Those who are told that there are too many clients keep their sockets for a moment. Without a
  // bound a flood of them would take the descriptors of the database.
  const std::int64_t sockets_max = server_->config().Snapshot().maxclients + kEndingSocketsMax;
  if (server_->sockets.fetch_add(1, std::memory_order_relaxed) >= sockets_max) {
    server_->sockets.fetch_sub(1, std::memory_order_relaxed);
    server_->connections_rejected.Add();
    return;
  }
  asio::post(target.context(), [&target, accepted = std::move(accepted)]() mutable {
    target.Adopt(std::move(accepted));
  });
}

void Listener::HandleSignals() {
  boost::system::error_code error;
  for (const int number : {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2}) {
    signals_.add(number, error);
  }
  AwaitSignal();
}

void Listener::AwaitSignal() {
  signals_.async_wait([this](const boost::system::error_code& cancelled, int number) {
    if (cancelled) {
      return;
    }
    const std::string name = "Received signal " + std::to_string(number);
    if (number == SIGTERM || number == SIGINT) {
      server_->Write(LogLevel::kWarning, name + ", shutting down");
      server_->RequestShutdown();
      return;
    }
    if (number == SIGHUP) {
      server_->RequestReload();
    } else {
      server_->Write(LogLevel::kNotice, name + ", which means nothing here");
    }
    AwaitSignal();
  });
}

void Listener::Close() {
  boost::system::error_code ignored;
  signals_.cancel(ignored);
  for (const std::unique_ptr<Socket>& socket : sockets_) {
    socket->acceptor.close(ignored);
    socket->retry.cancel();
  }
}

}  // namespace reco::api
