// Collection: one catalogue behind one key. Orders its writes by sequence number, checkpoints its
// derived rows, answers reads, and swaps in retrained models.
//
// Lock order: Collection::mutex_, then the log's. Nothing calls out with mutex_ held except into
// the store (reading cold rows) and the log (staging).
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "reco/result.h"
#include "reco/types.h"

#include "base/function_ref.h"
#include "base/mutex.h"
#include "engine/jobs/jobs.h"
#include "engine/lists/item_list.h"
#include "engine/rows/storage.h"
#include "engine/state/approximate_items.h"
#include "engine/state/collection_state.h"
#include "engine/state/replaced_models.h"
#include "filter/filter.h"
#include "index/index_rebuild.h"
#include "model/evaluation.h"

namespace reco::engine {

// The rows of a checkpoint, and the record that says up to which event they go.
void PutFrozen(const FrozenRows& frozen, std::uint32_t cid, store::Batch* batch);

struct CompiledRule {
  Rule rule;
  std::shared_ptr<const filter::Filter> filter;
};

// kInvalidArgument when a field is out of its bounds or the filter is no expression.
Result<CompiledRule> Compile(const Rule& rule);

// Number of a feedback type; kNoType for the empty name, kInvalidArgument for an unknown one.
Result<std::uint16_t> TypeIndex(const CollectionOptions& options, std::string_view name);

// Thread-safe. Lives as long as someone holds it; after Drop() every write answers kNotFound, so
// that a caller who found it before looks its key up again.
class Collection {
 public:
  Collection(CollectionContext& context, std::uint32_t cid, const CollectionOptions& options);
  Collection(const Collection&) = delete;
  Collection& operator=(const Collection&) = delete;

  std::uint32_t cid() const { return cid_; }
  CollectionOptions options() const EXCLUDES(mutex_);
  void SetOptions(const CollectionOptions& options) EXCLUDES(mutex_);

  // Loads checkpoint and log from the store. Needs to run before anything else.
  Status Load() EXCLUDES(mutex_);
  // From now on every write fails with kNotFound. Waits for a checkpoint in flight.
  void Drop() EXCLUDES(mutex_, checkpoint_mutex_);

  // What Add and SetRecord say of their input on a collection with `options`, without doing
  // anything.
  static Status CheckInteractions(const CollectionOptions& options,
                                  std::span<const Interaction> interactions);
  static Status CheckRecord(Side side, std::string_view id, const RecordUpdate& update);

  // --- Writes: applied in memory and staged in the log; the caller commits ---
  Result<std::uint64_t> Add(std::span<const Interaction> interactions, bool replace)
      EXCLUDES(mutex_);
  Result<std::uint64_t> Remove(std::string_view user, std::span<const std::string_view> items)
      EXCLUDES(mutex_);
  Result<bool> SetRecord(Side side, std::string_view id, const RecordUpdate& update)
      EXCLUDES(mutex_);
  Result<bool> DeleteRecord(Side side, std::string_view id) EXCLUDES(mutex_);
  // Waits while two checkpoints are due, at most a second; call it before a write, without the lock
  // of any collection.
  void Throttle() EXCLUDES(checkpoint_mutex_);

  // --- Reads (collection_reads.cc, collection_serving.cc, collection_ranking.cc, ...) ---
  Result<std::vector<std::optional<double>>> Preferences(
      std::string_view user, std::span<const std::string_view> items) const EXCLUDES(mutex_);
  Result<std::vector<HistoryEntry>> History(std::string_view user,
                                            const HistoryOptions& options) const EXCLUDES(mutex_);
  std::optional<Record> GetRecord(Side side, std::string_view id) const EXCLUDES(mutex_);
  ScanPage ScanRecords(Side side, std::uint64_t cursor, std::uint64_t count,
                       std::string_view pattern) const EXCLUDES(mutex_);
  std::uint64_t CountRecords(Side side) const EXCLUDES(mutex_);
  std::optional<std::vector<float>> GetVector(Side side, std::string_view id) const
      EXCLUDES(mutex_);
  CollectionInfo Details() const EXCLUDES(mutex_);
  std::uint64_t memory_bytes() const EXCLUDES(mutex_);

