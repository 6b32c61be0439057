// What an event needs of the disk, read before it is applied: all of it that may fail (I5).
#include <algorithm>
#include <utility>

#include "base/sorted.h"
#include "engine/state/collection_state.h"
#include "format/event_effect.h"
#include "format/keys.h"

namespace reco::engine {

using format::Event;

Status CollectionState::PrepareRow(Side which, std::uint32_t ordinal) {
  if (!NeedsRows(which)) {
    return Status::Ok();
  }
  SideState& own = side(which);
  const std::uint32_t pairs = own.entities[ordinal].pairs;
  // A longer row is not read within a write. Its owner then works with what is in memory (sums and
  // changed pairs), and a vector that cannot be solved so goes to the background (Resolve).
  return pairs <= RowTable::kInlinePairsMax ? own.rows.Load(ordinal, pairs) : Status::Ok();
}

// Looks a pair of registered ordinals up without a read.
Knowledge CollectionState::LookUpInMemory(std::uint32_t user, std::uint32_t item,
                                          format::Pair* pair) const {
  // The counters tell of a pair that cannot be there.
  if (users_.entities[user].pairs == 0 || items_.entities[item].pairs == 0) {
    return Knowledge::kAbsent;
  }
  // A pair lies in two rows, and either may be in memory while the other is not.
  const Knowledge known = users_.rows.Lookup(user, item, pair);
  return known != Knowledge::kUnknown ? known : items_.rows.Lookup(item, user, pair);
}

Result<std::optional<format::Pair>> CollectionState::LookUpPair(std::uint32_t user,
                                                                std::uint32_t item) const {
  format::Pair pair;
  const Knowledge known = LookUpInMemory(user, item, &pair);
  if (known != Knowledge::kUnknown) {
    return known == Knowledge::kPresent ? std::optional(pair) : std::nullopt;
  }
  RECO_RETURN_IF_ERROR(context_.storage.Readable());
  RECO_ASSIGN_OR_RETURN(
      const std::optional<std::string> stored,
      context_.storage.store->Get(store::Family::kByUser, format::PairKey(cid_, user, item)));
  if (!stored) {
    return std::optional<format::Pair>();
  }
  RECO_ASSIGN_OR_RETURN(pair, format::DecodePair(*stored));
  return std::optional(pair);
}

// Names the rows of the events that are to be read, at most as many as have `pairs_max` pairs, but
// one at least. Returns the number of their pairs. `taken`: those that were just read.
std::size_t CollectionState::NameMissingRows(Side which, std::span<const Event> events,
                                             std::size_t pairs_max, std::size_t taken,
                                             std::vector<RowTable::StoredRow>* missing) {
  if (!NeedsRows(which)) {
    return 0;
  }
  SideState& own = side(which);
  std::vector<std::uint32_t> owners;
  owners.reserve(events.size());
  for (const Event& event : events) {
    const std::uint32_t owner = which == Side::kUser ? event.user : event.item;
    if (owner < own.ids.end() && own.entities[owner].pairs <= RowTable::kInlinePairsMax) {
      owners.push_back(owner);
    }
  }
  SortUnique(&owners);
  std::size_t named = 0;
  for (const std::uint32_t owner : owners) {
    const std::uint32_t pairs = own.entities[owner].pairs;
    if (!own.rows.LoadFromMemory(owner, pairs) && (named == 0 || named + pairs <= pairs_max)) {
      named += pairs;
      missing->push_back({owner, {}});
    }
  }
  if (missing->empty()) {
    context_.row_budget.hits.fetch_add(owners.size() - std::min(taken, owners.size()),
                                       std::memory_order_relaxed);
  }
  return named;
}

// Fills in the pairs that memory or `ahead` tell of. Names those that neither does in `missing`,
// and with them all others that memory does not tell of, so that none is forgotten. Returns true
// iff all are known.
bool CollectionState::LookUpPairs(std::span<const Event> events, const ReadAhead& ahead,
                                  std::vector<std::optional<format::Pair>>* stored,
                                  std::vector<ReadAhead::StoredPair>* missing) const {
  stored->assign(events.size(), std::nullopt);
  std::vector<std::pair<std::uint64_t, std::uint32_t>> asked;  // user << 32 | item, place in events
  for (std::uint32_t i = 0; i < events.size(); ++i) {
    const auto [user, item] = std::pair(events[i].user, events[i].item);
    if (user >= users_.ids.end() || item >= items_.ids.end()) {
      continue;
    }
    format::Pair pair;
    const Knowledge knowledge = LookUpInMemory(user, item, &pair);
    if (knowledge == Knowledge::kPresent) {
      (*stored)[i] = pair;
    } else if (knowledge == Knowledge::kUnknown) {
      asked.emplace_back(std::uint64_t{user} << 32U | item, i);
    }
  }
  // In the order of the disk.
  std::sort(asked.begin(), asked.end());
  bool all_known = true;
  auto known = ahead.pairs.begin();
  for (const auto& [key, place] : asked) {
    while (known != ahead.pairs.end() && known->key() < key) {
      ++known;
    }
    if (known != ahead.pairs.end() && known->key() == key) {
      (*stored)[place] = known->pair;
    } else {
      all_known = false;
    }
    if (missing->empty() || missing->back().key() != key) {
      missing->push_back(
          {static_cast<std::uint32_t>(key >> 32U), static_cast<std::uint32_t>(key), std::nullopt});
    }
  }
  return all_known;
}

bool CollectionState::PrepareAll(std::span<const Event> events, ReadAhead* ahead,
                                 std::vector<std::optional<format::Pair>>* stored) {
  users_.Prefetch(events, [](const Event& event) { return event.user; });
  items_.Prefetch(events, [](const Event& event) { return event.item; });
  ReadAhead missing;
  missing.durable = users_.rows.durable_generation();
  if (ahead->durable != missing.durable) {
    *ahead = {};
  }
  std::size_t pairs_left = ReadAhead::kPairsMax;
  for (const Side which : {Side::kUser, Side::kItem}) {
    const auto& read = ahead->rows[static_cast<std::size_t>(which)];
    for (const RowTable::StoredRow& row : read) {
      side(which).rows.Complete(row.owner, row.pairs);
    }
    auto* rows = &missing.rows[static_cast<std::size_t>(which)];
    pairs_left -=
        std::min(pairs_left, NameMissingRows(which, events, pairs_left, read.size(), rows));
  }
  if (!missing.rows[0].empty() || !missing.rows[1].empty()) {
    *ahead = std::move(missing);  // with their rows most pairs will be known
    return false;
  }
  if (!LookUpPairs(events, *ahead, stored, &missing.pairs)) {
    *ahead = std::move(missing);
    return false;
  }
  return true;
}

Status CollectionState::PrepareAllNow(std::span<const Event> events, ReadAhead* ahead,
                                      std::vector<std::optional<format::Pair>>* stored) {
  while (!PrepareAll(events, ahead, stored)) {
    RECO_RETURN_IF_ERROR(context_.storage.Readable());
    RECO_RETURN_IF_ERROR(ahead->Read(*context_.storage.store, cid_));
  }
  return Status::Ok();
}

Result<std::optional<format::Pair>> CollectionState::PreparePair(std::uint32_t user,
                                                                 std::uint32_t item) {
  if (user < users_.ids.end()) {
    RECO_RETURN_IF_ERROR(PrepareRow(Side::kUser, user));
  }
  if (item < items_.ids.end()) {
    RECO_RETURN_IF_ERROR(PrepareRow(Side::kItem, item));
  }
  if (user >= users_.ids.end() || item >= items_.ids.end()) {
    return std::optional<format::Pair>();
  }
  return LookUpPair(user, item);
}

bool CollectionState::PrepareDelete(Side which, std::span<const RowPair> pairs, ReadAhead* ahead) {
  // Few partners are solved again at once, each from its row. Of many nothing is needed: they wait
  // for the background.
  if (pairs.size() > kPartnersAtOnce || !NeedsRows(Other(which))) {
    return true;
  }
  SideState& partners = side(Other(which));
  auto& rows = ahead->rows[static_cast<std::size_t>(Other(which))];
  if (ahead->durable == partners.rows.durable_generation()) {
    for (const RowTable::StoredRow& row : rows) {
      partners.rows.Complete(row.owner, row.pairs);
    }
  }
  rows.clear();
  ahead->durable = partners.rows.durable_generation();
  for (const RowPair& pair : pairs) {  // ascending, as ReadStored wants them
    const std::uint32_t length = partners.entities[pair.other].pairs;
    if (length <= RowTable::kInlinePairsMax && !partners.rows.LoadFromMemory(pair.other, length)) {
      rows.push_back({pair.other, {}});
    }
  }
  return rows.empty();
}

Status CollectionState::PrepareDeleteNow(Side which, std::uint32_t ordinal) {
  SideState& own = side(which);
  RECO_RETURN_IF_ERROR(own.rows.Load(ordinal, own.entities[ordinal].pairs));
  std::vector<RowPair> pairs;
  own.rows.Find(ordinal)->pairs.AppendTo(&pairs);
  ReadAhead ahead;
  while (!PrepareDelete(which, pairs, &ahead)) {
    RECO_RETURN_IF_ERROR(context_.storage.Readable());
    RECO_RETURN_IF_ERROR(ahead.Read(*context_.storage.store, cid_));
  }
  return Status::Ok();
}

Result<std::optional<format::Pair>> CollectionState::Prepare(const Event& event) {
  using Stored = Result<std::optional<format::Pair>>;
  return format::MatchEffect(
      event,
      [&](const format::PairAdded& pair) -> Stored { return PreparePair(pair.user, pair.item); },
      [&](const format::PairRemoved& pair) -> Stored { return PreparePair(pair.user, pair.item); },
      [&](const format::Deleted& gone) -> Stored {
        RECO_RETURN_IF_ERROR(PrepareDeleteNow(gone.side, gone.ordinal));
        return std::optional<format::Pair>();
      },
      [](const format::RecordSet&) -> Stored { return std::optional<format::Pair>(); },
      [](const format::RowsSolved&) -> Stored { return std::optional<format::Pair>(); },
      [](const format::NoEffect&) -> Stored { return std::optional<format::Pair>(); });
}

}  // namespace reco::engine
