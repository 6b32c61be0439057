#include "api/commands/admin/info.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <fstream>
#include <unistd.h>

#include <sys/resource.h>
#include <sys/utsname.h>

#include "api/commands/arguments.h"
#include "base/allocator.h"
#include "base/clock.h"

namespace reco::api {
namespace {

// Collects "name:value" lines.
class Lines {
 public:
  void Add(std::string_view name, std::string_view value) {
    text_.append(name).append(":").append(value).append("\r\n");
  }
  void Add(std::string_view name, std::uint64_t value) { Add(name, std::to_string(value)); }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

template <typename... Args>
std::string Format(const char* format, Args... args) {
  std::array<char, 64> text;
  const int length = std::snprintf(text.data(), text.size(), format, args...);
  return {text.data(), static_cast<std::size_t>(length)};
}

// Returns "1.02M", as Redis shows bytes.
std::string HumanBytes(std::uint64_t bytes) {
  constexpr std::array kUnits = {"B", "K", "M", "G", "T"};
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (value >= 1024 && unit + 1 < kUnits.size()) {
    value /= 1024;
    ++unit;
  }
  return unit == 0 ? std::to_string(bytes) + "B" : Format("%.2f%s", value, kUnits[unit]);
}

// Returns the bytes of the process in memory, from the second figure of statm, which is in pages.
std::uint64_t ResidentBytes() {
  std::ifstream file("/proc/self/statm");
  std::uint64_t total = 0;
  std::uint64_t resident = 0;
  file >> total >> resident;
  return resident * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
}

std::string ExecutablePath() {
  std::array<char, 4096> path;
  const ssize_t length = readlink("/proc/self/exe", path.data(), path.size());
  return length > 0 ? std::string(path.data(), static_cast<std::size_t>(length)) : "";
}

void AddServer(Server& server, Lines& lines) {
  utsname system{};
  uname(&system);
  const std::int64_t uptime_s = (server.clock().MonotonicUs() - server.started_us()) / 1'000'000;
  // The names are Redis's, because clients and monitors look for them; what has no counterpart here
  // is a constant. Some clients tell the server's abilities by redis_version.
  lines.Add("redis_version", kRedisVersion);
  lines.Add("reco_version", kRecoVersion);
  lines.Add("redis_mode", "standalone");
  lines.Add("os", std::string(system.sysname) + " " + system.release + " " + system.machine);
  lines.Add("arch_bits", sizeof(void*) * 8);
  lines.Add("multiplexing_api", "epoll");
  lines.Add("gcc_version", __VERSION__);
  lines.Add("process_id", static_cast<std::uint64_t>(getpid()));
  lines.Add("process_supervised", "no");
  lines.Add("run_id", server.run_id());
  lines.Add("tcp_port", server.port());
  lines.Add("server_time_usec", static_cast<std::uint64_t>(server.clock().NowMs()) * 1000);
  lines.Add("uptime_in_seconds", static_cast<std::uint64_t>(uptime_s));
  lines.Add("uptime_in_days", static_cast<std::uint64_t>(uptime_s / 86400));
  lines.Add("hz", 1);
  lines.Add("executable", ExecutablePath());
  lines.Add("config_file", server.config_file());
  lines.Add("io_threads_active", server.io_threads() > 1 ? 1 : 0);
}

void AddClients(Server& server, Lines& lines) {
  lines.Add("connected_clients", server.clients().size());
  lines.Add("cluster_connections", 0);
  lines.Add("maxclients", static_cast<std::uint64_t>(server.config().Snapshot().maxclients));
  std::uint64_t blocked = 0;
  server.clients().ForEach([&](Client& client) { blocked += client.blocked() ? 1 : 0; });
  lines.Add("blocked_clients", blocked);
  lines.Add("tracking_clients", 0);
}

void AddMemory(Server& server, Lines& lines) {
  const std::uint64_t used = server.database().memory_used_bytes();
  const std::uint64_t resident = ResidentBytes();
  const auto limit = static_cast<std::uint64_t>(server.config().Snapshot().maxmemory_bytes);
  std::uint64_t buffers = 0;
  server.clients().ForEach([&](Client& client) { buffers += client.buffer_bytes(); });
  lines.Add("used_memory", used);
  lines.Add("used_memory_human", HumanBytes(used));
  lines.Add("used_memory_rss", resident);
  lines.Add("used_memory_rss_human", HumanBytes(resident));
  lines.Add("maxmemory", limit);
  lines.Add("maxmemory_human", HumanBytes(limit));
  lines.Add("maxmemory_policy", "noeviction");
  lines.Add("mem_clients_normal", buffers);
  lines.Add("mem_allocator", AllocatorName());
}

void AddPersistence(Server& server, Lines& lines) {
  const Status health = server.database().Health();
  // Clients that wait for loading:0 need not: the port is opened when all is loaded.
  lines.Add("loading", 0);
  lines.Add("async_loading", 0);
  lines.Add("rdb_bgsave_in_progress", 0);
  lines.Add("rdb_last_bgsave_status", "ok");
  lines.Add("aof_enabled", 1);
  lines.Add("aof_rewrite_in_progress", 0);
  // The event log is what Redis's append-only file is.
  lines.Add("aof_last_write_status", health.ok() ? "ok" : "err");
}

void AddStats(Server& server, Lines& lines) {
  std::uint64_t errors = 0;
  for (const auto& [code, count] : server.ErrorSums()) {
    errors += count;
  }
  lines.Add("total_connections_received", server.connections_received.value());
  lines.Add("total_commands_processed", server.CommandsProcessed());
  lines.Add("instantaneous_ops_per_sec", server.commands_per_second());
  lines.Add("total_net_input_bytes", server.Sum(&ThreadStatistics::input_bytes));
  lines.Add("total_net_output_bytes", server.Sum(&ThreadStatistics::output_bytes));
  lines.Add("rejected_connections", server.connections_rejected.value());
  lines.Add("client_query_buffer_limit_disconnections", server.query_limit_disconnections.value());
  lines.Add("client_output_buffer_limit_disconnections",
            server.output_limit_disconnections.value());
  lines.Add("evicted_clients", server.evicted_clients.value());
  lines.Add("evicted_keys", 0);
  lines.Add("pubsub_channels", 0);
  lines.Add("pubsub_patterns", 0);
  lines.Add("total_error_replies", errors);
  lines.Add("total_reads_processed", server.Sum(&ThreadStatistics::reads));
  lines.Add("total_writes_processed", server.Sum(&ThreadStatistics::writes));
  lines.Add("total_requests_held_up", server.Sum(&ThreadStatistics::held_up));
}

void AddReplication(Server& server, Lines& lines) {
  lines.Add("role", "master");
  lines.Add("connected_slaves", 0);
  lines.Add("master_failover_state", "no-failover");
  lines.Add("master_replid", server.run_id());
  lines.Add("master_repl_offset", 0);
}

void AddCpu(Server&, Lines& lines) {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return Format("%ld.%06ld", static_cast<long>(time.tv_sec), static_cast<long>(time.tv_usec));
  };
  lines.Add("used_cpu_sys", seconds(usage.ru_stime));
  lines.Add("used_cpu_user", seconds(usage.ru_utime));
}

void AddCommandStats(Server& server, Lines& lines) {
  for (const CommandEntry& entry : server.commands().entries()) {
    const CommandTotals totals = server.CommandSums(entry.index);
    // As in Redis, commands that nobody has sent are not shown.
    if (totals.calls == 0 && totals.rejected == 0) {
      continue;
    }
    const std::uint64_t microseconds = totals.nanoseconds / 1000;
    const double per_call = totals.calls == 0 ? 0.0
                                              : static_cast<double>(totals.nanoseconds) / 1000 /
                                                    static_cast<double>(totals.calls);
    std::string value = "calls=" + std::to_string(totals.calls);
    value += ",usec=" + std::to_string(microseconds);
    value += ",usec_per_call=" + Format("%.2f", per_call);
    value += ",rejected_calls=" + std::to_string(totals.rejected);
    value += ",failed_calls=" + std::to_string(totals.failed);
    lines.Add("cmdstat_" + entry.full_name, value);
  }
}

void AddErrorStats(Server& server, Lines& lines) {
  for (const auto& [code, count] : server.ErrorSums()) {
    lines.Add("errorstat_" + code, "count=" + std::to_string(count));
  }
}

void AddCluster(Server&, Lines& lines) {
  lines.Add("cluster_enabled", 0);
}

void AddNothing(Server&, Lines&) {}  // all of it comes from Database::Info

struct Section {
  std::string_view name;   // as asked for
  std::string_view title;  // as shown
  bool by_default;
  void (*add)(Server& server, Lines& lines);
};

constexpr Section kSections[] = {
    {"server", "Server", true, AddServer},
    {"clients", "Clients", true, AddClients},
    {"memory", "Memory", true, AddMemory},
    {"persistence", "Persistence", true, AddPersistence},
    {"stats", "Stats", true, AddStats},
    {"replication", "Replication", true, AddReplication},
    {"cpu", "CPU", true, AddCpu},
    {"commandstats", "Commandstats", false, AddCommandStats},
    {"errorstats", "Errorstats", true, AddErrorStats},
    {"cluster", "Cluster", true, AddCluster},
    {"reco", "Reco", true, AddNothing},
    {"holds", "Holds", false, AddNothing},
    {"keyspace", "Keyspace", true, AddNothing},
};

bool IsWanted(const Section& section, std::span<const std::string_view> names) {
  return std::any_of(names.begin(), names.end(), [&](std::string_view name) {
    return EqualsIgnoreCase(name, section.name) || EqualsIgnoreCase(name, "all") ||
           EqualsIgnoreCase(name, "everything") ||
           (section.by_default && EqualsIgnoreCase(name, "default"));
  });
}

}  // namespace

std::string InfoText(Server& server, std::span<const std::string_view> sections) {
  static constexpr std::string_view kDefault[] = {"default"};
  const std::span<const std::string_view> names =
      sections.empty() ? std::span<const std::string_view>(kDefault) : sections;
  const std::vector<InfoField> fields = server.database().Info();
  std::string text;
  for (const Section& section : kSections) {
    if (!IsWanted(section, names)) {
      continue;
    }
    Lines lines;
    section.add(server, lines);
    for (const InfoField& field : fields) {
      // The engine adds lines to sections of the server, and has one of its own.
      if (EqualsIgnoreCase(field.section, section.name)) {
        lines.Add(field.name, field.value);
      }
    }
    // An empty line between sections, as in Redis.
    text += text.empty() ? "" : "\r\n";
    text.append("# ").append(section.title).append("\r\n").append(lines.text());
  }
  return text;
}

}  // namespace reco::api
