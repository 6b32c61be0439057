// A server over loopback sockets, and a client socket for it.
#pragma once

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <memory>
#include <poll.h>
#include <string>
#include <string_view>
#include <unistd.h>
#include <utility>
#include <vector>

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "reco/engine.h"

#include "api/all_commands.h"
#include "api/config/config_file.h"
#include "api/server/log.h"
#include "api/server/server.h"
#include "base/clock.h"
#include "engine/database/database.h"
#include "testing/fault_env.h"

namespace reco::api {

inline constexpr int kPatienceMs = 20'000;  // before a missing reply is a failure

// A blocking client socket.
class Peer {
 public:
  explicit Peer(std::uint16_t port) : fd_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  }
  ~Peer() { close(fd_); }
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  // False when the peer has closed.
  bool TrySend(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) {
        return false;
      }
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }
  void Send(std::string_view bytes) { EXPECT_TRUE(TrySend(bytes)); }
  // Exactly `bytes` bytes, or what came before the end of the stream.
  std::string Read(std::size_t bytes) {
    while (received_.size() < bytes && ReceiveSome()) {
    }
    const std::size_t count = std::min(bytes, received_.size());
    std::string text = received_.substr(0, count);
    received_.erase(0, count);
    return text;
  }
  // Everything up to the end of the stream.
  std::string ReadToEnd() {
    while (ReceiveSome()) {
    }
    return std::exchange(received_, {});
  }
  std::string ReadLine() {
    while (received_.find("\r\n") == std::string::npos && ReceiveSome()) {
    }
    return Read(std::min(received_.size(), received_.find("\r\n") + 2));
  }
  std::string ReadBulk() {
    std::string header = ReadLine();
    if (header.size() < 4 || header[0] != '$') {
      return header;
    }
    const std::string bytes = Read(std::stoul(header.substr(1)) + 2);
    return bytes.substr(0, bytes.size() - 2);
  }
  std::string Ask(std::string_view request) {
    Send(request);
    return ReadLine();
  }
  // Sends no more.
  void EndInput() { shutdown(fd_, SHUT_WR); }
  // True when something has come that was not read yet.
  bool HasAnswer() {
    pollfd ready{.fd = fd_, .events = POLLIN, .revents = 0};
    return !received_.empty() || poll(&ready, 1, 0) > 0;
  }
  // The destructor resets the connection instead of closing it.
  void ResetAtEnd() {
    const linger option{.l_onoff = 1, .l_linger = 0};
    setsockopt(fd_, SOL_SOCKET, SO_LINGER, &option, sizeof(option));
  }

 private:
  // False at the end of the stream.
  bool ReceiveSome() {
    pollfd ready{.fd = fd_, .events = POLLIN, .revents = 0};
    if (poll(&ready, 1, kPatienceMs) <= 0) {
      ADD_FAILURE() << "no answer";
      return false;
    }
    char buffer[65536];
    const ssize_t count = recv(fd_, buffer, sizeof(buffer), 0);
    if (count <= 0) {
      return false;
    }
    received_.append(buffer, static_cast<std::size_t>(count));
    return true;
  }

  int fd_;
  std::string received_;
};

class ServerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = ::testing::TempDir() + "server_test_" + std::to_string(getpid());
    std::filesystem::remove_all(folder_);
  }
  void TearDown() override {
    server_.reset();
    database_.reset();
    log_.reset();
    std::filesystem::remove_all(folder_);
  }

  void StartServer(const std::string& config = "", const Clock& clock = SystemClock()) {
    ServerOptions options = DefaultOptions();
    const Status status =
        ApplyConfigText("port 0\nbind 127.0.0.1\nio-threads 2\n" + config, "test", &options);
    ASSERT_TRUE(status.ok()) << status.ToString();
    options.dir = folder_;
    engine::DatabaseHooks hooks;
    hooks.env = faults_.env();
    auto database =
        engine::DatabaseAccess::Open(options.EngineOptions({.bytes = 1ULL << 30U}), hooks);
    ASSERT_TRUE(database.ok()) << database.status().ToString();
    database_ = std::move(database).value();
    auto log = Log::Open(::testing::TempDir() + "server_test.log", LogLevel::kWarning);
    ASSERT_TRUE(log.ok());
    log_ = std::move(log).value();
    server_ =
        std::make_unique<Server>(database_.get(), AllCommands(), options, log_.get(), "", clock);
    const Status started = server_->Start();
    ASSERT_TRUE(started.ok()) << started.ToString();
  }
  Peer Connect() const { return Peer(server_->port()); }
  // Enough for trainings that take far longer than a test.
  void Fill(std::string_view key) {
    std::vector<std::string> ids;
    for (std::size_t i = 0; i < 200; ++i) {
      ids.push_back("id" + std::to_string(i));
    }
    std::vector<Interaction> interactions;
    for (std::size_t i = 0; i < 8'000; ++i) {
      interactions.push_back({.user = ids[i % 200], .item = ids[i / 200 * 7 % 200]});
    }
    ASSERT_TRUE(database_->AddMany(key, interactions).ok());
  }

  std::string folder_;
  testing::FaultEnv faults_;
  std::unique_ptr<Database> database_;
  std::unique_ptr<Log> log_;
  std::unique_ptr<Server> server_;
};

}  // namespace reco::api
