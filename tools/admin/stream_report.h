// StreamReport: what stream-eval found out, as tables for people and as JSON.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tools/admin/stream_plan.h"
#include "tools/admin/stream_score.h"
#include "tools/admin/stream_scratch.h"

namespace reco::admin {

// One mode, recency, kind of neighbours and rhythm of training.
struct StreamRow {
  std::string mode;        // FOLDIN as asked for, else as the collection has it, else "default"
  std::string recency;     // likewise
  std::string neighbours;  // likewise, of BLEND
  std::uint64_t retrain_every = 0;
  double seconds = 0;           // of its whole replay; rows of one replay share it
  StreamParameters parameters;  // of the scratch collection
  StreamScore score;
  std::size_t base = 0;  // the first row of the same replay, which it is compared with
};

struct StreamReport {
  std::string key;
  std::string path;
  std::uint64_t seed = 0;
  bool keep_order = false;
  double train_share = 0;
  bool next_basket = false;
  std::int64_t basket_gap_ms = 0;
  std::uint64_t users = 0;
  std::uint64_t items = 0;
  std::uint64_t events = 0;
  std::uint64_t bad = 0;
  StreamPlan plan;
  std::vector<StreamRow> rows;
};

// Returns what was replayed and asked, then one line a row over all questions; where rows share a
// replay, what they gain over its first; then recall and MRR at the largest cut-off by how well the
// user was known.
std::string ToText(const StreamReport& report);

// Returns one object with everything, every cut-off and split included; ends with a line feed.
std::string ToJson(const StreamReport& report);

}  // namespace reco::admin
