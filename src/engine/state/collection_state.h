// CollectionState: everything in memory of one collection, and `Apply`, the one function that turns
// an event into a change of it. Live writes, recovery and verification all go through Apply, so the
// same events give the same state (I6).
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "reco/options.h"
#include "reco/result.h"
#include "reco/types.h"

#include "engine/popular/popularity.h"
#include "engine/popular/ranked_values.h"
#include "engine/popular/recent_lists.h"
#include "engine/rows/row_folder.h"
#include "engine/rows/row_table.h"
#include "engine/rows/running_sums.h"
#include "engine/rows/signal.h"
#include "engine/rows/storage.h"
#include "engine/state/active_model.h"
#include "engine/state/approximate_items.h"
#include "engine/state/event_times.h"
#include "engine/state/followed_neighbours.h"
#include "engine/state/frozen_rows.h"
#include "engine/state/read_ahead.h"
#include "engine/state/side_state.h"
#include "format/event.h"
#include "format/records.h"
#include "index/item_index.h"
#include "model/aligned_vector.h"
#include "model/factor_table.h"
#include "model/fold_in.h"

namespace reco::engine {

// Thread-compatible: const members may run concurrently, Prepare and Apply need it to themselves.
class CollectionState {
 public:
  // `recent`: told of every change.
  CollectionState(CollectionContext& context, std::uint32_t cid, const CollectionOptions& options,
                  RecentLists& recent);

  SideState& side(Side which) { return which == Side::kUser ? users_ : items_; }
  const SideState& side(Side which) const { return which == Side::kUser ? users_ : items_; }
  SideState& users() { return users_; }
  SideState& items() { return items_; }
  const SideState& users() const { return users_; }
  const SideState& items() const { return items_; }
  std::uint32_t dim() const { return dim_; }
  FoldIn fold_in() const { return fold_in_; }
  std::uint64_t last_seq() const { return last_seq_; }
  // The newest event time of all. Later than now after an event whose clock was ahead: readers take
  // the earlier of both.
  std::int64_t newest_ms() const { return newest_ms_; }
  // Whether the events carry times by which pairs can be weighed.
  bool times_usable() const { return event_times_.usable(); }
  // What lists by neighbours are made from, followed by Apply.
  const FollowedNeighbours& neighbours() const { return neighbours_; }
  FollowedNeighbours& neighbours() { return neighbours_; }
  // Events that set rows of neighbours, of those applied in this process: all of them, and those
  // that the model's training did not begin with.
  std::uint64_t row_events() const { return row_events_; }
  std::uint64_t row_events_since_training() const { return row_events_ - row_events_trained_; }
  void NoteTrainedAt(std::uint64_t row_events) { row_events_trained_ = row_events; }
  std::uint64_t interactions() const { return interactions_; }
  const ActiveModel& model() const { return model_; }
  const model::Gram& trained_item_gram() const { return trained_item_gram_; }
  const Popularity& popularity() const { return popularity_; }
  // The users by their events; those without are not ranked.
  const RankedValues& active_users() const { return active_users_; }
  // The live items by the time that they became known.
  const RankedValues& latest_items() const { return latest_items_; }
  const index::ItemIndex* index() const { return index_.get(); }
  index::ItemIndex* mutable_index() { return index_.get(); }
  // Exchanges the item index for one over the same items and with the same rows, such as the
  // re-sorted one.
  void SwapIndex(std::unique_ptr<index::ItemIndex>* index) { index_.swap(*index); }
  // Follows the items' vectors as the index does.
  const ApproximateItems& approximate() const { return approximate_; }
  ApproximateItems& mutable_approximate() { return approximate_; }
  // Longer rows of ratings are solved in the background: about 0.5 ms at d = 64.
  static constexpr std::uint32_t kRatedRowMax = 1'024;
  // A deletion solves so many partners; of more each one waits for the background.
  static constexpr std::size_t kPartnersAtOnce = 64;
  // Most that Continue() does at once: solves (fewer at higher dimensions), and pairs that go with
  // their owner.
  static constexpr std::size_t kSolvesAStep = 64;
  static constexpr std::size_t kRemovedAStep = 512;
  FoldInTerms TermsOf(Side which) const {
    return {which, side(Other(which)).gram, model_.solve, model_.mean};
  }
  // Gives a new id its ordinal. On replay ordinals come from the dictionary on disk.
  std::uint32_t Register(Side which, std::string_view id);
  // Makes room for ordinals [0, end).
  void Grow(Side which, std::uint32_t end);

