// The values that go into and come out of a Database: plain structs, no behaviour.
//
// Views in parameters are borrowed for the call; results own what they hold. Ids are any bytes,
// 1 to kIdBytesMax long. Times are milliseconds since the Unix epoch.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace reco {

inline constexpr std::size_t kIdBytesMax = 512;
inline constexpr std::size_t kTokenBytesMax = 128;
inline constexpr std::size_t kAttributesBytesMax = 64UL * 1024;
inline constexpr std::int64_t kTimeMsMax = 253'402'300'799'999;  // the end of the year 9999
inline constexpr std::size_t kTypeNameBytesMax = 64;             // of a feedback type
inline constexpr std::size_t kInteractionsMax = 10'000;          // of one AddMany
inline constexpr std::size_t kCountMax = 10'000;                 // COUNT of a ranking
inline constexpr std::size_t kPageEndMax = 1'000'000;            // OFFSET + COUNT
inline constexpr double kRecencyMin = 0.01;                      // RECENCY is up to 1
inline constexpr double kRecencyByPlace = 0.98;                  // where there are no usable times
inline constexpr std::uint32_t kHoldoutLastMax = 10'000;         // pairs of a user held out
inline constexpr std::uint32_t kCutoffMax = 1'000;               // k of recall@k
inline constexpr std::size_t kCutoffsMax = 8;                    // of one evaluation
inline constexpr std::uint32_t kApproximateEfDefault = 200;
inline constexpr std::uint32_t kApproximateEfMax = 10'000;
inline constexpr std::size_t kBasketItemsMax =
    10'000;                                // items of a SESSION, CONTEXT, INCLUDE, EXCLUDE
inline constexpr double kWeightMax = 1e6;  // |weight| of one event and of a pair
inline constexpr std::size_t kGroupUsersMax = 1'000;  // users of an MTOPK
inline constexpr std::size_t kRulesMax = 64;          // of a collection
inline constexpr std::size_t kRuleNameBytesMax = 64;
inline constexpr std::size_t kDiversityPool = 500;  // best items among which DIVERSITY chooses

// A key of one of the numbered key spaces.
struct KeyRef {
  // A name alone is a key of database 0.
  // NOLINTBEGIN(google-explicit-constructor)
  KeyRef(std::string_view key_name, std::uint32_t database = 0) : name(key_name), db(database) {}
  KeyRef(const char* key_name) : name(key_name) {}
  KeyRef(const std::string& key_name) : name(key_name) {}
  // NOLINTEND(google-explicit-constructor)
  std::string_view name;
  std::uint32_t db = 0;
};

// How a write is acknowledged.
struct WriteOptions {
  // True: return once the change is applied in memory and queued; the caller must get Ok from
  // Database::Commit() before it tells anyone. Lets many writes share one log write. Such a call
  // does not wait for a checkpoint: the caller asks Database::HoldsUpWrites() before.
  bool defer_commit = false;
};

enum class KeyKind : std::uint8_t { kNone, kString, kCollection };

struct SetOptions {
  enum class Condition : std::uint8_t { kAlways, kIfAbsent, kIfPresent };
  Condition condition = Condition::kAlways;
  bool keep_ttl = false;
  bool get = false;  // also read the old value (WRONGTYPE when not a string)
  std::optional<std::int64_t> expire_at_ms = std::nullopt;  // in the past: the key is deleted
};

struct SetOutcome {
  bool written = false;                 // false: the condition did not hold
  std::optional<std::string> old = {};  // with `get`
};

enum class ExpireCondition : std::uint8_t { kAlways, kNoExpiry, kHasExpiry, kGreater, kLess };

struct ScanPage {
  std::uint64_t cursor = 0;  // 0: the scan is complete
  std::vector<std::string> names;
};

enum class Side : std::uint8_t { kUser = 0, kItem = 1 };

struct Interaction {
  std::string_view user;
  std::string_view item;
  std::optional<double> weight = {};         // default: the type's weight, or 1
  std::string_view type = {};                // empty: none
  std::optional<std::int64_t> time_ms = {};  // default: now
  // Empty: none; otherwise a retry with the same token changes nothing.
  std::string_view token = {};
};

// How much a user's pairs count by their time in what a list is made from (doc/model.md).
struct Recency {
  // By their age, in relation to the user's pace.
  Recency() = default;
  // The n-th newest counts gamma^n, from n = 0: kRecencyMin to 1, which is all alike.
  Recency(double by_place) : gamma(by_place) {}  // NOLINT(google-explicit-constructor)