  Result<Ranking> TopK(std::string_view user, const RankingOptions& options) const EXCLUDES(mutex_);
  Result<Ranking> Session(std::span<const std::string_view> items, std::span<const double> weights,
                          const RankingOptions& options) const EXCLUDES(mutex_);
  Result<Ranking> Similar(std::span<const std::string_view> items,
                          const RankingOptions& options) const EXCLUDES(mutex_);
  // By the users in common (collection_cooccurrence.cc).
  Result<Ranking> SimilarByCooccurrence(std::span<const std::string_view> items,
                                        const RankingOptions& options) const EXCLUDES(mutex_);
  Result<std::vector<std::optional<double>>> Score(std::string_view user,
                                                   std::span<const std::string_view> items) const
      EXCLUDES(mutex_);
  Result<std::optional<double>> SessionScore(std::string_view target,
                                             std::span<const std::string_view> items,
                                             std::span<const double> weights) const
      EXCLUDES(mutex_);
  Result<Explanation> Explain(std::string_view user, std::string_view item, std::size_t count) const
      EXCLUDES(mutex_);
  Result<Explanation> ExplainSession(std::string_view target,
                                     std::span<const std::string_view> items,
                                     std::span<const double> weights, std::size_t count) const
      EXCLUDES(mutex_);
  Result<Ranking> GroupTopK(std::span<const std::string_view> users,
                            const RankingOptions& options) const EXCLUDES(mutex_);
  Result<Ranking> Surprising(std::string_view user, const RankingOptions& options) const
      EXCLUDES(mutex_);
  Result<Ranking> SimilarUsers(std::string_view user, const RankingOptions& options) const
      EXCLUDES(mutex_);
  Result<std::vector<std::optional<double>>> Similarities(
      std::string_view item, std::span<const std::string_view> others) const EXCLUDES(mutex_);
  Result<std::vector<Representative>> Representatives() const EXCLUDES(mutex_);
  bool lists_are_long() const { return list_us_.load(std::memory_order_relaxed) > kLongListUs; }
  Result<ItemPlace> Why(std::string_view user, std::string_view item) const EXCLUDES(mutex_);

  // Makes the columns and bitmaps that a list with this filter (empty: none) and the rules of now
  // will ask. To be called before the list, which else makes columns with the lock held to the end
  // and asks about each item by itself. A filter that does not compile is the list's to refuse.
  void PrepareFilters(Side side, std::string_view text) const EXCLUDES(mutex_, prepare_mutex_);

  // Whether PrepareFilters would find everything made.
  bool FiltersAreReady(Side side, std::string_view text) const EXCLUDES(mutex_);

  // Rules that are compiled and within their bounds, by name.
  void SetRules(std::vector<CompiledRule> rules) EXCLUDES(mutex_);
  std::vector<CompiledRule> compiled_rules() const EXCLUDES(mutex_);
  std::vector<Rule> rules() const EXCLUDES(mutex_);

  // --- Lists that are not personal (collection_lists.cc) ---
  Result<Ranking> Popular(PopularBy by, const RankingOptions& options) const EXCLUDES(mutex_);
  // RECO.POPULAR with a WINDOW, by one measure, or RECO.TRENDING.
  Result<Ranking> Recent(const RecentListName& list, PopularBy by,
                         const RankingOptions& options) const EXCLUDES(mutex_);
  Result<Ranking> Latest(const RankingOptions& options) const EXCLUDES(mutex_);
  Result<Ranking> ActiveUsers(const RankingOptions& options) const EXCLUDES(mutex_);
  Result<std::vector<AudienceEntry>> Audience(std::string_view item,
                                              const AudienceOptions& options) const
      EXCLUDES(mutex_);

  // --- Background work ---
  // Whether enough has changed for a checkpoint: by count, or by age.
  bool CheckpointDue(bool by_age) const EXCLUDES(mutex_);
  // Writes what is dirty; Ok at once when nothing is. One at a time.
  Status Checkpoint() EXCLUDES(mutex_, checkpoint_mutex_);
  // Builds the running sums of long rows that a write found cold. Returns whether there were any.
  Result<bool> BuildPendingRows() EXCLUDES(mutex_);
  // Drops rows beyond their budget that a checkpoint has unpinned since the last write.
  void EvictRows() EXCLUDES(mutex_);
  // Restores the order of the item index when it is due, some steps a call; by one thread at a
  // time.
  void ResortIndex() EXCLUDES(mutex_);
  // Builds the graph of neighbours while requests ask for it, carries changes into it and drops it
  // when it is unused, some rows a call; by the same thread.
  void UpdateApproximateIndex() EXCLUDES(mutex_);
  // Lets go of replaced models that nobody asks for.
  void DropReplacedModels() EXCLUDES(mutex_);
  // How often the index was re-sorted.
  std::uint64_t resorts() const { return resorts_.load(std::memory_order_relaxed); }