  // Reads from disk what Apply(event) needs; changes nothing that a reader can see. Returns the
  // pair of the event as it is stored, if there is one. Ordinals that are not registered yet are
  // fine.
  Result<std::optional<format::Pair>> Prepare(const format::Event& event);
  // Does so for many events on pairs, without a read: takes in what was read `ahead`, if that is
  // still valid, and sets stored[i] for each events[i]. Returns false when the disk has to be read
  // for it, and names in `ahead` what of it.
  bool PrepareAll(std::span<const format::Event> events, ReadAhead* ahead,
                  std::vector<std::optional<format::Pair>>* stored);
  // The same, and reads by itself what is missing.
  Status PrepareAllNow(std::span<const format::Event> events, ReadAhead* ahead,
                       std::vector<std::optional<format::Pair>>* stored);
  // Names in `ahead` which rows a deletion, whose pairs these are, needs in memory and memory
  // lacks; takes in what was read of them before. Returns true iff there are none.
  bool PrepareDelete(Side which, std::span<const RowPair> pairs, ReadAhead* ahead);
  // Applies `event` as number `seq`, which must be last_seq() + 1 (I1). `stored` is what
  // Prepare(event) returned; other events may have been applied in between, but no Evict().
  void Apply(std::uint64_t seq, const format::Event& event,
             const std::optional<format::Pair>& stored);
  // Applies events on pairs as one change (D36), numbered from `first`: counters and rows follow
  // one by one, then each user and each item that they name is solved once.
  void ApplyAll(std::uint64_t first, std::span<const format::Event> events,
                std::span<const std::optional<format::Pair>> stored);
  // The two changes that may be long, to be ended by Continue(). Until it returns false no other
  // event may be applied and no checkpoint or model begin (D51); readers see:
  //   BeginAll()     all pairs, and vectors of before the call until each is solved
  //   BeginDelete()  no such id, vector or record; partners that lose their pair one by one.
  //                  `pairs` are those of the row.
  // `stored` are the pairs as they are when it begins, and so for ApplyAll().
  void BeginAll(std::uint64_t first, std::span<const format::Event> events,
                std::span<const std::optional<format::Pair>> stored);
  void BeginDelete(std::uint64_t seq, Side which, std::uint32_t ordinal,
                   std::vector<RowPair> pairs);
  // Does the next part of it, about a millisecond's. Returns true while there is more. The parts
  // are the same in each process, or a replay would not give the same bits (I6).
  bool Continue();
  bool unfinished() const { return folding_ || deleting_ || taking_neighbours_; }
  // Drops unpinned rows (I7) until the budget holds again, but looks at no more of them than keep
  // up with `writes` writes.
  void Evict(std::size_t writes);
  // Returns the stored pair, from memory or from disk; nullopt when there is none. Needs registered
  // ordinals.
  Result<std::optional<format::Pair>> LookUpPair(std::uint32_t user, std::uint32_t item) const;

  // Makes `model` the active one: takes over its vectors and Grams, and indexes the items with
  // `index` (may be null: built here). Running sums are those of one model, so all begin anew.
  struct NewModel {
    ActiveModel active;
    std::unique_ptr<model::FactorTable> users;
    std::unique_ptr<model::FactorTable> items;
    model::Gram user_gram;
    model::Gram item_gram;
    std::unique_ptr<index::ItemIndex> index;
  };
  // What it replaced, to be freed without the lock.
  struct OldModel {
    ActiveModel active;
    std::unique_ptr<model::FactorTable> users;
    std::unique_ptr<model::FactorTable> items;
    std::array<model::Gram, 3> grams;
    std::unique_ptr<index::ItemIndex> index;
    ApproximateItems approximate;
  };
  [[nodiscard]] OldModel Activate(NewModel model);
  // Drops running sums over the vectors of models before, of the next `rows` of each side's rows,
  // which keep memory until then and are not used. Returns true while there are more.
  bool DropOldSums(std::size_t rows);
  // Restores what the checkpoint says, at open. The vectors and entities are filled by the loader.
  // kCorruption when a Gram has the wrong size.
  Status Restore(const format::CheckpointRecord& record, const ActiveModel& model,
                 std::span<const double> trained_item_gram);
  // Builds what is derived in memory: the rankings that are not personal and, with a model, the
  // item index. Until then Apply keeps none current.
  void BuildIndexes();

  // Returns the JSON of an item, "" when it has none. Valid until its next change.
  std::string_view AttributesOf(std::uint32_t item) const;

