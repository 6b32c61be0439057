#include "tools/fake_server.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdlib>
#include <poll.h>
#include <string_view>
#include <unistd.h>
#include <utility>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include "base/check.h"

namespace reco::testing {
namespace {

// Takes one whole command from the front of `input`; false when it is not all there.
bool TakeCommand(std::string* input, FakeServer::Command* command) {
  std::size_t at = 0;
  const auto header = [&](long* number) {
    const std::size_t end = input->find("\r\n", at);
    if (end == std::string::npos) {
      return false;
    }
    *number = std::strtol(input->c_str() + at + 1, nullptr, 10);
    at = end + 2;
    return true;
  };
  long count = 0;
  if (!header(&count)) {
    return false;
  }
  command->clear();
  for (long i = 0; i < count; ++i) {
    long size = 0;
    if (!header(&size) || input->size() < at + static_cast<std::size_t>(size) + 2) {
      return false;
    }
    command->push_back(input->substr(at, static_cast<std::size_t>(size)));
    at += static_cast<std::size_t>(size) + 2;
  }
  input->erase(0, at);
  return true;
}

std::string Bulk(const std::string& text) {
  return "$" + std::to_string(text.size()) + "\r\n" + text + "\r\n";
}

std::string WordAfter(const FakeServer::Command& command, const std::string& word) {
  const auto found = std::find(command.begin(), command.end(), word);
  return found == command.end() || found + 1 == command.end() ? std::string() : *(found + 1);
}

}  // namespace

FakeServer::FakeServer() {
  listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  wake_ = eventfd(0, EFD_CLOEXEC);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  RECO_CHECK(bind(listener_, generic, size) == 0 && listen(listener_, 64) == 0);
  RECO_CHECK(getsockname(listener_, generic, &size) == 0);
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { Serve(); });
}

FakeServer::~FakeServer() {
  const std::uint64_t one = 1;
  RECO_CHECK(write(wake_, &one, sizeof(one)) == sizeof(one));
  thread_.join();
  close(listener_);
  close(wake_);
}

void FakeServer::Serve() {
  std::vector<Session> sessions;
  while (true) {
    std::vector<pollfd> descriptors = {{wake_, POLLIN, 0}, {listener_, POLLIN, 0}};
    for (const Session& session : sessions) {
      descriptors.push_back({session.fd, POLLIN, 0});
    }
    poll(descriptors.data(), descriptors.size(), -1);
    if (descriptors[0].revents != 0) {
      break;
    }
    for (std::size_t i = 0; i < sessions.size(); ++i) {
      if (descriptors[i + 2].revents != 0) {
        ReadFrom(&sessions[i]);
      }
    }
    if (descriptors[1].revents != 0) {
      const int fd = accept(listener_, nullptr, nullptr);
      const int on = 1;
      setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
      sessions.push_back({fd, false, false, {}});
    }
    std::erase_if(sessions,
                  [](const Session& session) { return session.closed && close(session.fd) == 0; });
  }
  for (const Session& session : sessions) {
    close(session.fd);
  }
}

void FakeServer::ReadFrom(Session* session) {
  std::array<char, 65'536> bytes{};
  const ssize_t count = read(session->fd, bytes.data(), bytes.size());
  if (count <= 0) {
    session->closed = true;
    return;
  }
  session->input.append(bytes.data(), static_cast<std::size_t>(count));
  std::string output;
  Command command;
  {
    MutexLock lock(mutex_);
    while (!session->closed && TakeCommand(&session->input, &command)) {
      output += Answer(command, session);
    }
  }
  if (!session->closed && send(session->fd, output.data(), output.size(), MSG_NOSIGNAL) < 0) {
    session->closed = true;
  }
}