  struct RetrainTrigger {
    std::uint64_t events_since = 0;
    std::int64_t trained_at_ms = 0;
    // The model weighs events by their age at its own time. From two half-lives on, the newest
    // would weigh more than four times what the rest of the model was trained for.
    bool faded = false;
  };
  RetrainTrigger retrain_trigger() const EXCLUDES(mutex_);

  // --- Jobs (collection_retrain.cc) and models (collection_models.cc) ---
  // Trains on all data, catches up with the writes meanwhile and swaps the model in. Names the
  // results in *result.
  Status Retrain(const CollectionOptions& parameters, RunningJob& progress,
                 std::vector<std::pair<std::string, double>>* result) EXCLUDES(mutex_);
  Status Evaluate(const CollectionOptions& parameters, const EvaluationOptions& options,
                  RunningJob& progress, std::vector<std::pair<std::string, double>>* result)
      EXCLUDES(mutex_);
  Result<std::vector<ModelInfo>> Models() const EXCLUDES(mutex_);

 private:
  struct Basket;       // collection_cooccurrence.cc
  struct ModelView;    // collection_queries.h
  struct Query;        // collection_queries.h
  struct RowScan;      // collection_queries.h
  struct ServedRow;    // collection_queries.h
  struct TrainingRun;  // training_run.h
  struct TrainedItems;

  using Figures = std::vector<std::pair<std::string, double>>;

  bool explicit_feedback() const { return feedback_ == Feedback::kExplicit; }
  Status CheckWritable() const REQUIRES(mutex_);
  // Stages and applies one event about registered ids. On an error nothing has changed.
  Status Write(const format::Event& event) REQUIRES(mutex_);
  std::optional<std::uint64_t> FindToken(std::string_view token) const REQUIRES(mutex_);
  // Queues the rows of remembering `token` and forgetting the oldest beyond the window.
  void RememberToken(std::string_view token, std::uint64_t seq, store::Batch* rows)
      REQUIRES(mutex_);

  Status LoadEntities(Side side, std::uint32_t end) REQUIRES(mutex_);
  Status SumSquares() REQUIRES(mutex_);
  Status LoadVectors(Side side, std::uint32_t model) REQUIRES(mutex_);
  Status LoadTokens() REQUIRES(mutex_);
  Status LoadModel(const format::CheckpointRecord& record) REQUIRES(mutex_);
  Status ReplayLog() REQUIRES(mutex_);
  Status ReplayOne(std::uint64_t seq, const format::Event& event) REQUIRES(mutex_);
  Status BuildPendingRow(Side side, std::uint32_t ordinal) EXCLUDES(mutex_);
  template <typename Step>
  index::IndexRebuild::Progress ResortInSteps(Step step) const EXCLUDES(mutex_);
  void BeginResort() EXCLUDES(mutex_);
  index::IndexRebuild::Progress EndResort() EXCLUDES(mutex_);
  // The steps of UpdateApproximateIndex (collection_approximate.cc).
  bool ApproximateWanted() const EXCLUDES(mutex_);
  bool ApproximateIsCurrent() const REQUIRES_SHARED(mutex_) {
    return approximate_.graph != nullptr && state_.approximate().graph == approximate_.graph;
  }
  void DropApproximate() EXCLUDES(mutex_);
  void BeginApproximate() EXCLUDES(mutex_);
  void NoteItems() EXCLUDES(mutex_);
  void InsertNoted() EXCLUDES(mutex_);
  void MeasureApproximate() EXCLUDES(mutex_);
  void MeasureUser(std::uint32_t user) EXCLUDES(mutex_);
  void VisitInSteps(std::size_t count, std::size_t step, std::uint32_t model,
                    FunctionRef<void(std::size_t, std::size_t)> visit) const EXCLUDES(mutex_);
  Result<std::vector<float>> SolveRatedRow(Side side, std::uint32_t ordinal, const RowCopy& row,
                                           const store::Snapshot& snapshot,
                                           std::uint32_t model) const EXCLUDES(mutex_);
  Result<model::Information> SumRow(Side side, std::uint32_t ordinal, const RowCopy& row,
                                    const store::Snapshot& snapshot, std::uint32_t model) const
      EXCLUDES(mutex_);

