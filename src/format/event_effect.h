// EffectOf: what an event changes. The one switch over all kinds: whoever follows events (the
// state, the log's replay, recent lists, histories, verification) matches on the effect, every one
// of them, so that the compiler names the places that a new one concerns.
#pragma once

#include <cstdint>
#include <utility>
#include <variant>

#include "reco/types.h"

#include "format/event.h"

namespace reco::format {

struct PairAdded {  // or replaced, as event.kind says
  std::uint32_t user = 0;
  std::uint32_t item = 0;
};
struct PairRemoved {
  std::uint32_t user = 0;
  std::uint32_t item = 0;
};
struct RecordSet {
  Side side = Side::kUser;
  std::uint32_t ordinal = 0;
};
// Its pairs go with it.
struct Deleted {
  Side side = Side::kUser;
  std::uint32_t ordinal = 0;
};
// The rows in the text are the items' from here on.
struct RowsSolved {};
struct NoEffect {};  // options live with the key

using Effect = std::variant<PairAdded, PairRemoved, RecordSet, Deleted, RowsSolved, NoEffect>;

// Returns what the event changes.
inline Effect EffectOf(const Event& event) {
  switch (event.kind) {
    case EventKind::kInteractionAsSaid:
    case EventKind::kSetAsSaid:
    case EventKind::kInteraction:
    case EventKind::kSet:
      return PairAdded{event.user, event.item};
    case EventKind::kRemove:
      return PairRemoved{event.user, event.item};
    case EventKind::kItemRecord:
      return RecordSet{Side::kItem, event.item};
    case EventKind::kUserRecord:
      return RecordSet{Side::kUser, event.user};
    case EventKind::kItemDelete:
      return Deleted{Side::kItem, event.item};
    case EventKind::kUserDelete:
      return Deleted{Side::kUser, event.user};
    case EventKind::kSolvedRows:
      return RowsSolved{};
    case EventKind::kParameters:
      break;
  }
  return NoEffect{};
}

// The function object of several cases for std::visit.
template <typename... Cases>
struct Match : Cases... {
  using Cases::operator()...;
};
template <typename... Cases>
Match(Cases...) -> Match<Cases...>;

// Calls the case of the event's effect and returns what it does.
template <typename... Cases>
decltype(auto) MatchEffect(const Event& event, Cases&&... cases) {
  return std::visit(Match{std::forward<Cases>(cases)...}, EffectOf(event));
}

}  // namespace reco::format