  bool by_age() const { return !gamma.has_value(); }
  bool operator==(const Recency&) const = default;

  std::optional<double> gamma;
};

struct HistoryOptions {
  std::size_t count = 10;
  std::size_t offset = 0;
  std::optional<std::string_view> type = {};
  std::optional<std::int64_t> since_ms = {};  // inclusive
  std::optional<std::int64_t> until_ms = {};  // inclusive
  std::optional<std::int64_t> as_of_ms = {};  // the pairs as they stood then, by arrival time
};

struct HistoryEntry {
  std::string item;
  double weight = 0;
  std::int64_t last_ms = 0;
};

struct AudienceOptions {
  std::size_t count = 10;
  std::size_t offset = 0;
};

struct AudienceEntry {
  std::string user;
  double weight = 0;
  std::int64_t last_ms = 0;
};

// Where an entry of a ranking comes from.
enum class Source : std::uint8_t {
  kModel,     // scored by a vector that has not changed since it was trained
  kFoldIn,    // scored by a vector solved from interactions since, or from the request itself
  kPopular,   // no vector to score with: the non-personal popular list
  kTrending,  // the other lists that are not personal
  kLatest,
  kActivity,
  kCooccurrence,  // counted from the stored pairs, not from vectors
  kNeighbours,    // by ridge rows alone
};

// How much the parts of a score by neighbours count beside the vectors: multiples of the scale at
// which they count as much. 0: not at all. 0 to kBlendMax.
struct Blend {
  double sessions = 1.5;
  double ridge = 1.5;
  bool operator==(const Blend&) const = default;
};
inline constexpr double kBlendMax = 1000;

// What a score depends on beside the user and the item.
struct ScoreOptions {
  std::span<const std::string_view> context = {};  // folded in with weight 1, not stored
  std::optional<Recency> recency = {};             // default: the collection's
  // The moment that ages are counted up to. Default: now, but not later than the newest event of
  // the collection and the user's pace behind it, so that a log that stands still keeps the
  // weights of its last moment.
  std::optional<std::int64_t> now_ms = {};
  std::optional<Blend> blend = {};  // default: Blend()
};

struct RankingOptions {
  std::size_t count = 10;  // at most kCountMax
  std::size_t offset = 0;  // count + offset at most 1,000,000
  bool with_seen = false;  // also offer what the user already interacted with
  bool with_attributes = false;
  std::optional<std::span<const std::string_view>> include = {};  // rank only these
  std::span<const std::string_view> exclude = {};
  std::span<const std::string_view> context = {};  // these four as in ScoreOptions
  std::optional<Recency> recency = {};
  std::optional<std::int64_t> now_ms = {};
  std::optional<Blend> blend = {};
  // Rank only what the expression (doc/filters.md) holds for. Empty: everything.
  std::string_view filter = {};
  // lambda of maximal marginal relevance (Carbonell and Goldstein, 1998): each next item is the one
  // with the largest (1 - lambda) score / |best score| - lambda (largest cosine to those before).
  // Chosen among the kDiversityPool best, the others follow by score. Lists of items only. 0 to 1.
  double diversity = 0;
  // Leaves out entries that score less, after the boosts of rules; of Surprising, whose best have
  // the lowest scores, those that score more. Pinned items stay. A number; infinities leave out
  // nothing or everything. Latest refuses it: its scores are times.
  std::optional<double> min_score = {};
  // Number of the model to rank by, of lists by vectors. Of one that a training has replaced the
  // item vectors stay as they were then (Options::models_kept), and users are solved against them,
  // from their newest 256 pairs; the first list reads them from disk. Lists by other means refuse
  // it. kNotFound unless ModelInfo::kept; kResourceExhausted when
  // it would have to be read while memory is at its limit.
  std::optional<std::uint32_t> model = {};
  // Search a graph of neighbours, which looks at so many items (at least count + offset, 1 to
  // kApproximateEfMax) and may miss some of the best; scores are exact all the same. A hint: the
  // first such request has the graph built in the background, and until then, in small catalogues,
  // for similarity and where the graph would leave the list short, the answer is the exact one. An
  // item that a write added or moved is found by its new vector some milliseconds later. The graph
  // goes when nobody has asked for it for ten minutes. Lists of items by a vector only.
  std::optional<std::uint32_t> approximate_ef = {};

