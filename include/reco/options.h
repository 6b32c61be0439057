// Options: what a Database is opened with; CollectionOptions: what a collection is created with.
// Plain values; every field gives its effect, its trade-off and its default.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "reco/status.h"
#include "reco/types.h"

namespace reco {

// When an acknowledged write is safe from what. All three survive a crash of the process.
enum class SyncPolicy : std::uint8_t {
  kAlways,       // fsync before the acknowledgement: survives power loss
  kEverySecond,  // fsync once a second: power loss takes at most the last second
  kNo,           // the operating system decides: power loss takes what it had not written
};

enum class LogLevel : std::uint8_t { kDebug, kVerbose, kNotice, kWarning };

// Called from any thread of the database, never with one of its locks held.
using LogSink = std::function<void(LogLevel, std::string_view)>;

struct Options {
  // The folder that holds everything. Created when absent. Owned by one process at a time.
  std::string path;

  SyncPolicy sync = SyncPolicy::kEverySecond;

  // Number of key spaces that SELECT can choose from, 1 to 256.
  std::uint32_t databases = 16;

  // A checkpoint of the derived rows starts after so many events. More: fewer bytes written, and
  // more memory for rows that are not yet in one. 100 to 1,000,000.
  std::uint64_t checkpoint_events = 10'000;

  // ... or after so many seconds when there is anything to write. 1 to 3,600.
  std::uint32_t checkpoint_interval_s = 30;

  // Memory for the rows (a user's or an item's pairs) kept hot. Rows not yet checkpointed are
  // pinned and may exceed it by about 100 bytes x 2 x checkpoint_events.
  std::uint64_t row_cache_bytes = 512ULL << 20U;

  // RocksDB's block cache and write buffers.
  std::uint64_t block_cache_bytes = 128ULL << 20U;
  std::uint64_t write_buffer_bytes = 64ULL << 20U;

  // Files that RocksDB keeps open, besides a few that flushes and compactions write; with fewer,
  // tables are opened more often. 32 to 100,000.
  std::uint32_t open_files_max = 512;

  // Refuse commands that need memory above this; 0: no limit.
  std::uint64_t memory_bytes_max = 0;

  // Threads of one training; 0: the number of cores.
  std::uint32_t training_threads = 0;

  // Trainings and evaluations take what others leave of the processors, and for this share of each
  // tenth of a second, 1 to 100, they compete as threads of nice value 10. 100: always, as also
  // where the process may not change its threads' scheduling (CAP_SYS_NICE).
  std::uint32_t job_cpu_percent = 10;

  // Idempotency tokens remembered per collection; the oldest are forgotten first. 0 to 10,000,000.
  std::uint64_t idempotency_window = 100'000;
  // What lists by neighbours are made from takes at most so many bytes of memory, of each
  // collection (doc/model.md); the oldest sessions are forgotten first. 1 MiB to 1 TiB.
  std::uint64_t neighbours_bytes = std::uint64_t{512} << 20U;

  // Collections at most; a further RECO.CREATE or RECO.ADD of a new key is refused.
  std::uint32_t collections_max = 10'000;

  // Replaced models of each collection whose item vectors stay on disk, so that lists can still be
  // made by them; in memory too while requests name them. 0 to 15.
  std::uint32_t models_kept = 2;

  // Finished jobs whose result can still be asked for.
  std::uint32_t jobs_kept = 100;

  LogSink log;  // empty: silent

