// Listener: the listening sockets. Accepts on the first io thread and hands the connections out.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>

#include "reco/status.h"

#include "api/config/config_options.h"

namespace reco::api {

class IoThread;
class Server;

// Open and Start before the io threads run; Close on the context's thread or after it has ended.
class Listener {
 public:
  Listener(Server* server, boost::asio::io_context* context);

  // Binds every address of options.bind. With port 0 all share the first free port found.
  // kInvalidArgument for what is no address; kIoError names the one that could not be bound.
  Status Open(const ServerOptions& options);
  std::uint16_t port() const { return port_; }
  void Start();
  // As Server::HandleSignals.
  void HandleSignals();
  void Close();

 private:
  struct Socket {
    boost::asio::ip::tcp::acceptor acceptor;
    boost::asio::steady_timer retry;  // after the process ran out of file descriptors
  };

  Status Bind(const std::string& address, bool optional, int backlog);
  void Accept(Socket* socket);
  // Has the target serve the socket, or closes it when too many are open.
  void Hand(boost::asio::ip::tcp::socket accepted, IoThread& target);
  void AwaitSignal();

  Server* const server_;
  boost::asio::io_context* const context_;
  std::uint16_t port_ = 0;
  std::vector<std::unique_ptr<Socket>> sockets_;
  boost::asio::signal_set signals_;
};

}  // namespace reco::api
