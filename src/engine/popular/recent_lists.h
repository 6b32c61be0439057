// RecentLists: the windows and half-lives that somebody has asked for, each built once from the log
// and then kept current by the writes.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "reco/options.h"
#include "reco/result.h"
#include "reco/types.h"

#include "base/mutex.h"
#include "engine/popular/recent_list.h"

namespace reco::engine {

// Names one list: RECO.POPULAR's WINDOW or RECO.TRENDING's HALFLIFE.
struct RecentListName {
  enum class Kind : std::uint8_t { kWindow, kHalfLife };
  Kind kind = Kind::kWindow;
  std::int64_t seconds = 0;
  bool operator==(const RecentListName&) const = default;
};

// At most kListsMax lists of a kind; the one unused for the longest gives way, and one that nobody
// has read for kIdleMs is dropped by the next write. A list that has grown beyond its bound is
// dropped, and asking for it is refused for kRefusedMs.
//
// A list is built outside of all locks: from Begin() on the changes made meanwhile are set aside,
// and End() applies them.
//
// Thread-safe. Add and Remove must come in the order of the log, so with the collection's lock held
// exclusively; Begin with that lock held at least shared.
class RecentLists {
 public:
  static constexpr std::size_t kListsMax = 4;
  static constexpr std::size_t kEventsMax = 1'000'000;  // of a window
  static constexpr std::size_t kPairsMax = 4'000'000;   // of a half-life
  static constexpr std::int64_t kIdleMs = 3'600'000;
  static constexpr std::int64_t kRefusedMs = 10'000;
  // A reader's clock that is further behind a list has been set back.
  static constexpr std::int64_t kStepMs = 1'000;

  explicit RecentLists(Feedback feedback) : feedback_(feedback) {}

  // --- Writes; one load of an atomic while there are no lists ---
  void Add(const RecentEvent& event) EXCLUDES(mutex_);
  void Remove(std::uint32_t user, std::uint32_t item) EXCLUDES(mutex_);

  // Returns a page of the list; nullopt when it has to be built first, or again, because the clock
  // has gone back behind what the list has forgotten. `now_ms` must be read just before. Calls
  // `query`'s functions with its mutex held.
  std::optional<Result<std::vector<RankedValue>>> Top(const RecentListName& name, PopularBy by,
                                                      std::int64_t now_ms, const PageQuery& query)
      EXCLUDES(mutex_);
  std::uint64_t memory_bytes() const EXCLUDES(mutex_);

  // --- Building, one at a time ---

  // Returns true iff there is nothing to build: the list is there, or is refused.
  bool Has(const RecentListName& name) const EXCLUDES(mutex_);
  // Returns an empty list of this name, which belongs to the caller until End().
  std::unique_ptr<RecentList> Make(const RecentListName& name) const;
  // Begins to set changes aside.
  void Begin() EXCLUDES(mutex_);
  // Takes over a list of the events up to Begin(). kResourceExhausted when it is too large or too
  // much was written meanwhile.
  Status End(const RecentListName& name, std::unique_ptr<RecentList> list, std::int64_t now_ms)
      EXCLUDES(mutex_);
  // Gives up the list that is being built, and with it what was set aside.
  void Abandon() EXCLUDES(mutex_);
  // Gives it up likewise and refuses the list from now on for kRefusedMs.
  void Refuse(const RecentListName& name, std::int64_t now_ms) EXCLUDES(mutex_);
  // Returns Ok when a list of this name may hold `size`, its bound times `factor`; otherwise
  // kResourceExhausted with words for the caller.
  static Status CheckSize(const RecentListName& name, std::size_t size, std::size_t factor = 1);

 private:
  struct Change {
    RecentEvent event;
    bool removes = false;
  };
  struct Entry {
    RecentListName name;
    std::int64_t used_ms = 0;
    std::unique_ptr<RecentList> list;  // null: refused since used_ms
  };
  static void Apply(const Change& change, RecentList* list);
  void Erase(const Entry* entry) REQUIRES(mutex_);
  // Returns what was set aside, when it is more than `at_most`, else nothing; nullopt when some of
  // it is missing.
  std::optional<std::vector<Change>> TakeChanges(std::size_t at_most) EXCLUDES(mutex_);
  void Record(const Change& change) REQUIRES(mutex_);
  Entry* Find(const RecentListName& name) REQUIRES(mutex_);
  // Adds it; the least used of its kind gives way.
  void Insert(Entry entry) REQUIRES(mutex_);
  void CountListeners() REQUIRES(mutex_) {
    listening_.store(building_ || !entries_.empty(), std::memory_order_relaxed);
  }

  const Feedback feedback_;
  // True while a write has anything to do here. Set under the collection's lock, which orders it.
  std::atomic<bool> listening_ = false;

  mutable Mutex mutex_;
  std::vector<Entry> entries_ GUARDED_BY(mutex_);
  bool building_ GUARDED_BY(mutex_) = false;
  std::vector<Change> set_aside_ GUARDED_BY(mutex_);
};

}  // namespace reco::engine