  operator ScoreOptions() const {  // NOLINT(google-explicit-constructor)
    return {context, recency, now_ms, blend};
  }
};

// An anonymous basket; items that the collection does not know count for nothing.
struct Basket {
  std::span<const std::string_view> items;      // at most kBasketItemsMax
  std::span<const double> weights = {};         // one for each item, or none: 1 each
  std::span<const std::int64_t> times_ms = {};  // one for each item, or none: all of now
};

// Best first; ties by id bytes.
struct Ranking {
  struct Entry {
    std::string id;
    double score = 0;
    Source source = Source::kModel;
    std::string attributes = {};  // with_attributes; empty: none
  };
  std::vector<Entry> entries;
};

// A merchandising rule: what happens to the items that `filter` holds for, on every list of items.
struct Rule {
  enum class Action : std::uint8_t {
    kBoost = 0,  // score x value, of a negative score score / value; 0: taken out of the list
    kBury = 1,   // behind all others
    kPin = 2,    // the best of them stands at place `value`, counted from 1
  };
  std::string name;    // 1 to kRuleNameBytesMax bytes
  std::string filter;  // doc/filters.md
  Action action = Action::kBoost;
  double value = 1;           // kBoost: 0 to 1000; kPin: 1 to 10,000
  std::int64_t from_ms = 0;   // in force from here on ...
  std::int64_t until_ms = 0;  // ... and before this; 0: for good
  bool operator==(const Rule&) const = default;
};

// A rule that cannot hold for an item, whose record lacks fields that the rule's filter names.
struct MissingFields {
  std::string rule;
  std::vector<std::string> fields = {};  // as the filter names them first
};

// Why an item is or is not in a user's list.
struct ItemPlace {
  enum class State : std::uint8_t {
    kRanked,       // at `rank`
    kUnknownItem,  // no such item
    kSeen,         // the user has interacted with it
    kHidden,       // RECO.ITEM SET ... HIDDEN 1
    kExpired,      // RECO.ITEM SET ... EXPIREAT
    kRule,         // `taken_out_by` took it out
    kUnscored,     // the model has no vector to score it with
  };
  State state = State::kUnknownItem;
  std::uint64_t rank = 0;  // kRanked: 1 is the best
  std::optional<double> score = {};
  std::string taken_out_by = {};
  std::vector<std::string> rules = {};             // those in force that hold for it, by name
  std::vector<MissingFields> missing_fields = {};  // of those in force, by the rule's name
};

// A latent feature and the item that stands for it.
struct Representative {
  std::string item;
  double component = 0;
};

// An item by whose users another item is told (doc/model.md), and how much it says.
struct ItemNeighbour {
  std::string item;
  double weight = 0;  // may be below 0
};

enum class SimilarityBasis : std::uint8_t {
  kVector,        // vectors of the model
  kCooccurrence,  // users in common
  kNeighbours,    // ridge rows: what the users of the items are told
};

// Windows and half-lives of lists are 1 to so many seconds (100 years).
inline constexpr std::int64_t kRecentSecondsMax = 3'153'600'000;
inline constexpr std::int64_t kTrendingHalfLifeS = 86'400;  // default of RECO.TRENDING

struct Explanation {
  struct Share {
    std::string item;
    double share = 0;
  };
  double score = 0;
  // What the shares leave: 0 up to rounding, except for rows longer than 256 pairs without recency,
  // whose vector comes from running sums. Of a predicted rating: the mean and the item's bias.
  double remainder = 0;
  std::vector<Share> shares;  // largest absolute share first
};

enum class PopularBy : std::uint8_t { kUsers, kWeight, kEvents };

struct RecordUpdate {
  std::optional<std::string_view> attributes = {};  // a JSON object, at most kAttributesBytesMax
  std::optional<bool> hidden = {};
  std::optional<std::int64_t> expire_at_ms = {};  // 0: never
  // `attributes` is a merge patch (RFC 7396) on the stored ones, which are {} where there are none.
  // The result is bounded like a value that is set.
  bool merge = false;
};

struct Record {
  std::string attributes;  // empty: none
  bool hidden = false;
  std::int64_t expire_at_ms = 0;  // 0: never
  std::int64_t first_ms = 0;      // event time of the first and the last interaction; 0: none
  std::int64_t last_ms = 0;
  std::uint64_t pairs = 0;   // distinct partners
  std::uint64_t events = 0;  // interactions
};

