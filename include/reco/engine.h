// The embedded engine: start here.
//
//   auto db = reco::Database::Open({.path = "/var/lib/shop"});
//   db.value()->Add("shop", {.user = "ann", .item = "lamp"}).status().IgnoreError("example");
//   auto ranking = db.value()->TopK("shop", "ann", {.count = 10});
//
// One Database owns one folder. It holds keys; a key is a string or a *collection*: one catalogue
// of users, items and interactions with its own model. The operations are those of the wire API
// (doc/commands.md) and mean the same. No sockets, no signals and no third-party type here (D15);
// threads are its own.
//
// Errors: kInvalidArgument and kResourceExhausted change nothing; kWrongType when the key holds
// another kind; kIoError when the log cannot be written: the change is undone and every later write
// is refused until the folder is writable again. Reads of a missing collection answer empty.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "reco/options.h"
#include "reco/result.h"
#include "reco/status.h"
#include "reco/types.h"

namespace reco {

namespace engine {
class DatabaseAccess;  // opens a database on a test's clock and file system
}

using Parameters = std::span<const std::pair<std::string, std::string>>;

// Thread-safe. Owns the folder, the memory of all collections and the background threads until it
// is destroyed; the destructor writes a checkpoint and joins them.
class Database {
 public:
  // Opens or creates options.path, takes its lock file and replays the log behind the last
  // checkpoint. kFailedPrecondition: another process owns the folder, or it was written by a newer
  // format. kCorruption names the column family and key that do not read back.
  static Result<std::unique_ptr<Database>> Open(const Options& options);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  // Makes everything applied so far durable as the sync policy promises. Needed only after writes
  // with defer_commit: take generation() before the first of them. On kIoError every change since
  // the last Ok is undone, which also shows as a new generation to whoever deferred writes beside.
  Status Commit(std::uint64_t generation);
  std::uint64_t generation() const;
  // For who defers commits and tells others what it reads. Calls show changes of other threads as
  // soon as they are applied: TakeSeen() returns the number of the newest that calls of this thread
  // have made or shown since it was last asked (0: none), and what they told is true for good once
  // CommittedUpTo() has reached it. That is 0 when the generation is over; then Commit() says so.
  static std::uint64_t TakeSeen();
  std::uint64_t CommittedUpTo(std::uint64_t generation) const;
  // Writes the derived rows of all collections now and waits for it.
  Status Checkpoint();
  // Changes the sync policy of later commits.
  void SetSyncPolicy(SyncPolicy policy);
  void SetMemoryLimit(std::uint64_t bytes_max);
  // Not Ok while writes are refused after an I/O error: what failed.
  Status Health() const;
  // Returns true while the folder is opened again after one, which may take seconds: every call on
  // data waits for it.
  bool Recovering() const;
  std::vector<InfoField> Info() const;
  // Sets back to zero what the sections stats and holds of Info() count.
  void ResetStatistics();
  std::uint64_t memory_used_bytes() const;

  // --- Keys and strings -----------------------------------------------------------------------
  Result<std::optional<std::string>> Get(KeyRef key) const;
  Result<SetOutcome> Set(KeyRef key, std::string_view value, const SetOptions& options = {},
                         WriteOptions write = {});
  // Number of keys that existed.
  Result<std::uint64_t> Delete(std::uint32_t db, std::span<const std::string_view> names,
                               WriteOptions write = {});
  bool Exists(KeyRef key) const;
  KeyKind Kind(KeyRef key) const;
  // True when the expiry was set; a time in the past deletes the key.
  Result<bool> ExpireAt(KeyRef key, std::int64_t at_ms, ExpireCondition condition,
                        WriteOptions write = {});
  // -2: no such key; -1: no expiry; otherwise the time in ms.
  std::int64_t ExpireTimeMs(KeyRef key) const;
  Result<bool> Persist(KeyRef key, WriteOptions write = {});
  // Every key that exists from the first call to the last is returned at least once. `pattern` is
  // a Redis glob; `kind` kNone: any. `count` is a hint of the work per call.
  ScanPage Scan(std::uint32_t db, std::uint64_t cursor, std::uint64_t count,
                std::string_view pattern = "*", KeyKind kind = KeyKind::kNone) const;
  std::vector<std::string> Keys(std::uint32_t db, std::string_view pattern) const;
  Status Rename(KeyRef from, KeyRef to, WriteOptions write = {});  // both in from.db
  std::uint64_t Size(std::uint32_t db) const;
  Status Flush(std::optional<std::uint32_t> db, WriteOptions write = {});  // nullopt: all