  // A user's or basket's vector and what is left out of its lists.
  Result<Query> BasketQuery(std::span<const std::string_view> items,
                            std::span<const double> weights, ServedRow* served,
                            const ReplacedModel* replaced = nullptr) const REQUIRES_SHARED(mutex_);
  Result<Query> UserQuery(std::string_view user, const RankingOptions& options,
                          const ReplacedModel* replaced = nullptr) const REQUIRES_SHARED(mutex_);
  Result<Query> GroupQuery(std::span<const std::string_view> users, const RankingOptions& options,
                           const ReplacedModel* replaced) const REQUIRES_SHARED(mutex_);
  // The mean of the unit vectors of the rows, which are left out.
  Query DirectionQuery(Side side, std::vector<std::uint32_t> ordinals,
                       const ReplacedModel* replaced = nullptr) const REQUIRES_SHARED(mutex_);
  Result<Query> ServingVector(std::uint32_t user, const RankingOptions& options, ServedRow* served,
                              const ReplacedModel* replaced = nullptr) const
      REQUIRES_SHARED(mutex_);
  ServedRow Serve(std::span<const RowPair> pairs, double recency,
                  const ReplacedModel* replaced) const REQUIRES_SHARED(mutex_);
  // Null stands for the active model.
  ModelView View(const ReplacedModel* replaced) const REQUIRES_SHARED(mutex_);
  // The replaced model that the options name; null: the active one. Reads it when it is not in
  // memory.
  Result<std::shared_ptr<const ReplacedModel>> ModelFor(const RankingOptions& options) const
      EXCLUDES(mutex_, replaced_mutex_);
  // Whether another training has replaced the model that the options name, since ModelFor.
  bool ReplacedSince(const RankingOptions& options, const ReplacedModel* replaced) const
      REQUIRES_SHARED(mutex_) {
    return options.model && replaced == nullptr && *options.model != state_.model().id;
  }
  Result<std::shared_ptr<const ReplacedModel>> ReadReplaced(std::uint32_t id) const
      EXCLUDES(mutex_);
  bool MayBeKept(std::uint32_t id, std::uint32_t active) const;
  Result<bool> HasItemVectors(std::uint32_t model) const;
  std::uint32_t ActiveModelId() const EXCLUDES(mutex_);
  double ScoreOf(const Query& query, const float* item) const REQUIRES_SHARED(mutex_);
  Explanation ExplainScore(const Query& query, const ServedRow& served, std::uint32_t item,
                           std::size_t count) const REQUIRES_SHARED(mutex_);
  // Components of a vector that are compared by cosine.
  std::uint32_t ComparedDim() const {
    return dim_ - (explicit_feedback() ? model::kRatingExtras : 0);
  }
  float ComparedDot(const float* a, const float* b) const;
  float LengthOf(const float* row) const;
  double CosineOf(const float* a, const float* b) const;
  // Where an item's row of ratings holds its constant 1.
  std::uint32_t ConstantAt() const {
    return model::RatingConstantAt(model::RatingSide::kItem, dim_ - model::kRatingExtras);
  }
  void SolveServed(const ServedRow& served, Query* query) const REQUIRES_SHARED(mutex_);
  std::int64_t RequestMs() const REQUIRES_SHARED(mutex_);

