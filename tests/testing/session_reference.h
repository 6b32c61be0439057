// What lists by sessions are checked against: the sessions of a stream found by looking through it,
// and their scores by the definition, in float64.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <set>
#include <vector>

namespace reco::testing {

struct ReferenceSession {
  std::uint32_t user = 0;
  std::vector<std::uint32_t> items;
  std::int64_t last_ms = 0;

  std::ptrdiff_t PlaceOf(std::uint32_t item) const {
    return std::find(items.begin(), items.end(), item) - items.begin();
  }
  bool Holds(std::uint32_t item) const {
    return PlaceOf(item) < static_cast<std::ptrdiff_t>(items.size());
  }
};

// Oldest first.
using ReferenceSessions = std::vector<ReferenceSession>;

// Adds an event: a session is a run without a gap of more than a day, of at most 50 items.
inline void AddEvent(std::uint32_t user, std::uint32_t item, std::int64_t time_ms,
                     ReferenceSessions* all) {
  ReferenceSession* open = nullptr;
  for (ReferenceSession& one : *all) {
    open = one.user == user && !one.items.empty() ? &one : open;
  }
  if (open != nullptr && std::abs(time_ms - open->last_ms) > 86'400'000) {
    open = nullptr;
  }
  if (open != nullptr) {
    open->last_ms = std::max(open->last_ms, time_ms);
    if (open->Holds(item)) {
      return;
    }
  }
  if (open == nullptr || open->items.size() == 50) {
    open = &all->emplace_back(ReferenceSession{user, {}, time_ms});
  }
  open->items.push_back(item);
}

struct ReferenceProfileItem {
  std::uint32_t item = 0;
  double weight = 0;
};

// V of all items that are reached. `profile`: newest first.
template <typename UsersOf>
std::map<std::uint32_t, double> SessionScoresOf(const ReferenceSessions& all,
                                                std::vector<ReferenceProfileItem> profile,
                                                std::uint32_t user, UsersOf users_of) {
  profile.resize(std::min<std::size_t>(20, profile.size()));
  std::set<std::size_t> chosen;
  for (const ReferenceProfileItem& own : profile) {
    int taken = 0;
    for (std::size_t s = all.size(); s-- > 0 && taken < 50;) {
      if (all[s].user != user && all[s].Holds(own.item)) {
        chosen.insert(s);
        ++taken;
      }
    }
  }
  std::map<std::uint32_t, double> scores;
  for (const std::size_t s : chosen) {
    const ReferenceSession& session = all[s];
    double weight = 0;
    std::ptrdiff_t newest = -1;
    for (const ReferenceProfileItem& own : profile) {
      if (session.Holds(own.item)) {
        weight += own.weight;
        newest = newest < 0 ? session.PlaceOf(own.item) : newest;
      }
    }
    for (const std::uint32_t item : session.items) {
      const auto apart = static_cast<double>(std::abs(session.PlaceOf(item) - newest));
      scores[item] += weight * std::pow(static_cast<double>(session.items.size()), -0.25) *
                      std::pow(0.95, apart) * std::pow(static_cast<double>(users_of(item)), -0.45);
    }
  }
  return scores;
}

}  // namespace reco::testing