  // --- Collections ----------------------------------------------------------------------------
  // False: a collection with equal options is there already. A different option that cannot change
  // is kInvalidArgument with both values.
  Result<bool> Create(KeyRef key, const CollectionOptions& options, WriteOptions write = {});
  // Name and value of the parameters that match a glob; kNotFound without the collection.
  Result<std::vector<std::pair<std::string, std::string>>> GetConfig(
      KeyRef key, std::string_view pattern) const;
  // All or nothing. True when a changed parameter takes effect only at the next training.
  Result<bool> SetConfig(KeyRef key, Parameters parameters, WriteOptions write = {});
  Result<CollectionInfo> CollectionDetails(KeyRef key) const;
  // True while a write to the collection had better be made later, because it would wait: a long
  // call goes on, or, until it was held up for a second, so much waits for the next checkpoint that
  // writes wait for it; those with defer_commit do not, and whoever makes them asks here before.
  // `held_ms`: for how long it was held up so far. Takes about 100 ns.
  bool HoldsUpWrites(KeyRef key, std::int64_t held_ms = 0) const;

  // --- Interactions ---------------------------------------------------------------------------
  // Appends one event, folds it into both vectors and answers its sequence number; a known token
  // answers the number it had. Creates the collection, the user and the item when new.
  Result<std::uint64_t> Add(KeyRef key, const Interaction& interaction, WriteOptions write = {});
  // All or nothing, in order, one commit. Answers the last sequence number.
  Result<std::uint64_t> AddMany(KeyRef key, std::span<const Interaction> interactions,
                                WriteOptions write = {});
  // Replaces the pair's preference by `weight` (required).
  Result<std::uint64_t> SetPreference(KeyRef key, const Interaction& interaction,
                                      WriteOptions write = {});
  // Forgets pairs; the number that existed.
  Result<std::uint64_t> Remove(KeyRef key, std::string_view user,
                               std::span<const std::string_view> items, WriteOptions write = {});
  Result<std::vector<std::optional<double>>> Preferences(
      KeyRef key, std::string_view user, std::span<const std::string_view> items) const;
  // Newest first; ties by item id.
  Result<std::vector<HistoryEntry>> History(KeyRef key, std::string_view user,
                                            const HistoryOptions& options) const;