  // A filter bound to the columns as they are; to be bound again when the lock was given back.
  struct FilterBinding {
    std::shared_ptr<const filter::Filter> filter;
    std::optional<filter::BoundFilter> bound;         // always there behind Bind
    std::unique_ptr<std::vector<std::uint32_t>> few;  // of a rule: see RuleInForce::few
  };
  using FilterBindings = std::vector<std::unique_ptr<FilterBinding>>;
  // The rules whose time it is; they refer to the bindings.
  struct BoundRules {
    std::vector<RuleInForce> rules;
    FilterBindings bindings;
  };
  // The only candidates: few ordinals, or what a filter holds for; null: everything.
  struct Among {
    const std::vector<std::uint32_t>* ordinals = nullptr;  // ascending
    const FilterBinding* filter = nullptr;
    const FilterBindings* bindings = nullptr;  // all that the list's `accept` asks
  };
  // Answers the best `count` of one side that are accepted.
  using Lister = FunctionRef<std::vector<ScoredItem>(std::size_t count, AcceptItem accept,
                                                     const Among& among)>;
  Status CheckUserOptions(const RankingOptions& options) const;
  Result<std::vector<ScoredItem>> List(Side side, const RankingOptions& options,
                                       std::vector<std::uint32_t> left_out, BoundRules rules,
                                       Lister lister, const ReplacedModel* replaced = nullptr) const
      REQUIRES_SHARED(mutex_);
  Ranking Page(Side side, const RankingOptions& options, std::span<const ScoredItem> list) const
      REQUIRES_SHARED(mutex_);
  Result<Ranking> ItemPage(const RankingOptions& options, std::vector<std::uint32_t> left_out,
                           Lister lister, const ReplacedModel* replaced = nullptr) const
      REQUIRES_SHARED(mutex_);
  Result<Ranking> Rank(const Query& query, const RankingOptions& options) const
      REQUIRES_SHARED(mutex_);
  using MakeQuery = FunctionRef<Result<Query>(const ReplacedModel* replaced)>;
  Result<Ranking> RankUntilCurrent(MakeQuery make_query, const RankingOptions& options) const
      EXCLUDES(mutex_);
  Result<Ranking> ListSurprising(std::string_view user, const RankingOptions& options,
                                 const ReplacedModel* replaced) const REQUIRES_SHARED(mutex_);
  std::vector<ScoredItem> ListFor(const Query& query, std::size_t count, AcceptItem accept,
                                  const Among& among) const REQUIRES_SHARED(mutex_);
  std::vector<ScoredItem> ListByVector(const Query& query, std::size_t count, AcceptItem accept,
                                       const Among& among) const REQUIRES_SHARED(mutex_);
  // The best of `values`, which are those of one side.
  std::vector<ScoredItem> ListValues(Side side, const RankedValues& values, Source source,
                                     std::size_t count, AcceptItem accept, const Among& among) const
      REQUIRES_SHARED(mutex_);
  struct ValueList;
  std::vector<ScoredItem> ListTop(const ValueList& values,
                                  FunctionRef<std::vector<RankedValue>(const PageQuery&)> top) const
      REQUIRES_SHARED(mutex_);
  Result<Ranking> RecentPage(const RecentListName& list, PopularBy by,
                             const RankingOptions& options, std::optional<Status>* found) const
      EXCLUDES(mutex_);
  // They synchronize themselves, so they need no lock to be built.
  RecentLists& recent_lists() const NO_THREAD_SAFETY_ANALYSIS { return state_.recent(); }
  Status BuildRecent(const RecentListName& list) const EXCLUDES(mutex_, recent_mutex_);
  Status ReplayInto(const RecentListName& name, RecentList& list, std::uint64_t last_seq) const
      EXCLUDES(mutex_);
  Result<std::vector<RowPair>> CopyRow(Side side, std::uint32_t ordinal) const EXCLUDES(mutex_);
  std::vector<index::Candidate> SearchInSteps(const Query& query, std::size_t count,
                                              AcceptItem accept, const Among& among) const
      REQUIRES_SHARED(mutex_);
  // nullopt: the graph of neighbours is not to be asked, or would leave the list short.
  std::optional<std::vector<index::Candidate>> SearchGraph(const Query& query, std::size_t count,
                                                           AcceptItem accept,
                                                           const Among& among) const
      REQUIRES_SHARED(mutex_);
  std::vector<index::Candidate> RankEach(Side side, const Query& query, std::size_t count,
                                         AcceptItem accept,
                                         std::span<const std::uint32_t> candidates) const
      REQUIRES_SHARED(mutex_);
  Source SourceOf(Side side, std::uint32_t ordinal, const Query& query) const
      REQUIRES_SHARED(mutex_);
  // Adds a binding of `filter`, which lives as long as `bindings`.
  FilterBinding* Bind(Side side, std::shared_ptr<const filter::Filter> filter,
                      FilterBindings* bindings) const REQUIRES_SHARED(mutex_);
  void BindAgain(Side side, FilterBinding* binding) const REQUIRES_SHARED(mutex_);
  // True when the filter is ready to be bound.
  bool PrepareStep(Side side, filter::FilterUse* use) const REQUIRES_SHARED(mutex_);
  bool RuleFiltersAreReady() const REQUIRES_SHARED(mutex_);
  void AppendRuleUses(std::vector<filter::FilterUse>* uses) const EXCLUDES(mutex_);
  BoundRules RulesInForce() const REQUIRES_SHARED(mutex_);
  std::optional<double> ListedScore(const Query& query, std::uint32_t item) const
      REQUIRES_SHARED(mutex_);
  void FindPlace(const Query& query, const BoundRules& bound, std::uint32_t item,
                 ItemPlace* place) const REQUIRES_SHARED(mutex_);
  ItemPlace PlaceOf(const Query& query, std::uint32_t item) const REQUIRES_SHARED(mutex_);
  // Scans that give the lock back between steps of a few thousand rows (collection_similarity.cc).
  bool VisitRows(RowScan* scan, FunctionRef<std::size_t()> end,
                 FunctionRef<void(std::size_t, std::size_t)> visit) const REQUIRES_SHARED(mutex_);
  std::vector<index::Candidate> NearestUsers(const Query& query, std::size_t count,
                                             AcceptItem accept, const Among& among) const
      REQUIRES_SHARED(mutex_);
  using Largest = std::optional<index::Candidate>;  // of one component; nullopt: none yet
  void TakeLargest(std::size_t begin, std::size_t end, std::int64_t now_ms,
                   std::span<Largest> largest) const REQUIRES_SHARED(mutex_);
  bool ForgetFallen(std::int64_t now_ms, std::span<Largest> largest) const REQUIRES_SHARED(mutex_);
  bool Visible(Side side, std::uint32_t ordinal, std::int64_t now_ms) const REQUIRES_SHARED(mutex_);
  std::vector<std::uint32_t> Ordinals(Side side, std::span<const std::string_view> ids) const
      REQUIRES_SHARED(mutex_);
  std::unique_ptr<RowFolder> BorrowFolder() const EXCLUDES(folder_mutex_);
  void ReturnFolder(std::unique_ptr<RowFolder> folder) const EXCLUDES(folder_mutex_);
  Result<std::vector<RowPair>> PairsAsOf(std::uint32_t user, std::int64_t as_of_ms) const
      EXCLUDES(mutex_);

