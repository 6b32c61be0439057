// Client: what the server knows about one connection, apart from its socket. Commands change it;
// CLIENT LIST reads it from other threads.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/mutex.h"
#include "base/thread_annotations.h"

namespace reco::api {

struct CommandEntry;

// Thread-safe to read; changed only by the thread that runs the connection's commands, so relaxed
// order suffices: no reader draws conclusions from two fields. The text fields have a mutex.
class Client {
 public:
  // Addresses as "ip:port". Times are Clock::MonotonicUs: ages are no matter of the wall clock.
  Client(std::uint64_t id, std::string address, std::string local_address, int fd,
         std::int64_t now_us);
  virtual ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  std::uint64_t id() const { return id_; }
  const std::string& address() const { return address_; }
  const std::string& local_address() const { return local_address_; }

  std::uint32_t db() const { return db_.load(std::memory_order_relaxed); }
  void set_db(std::uint32_t db) { db_.store(db, std::memory_order_relaxed); }
  int protocol() const { return protocol_.load(std::memory_order_relaxed); }
  void set_protocol(int protocol) { protocol_.store(protocol, std::memory_order_relaxed); }
  // Returns true once the password was given; from the start when none was set.
  bool authenticated() const { return authenticated_.load(std::memory_order_relaxed); }
  void set_authenticated(bool on) { authenticated_.store(on, std::memory_order_relaxed); }
  bool no_evict() const { return no_evict_.load(std::memory_order_relaxed); }
  void set_no_evict(bool on) { no_evict_.store(on, std::memory_order_relaxed); }
  bool no_touch() const { return no_touch_.load(std::memory_order_relaxed); }
  void set_no_touch(bool on) { no_touch_.store(on, std::memory_order_relaxed); }
  // Whether a MULTI was refused, and all up to its EXEC or DISCARD is.
  bool in_refused_transaction() const {
    return in_refused_transaction_.load(std::memory_order_relaxed);
  }
  void set_in_refused_transaction(bool on) {
    in_refused_transaction_.store(on, std::memory_order_relaxed);
  }
  // Whether its request waits for a job.
  bool blocked() const { return blocked_.load(std::memory_order_relaxed); }
  void set_blocked(bool on) { blocked_.store(on, std::memory_order_relaxed); }
  void set_command(const CommandEntry* command) {
    command_.store(command, std::memory_order_relaxed);
  }
  void set_last_seen_us(std::int64_t now_us) {
    last_seen_us_.store(now_us, std::memory_order_relaxed);
  }
  std::int64_t last_seen_us() const { return last_seen_us_.load(std::memory_order_relaxed); }
  void set_buffers(std::uint64_t query_bytes, std::uint64_t query_free, std::uint64_t output) {
    query_bytes_.store(query_bytes, std::memory_order_relaxed);
    query_free_.store(query_free, std::memory_order_relaxed);
    output_bytes_.store(output, std::memory_order_relaxed);
  }
  std::uint64_t buffer_bytes() const {
    return query_bytes_.load(std::memory_order_relaxed) +
           query_free_.load(std::memory_order_relaxed) +
           output_bytes_.load(std::memory_order_relaxed);
  }

  std::string name() const EXCLUDES(mutex_);
  void set_name(std::string_view name) EXCLUDES(mutex_);
  void set_library_name(std::string_view name) EXCLUDES(mutex_);
  void set_library_version(std::string_view version) EXCLUDES(mutex_);

  // Closes the connection once the replies so far are sent. Confined to the command's thread.
  void CloseAfterReply() { close_after_reply_.store(true, std::memory_order_relaxed); }
  bool close_after_reply() const { return close_after_reply_.load(std::memory_order_relaxed); }

  // Closes the connection from any thread, without waiting; does nothing when there is no socket.
  virtual void RequestClose() {}

  // Returns the client's line of CLIENT LIST, without its end.
  std::string Describe(std::int64_t now_us) const EXCLUDES(mutex_);

 private:
  const std::uint64_t id_;
  const std::string address_;
  const std::string local_address_;
  const int fd_;
  const std::int64_t created_us_;

  std::atomic<std::uint32_t> db_ = 0;
  std::atomic<int> protocol_ = 2;
  std::atomic<bool> authenticated_ = true;
  std::atomic<bool> no_evict_ = false;
  std::atomic<bool> no_touch_ = false;
  std::atomic<bool> in_refused_transaction_ = false;
  std::atomic<bool> close_after_reply_ = false;
  std::atomic<bool> blocked_ = false;
  std::atomic<const CommandEntry*> command_ = nullptr;
  std::atomic<std::int64_t> last_seen_us_;
  std::atomic<std::uint64_t> query_bytes_ = 0;
  std::atomic<std::uint64_t> query_free_ = 0;
  std::atomic<std::uint64_t> output_bytes_ = 0;

  mutable Mutex mutex_;
  std::string name_ GUARDED_BY(mutex_);
  std::string library_name_ GUARDED_BY(mutex_);
  std::string library_version_ GUARDED_BY(mutex_);
};

}  // namespace reco::api