  // The first field that is out of its range, in words; Ok when all are fine.
  Status Validate() const;
};

// A feedback type ("purchase", "view") and the weight of one such event when it names none.
struct FeedbackType {
  std::string name;  // 1 to 64 bytes
  double weight = 1;
};

// How the weight of a pair becomes the confidence c that the model has in it.
enum class Weighting : std::uint8_t {
  kLinear,  // c = alpha |w|
  kLog,     // c = alpha log2(1 + |w|): a hundredth event says less than a first
};

// What the weight of an interaction is.
enum class Feedback : std::uint8_t {
  kImplicit,  // how sure we are that the user likes the item; weights add up
  kExplicit,  // a rating; the newest replaces the one before
};

// Which vectors a write solves again at once.
enum class FoldIn : std::uint8_t {
  kBoth,   // the user's and the item's
  kUsers,  // the user's; items wait for the next training
  kOff,    // none: lists change with a training only, except for what is left out as seen
};

// What the score of an item is made of beside the vectors, where events carry usable times
// (doc/model.md).
enum class Neighbours : std::uint8_t {
  kOff,       // nothing
  kAuto,      // all that there is
  kSessions,  // what the newest sessions of others with the same items went on to
};

// The model is implicit-feedback matrix factorisation (Hu, Koren, Volinsky 2008) with a separate
// weight for unobserved pairs (Rendle et al. 2022), or for ratings one with biases (Koren, Bell,
// Volinsky 2009). Symbols as in doc/model.md.
struct CollectionOptions {
  // d: length of a vector. Cost of a write and of a query grow linearly, of a training about
  // quadratically. 1 to 512. Fixed once created. (`implicit`: factors=100.)
  std::uint32_t dim = 64;
  // alpha: confidence of a pair is alpha x |weight|. Finite, > 0, at most 1e6.
  double alpha = 1;
  // reg, regn: a row with n pairs is regularised by reg + regn x n. Finite, >= 0, reg > 0.
  double reg = 0.1;
  double regn = 0.05;
  // w0: weight of every unobserved pair; nullopt: AUTO, 50 x the density of the training matrix,
  // held between 0.01 and 3, fixed with each model. Finite, > 0, at most 1e6.
  std::optional<double> unobserved;
  // Alternations over items and users. 1 to 1,000.
  std::uint32_t iterations = 12;
  // Stop a training when an iteration lowers the objective by less than this share of it. 0: run
  // all iterations. 0 to 1.
  double tolerance = 0;
  // Start a training from the live vectors rather than from the seed: fewer iterations to the same
  // objective, but the model then depends on the ones before (D25).
  bool warm_start = false;
  // Seed of the first vectors; the same data and seed give the same model. At most 2^53.
  std::uint64_t seed = 42;
  // Lists are made from a vector in which the user's newest 256 pairs count by their time; the
  // vector that items learn from stays undecayed (D20). By age where the events carry usable times
  // (CollectionInfo::times_usable), otherwise as by kRecencyByPlace. kRecencyMin to 1.
  Recency recency;
  // Seconds of event time after which an event counts half. 0: it never fades. At most 1e10. Fixed
  // once created.
  double halflife_s = 0;
  Weighting weighting = Weighting::kLinear;
  // Both fixed once created.
  Feedback feedback = Feedback::kImplicit;
  FoldIn fold_in = FoldIn::kBoth;
  // Takes effect with the next training, which finds out how much it counts. kOff with explicit
  // feedback. Collections of before it was there have kOff.
  Neighbours neighbours = Neighbours::kAuto;
  // At most 64. An event that names no type has weight 1.
  std::vector<FeedbackType> types;
  // Top-level attributes of items that a new item's vector is predicted from until its first
  // interaction; learned by each training. Empty: such items have no vector. At most 16, each of 1
  // to 64 bytes without blanks, control characters, '=' and ','.
  std::vector<std::string> attribute_features;
  // What kind of value attributes have, for the programs that write them (the engine makes no use
  // of it): "price:number,code:text,sold:boolean". A name that holds a comma, a colon, a blank, a
  // control character or a quote, or none at all, stands in double quotes, with its quotes doubled.
  // At most 8 KiB, no name twice.
  std::string attribute_types;
  // Retrain by itself after so many events (0: never) or seconds (0: never) since the last one.
  std::uint64_t retrain_every = 0;
  std::uint64_t retrain_interval_s = 0;

  Status Validate() const;

  // Defaults for ratings: kExplicit, and a stronger regulariser (measured on MovieLens 100K). They
  // suit a scale of 1 to 5 (D27).
  static CollectionOptions ForRatings();
};

}  // namespace reco