std::string FakeServer::Answer(const Command& command, Session* session) {
  const std::string& name = command[0];
  if (name == "AUTH") {
    session->authenticated = command[1] == password_;
    return session->authenticated ? "+OK\r\n" : "-WRONGPASS invalid username-password pair\r\n";
  }
  if (!password_.empty() && !session->authenticated) {
    return "-NOAUTH Authentication required.\r\n";
  }
  if (name == "PING") {
    return "+PONG\r\n";
  }
  if (name == "RECO.ADD" || name == "RECO.SET") {
    return AnswerEvent(command, session);
  }
  if (name == "RECO.MADD") {
    return AnswerMany(command, session);
  }
  if (name == "RECO.INFO") {
    return "*2\r\n" + Bulk("collection-id") + ":" + std::to_string(collection_id_) + "\r\n";
  }
  if (name == "INFO") {
    return Bulk("# Memory\r\nused_memory_rss:1048576\r\n# Stats\r\nrow_cache_misses:" +
                std::to_string(events_.size()) + "\r\n");
  }
  return AnswerString(command);
}

std::string FakeServer::AnswerString(const Command& command) {
  const std::string& name = command[0];
  if (name == "GET") {
    const auto found = strings_.find(command[1]);
    return found == strings_.end() ? "$-1\r\n" : Bulk(found->second);
  }
  if (name == "SET") {
    strings_[command[1]] = command[2];
    last_set_ = command;
    return "+OK\r\n";
  }
  if (name == "DEL") {
    return ":" + std::to_string(strings_.erase(command[1])) + "\r\n";
  }
  return "-ERR unknown command '" + name + "', with args beginning with: \r\n";
}

std::string FakeServer::AnswerEvent(const Command& command, Session* session) {
  if (const auto refused = refused_.find(command[3]); refused != refused_.end()) {
    return "-" + refused->second + "\r\n";
  }
  const std::string token = WordAfter(command, "ID");
  if (!token.empty() && !tokens_.insert(token).second) {
    ++repeated_tokens_;
    return ":1\r\n";
  }
  events_.push_back(command);
  if (replace_in_ && --*replace_in_ == 0) {
    replace_in_.reset();
    ++collection_id_;
  }
  if (cut_in_ && --*cut_in_ == 0) {
    cut_in_.reset();
    session->closed = true;
  }
  return ":" + std::to_string(events_.size()) + "\r\n";
}

std::string FakeServer::AnswerMany(const Command& command, Session* session) {
  std::string reply;
  for (std::size_t i = 2; i + 2 < command.size() && reply.substr(0, 1) != "-"; i += 3) {
    reply =
        AnswerEvent({"RECO.ADD", command[1], command[i], command[i + 1], command[i + 2]}, session);
  }
  return reply;
}

void FakeServer::CutAfter(std::uint64_t events) {
  MutexLock lock(mutex_);
  cut_in_ = events;
}

void FakeServer::Refuse(const std::string& item, const std::string& error) {
  MutexLock lock(mutex_);
  if (error.empty()) {
    refused_.erase(item);
  } else {
    refused_[item] = error;
  }
}

void FakeServer::ReplaceCollections() {
  MutexLock lock(mutex_);
  ++collection_id_;
}

void FakeServer::ReplaceCollectionsAfter(std::uint64_t events) {
  MutexLock lock(mutex_);
  replace_in_ = events;
}

void FakeServer::RequirePassword(const std::string& password) {
  MutexLock lock(mutex_);
  password_ = password;
}

std::vector<std::string> FakeServer::events() const {
  MutexLock lock(mutex_);
  std::vector<std::string> out;
  out.reserve(events_.size());
  for (const Command& command : events_) {
    out.push_back(command[2] + ' ' + command[3]);
  }
  return out;
}

std::vector<FakeServer::Command> FakeServer::event_commands() const {
  MutexLock lock(mutex_);
  return events_;
}

std::uint64_t FakeServer::repeated_tokens() const {
  MutexLock lock(mutex_);
  return repeated_tokens_;
}

std::map<std::string, std::string> FakeServer::strings() const {
  MutexLock lock(mutex_);
  return strings_;
}

FakeServer::Command FakeServer::last_set() const {
  MutexLock lock(mutex_);
  return last_set_;
}

}  // namespace reco::testing
