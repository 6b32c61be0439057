// Cost of one write by the length of the item's row, hot and cold: what RECO.ADD pays in the
// engine for finding the row, folding both sides in, and staging the log record.
//
// usage: bench_row_lengths [--longest N] [--writes N] [--dim D]
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <random>
#include <stdlib.h>
#include <string>
#include <thread>
#include <time.h>
#include <vector>

#include <CLI/CLI.hpp>

#include "reco/engine.h"

namespace reco {
namespace {

struct Settings {
  std::uint64_t longest = 1'000'000;
  std::uint64_t writes = 2'000;
  std::uint32_t dim = 64;
};

void Require(const Status& status) {
  if (!status.ok()) {
    std::fprintf(stderr, "bench_row_lengths: %s\n", status.ToString().c_str());
    std::exit(1);
  }
}

template <typename T>
T Require(Result<T> result) {
  Require(result.status());
  return std::move(result).value();
}

std::string ItemOf(std::uint64_t length, std::uint64_t copy) {
  return "row" + std::to_string(length) + "-" + std::to_string(copy);
}

// Appends events of one item from distinct users [first, first + count).
void Grow(Database& db, const std::string& item, std::uint64_t first, std::uint64_t count) {
  constexpr std::uint64_t kBatch = 1'000;
  std::vector<std::string> users;
  for (std::uint64_t at = 0; at < count; at += kBatch) {
    users.clear();
    for (std::uint64_t i = at; i < std::min(count, at + kBatch); ++i) {
      users.push_back("u" + std::to_string(first + i));
    }
    std::vector<Interaction> batch;
    batch.reserve(users.size());
    for (const std::string& user : users) {
      batch.push_back({.user = user, .item = item});
    }
    Require(db.AddMany("bench", batch).status());
  }
}

// Something to train on: each user likes a few of a thousand items.
void Fill(Database& db) {
  std::mt19937_64 random(1);
  std::vector<std::string> names;
  for (int i = 0; i < 1'000; ++i) {
    names.push_back("other" + std::to_string(i));
  }
  for (std::uint64_t u = 0; u < 2'000; ++u) {
    const std::string user = "u" + std::to_string(u);
    std::vector<Interaction> batch;
    for (int j = 0; j < 20; ++j) {
      batch.push_back({.user = user, .item = names[random() % names.size()]});
    }
    Require(db.AddMany("bench", batch).status());
  }
}

double At(std::vector<double>& us, double share) {
  std::sort(us.begin(), us.end());
  return us[std::min(us.size() - 1,
                     static_cast<std::size_t>(share * static_cast<double>(us.size())))];
}

// Of each write: elapsed time, and the thread's own processor time, which leaves out what the rest
// of the machine takes.
struct Latencies {
  std::vector<double> wall_us;
  std::vector<double> cpu_us;
};

double ThreadCpuUs() {
  timespec now = {};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return 1e6 * static_cast<double>(now.tv_sec) + 1e-3 * static_cast<double>(now.tv_nsec);
}

void Write(Database& db, const std::string& user, const std::string& item, Latencies* latencies) {
  const auto start = std::chrono::steady_clock::now();
  const double cpu_start = ThreadCpuUs();
  Require(db.Add("bench", {.user = user, .item = item}, {.defer_commit = true}).status());
  latencies->cpu_us.push_back(ThreadCpuUs() - cpu_start);
  const std::chrono::duration<double, std::micro> took = std::chrono::steady_clock::now() - start;
  latencies->wall_us.push_back(took.count());
}

void Print(const char* kind, std::uint64_t length, Latencies& of) {
  std::printf("%-5s %9llu %8zu %9.1f %9.1f %9.1f %9.1f %9.1f\n", kind,
              static_cast<unsigned long long>(length), of.wall_us.size(), At(of.cpu_us, 0.5),
              At(of.cpu_us, 0.99), At(of.cpu_us, 1), At(of.wall_us, 0.5), At(of.wall_us, 0.99));
}

Result<std::unique_ptr<Database>> OpenIn(const std::string& path) {
  Options options;
  options.path = path;
  options.sync = SyncPolicy::kNo;
  return Database::Open(options);
}

void Train(Database& db) {
  const std::uint64_t job = Require(db.Retrain("bench", {}));
  Require(db.WaitJob(job, 0).status());
}

void Run(const std::string& path, const Settings& settings) {
  constexpr std::uint64_t kColdCopies = 100;
  std::vector<std::uint64_t> lengths;
  for (std::uint64_t length = 1; length <= settings.longest; length *= 10) {
    if (length != 100'000) {
      lengths.push_back(length);
    }
  }
  auto db = Require(OpenIn(path));
  CollectionOptions options;
  options.dim = settings.dim;
  Require(db->Create("bench", options).status());
  Fill(*db);
  for (const std::uint64_t length : lengths) {
    const std::uint64_t copies = length <= 10'000 ? kColdCopies : 1;
    for (std::uint64_t copy = 0; copy < copies; ++copy) {
      Grow(*db, ItemOf(length, copy), copy * 97, length);
    }
  }
  Train(*db);
  Require(db->Checkpoint());
  db.reset();

  std::printf("write of one event, d = %u, us\n", settings.dim);
  std::printf("%-5s %9s %8s %29s %19s\n", "", "", "", "processor time", "elapsed");
  std::printf("%-5s %9s %8s %9s %9s %9s %9s %9s\n", "row", "pairs", "writes", "median", "p99",
              "max", "median", "p99");
  db = Require(OpenIn(path));
  std::uint64_t next_user = 10'000'000;
  for (const std::uint64_t length : lengths) {
    const std::uint64_t copies = length <= 10'000 ? kColdCopies : 1;
    Latencies cold;
    for (std::uint64_t copy = 0; copy < copies; ++copy) {
      Write(*db, "u" + std::to_string(next_user++), ItemOf(length, copy), &cold);
    }
    Print("cold", length, cold);
  }
  Require(db->Commit(db->generation()));
  for (const std::uint64_t length : lengths) {
    const std::string item = ItemOf(length, 0);
    // Until the background has built the sums of a long row.
    while (Require(db->CollectionDetails("bench")).rows_pending > 0) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    Latencies hot;
    Grow(*db, item, 20'000'000 + length, 1);
    for (std::uint64_t i = 0; i < settings.writes; ++i) {
      // Short rows stay short: a user who is known already writes again.
      const std::uint64_t user = length >= 100 ? next_user++ : 20'000'000 + length;
      Write(*db, "u" + std::to_string(user), item, &hot);
      if (i % 64 == 63) {
        Require(db->Commit(db->generation()));
      }
    }
    Print("hot", length, hot);
  }
}

}  // namespace
}  // namespace reco

int main(int argc, char** argv) {
  reco::Settings settings;
  CLI::App app{"Cost of one write by the length of the item's row"};
  app.add_option("--longest", settings.longest, "pairs of the longest row")
      ->check(CLI::Range(1, 10'000'000));
  app.add_option("--writes", settings.writes, "writes timed per hot row")
      ->check(CLI::Range(100, 1'000'000));
  app.add_option("--dim", settings.dim, "length of a vector")->check(CLI::Range(1, 512));
  CLI11_PARSE(app, argc, argv);
  std::string folder = (std::filesystem::temp_directory_path() / "reco-rows-XXXXXX").string();
  if (mkdtemp(folder.data()) == nullptr) {
    std::fprintf(stderr, "bench_row_lengths: cannot create a folder\n");
    return 1;
  }
  reco::Run(folder + "/db", settings);
  std::filesystem::remove_all(folder);
  return 0;
}
