// What feeds the lists that pass with time in their tests, and what should be in them by brute
// force over the events.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>
#include <random>
#include <utility>
#include <vector>

#include "engine/popular/recent_list.h"

namespace reco::engine::testing {

inline constexpr auto kAcceptAll = [](std::uint32_t) { return true; };
inline constexpr auto kByOrdinal = [](std::uint32_t a, std::uint32_t b) { return a < b; };
inline const PageQuery kAll{1'000, 0, kAcceptAll, kByOrdinal};
inline constexpr std::int64_t kStart = 1'700'000'000'000;

// Tells a list of an event as RecentLists does.
inline void Tell(RecentList& list, const RecentEvent& event) {
  list.Advance(event.arrival_ms);
  list.Add(event);
}

// The events that count, by the rules of RecentList.
class Reference {
 public:
  explicit Reference(bool rated) : rated_(rated) {}

  void Add(const RecentEvent& event) {
    auto& pair = pairs_[{event.user, event.item}];
    double weight = event.weight;
    std::int64_t newest_ms = -1;
    for (const Kept& kept : pair) {
      newest_ms = std::max(newest_ms, kept.time_ms);
    }
    if (event.replaces || (rated_ && event.time_ms >= std::min(newest_ms, event.arrival_ms))) {
      for (Kept& kept : pair) {
        kept.weight = 0;
      }
    } else if (rated_) {
      weight = 0;
    }
    pair.push_back({event.time_ms, weight});
  }
  void Remove(std::uint32_t user, std::uint32_t item) { pairs_.erase({user, item}); }

  std::map<std::uint32_t, double> Window(PopularBy by, std::int64_t from_ms) const {
    std::map<std::uint32_t, double> users;
    std::map<std::uint32_t, double> weights;
    std::map<std::uint32_t, double> liked_events;
    for (const auto& [name, events] : pairs_) {
      double weight = 0;
      double count = 0;
      for (const Kept& kept : events) {
        if (kept.time_ms > from_ms) {
          weight += kept.weight;
          ++count;
        }
      }
      weights[name.second] += weight;
      if (weight > 0) {
        ++users[name.second];
        liked_events[name.second] += count;
      }
    }
    std::erase_if(weights, [&](const auto& item) { return !users.contains(item.first); });
    return by == PopularBy::kUsers ? users : by == PopularBy::kWeight ? weights : liked_events;
  }

  // Values, the same sums of absolute weights, and whether the events of a pair sum up to more than
  // 0, or to more than what is forgotten.
  struct DecayedValue {
    double sum = 0;
    double absolute = 0;
    bool liked = false;
    bool listed = false;
  };
  std::map<std::uint32_t, DecayedValue> Decayed(double halflife_ms, std::int64_t now_ms) const {
    std::map<std::uint32_t, DecayedValue> values;
    for (const auto& [name, events] : pairs_) {
      DecayedValue pair;
      for (const Kept& kept : events) {
        const auto age = static_cast<double>(now_ms - kept.time_ms) / halflife_ms;
        const double weight = kept.weight * std::exp2(-age);
        pair.sum += weight;
        pair.absolute += std::abs(weight);
      }
      DecayedValue& item = values[name.second];
      item.sum += pair.sum;
      item.absolute += pair.absolute;
      item.liked = item.liked || pair.sum > 0;
      item.listed = item.listed || pair.sum > std::max(1e-12, 1e-6 * pair.absolute);
    }
    return values;
  }

 private:
  struct Kept {
    std::int64_t time_ms;
    double weight;
  };
  const bool rated_;
  std::map<std::pair<std::uint32_t, std::uint32_t>, std::vector<Kept>> pairs_;
};

// A seeded stream of what happens to a list.
class Stream {
 public:
  Stream(std::uint32_t seed, RecentList* list, Reference* reference)
      : random_(seed), list_(list), reference_(reference) {}

  std::int64_t now_ms() const { return now_ms_; }

  // `reach_ms`: events come up to so late.
  void Step(std::int64_t reach_ms) {
    now_ms_ += static_cast<std::int64_t>(random_() % 40);
    const auto user = static_cast<std::uint32_t>(random_() % 12);
    const auto item = static_cast<std::uint32_t>(random_() % 600);
    if (random_() % 12 == 0) {
      list_->Remove(user, item % 20);
      reference_->Remove(user, item % 20);
      return;
    }
    RecentEvent event{user, random_() % 8 == 0 ? item : item % 20};
    event.weight = static_cast<double>(random_() % 9) / 2 - 1;
    event.arrival_ms = now_ms_;
    event.time_ms = now_ms_;
    if (random_() % 2 == 0) {
      event.time_ms -= static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(reach_ms));
    }
    event.replaces = random_() % 6 == 0;
    Tell(*list_, event);
    reference_->Add(event);
  }
  // A while in which nothing is written.
  void Pass(std::int64_t ms) { now_ms_ += ms; }

 private:
  std::mt19937 random_;
  RecentList* list_;
  Reference* reference_;
  std::int64_t now_ms_ = kStart;
};

}  // namespace reco::engine::testing
