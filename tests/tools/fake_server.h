// FakeServer: a server that speaks just enough of the Redis protocol for the tools' tests: strings,
// and events counted once per idempotency token. Every key is a collection.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "base/mutex.h"

namespace reco::testing {

// Listens on a free port of the loopback interface until destroyed. Its state outlives connections,
// like a server's that is killed and started again. Thread-safe.
class FakeServer {
 public:
  using Command = std::vector<std::string>;

  FakeServer();
  ~FakeServer();
  FakeServer(const FakeServer&) = delete;
  FakeServer& operator=(const FakeServer&) = delete;

  std::uint16_t port() const { return port_; }

  // Closes the connection when so many further events have been applied; what came in the same read
  // stays unanswered although it counts.
  void CutAfter(std::uint64_t events) EXCLUDES(mutex_);
  // Answers `error` to every RECO.ADD, RECO.MADD and RECO.SET of this item; empty: no longer.
  void Refuse(const std::string& item, const std::string& error) EXCLUDES(mutex_);
  // Every key holds another collection from now on, or once so many further events were applied.
  void ReplaceCollections() EXCLUDES(mutex_);
  void ReplaceCollectionsAfter(std::uint64_t events) EXCLUDES(mutex_);
  // Accepts nothing without this password.
  void RequirePassword(const std::string& password) EXCLUDES(mutex_);

  // "user item" of every event that counted, in order.
  std::vector<std::string> events() const EXCLUDES(mutex_);
  // The whole command behind each of them.
  std::vector<Command> event_commands() const EXCLUDES(mutex_);
  std::uint64_t repeated_tokens() const EXCLUDES(mutex_);
  std::map<std::string, std::string> strings() const EXCLUDES(mutex_);
  // The last SET, whole.
  Command last_set() const EXCLUDES(mutex_);

 private:
  struct Session {
    int fd = -1;
    bool authenticated = false;
    bool closed = false;
    std::string input;
  };

  void Serve();
  void ReadFrom(Session* session) EXCLUDES(mutex_);
  std::string Answer(const Command& command, Session* session) REQUIRES(mutex_);
  std::string AnswerString(const Command& command) REQUIRES(mutex_);
  std::string AnswerEvent(const Command& command, Session* session) REQUIRES(mutex_);
  std::string AnswerMany(const Command& command, Session* session) REQUIRES(mutex_);

  int listener_ = -1;
  int wake_ = -1;  // an eventfd that ends Serve
  std::uint16_t port_ = 0;

  mutable Mutex mutex_;
  std::map<std::string, std::string> strings_ GUARDED_BY(mutex_);
  std::set<std::string> tokens_ GUARDED_BY(mutex_);
  std::vector<Command> events_ GUARDED_BY(mutex_);
  std::map<std::string, std::string> refused_ GUARDED_BY(mutex_);
  std::uint64_t repeated_tokens_ GUARDED_BY(mutex_) = 0;
  std::optional<std::uint64_t> cut_in_ GUARDED_BY(mutex_);
  std::uint64_t collection_id_ GUARDED_BY(mutex_) = 1;
  std::optional<std::uint64_t> replace_in_ GUARDED_BY(mutex_);
  std::string password_ GUARDED_BY(mutex_);
  Command last_set_ GUARDED_BY(mutex_);

  std::thread thread_;  // last: it uses everything above
};

}  // namespace reco::testing
