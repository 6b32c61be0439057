#include "tools/admin/stream_plan.h"

#include <algorithm>
#include <limits>
#include <unordered_set>

namespace reco::admin {
namespace {

// The state of a user at one point of the log.
struct UserState {
  std::uint32_t items = 0;  // distinct
  bool warm = false;
  bool basket_asked = false;
  std::int64_t last_ms = std::numeric_limits<std::int64_t>::min();
};

// Walks through the log once. Confined to one call of MakeStreamPlan.
class Planner {
 public:
  Planner(std::span<const StreamEvent> events, const StreamPlanOptions& options)
      : options_(options) {
    std::uint32_t users = 0;
    std::uint32_t items = 0;
    for (const StreamEvent& event : events) {
      users = std::max(users, event.user + 1);
      items = std::max(items, event.item + 1);
    }
    users_.resize(users);
    item_known_.resize(items);
    pairs_.reserve(events.size());
    plan_.training =
        static_cast<std::size_t>(options.train_share * static_cast<double>(events.size()));
  }

  void Take(std::size_t position, const StreamEvent& event, double weight) {
    UserState& user = users_[event.user];
    const bool in_training = position < plan_.training;
    const bool begins_basket = user.last_ms == std::numeric_limits<std::int64_t>::min() ||
                               event.time_ms - user.last_ms > options_.basket_gap_ms;
    if (begins_basket) {
      // A basket that begins in the training part is under way when the replay starts.
      user.basket_asked = in_training;
    }
    const bool is_new =
        pairs_.insert((std::uint64_t{event.user} << 32U) | std::uint64_t{event.item}).second;
    if (in_training) {
      user.warm = true;
    } else {
      Classify(position, event, weight, is_new);
    }
    // After the event was classified: a question is asked before it is told.
    user.items += is_new ? 1 : 0;
    user.last_ms = event.time_ms;
    item_known_[event.item] = true;
  }

  StreamPlan Finish() { return std::move(plan_); }

 private:
  void Classify(std::size_t position, const StreamEvent& event, double weight, bool is_new) {
    UserState& user = users_[event.user];
    // Each event counts in exactly one place, the first that fits.
    if (weight <= 0) {
      ++plan_.negatives;
    } else if (!is_new) {
      ++plan_.repeats;
    } else if (options_.next_basket && user.basket_asked) {
      ++plan_.inside_baskets;
    } else {
      user.basket_asked = true;
      plan_.new_items += item_known_[event.item] ? 0 : 1;
      plan_.questions.push_back({position, user.items, user.warm});
    }
  }

  const StreamPlanOptions& options_;
  StreamPlan plan_;
  std::vector<UserState> users_;
  std::vector<bool> item_known_;
  std::unordered_set<std::uint64_t> pairs_;
};

}  // namespace

StreamPlan MakeStreamPlan(std::span<const StreamEvent> events, std::span<const double> weights,
                          const StreamPlanOptions& options) {
  Planner planner(events, options);
  for (std::size_t i = 0; i < events.size(); ++i) {
    planner.Take(i, events[i], weights[i]);
  }
  return planner.Finish();
}

}  // namespace reco::admin