  // --- Recommendations ------------------------------------------------------------------------
  // An unknown user, or a collection without a model: the popular list.
  Result<Ranking> TopK(KeyRef key, std::string_view user, const RankingOptions& options) const;
  // For a group: ranked by the mean of the scores that its known users give, what any of them has
  // seen left out. None is known: the popular list.
  Result<Ranking> GroupTopK(KeyRef key, std::span<const std::string_view> users,
                            const RankingOptions& options) const;
  Result<Ranking> Session(KeyRef key, const Basket& basket, const RankingOptions& options) const;
  // Nearest items by cosine to the mean of the unit vectors of `items`, which are left out. By
  // co-occurrence an item's vector holds its stored weight for every user, and only items with a
  // user in common are listed: exact while the users have up to 1,000,000 pairs together, beyond
  // that estimated from a fixed sample of them.
  Result<Ranking> Similar(KeyRef key, std::span<const std::string_view> items,
                          SimilarityBasis basis, const RankingOptions& options) const;
  Result<std::vector<std::optional<double>>> Score(KeyRef key, std::string_view user,
                                                   std::span<const std::string_view> items,
                                                   const ScoreOptions& options = {}) const;
  // The score an anonymous basket gives; nullopt when the target or every item of the basket is
  // unknown, or nothing is trained.
  Result<std::optional<double>> SessionScore(KeyRef key, std::string_view target,
                                             const Basket& basket,
                                             const ScoreOptions& options = {}) const;
  // Cosines of the vectors of `item` and each other one; nullopt where there is no vector.
  Result<std::vector<std::optional<double>>> Similarities(
      KeyRef key, std::string_view item, std::span<const std::string_view> others) const;
  // Users nearest by cosine, the user left out. Empty for an unknown user.
  Result<Ranking> SimilarUsers(KeyRef key, std::string_view user,
                               const RankingOptions& options) const;
  // kNotFound when the user or the item is unknown, or nothing is trained.
  Result<Explanation> Explain(KeyRef key, std::string_view user, std::string_view item,
                              std::size_t count, const ScoreOptions& options = {}) const;
  // The same for an anonymous basket; kNotFound where SessionScore has none.
  Result<Explanation> ExplainSession(KeyRef key, std::string_view target, const Basket& basket,
                                     std::size_t count, const ScoreOptions& options = {}) const;
  // What the user has seen, least expected first: by ascending score. Rules do not apply.
  Result<Ranking> Surprising(KeyRef key, std::string_view user,
                             const RankingOptions& options) const;
  // For each latent feature the item with the largest component; empty without a model.
  Result<std::vector<Representative>> Representatives(KeyRef key) const;
  // The neighbours in the ridge row of an item, the largest absolute weight first, at most `count`;
  // empty without a row. kNotFound when the item is unknown.
  Result<std::vector<ItemNeighbour>> NeighboursOf(KeyRef key, std::string_view item,
                                                  std::size_t count) const;
  // Whether lists by vector have taken so long of late (1 ms in the mean) that a thread which
  // others wait for should not make one.
  bool ListsAreLong(KeyRef key) const;
  // Whether what a list with this filter (empty: none) and the rules in force asks for is made
  // already. Else the list makes it first, which at 1M items takes tenths of a second.
  bool FiltersAreReady(KeyRef key, Side side, std::string_view filter) const;
  // Where the item stands in the list TopK() answers with these options. Time linear in the number
  // of items. An unknown user has the popular list.
  Result<ItemPlace> Why(KeyRef key, std::string_view user, std::string_view item,
                        const ScoreOptions& options = {}) const;

  // --- Rules ----------------------------------------------------------------------------------
  // Adds or replaces the rule of that name: true when it is new. kResourceExhausted above
  // kRulesMax.
  Result<bool> SetRule(KeyRef key, const Rule& rule, WriteOptions write = {});
  // By name.
  Result<std::vector<Rule>> Rules(KeyRef key) const;
  // False: there was none.
  Result<bool> DeleteRule(KeyRef key, std::string_view name, WriteOptions write = {});
  // --- Lists that are not personal: exact, current to the last write ---------------------------
  // Items by the users who like them (whose pair weighs more than 0), by the events of these users,
  // or by the sum of all weights, of all time. What nobody likes is not listed; so below.
  Result<Ranking> Popular(KeyRef key, PopularBy by, const RankingOptions& options) const;
  // The first use of a window or half-life reads the whole log; it is then kept current in memory,
  // at most four of each.
  //
  // Popular by the events with an event time in (now - window_s, now]: their users, their number or
  // the sum of their weights. What RECO.REM or a deletion forgot does not count; a preference that
  // was set replaces the weights before it. kResourceExhausted when the window holds more than
  // 1,000,000 events.
  Result<Ranking> PopularWithin(KeyRef key, std::int64_t window_s, PopularBy by,
                                const RankingOptions& options) const;
  // Items by the sum of weight x 2^(-age / halflife) over the same events of all times, as of now.
  // An event from the future counts as of its arrival, and one that arrived later than now (the
  // clock was ahead) as of the first time that the list was asked for.
  Result<Ranking> Trending(KeyRef key, std::int64_t halflife_s,
                           const RankingOptions& options) const;
  // Items by the time in ms that they became known: that of the first interaction by event time or
  // of the record that created them, whichever is earlier.
  Result<Ranking> Latest(KeyRef key, const RankingOptions& options) const;
  // Users by their events. `options.include` and `exclude` name users.
  Result<Ranking> ActiveUsers(KeyRef key, const RankingOptions& options) const;
  // The users of an item, newest first; ties by user id. Empty for an unknown item.
  Result<std::vector<AudienceEntry>> Audience(KeyRef key, std::string_view item,
                                              const AudienceOptions& options) const;