  // Names everything dirty, copies counters and Grams, and starts the next generation.
  FrozenRows BeginFreeze();
  // Copies the next rows of what was named, as it was then. Returns true while there are more.
  bool CopyFrozen(std::size_t rows, FrozenRows* frozen) const;
  // To be called when all is copied: writes no longer keep what they change. Returns what they
  // kept, to be freed without the lock.
  std::unique_ptr<BeforeImages> EndFreeze(FrozenRows* frozen);
  // Says that the checkpoint of `generation` is on disk, so what it wrote may leave memory (I7).
  void SetDurable(std::uint32_t generation);
  // Forgets some of the users and items whose deletion is on disk. Returns true iff there may be
  // more of them.
  bool ForgetErased();
  // Events applied since the last BeginFreeze.
  std::uint64_t unfrozen_events() const { return last_seq_ - frozen_seq_; }
  // About what the next checkpoint would copy.
  std::uint64_t unfrozen_bytes() const { return unfrozen_bytes_; }
  // Returns true iff a checkpoint would have something to write.
  bool dirty() const { return last_seq_ != frozen_seq_ || touched_outside_log_; }
  // Says that something changed that no event stands for (quality figures, a model), so that the
  // next checkpoint writes it.
  void MarkDirtyOutsideLog() { touched_outside_log_ = true; }

  // Has the next checkpoint write this entity and its vector.
  void MarkChanged(Side which, std::uint32_t ordinal) { MarkDirty(which, ordinal); }
  // Empties SideState::touched; while `on`, Apply collects there the ordinals that it changes.
  void CollectTouched(bool on);

  // Solves a row from its current pairs into `x` (stride floats, warm start on entry). Returns
  // false when neither its pairs nor, for a long row, its running sums are in memory.
  bool SolveRow(Side which, std::uint32_t ordinal, RowFolder& folder, float* x) const;
  // Begins to build a long row in the background: returns its part that is newer than the disk, and
  // the row collects its changes until the End. nullopt: there is nothing to build.
  std::optional<RowCopy> BeginBuild(Side which, std::uint32_t ordinal);
  // Returns the changes that were collected so far, unless they are few enough to be left to
  // EndSums.
  std::vector<WeightChange> TakeBuildChanges(Side which, std::uint32_t ordinal,
                                             std::size_t most_left);
  // Returns true iff the row is solved from sums, or as a whole in the background.
  bool IsLong(Side which, std::uint32_t ordinal) const {
    const std::uint32_t pairs = side(which).entities[ordinal].pairs;
    return pairs > (rules_.rated() ? kRatedRowMax : RunningSums::LongRow(dim_));
  }
  // Solves a short row that was put off, of a registered id, whether writes move its side or not;
  // reads it when it is not in memory.
  Status SolvePending(Side which, std::uint32_t ordinal);
  // Ends it with the sums of the copy, to which the changes are added, and solves the row; null
  // gives up.
  void EndSums(Side which, std::uint32_t ordinal, std::unique_ptr<model::Information> sums);
  // Ends it for a row of ratings, whose vector is solved as a whole; empty gives up.
  void EndRatedRow(Side which, std::uint32_t ordinal, std::span<const float> vector);

  std::vector<std::pair<std::string, double>> quality;  // last evaluation
  std::uint64_t memory_bytes() const;
  // The part of it that the rankings take which are not personal.
  std::uint64_t rankings_bytes() const {
    return popularity_.memory_bytes() + active_users_.memory_bytes() + latest_items_.memory_bytes();
  }

 private:
  struct Change;  // one pair before and after
  // What a change of a pair is to the model.
  struct PairChange {
    std::uint32_t user = 0;
    std::uint32_t item = 0;
    float old_weight = 0;
    float new_weight = 0;
    std::uint32_t of(Side which) const { return which == Side::kUser ? user : item; }
  };

