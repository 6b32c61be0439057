// The write path below the engine: encoding an event, and staging and committing groups of them to
// a store in a temporary folder (TMPDIR, else /tmp; `always` measures that disk's fsync).
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>

#include <benchmark/benchmark.h>

#include "base/check.h"
#include "base/clock.h"
#include "format/event.h"
#include "store/store.h"
#include "wal/event_log.h"

namespace reco::wal {
namespace {

format::Event SomeEvent(std::uint64_t seq) {
  format::Event event;
  event.user = static_cast<std::uint32_t>(seq * 2654435761U % 100'000);
  event.item = static_cast<std::uint32_t>(seq * 40503U % 40'000);
  event.weight = 1;
  event.type = 1;
  event.time_ms = 1'700'000'000'000 + static_cast<std::int64_t>(seq);
  event.arrival_ms = event.time_ms;
  return event;
}

void BM_EncodeEvent(benchmark::State& state) {
  std::string record;
  std::uint64_t seq = 0;
  for (auto _ : state) {
    format::EncodeEvent(SomeEvent(++seq), &record);
    benchmark::DoNotOptimize(record.data());
  }
  state.SetItemsProcessed(state.iterations());
  state.counters["bytes"] = static_cast<double>(record.size());
}
BENCHMARK(BM_EncodeEvent);

void BM_DecodeEvent(benchmark::State& state) {
  std::string record;
  format::EncodeEvent(SomeEvent(7), &record);
  for (auto _ : state) {
    auto event = format::DecodeEvent(record);
    benchmark::DoNotOptimize(event);
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_DecodeEvent);

// A store in a folder of its own, which goes with it.
class TemporaryStore {
 public:
  TemporaryStore() {
    path_ = (std::filesystem::temp_directory_path() / "reco-bench-XXXXXX").string();
    RECO_CHECK(::mkdtemp(path_.data()) != nullptr);
    store::StoreOptions options;
    options.path = path_;
    auto opened = store::Store::Open(options);
    RECO_CHECK(opened.ok());
    store_ = std::move(opened).value();
  }
  ~TemporaryStore() {
    store_.reset();
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryStore(const TemporaryStore&) = delete;
  TemporaryStore& operator=(const TemporaryStore&) = delete;

  store::Store& store() { return *store_; }

 private:
  std::string path_;
  std::unique_ptr<store::Store> store_;
};

// Each iteration encodes, stages and commits a group. The everysec case syncs as rarely as its
// owner would, so its figures are those of the write alone.
void BM_StageAndCommit(benchmark::State& state, SyncPolicy policy) {
  TemporaryStore folder;
  EventLog log(folder.store(), policy, SystemClock());
  std::string record;
  std::uint64_t seq = 0;
  for (auto _ : state) {
    std::uint64_t ticket = 0;
    for (std::int64_t i = 0; i < state.range(0); ++i) {
      ++seq;
      format::EncodeEvent(SomeEvent(seq), &record);
      const auto staged =
          log.Stage([&](store::Batch& batch) { EventLog::PutEvent(batch, 1, seq, record); });
      RECO_CHECK(staged.ok());
      ticket = *staged;
    }
    RECO_CHECK(log.Commit(ticket).ok());
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK_CAPTURE(BM_StageAndCommit, everysec, SyncPolicy::kEverySecond)
    ->Arg(1)
    ->Arg(16)
    ->Arg(256)
    ->UseRealTime();
BENCHMARK_CAPTURE(BM_StageAndCommit, always, SyncPolicy::kAlways)
    ->Arg(1)
    ->Arg(16)
    ->Arg(256)
    ->UseRealTime();

void BM_Replay(benchmark::State& state) {
  TemporaryStore folder;
  EventLog log(folder.store(), SyncPolicy::kNo, SystemClock());
  constexpr std::uint64_t kEvents = 10'000;
  std::string record;
  for (std::uint64_t seq = 1; seq <= kEvents; ++seq) {
    format::EncodeEvent(SomeEvent(seq), &record);
    const auto staged =
        log.Stage([&](store::Batch& batch) { EventLog::PutEvent(batch, 1, seq, record); });
    RECO_CHECK(staged.ok());
  }
  RECO_CHECK(log.Commit(log.last_staged()).ok());
  for (auto _ : state) {
    std::uint64_t seen = 0;
    const Status status = EventLog::Replay(folder.store(), nullptr, 1, 0,
                                           [&seen](std::uint64_t, const format::Event&) {
                                             ++seen;
                                             return true;
                                           });
    RECO_CHECK(status.ok() && seen == kEvents);
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kEvents));
}
BENCHMARK(BM_Replay);

}  // namespace
}  // namespace reco::wal

BENCHMARK_MAIN();