  Status ReadBasket(std::span<const std::string_view> items, Basket* basket) const EXCLUDES(mutex_);
  void SampleUsers(Basket* basket) const EXCLUDES(mutex_);
  Result<RankedValues> SumRows(const Basket& basket) const EXCLUDES(mutex_);

  // A checkpoint; with `run` also the start of a training: its data is what the snapshot shows.
  Status CheckpointLocked(TrainingRun* run) REQUIRES(checkpoint_mutex_) EXCLUDES(mutex_);
  void BeginRun(TrainingRun& run) REQUIRES(mutex_);
  Status StartRun(TrainingRun& run) EXCLUDES(mutex_, checkpoint_mutex_);
  format::ModelRecord DescribeModel(const TrainingRun& run) const REQUIRES(mutex_);
  static void AppendAttributeFigures(const TrainingRun& run, Figures* figures);
  Status LoadInteractions(TrainingRun& run, RunningJob& job) const;
  Status Train(TrainingRun& run, RunningJob& job) EXCLUDES(mutex_);
  model::FactorTable CopyFactors(Side side, std::uint32_t rows) const EXCLUDES(mutex_);
  Status TrainFactors(TrainingRun& run, const model::InteractionMatrix& by_item,
                      const model::TrainingControl& control) const;
  Status TrainRatedFactors(TrainingRun& run, const model::InteractionMatrix& by_item,
                           const model::TrainingControl& control) const;
  std::vector<std::string> CopyAttributes(std::uint32_t items) const EXCLUDES(mutex_);
  // Null when the collection has no attributes to learn from.
  Result<std::shared_ptr<const ColdItems>> LearnAttributes(const CollectionOptions& parameters,
                                                           const model::InteractionMatrix& by_item,
                                                           const TrainedItems& trained,
                                                           const std::atomic<bool>* cancel) const
      EXCLUDES(mutex_);
  Status EvaluateLists(const TrainingRun& run, const EvaluationOptions& options, RunningJob& job,
                       Figures* quality, Figures* result) const EXCLUDES(mutex_);
  Status EvaluateErrors(const TrainingRun& run, const EvaluationOptions& options, RunningJob& job,
                        Figures* quality, Figures* result) const;
  // Solves again, with the new model's vectors, what was written since the training took its data.
  Status CatchUp(TrainingRun& run) EXCLUDES(mutex_);
  struct TouchedRow {
    Side side;
    std::uint32_t ordinal;
    std::span<const RowPair> pairs;
    std::string_view attributes;  // of a live item
    bool live;
  };
  void SolveTouched(TrainingRun& run, const TouchedRow& row) const;
  Status CatchUpRows(TrainingRun& run, Side side, std::span<const std::uint32_t> ordinals)
      EXCLUDES(mutex_);
  Status SolveLastRows(TrainingRun& run) REQUIRES(mutex_);
  Status WriteVectors(const TrainingRun& run) const;
  Status WriteSideVectors(const TrainingRun& run, Side side, store::Batch* batch) const;
  void DeleteReplacedVectors(std::uint32_t old_model, std::uint32_t new_model,
                             store::Batch* batch) const;
  Status SwapModel(TrainingRun& run) EXCLUDES(mutex_, checkpoint_mutex_);

