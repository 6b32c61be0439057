// StreamPlan: which events of a log are learned from first, and which of the later ones are asked
// for before they are told.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "tools/admin/stream_log.h"

namespace reco::admin {

struct StreamPlanOptions {
  double train_share = 0.5;
  bool next_basket = false;
  std::int64_t basket_gap_ms = 0;
};

// The question before an event: which item does this user take next?
struct StreamQuestion {
  std::size_t event = 0;      // position in the log
  std::uint32_t history = 0;  // distinct items the user has by then
  bool warm = false;          // the user was there when the first training began
};

// Every event behind the training part is a question or counted in exactly one of the others.
struct StreamPlan {
  std::size_t training = 0;               // the events before this position are loaded and trained
  std::vector<StreamQuestion> questions;  // in the order of the log
  std::uint64_t negatives = 0;            // with a weight of 0 or below: told, not asked
  std::uint64_t repeats = 0;              // the user has the pair: lists leave it out
  std::uint64_t inside_baskets = 0;       // with next_basket: behind the basket's first question
  std::uint64_t new_items = 0;            // questions whose answer nobody had used before: misses
};

// Makes the plan. `events` are in the order of the replay, `weights` what each adds to its pair.
//
// A basket is the events of one user, each at most basket_gap_ms after the one before. One that
// began in the training part is under way and not asked for.
StreamPlan MakeStreamPlan(std::span<const StreamEvent> events, std::span<const double> weights,
                          const StreamPlanOptions& options);

}  // namespace reco::admin
