// Connection: a blocking, pipelining connection to a RecoDB or Redis server, over hiredis.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "reco/result.h"
#include "reco/status.h"

#include "tools/client/value.h"

struct redisContext;

namespace reco::client {

using Arguments = std::span<const std::string_view>;

struct Endpoint {
  std::string host = "127.0.0.1";
  std::uint16_t port = 6390;
  std::string password;  // empty: none is sent
};

// Every failure of the socket is kUnavailable, after which only the destructor may be called. An
// error reply is not a failure: it is a Value. Confined to one thread.
class Connection {
 public:
  // Connects (5 seconds at most) and authenticates when there is a password. kUnavailable: nobody
  // answers; kFailedPrecondition: the password is refused, the message is the server's.
  static Result<Connection> Open(const Endpoint& endpoint);

  Connection(Connection&&) noexcept = default;
  Connection& operator=(Connection&&) noexcept = default;
  ~Connection() = default;

  // Sends one command and reads its reply. Nothing may be queued or unread.
  Result<Value> Call(Arguments arguments);
  Result<Value> Call(std::initializer_list<std::string_view> arguments) {
    return Call(Arguments(arguments.begin(), arguments.size()));
  }

  // Pipelining: Queue only remembers, Flush sends, Read waits for the next reply (and sends what is
  // still queued). The server must be able to answer all that is unread into the socket's buffers:
  // keep fewer than about 10,000 short replies unread.
  Status Queue(Arguments arguments);
  Status Queue(std::initializer_list<std::string_view> arguments) {
    return Queue(Arguments(arguments.begin(), arguments.size()));
  }
  Status Flush();
  Result<Value> Read();

  // Waits at most timeout_ms for bytes to read. Returns false when none came.
  Result<bool> WaitReadable(int timeout_ms);

 private:
  struct Closer {
    void operator()(redisContext* context) const;
  };

  explicit Connection(redisContext* context) : context_(context) {}
  Status Lost() const;

  std::unique_ptr<redisContext, Closer> context_;
};

}  // namespace reco::client
