#include "api/server/client.h"

#include <utility>

#include "api/commands/command_table.h"

namespace reco::api {
namespace {

constexpr std::int64_t kUsPerSecond = 1'000'000;

}  // namespace

Client::Client(std::uint64_t id, std::string address, std::string local_address, int fd,
               std::int64_t now_us)
    : id_(id),
      address_(std::move(address)),
      local_address_(std::move(local_address)),
      fd_(fd),
      created_us_(now_us),
      last_seen_us_(now_us) {}

Client::~Client() = default;

std::string Client::name() const {
  const MutexLock lock(mutex_);
  return name_;
}

void Client::set_name(std::string_view name) {
  const MutexLock lock(mutex_);
  name_ = name;
}

void Client::set_library_name(std::string_view name) {
  const MutexLock lock(mutex_);
  library_name_ = name;
}

void Client::set_library_version(std::string_view version) {
  const MutexLock lock(mutex_);
  library_version_ = version;
}

std::string Client::Describe(std::int64_t now_us) const {
  // Names and order are those of Redis 7.0, and of 7.2 for lib-name and lib-ver, because clients
  // parse the line; what has no counterpart here is a constant.
  std::string line;
  const auto add = [&line](std::string_view name, std::string_view value) {
    line += line.empty() ? "" : " ";
    line += name;
    line += '=';
    line += value;
  };
  const auto add_number = [&add](std::string_view name, auto value) {
    add(name, std::to_string(value));
  };
  const CommandEntry* command = command_.load(std::memory_order_relaxed);
  std::string flags = close_after_reply() ? "c" : "";
  // Redis shows several letters, and N only when there is no other.
  flags += blocked() ? "b" : "";
  flags += no_evict() ? "e" : "";
  flags += no_touch() ? "T" : "";
  const MutexLock lock(mutex_);
  add_number("id", id_);
  add("addr", address_);
  add("laddr", local_address_);
  add_number("fd", fd_);
  add("name", name_);
  add_number("age", (now_us - created_us_) / kUsPerSecond);
  add_number("idle", (now_us - last_seen_us()) / kUsPerSecond);
  add("flags", flags.empty() ? "N" : flags);
  add_number("db", db());
  line += " sub=0 psub=0 ssub=0 multi=-1";
  add_number("qbuf", query_bytes_.load(std::memory_order_relaxed));
  add_number("qbuf-free", query_free_.load(std::memory_order_relaxed));
  line += " argv-mem=0 multi-mem=0 rbs=0 rbp=0";
  add_number("obl", output_bytes_.load(std::memory_order_relaxed));
  line += " oll=0";
  add_number("omem", output_bytes_.load(std::memory_order_relaxed));
  add_number("tot-mem", buffer_bytes());
  add("events", output_bytes_.load(std::memory_order_relaxed) > 0 ? "rw" : "r");
  add("cmd", command == nullptr ? "NULL" : command->full_name);
  add("user", "default");
  add_number("redir", -1);
  add_number("resp", protocol());
  add("lib-name", library_name_);
  add("lib-ver", library_version_);
  return line;
}

}  // namespace reco::api