  CollectionContext& context_;
  const std::uint32_t cid_;
  const std::uint32_t dim_;  // of the stored vectors
  const Feedback feedback_;
  const SignalRules rules_;

  // One checkpoint at a time; taken before mutex_.
  mutable Mutex checkpoint_mutex_ ACQUIRED_BEFORE(mutex_);
  CondVar checkpoint_done_;
  // One recent list is built at a time; taken before mutex_.
  mutable Mutex recent_mutex_ ACQUIRED_BEFORE(mutex_);
  std::atomic<std::uint64_t> events_since_freeze_ = 0;  // a hint for Throttle and CheckpointDue
  std::atomic<std::int64_t> last_checkpoint_us_ = 0;
  std::atomic<std::uint64_t> checkpoint_seq_ = 0;

  // Confined to the thread that calls ResortIndex.
  std::unique_ptr<index::IndexRebuild> resort_;  // null: none under way
  bool resort_ordered_ = false;
  std::atomic<std::uint64_t> resorts_ = 0;

  // Confined to the thread that calls UpdateApproximateIndex. Its reference is the last one to the
  // graph, so that nobody frees one with the lock held.
  ApproximateBuild approximate_;
  static constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::min();
  // When a request last asked for the graph, by the monotonic clock; tells of nothing else.
  mutable std::atomic<std::int64_t> approximate_asked_us_ = kNever;

  // Held for each step of making filters ready; taken before mutex_.
  mutable Mutex prepare_mutex_ ACQUIRED_BEFORE(mutex_);
  // One replaced model is read at a time; taken before mutex_.
  mutable Mutex replaced_mutex_ ACQUIRED_BEFORE(mutex_);
  mutable ReplacedModels replaced_;

  mutable SharedMutex mutex_;
  bool dropped_ GUARDED_BY(mutex_) = false;
  CollectionOptions options_ GUARDED_BY(mutex_);
  CollectionState state_ GUARDED_BY(mutex_);
  std::vector<CompiledRule> list_rules_ GUARDED_BY(mutex_);  // by name
  // Idempotency window: token -> sequence number, oldest first in the queue.
  std::unordered_map<std::string, std::uint64_t> tokens_ GUARDED_BY(mutex_);
  std::deque<std::string> token_order_ GUARDED_BY(mutex_);
  std::int64_t trained_at_ms_ GUARDED_BY(mutex_) = 0;
  // While loading: records whose id another ordinal still holds until replay erases it.
  struct ReusedId {
    Side side;
    std::uint32_t ordinal;
    std::string id;
  };
  std::vector<ReusedId> reused_ids_ GUARDED_BY(mutex_);

  // Mean time of a list by vector, weighted to the newest 16 or so; a hint.
  static constexpr std::int64_t kLongListUs = 1'000;
  mutable std::atomic<std::int64_t> list_us_ = 0;

  mutable Mutex folder_mutex_;
  mutable std::vector<std::unique_ptr<RowFolder>> folders_ GUARDED_BY(folder_mutex_);
};

}  // namespace reco::engine
