#include "tools/client/connection.h"

#include <cerrno>
#include <poll.h>
#include <utility>
#include <vector>

#include <hiredis/hiredis.h>
#include <sys/time.h>

namespace reco::client {
namespace {

constexpr timeval kConnectTimeout{5, 0};

Value Decode(const redisReply& reply) {
  Value value;
  switch (reply.type) {
    case REDIS_REPLY_INTEGER:
      value.kind = Value::Kind::kInteger;
      value.integer = reply.integer;
      break;
    case REDIS_REPLY_STRING:
      value.kind = Value::Kind::kBulk;
      value.text.assign(reply.str, reply.len);
      break;
    case REDIS_REPLY_STATUS:
      value.kind = Value::Kind::kSimple;
      value.text.assign(reply.str, reply.len);
      break;
    case REDIS_REPLY_ERROR:
      value.kind = Value::Kind::kError;
      value.text.assign(reply.str, reply.len);
      break;
    case REDIS_REPLY_ARRAY:
      value.kind = Value::Kind::kArray;
      value.elements.reserve(reply.elements);
      for (std::size_t i = 0; i < reply.elements; ++i) {
        value.elements.push_back(Decode(*reply.element[i]));
      }
      break;
    // Null, and the kinds of RESP3, which is never asked for.
    default:
      break;
  }
  return value;
}

}  // namespace

void Connection::Closer::operator()(redisContext* context) const {
  redisFree(context);
}

Result<Connection> Connection::Open(const Endpoint& endpoint) {
  Connection connection(
      redisConnectWithTimeout(endpoint.host.c_str(), endpoint.port, kConnectTimeout));
  if (connection.context_ == nullptr) {
    return Status::Unavailable("out of memory");
  }
  if (connection.context_->err != 0) {
    return Status::Unavailable(connection.context_->errstr);
  }
  // hiredis leaves the connect timeout on the socket; a training may take longer than that.
  redisSetTimeout(connection.context_.get(), timeval{0, 0});
  if (!endpoint.password.empty()) {
    RECO_ASSIGN_OR_RETURN(Value answer, connection.Call({"AUTH", endpoint.password}));
    if (answer.is_error()) {
      return Status::FailedPrecondition(answer.text);
    }
  }
  return connection;
}

Status Connection::Lost() const {
  return Status::Unavailable(std::string("connection lost: ") + context_->errstr);
}

Result<Value> Connection::Call(Arguments arguments) {
  RECO_RETURN_IF_ERROR(Queue(arguments));
  return Read();
}

Status Connection::Queue(Arguments arguments) {
  // Kept between calls: a pipeline queues thousands of commands.
  thread_local std::vector<const char*> texts;
  thread_local std::vector<std::size_t> sizes;
  texts.clear();
  sizes.clear();
  for (std::string_view argument : arguments) {
    texts.push_back(argument.data());
    sizes.push_back(argument.size());
  }
  if (redisAppendCommandArgv(context_.get(), static_cast<int>(texts.size()), texts.data(),
                             sizes.data()) != REDIS_OK) {
    return Lost();
  }
  return Status::Ok();
}

Status Connection::Flush() {
  for (int done = 0; done == 0;) {
    if (redisBufferWrite(context_.get(), &done) != REDIS_OK) {
      return Lost();
    }
  }
  return Status::Ok();
}

Result<Value> Connection::Read() {
  void* raw = nullptr;
  if (redisGetReply(context_.get(), &raw) != REDIS_OK) {
    return Lost();
  }
  auto* reply = static_cast<redisReply*>(raw);
  Value value = Decode(*reply);
  freeReplyObject(reply);
  return value;
}

Result<bool> Connection::WaitReadable(int timeout_ms) {
  // Commands that are still queued would never be answered.
  RECO_RETURN_IF_ERROR(Flush());
  pollfd descriptor{context_->fd, POLLIN, 0};
  const int ready = poll(&descriptor, 1, timeout_ms);
  // A signal is no failure: the caller is back early and asks again.
  if (ready < 0 && errno != EINTR) {
    return Status::Unavailable("connection lost: cannot wait for the socket");
  }
  return ready > 0;
}

}  // namespace reco::client