// What an evaluation measured of one scorer over the pairs that it held out.
struct Measure {
  std::string scorer;  // "model", "popularity", "cosine"; of predicted ratings "biases", "mean"
  std::string metric;  // "recall@20", "rmse"
  double value = 0;
  std::optional<double> half_width = {};  // of the 95% confidence interval

  bool operator==(const Measure&) const = default;
};

enum class JobKind : std::uint8_t { kRetrain = 1, kEvaluate = 2 };
// kInterrupted: the database went while the job waited or ran.
enum class JobState : std::uint8_t { kQueued, kRunning, kDone, kFailed, kCancelled, kInterrupted };

struct JobInfo {
  std::uint64_t id = 0;
  JobKind kind = JobKind::kRetrain;
  std::string key;  // the collection's key when it started
  JobState state = JobState::kQueued;
  double percent = 0;  // 0 to 100
  std::string phase;   // "loading", "training", ...
  double eta_s = -1;   // -1: not known
  std::int64_t started_ms = 0;
  std::int64_t finished_ms = 0;  // 0: not yet
  std::string error;             // why it failed
  // Named results, in order: the model's number, objective, metrics. Measures() has those of an
  // evaluation apart.
  std::vector<std::pair<std::string, double>> result;
};

struct EvaluationOptions {
  std::uint32_t holdout_last = 1;  // newest pairs of every user that are held out, 1 to 10,000
  std::vector<std::uint32_t> at = {10, 20};  // cut-offs, 1 to 1,000, at most 8
  // Order of pairs with the same time: shuffled by the seed, or as stored (by item).
  bool shuffle_ties = true;
  std::vector<std::pair<std::string, std::string>> parameters = {};  // as for Retrain
};

struct ModelInfo {
  std::uint32_t id = 0;
  bool active = false;
  bool kept = false;  // RankingOptions::model may name it
  std::uint64_t trained_at_seq = 0;
  std::int64_t trained_at_ms = 0;
  std::uint32_t dim = 0;
  std::vector<std::pair<std::string, double>> parameters;  // as trained, in order
  std::vector<std::pair<std::string, double>> metrics;     // objective, seconds, pairs, ...
};

struct CollectionInfo {
  // Of this collection alone: never given to another one of the folder, also not to a later one
  // under the same key. Rename keeps it.
  std::uint64_t id = 0;
  std::uint64_t users = 0;
  std::uint64_t items = 0;
  std::uint64_t interactions = 0;  // distinct (user, item) pairs
  std::uint64_t events = 0;        // in the log
  std::uint64_t last_seq = 0;
  std::uint64_t checkpoint_seq = 0;
  std::uint32_t dim = 0;
  std::uint32_t model_id = 0;      // 0: not trained yet
  std::uint64_t model_seq = 0;     // events folded in since the model was trained
  bool times_usable = false;       // the events' times tell in which order users acted
  double gram_drift = 0;           // |G - G_trained| / |G_trained|, items
  std::uint64_t rows_pending = 0;  // rows whose vector waits for the background
  std::vector<std::pair<std::string, std::string>> parameters;
  std::vector<std::pair<std::string, double>> quality;              // last evaluation
  std::vector<std::pair<std::string, std::uint64_t>> memory_bytes;  // per part
  // The graph of RankingOptions::approximate_ef: "rows" in it, "pending" changes, whether it is
  // "answering" (1 or 0), and "recall@20" at kApproximateEfDefault on a sample of users, measured
  // when it was built. Empty: there is none.
  std::vector<std::pair<std::string, double>> approximate;
  // What lists by neighbours are made from: "sessions" kept, their "session-items", sessions that
  // were let go for want of memory, "pair-counts", ridge "rows"; of rows that are to be solved
  // again how many are "waiting", the oldest for so many milliseconds; how many were "solved" since
  // the start, and of these "solved-late", behind their eighth event. Empty: none are kept.
  std::vector<std::pair<std::string, double>> neighbours;
};

// One figure of Database::Info(), under the section INFO shows it in.
struct InfoField {
  std::string section;
  std::string name;
  std::string value;
};

// What Database::Verify() found.
struct VerifyReport {
  std::uint64_t collections = 0;
  std::uint64_t events = 0;
  std::uint64_t pairs = 0;
  std::uint64_t vectors = 0;
  std::vector<std::string> problems;  // empty: clean
};

}  // namespace reco
