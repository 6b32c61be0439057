#include "tools/benchmark/socket.h"

#include <array>
#include <cerrno>
#include <fcntl.h>
#include <netdb.h>
#include <system_error>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "tools/benchmark/resp.h"

namespace reco::benchmark {
namespace {

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
  // A name may have several addresses of which not all are listened on, as localhost often has.
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
  // Nagle's algorithm would add its own waiting to what is measured.
  setsockopt(socket_fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  return socket_fd;
}

Status Authenticate(int fd, const std::string& password) {
  if (password.empty()) {
    return Status::Ok();
  }
  std::string command;
  AppendCommand(&command, {"AUTH", password});
  std::array<char, 512> reply{};
  // The socket still blocks, and both texts fit into one packet.
  const bool sent = write(fd, command.data(), command.size()) == std::ssize(command);
  const ssize_t count = sent ? read(fd, reply.data(), reply.size()) : -1;
  if (count <= 0 || reply[0] != '+') {
    return Status::FailedPrecondition("the server refuses the password");
  }
  return Status::Ok();
}

}  // namespace

std::string ErrorText(int code) {
  return std::error_code(code, std::generic_category()).message();
}

Result<Descriptor> OpenSocket(const client::Endpoint& endpoint) {
  RECO_ASSIGN_OR_RETURN(Descriptor fd, Connect(endpoint));
  RECO_RETURN_IF_ERROR(Authenticate(fd.get(), endpoint.password));
  if (fcntl(fd.get(), F_SETFL, fcntl(fd.get(), F_GETFL) | O_NONBLOCK) != 0) {
    return Status::Unavailable("cannot prepare a socket");
  }
  return fd;
}

}  // namespace reco::benchmark
