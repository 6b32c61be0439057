#include "engine/popular/recent_lists.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "engine/popular/decayed_sums.h"
#include "engine/popular/event_window.h"

namespace reco::engine {
namespace {

using Kind = RecentListName::Kind;

constexpr std::size_t kSetAsideMax = 1'000'000;  // 56 MB of changes
// Fewer are applied with the mutex held: under a millisecond.
constexpr std::size_t kLastChangesMax = 1'000;

}  // namespace

Status RecentLists::CheckSize(const RecentListName& name, std::size_t size, std::size_t factor) {
  const bool window = name.kind == Kind::kWindow;
  const std::size_t limit = window ? kEventsMax : kPairsMax;
  if (size <= limit * factor) {
    return Status::Ok();
  }
  const std::string seconds = std::to_string(name.seconds);
  return Status::ResourceExhausted(
      window ? "the last " + seconds + " seconds hold more than " + std::to_string(limit) +
                   " events; ask for a shorter WINDOW"
             : "more than " + std::to_string(limit) + " pairs are younger than " +
                   std::to_string(DecayedSums::kLifeInHalves) + " half-lives of " + seconds +
                   " seconds; ask for a shorter HALFLIFE");
}

std::unique_ptr<RecentList> RecentLists::Make(const RecentListName& name) const {
  constexpr std::int64_t kMsASecond = 1'000;
  if (name.kind == Kind::kWindow) {
    return std::make_unique<EventWindow>(name.seconds * kMsASecond, feedback_);
  }
  return std::make_unique<DecayedSums>(name.seconds * kMsASecond, feedback_);
}

void RecentLists::Apply(const Change& change, RecentList* list) {
  if (change.removes) {
    list->Remove(change.event.user, change.event.item);
  } else {
    // A clock that is ahead makes the list forget too much, until the next read builds it anew.
    list->Advance(change.event.arrival_ms);
    list->Add(change.event);
  }
}

void RecentLists::Record(const Change& change) {
  if (building_ && set_aside_.size() <= kSetAsideMax) {
    set_aside_.push_back(change);  // one too many says that some are missing
  }
  for (Entry& entry : entries_) {
    if (entry.list == nullptr) {
      continue;
    }
    // The collection's lock is held meanwhile: O(log n) for each of at most 8 lists.
    Apply(change, entry.list.get());
    if (!CheckSize(entry.name, entry.list->size()).ok()) {
      // The entry stays, without its list, to refuse for a while what would only grow too large
      // again.
      entry.list.reset();
      entry.used_ms = change.event.arrival_ms;
    }
  }
}

void RecentLists::Add(const RecentEvent& event) {
  // Almost always: nobody asked for a list that passes.
  if (!listening_.load(std::memory_order_relaxed)) {
    return;
  }
  MutexLock lock(mutex_);
  // Lists that nobody reads cost every write; this is the place that notices. A read from later
  // than this write was by a clock that is ahead.
  std::erase_if(entries_, [&](Entry& entry) {
    entry.used_ms = std::min(entry.used_ms, event.arrival_ms + kStepMs);
    return entry.used_ms + kIdleMs < event.arrival_ms;
  });
  Record({event, false});
  CountListeners();
}

void RecentLists::Remove(std::uint32_t user, std::uint32_t item) {
  if (!listening_.load(std::memory_order_relaxed)) {
    return;
  }
  MutexLock lock(mutex_);
  Change change;
  change.removes = true;
  change.event.user = user;
  change.event.item = item;
  Record(change);
}

void RecentLists::Erase(const Entry* entry) {
  entries_.erase(entries_.begin() + (entry - entries_.data()));
  CountListeners();
}

RecentLists::Entry* RecentLists::Find(const RecentListName& name) {
  const auto found = std::find_if(entries_.begin(), entries_.end(),
                                  [&](const Entry& entry) { return entry.name == name; });
  return found != entries_.end() ? &*found : nullptr;
}

std::optional<Result<std::vector<RankedValue>>> RecentLists::Top(const RecentListName& name,
                                                                 PopularBy by, std::int64_t now_ms,
                                                                 const PageQuery& query) {
  MutexLock lock(mutex_);
  Entry* entry = Find(name);
  if (entry == nullptr) {
    return std::nullopt;
  }
  if (entry->list == nullptr) {
    if (std::abs(now_ms - entry->used_ms) < kRefusedMs) {
      // Any size beyond the bound makes the message.
      return CheckSize(name, ~std::size_t{0});
    }
    Erase(entry);
    return std::nullopt;
  }
  if (now_ms + kStepMs < entry->list->now_ms() || now_ms >= entry->list->exact_until_ms()) {
    Erase(entry);
    return std::nullopt;
  }
  entry->used_ms = now_ms;
  entry->list->Advance(now_ms);
  return entry->list->Top(by, query);
}

bool RecentLists::Has(const RecentListName& name) const {
  MutexLock lock(mutex_);
  return std::any_of(entries_.begin(), entries_.end(),
                     [&](const Entry& entry) { return entry.name == name; });
}

void RecentLists::Begin() {
  MutexLock lock(mutex_);
  // Called with the collection's lock held, so no write is half in and half out.
  building_ = true;
  set_aside_.clear();
  CountListeners();
}

void RecentLists::Abandon() {
  MutexLock lock(mutex_);
  building_ = false;
  set_aside_ = std::vector<Change>();
  CountListeners();
}

void RecentLists::Refuse(const RecentListName& name, std::int64_t now_ms) {
  Abandon();
  MutexLock lock(mutex_);
  Insert({name, now_ms, nullptr});
}

std::optional<std::vector<RecentLists::Change>> RecentLists::TakeChanges(std::size_t at_most) {
  MutexLock lock(mutex_);
  if (set_aside_.size() > kSetAsideMax) {
    return std::nullopt;
  }
  std::vector<Change> changes;
  if (set_aside_.size() > at_most) {
    changes.swap(set_aside_);
  }
  return changes;
}

Status RecentLists::End(const RecentListName& name, std::unique_ptr<RecentList> list,
                        std::int64_t now_ms) {
  std::optional<std::vector<Change>> changes;
  // Rounds without the mutex: each finds what was written during the one before.
  while ((changes = TakeChanges(kLastChangesMax)) && !changes->empty()) {
    for (const Change& change : *changes) {
      Apply(change, list.get());
    }
  }
  if (!changes) {
    Abandon();
    return Status::ResourceExhausted("too much was written while the list was built; ask again");
  }
  MutexLock lock(mutex_);
  // The rest with the mutex held, so that the next write already goes to the list itself.
  for (const Change& change : set_aside_) {
    Apply(change, list.get());
  }
  building_ = false;
  set_aside_ = std::vector<Change>();
  Status size = CheckSize(name, list->size());
  Insert({name, now_ms, size.ok() ? std::move(list) : nullptr});
  CountListeners();
  return size;
}

void RecentLists::Insert(Entry entry) {
  const Kind kind = entry.name.kind;
  entries_.push_back(std::move(entry));
  const auto of_kind = [kind](const Entry& other) { return other.name.kind == kind; };
  // The new one stands last and is not asked to give way.
  if (static_cast<std::size_t>(std::count_if(entries_.begin(), entries_.end(), of_kind)) >
      kListsMax) {
    const auto oldest =
        std::min_element(entries_.begin(), entries_.end() - 1, [&](const Entry& a, const Entry& b) {
          return of_kind(a) != of_kind(b) ? of_kind(a) : a.used_ms < b.used_ms;
        });
    entries_.erase(oldest);
  }
}

std::uint64_t RecentLists::memory_bytes() const {
  MutexLock lock(mutex_);
  std::uint64_t bytes = set_aside_.capacity() * sizeof(Change);
  for (const Entry& entry : entries_) {
    bytes += entry.list != nullptr ? entry.list->memory_bytes() : 0;
  }
  return bytes;
}

}  // namespace reco::engine