  // --- Items and users ------------------------------------------------------------------------
  // True when the record is new. With RecordUpdate::merge no write of others comes between reading
  // the stored attributes and writing the merged ones.
  Result<bool> SetRecord(KeyRef key, Side side, std::string_view id, const RecordUpdate& update,
                         WriteOptions write = {});
  Result<std::optional<Record>> GetRecord(KeyRef key, Side side, std::string_view id) const;
  // Removes the user or item, its vector and its interactions. False: there was none.
  Result<bool> DeleteRecord(KeyRef key, Side side, std::string_view id, WriteOptions write = {});
  Result<ScanPage> ScanRecords(KeyRef key, Side side, std::uint64_t cursor, std::uint64_t count,
                               std::string_view pattern = "*") const;
  Result<std::uint64_t> CountRecords(KeyRef key, Side side) const;
  // dim floats, or nullopt when the id is unknown. With explicit feedback dim + 2: behind the
  // vector a user has the bias and 1, an item 1 and the bias; rating = mean + inner product.
  Result<std::optional<std::vector<float>>> GetVector(KeyRef key, Side side,
                                                      std::string_view id) const;

  // --- Models and jobs ------------------------------------------------------------------------
  // Starts a background training and answers its job; kNotFound without the collection;
  // kFailedPrecondition when one is already running for it.
  Result<std::uint64_t> Retrain(KeyRef key, Parameters parameters);
  // The same for a hold-out evaluation, full catalogue, against popularity and item-item cosine.
  Result<std::uint64_t> Evaluate(KeyRef key, const EvaluationOptions& options);
  std::vector<JobInfo> Jobs() const;
  Result<JobInfo> Job(std::uint64_t id) const;
  Status CancelJob(std::uint64_t id);
  // Waits at most timeout_ms (0: without end) for the job to finish; answers how it stands then.
  Result<JobInfo> WaitJob(std::uint64_t id, std::int64_t timeout_ms) const;
  // Waits without a thread: `ended` is called once when the job has finished, by the thread that
  // ends it, or before this returns when it has. It must be short and call nothing of the Database.
  // Returns a number for UnwatchJob, 0 when it was called already. kNotFound without the job.
  Result<std::uint64_t> WatchJob(std::uint64_t id, std::function<void(const JobInfo&)> ended);
  // Behind it `ended` does not run any more and is not called; waits for a call under way.
  void UnwatchJob(std::uint64_t watch);
  Result<std::vector<ModelInfo>> Models(KeyRef key) const;

  // --- Verification ---------------------------------------------------------------------------
  // Offline check of a folder that no process has open: every pair equals its events, checkpoint
  // and log agree, every vector is finite, Grams equal the vectors. Changes nothing.
  static Result<VerifyReport> Verify(const Options& options);

 private:
  class Impl;
  friend class engine::DatabaseAccess;
  explicit Database(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// Returns the measures among the results of an evaluation, in their order.
std::vector<Measure> Measures(const JobInfo& job);

}  // namespace reco
