// Workload: what requests a benchmark sends. Requests are composed before the clock starts; while
// it runs only digits are filled in.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "reco/result.h"

namespace reco::benchmark {

struct WorkloadOptions {
  std::string key = "bench";
  std::uint64_t users = 100'000;
  std::uint64_t items = 41'000;
  std::uint64_t keys = 100'000;  // that GET and SET choose from
  std::size_t value_bytes = 3;
  std::uint32_t count = 20;  // length of a ranking
  std::uint64_t seed = 1;
};

// xorshift64*: fast, and good enough to choose ids. Confined.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed * 0x9E3779B97F4A7C15ULL + 1) {}
  std::uint64_t Next() {
    state_ ^= state_ >> 12U;
    state_ ^= state_ << 25U;
    state_ ^= state_ >> 27U;
    return state_ * 0x2545F4914F6CDD1DULL;
  }
  double Unit() { return static_cast<double>(Next() >> 11U) * 0x1p-53; }  // [0, 1)

 private:
  std::uint64_t state_;
};

// Returns a number from 0 to n - 1 where number i is drawn in proportion to about 1 / (i + 1).
std::uint64_t PowerLaw(Random& random, std::uint64_t n);

// The requests of one connection. Confined.
class RequestSource {
 public:
  virtual ~RequestSource() = default;
  struct Batch {
    std::string_view bytes;  // until the next call
    std::size_t requests = 0;
    bool continues = false;      // the next batch follows at once and is timed together with this
    std::string_view forbidden;  // a reply that holds this text is an error; empty: none
  };
  // Returns the next `count` requests or, at the end of a replay, fewer; none: there are no more.
  virtual Batch NextBatch(std::size_t count) = 0;
};

// Returns the names of the workloads, for --help and messages.
std::string WorkloadNames();

// Adds an event, waits for its reply, and asks for the same user's ranking, which must not offer
// the item any more: one request, from the sending of the event to the reading of the ranking.
// Batches hold one such pair whatever the pipeline.
inline constexpr std::string_view kAddThenTopk = "add-topk";

// Events of a file as RECO.ADD commands in one piece of memory, handed out in order to all
// connections. Thread-safe once made.
class Replay {
 public:
  // Reads a CSV file (plain or gzip) with a header; weight 1 each. kNotFound, kInvalidArgument.
  static Result<std::shared_ptr<Replay>> Load(const std::string& path,
                                              const std::string& user_column,
                                              const std::string& item_column,
                                              const std::string& key);

  std::uint64_t events() const { return ends_.size(); }
  RequestSource::Batch Next(std::size_t count);

 private:
  std::string bytes_;
  std::vector<std::size_t> ends_;       // of each command in bytes_
  std::atomic<std::uint64_t> next_{0};  // only counts; the bytes were written before any thread ran
};

// Returns the source of connection number `client`. kInvalidArgument: no such workload.
Result<std::unique_ptr<RequestSource>> MakeSource(const std::string& workload,
                                                  const WorkloadOptions& options,
                                                  std::uint64_t client);
std::unique_ptr<RequestSource> MakeReplaySource(std::shared_ptr<Replay> replay);

// Ids as the workloads and the preparation write them.
inline constexpr std::string_view kUserPrefix = "user:";
inline constexpr std::string_view kItemPrefix = "item:";
inline constexpr std::size_t kIdDigits = 8;
std::string NumberedId(std::string_view prefix, std::uint64_t number);

}  // namespace reco::benchmark