  PairChange ApplyPair(std::uint64_t seq, const format::Event& event,
                       const std::optional<format::Pair>& before);
  void BeginFold();
  void BeginFold(Side which);
  bool FoldSome();
  void ApplyRemove(std::uint64_t seq, const format::Event& event,
                   const std::optional<format::Pair>& before);
  std::optional<format::Pair> CurrentPair(const format::Event& event,
                                          const std::optional<format::Pair>& stored) const;
  void ApplyRecord(std::uint64_t seq, Side which, std::uint32_t ordinal,
                   const format::Event& event);
  bool RemoveSomePairs();
  Result<std::optional<format::Pair>> PreparePair(std::uint32_t user, std::uint32_t item);
  Status PrepareDeleteNow(Side which, std::uint32_t ordinal);
  Status PrepareRow(Side which, std::uint32_t ordinal);
  std::size_t NameMissingRows(Side which, std::span<const format::Event> events,
                              std::size_t pairs_max, std::size_t taken,
                              std::vector<RowTable::StoredRow>* missing);
  bool LookUpPairs(std::span<const format::Event> events, const ReadAhead& ahead,
                   std::vector<std::optional<format::Pair>>* stored,
                   std::vector<ReadAhead::StoredPair>* missing) const;
  // A row is needed to solve by, and for nothing else: before the first training (D14), and where
  // writes move no vectors, only the pair itself is looked up.
  bool NeedsRows(Side which) const { return model_.id != 0 && Follows(which); }
  Knowledge LookUpInMemory(std::uint32_t user, std::uint32_t item, format::Pair* pair) const;
  void RemovePair(std::uint64_t seq, std::uint32_t user, std::uint32_t item,
                  const format::Pair& pair);
  void CountPair(Side which, std::uint32_t ordinal, std::uint64_t seq, const Change& change);
  void UpdateSums(Side which, std::uint32_t ordinal, std::span<const WeightChange> changes);
  RunningSums SumsOf(Side which) {
    return {side(which).rows, *side(Other(which)).factors, model_.solve, model_.signal, model_.id};
  }
  Row* EndBuild(Side which, std::uint32_t ordinal);
  bool IsDeleting(Side which, std::uint32_t ordinal) const {
    return deleting_ && deleting_->side == which && deleting_->ordinal == ordinal;
  }
  const float* PriorOf(Side which, std::uint32_t ordinal) const;
  bool PutOff(Side which, std::uint32_t ordinal);
  void SetVector(Side which, std::uint32_t ordinal, const float* x);
  void RefreshIndexes(std::uint32_t item);
  void Resolve(Side which, std::uint32_t ordinal);
  void ResolveDeferred(Side which, std::uint32_t ordinal);
  void SolveDeferred(Side which, std::uint32_t ordinal);
  void MarkSolved(Side which, std::uint32_t ordinal);
  // Returns true iff writes solve the vectors of this side again.
  bool Follows(Side which) const {
    return fold_in_ == FoldIn::kBoth || (fold_in_ == FoldIn::kUsers && which == Side::kUser);
  }
  // To be called before an entity, its record or its vector changes.
  void BeforeChange(Side which, std::uint32_t ordinal) {
    if (before_ != nullptr) {
      KeepBeforeChange(which, ordinal);
    }
  }
  // And before a pair does: `pair` is what it is.
  void BeforeChange(std::uint32_t user, std::uint32_t item,
                    const std::optional<format::Pair>& pair) {
    if (before_ != nullptr) {
      before_->pairs.try_emplace(std::uint64_t{user} << 32U | item, pair);
    }
  }
  void KeepBeforeChange(Side which, std::uint32_t ordinal);
  BeforeImages::Entity ImageOf(Side which, std::uint32_t ordinal) const;
  void CopyEntity(Side which, std::uint32_t ordinal, FrozenRows* frozen) const;
  void CopyPair(std::uint64_t key, FrozenRows* frozen) const;
  void MarkDirty(Side which, std::uint32_t ordinal);
  void UpdatePopularity(std::uint32_t item);
  void UpdateActivity(std::uint32_t user);
  void CountTimes(std::uint32_t user, int sign);
  void UpdateKnown(Side which, std::uint32_t ordinal, const format::Event& event);

  CollectionContext& context_;
  std::uint32_t cid_;
  std::uint32_t dim_;
  SignalRules rules_;
  FoldIn fold_in_;
  SideState users_;
  SideState items_;
  Feedback feedback_;
  ActiveModel model_;
  model::Gram trained_item_gram_;
  std::uint64_t last_seq_ = 0;
  std::int64_t newest_ms_ = 0;
  EventTimes event_times_;
  FollowedNeighbours neighbours_;
  std::uint64_t row_events_ = 0;
  std::uint64_t row_events_trained_ = 0;
  std::uint64_t frozen_seq_ = 0;
  std::uint64_t unfrozen_bytes_ = 0;
  std::uint64_t interactions_ = 0;
  std::uint32_t generation_ = 1;
  std::vector<std::uint64_t> dirty_pairs_;  // user << 32 | item, with repeats
  std::unique_ptr<BeforeImages> before_;    // while a checkpoint copies
  struct Deleting {
    Side side;
    std::uint32_t ordinal;
    std::uint64_t seq;
    std::vector<RowPair> pairs;
    std::size_t removed;  // of them

    bool solved_later() const { return pairs.size() > kPartnersAtOnce; }  // so are its partners
  };
  std::optional<Deleting> deleting_;  // while its row is taken apart
  bool taking_neighbours_ = false;    // of a change that is under way
  bool collect_touched_ = false;
  bool touched_outside_log_ = false;
  bool indexes_built_ = false;
  Popularity popularity_;
  RankedValues active_users_;
  RankedValues latest_items_;
  RecentLists& recent_;
  std::unique_ptr<index::ItemIndex> index_;
  ApproximateItems approximate_;
  std::unique_ptr<RowFolder> folder_;       // from the first solve on
  model::AlignedVector<float> new_vector_;  // scratch of Resolve
  // What is to be folded in, and how far that is.
  std::vector<PairChange> pair_changes_;
  std::optional<Side> folding_;
  std::vector<std::uint64_t> owners_;         // of that side: ordinal << 32 | place in the changes
  std::size_t folded_ = 0;                    // of them
  std::vector<WeightChange> weight_changes_;  // scratch of FoldSome
};

}  // namespace reco::engine
