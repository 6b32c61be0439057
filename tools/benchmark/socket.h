// Sockets of the load generator: a connection made and authenticated, ready to be driven by epoll.
#pragma once

#include <string>
#include <unistd.h>
#include <utility>

#include "reco/result.h"

#include "tools/client/connection.h"

namespace reco::benchmark {

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

std::string ErrorText(int code);

// Connects and authenticates, then makes the socket non-blocking. kUnavailable: nobody answers;
// kFailedPrecondition: the password is refused. Nothing is sent for an empty password.
Result<Descriptor> OpenSocket(const client::Endpoint& endpoint);

}  // namespace reco::benchmark
