// What RocksDB alone takes for the bytes that events leave on disk: for each event its record in
// `events` and its pair in `by_user` and `by_item`, no more. Beside it stands what a server takes
// for the same events (scripts/benchmark-scale.sh): the rest is what the engine adds.
//
// The events are those of reco-benchmark --fill with the same options; a batch of them is one write
// to the log, which is not synced. Prints CSV, a line a step; the step in which --time-limit ends
// is cut short and is the last.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "reco/result.h"

#include "base/clock.h"
#include "format/event.h"
#include "format/keys.h"
#include "format/records.h"
#include "store/store.h"
#include "tools/benchmark/event_stream.h"

namespace reco {
namespace {

using benchmark::EventStream;
using benchmark::StreamEvent;

constexpr std::uint32_t kCid = 1;

struct Settings {
  store::StoreOptions store;
  benchmark::StreamOptions stream;
  std::uint64_t events = 1'000'000;
  std::uint64_t batch = 100;
  std::uint64_t steps = 20;
  double time_limit_s = 0;  // 0: none
};

void Require(const Status& status) {
  if (!status.ok()) {
    std::fprintf(stderr, "bench_bulk_puts: %s\n", status.ToString().c_str());
    std::exit(1);
  }
}

// Gives numbers in the order in which names are seen first, as the engine's dictionaries do.
class Ordinals {
 public:
  explicit Ordinals(std::uint64_t names) : ordinals_(names, format::kNoOrdinal) {}
  std::uint32_t Of(std::uint64_t name) {
    std::uint32_t& ordinal = ordinals_[name];
    if (ordinal == format::kNoOrdinal) {
      ordinal = next_++;
    }
    return ordinal;
  }

 private:
  std::vector<std::uint32_t> ordinals_;
  std::uint32_t next_ = 0;
};

class Writer {
 public:
  Writer(store::Store& store, const Settings& settings)
      : store_(store),
        stream_(settings.stream),
        users_(settings.stream.users),
        items_(settings.stream.items) {}

  // Writes the next events in one batch.
  Status Write(std::uint64_t events) {
    batch_.Clear();
    const std::int64_t now_ms = SystemClock().NowMs();
    for (std::uint64_t i = 0; i < events; ++i) {
      const StreamEvent event = stream_.Next();
      Put(users_.Of(event.user), items_.Of(event.item), now_ms);
    }
    return store_.Write(batch_, false);
  }

 private:
  void Put(std::uint32_t user, std::uint32_t item, std::int64_t now_ms) {
    format::Event event;
    event.user = user;
    event.item = item;
    event.weight = 1;
    event.time_ms = event.arrival_ms = now_ms;
    format::EncodeEvent(event, &value_);
    batch_.Put(store::Family::kEvents, format::EventKey(kCid, ++seq_), value_);
    format::EncodePair({.weight = 1, .count = 1, .first_ms = now_ms, .last_ms = now_ms}, &value_);
    batch_.Put(store::Family::kByUser, format::PairKey(kCid, user, item), value_);
    batch_.Put(store::Family::kByItem, format::PairKey(kCid, item, user), value_);
  }

  store::Store& store_;
  EventStream stream_;
  Ordinals users_;
  Ordinals items_;
  std::uint64_t seq_ = 0;
  store::Batch batch_;
  std::string value_;
};

void Run(const Settings& settings) {
  auto opened = store::Store::Open(settings.store);
  Require(opened.status());
  const std::unique_ptr<store::Store> store = std::move(opened).value();
  Writer writer(*store, settings);
  std::printf("events,seconds,rate,disk-mib\n");
  std::uint64_t written = 0;
  double total_s = 0;
  const auto over = [&](double seconds) {
    return settings.time_limit_s > 0 && seconds >= settings.time_limit_s;
  };
  for (std::uint64_t i = 1; i <= settings.steps && !over(total_s); ++i) {
    const std::uint64_t first = written;
    const std::uint64_t end = settings.events * i / settings.steps;
    const auto start = std::chrono::steady_clock::now();
    double seconds = 0;
    while (written < end && !over(total_s + seconds)) {
      const std::uint64_t events = std::min(settings.batch, end - written);
      Require(writer.Write(events));
      written += events;
      const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
      seconds = took.count();
    }
    total_s += seconds;
    std::printf("%llu,%.2f,%.0f,%.1f\n", static_cast<unsigned long long>(written), seconds,
                static_cast<double>(written - first) / seconds,
                static_cast<double>(store->disk_bytes()) / (1U << 20U));
    // A line is shown when its step is done, also through a pipe.
    std::fflush(stdout);
  }
}

}  // namespace
}  // namespace reco

int main(int argc, char** argv) {
  reco::Settings settings;
  CLI::App app{"RocksDB alone, for the bytes that events leave on disk"};
  app.add_option("--dir", settings.store.path, "folder that is created")->required();
  app.add_option("--block-cache-bytes", settings.store.block_cache_bytes, "default 128 MiB");
  app.add_option("--write-buffer-bytes", settings.store.write_buffer_bytes, "default 64 MiB");
  app.add_option("--events", settings.events, "default 1000000")->check(CLI::PositiveNumber);
  app.add_option("--users", settings.stream.users, "default 100000")
      ->check(CLI::Range(1, 99'999'999));
  app.add_option("--items", settings.stream.items, "default 41000")
      ->check(CLI::Range(1, 99'999'999));
  app.add_option("--seed", settings.stream.seed, "default 1");
  app.add_option("--order", settings.stream.order, "random or sessions of ten (default random)")
      ->transform(CLI::CheckedTransformer(std::map<std::string, reco::benchmark::UserOrder>{
          {"random", reco::benchmark::UserOrder::kRandom},
          {"sessions", reco::benchmark::UserOrder::kSessions}}));
  app.add_flag("--users-by-power-law", settings.stream.users_by_power_law, "draw users so, too");
  app.add_option("--batch", settings.batch, "events of one write (default 100)")
      ->check(CLI::Range(1, 100'000));
  app.add_option("--steps", settings.steps, "lines that are printed (default 20)")
      ->check(CLI::Range(1, 1'000'000));
  app.add_option("--time-limit", settings.time_limit_s, "seconds (default none)")
      ->check(CLI::PositiveNumber);
  CLI11_PARSE(app, argc, argv);
  reco::Run(settings);
  return 0;
}
