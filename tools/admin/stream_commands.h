// stream-eval of reco-admin: replays a log against the server and reports how well each next event
// was predicted. Answers an exit code.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "tools/admin/session.h"
#include "tools/admin/stream_log.h"

namespace reco::admin {

inline constexpr std::size_t kStreamCutoffMax = 10'000;  // of one RECO.TOPK

struct StreamEvalRequest {
  std::string key;
  std::string path;
  StreamLogOptions log;
  std::uint64_t seed = 42;
  bool keep_order = false;
  double train_share = 0.5;
  std::vector<std::size_t> cutoffs = {10, 20};
  std::vector<std::string> modes;                  // empty: FOLDIN is left to the collection
  std::vector<std::string> recencies;              // empty: RECENCY is left to the collection
  std::vector<std::string> neighbours;             // empty: BLEND is left to the collection
  std::vector<std::uint64_t> retrain_every = {0};  // replayed events; 0: never
  std::vector<std::string> parameters;             // name=value
  bool next_basket = false;
  double basket_gap_s = 0;
  std::size_t pipeline = 64;
};

// Evaluates the log. Each mode and rhythm of training is replayed into a scratch collection of its
// own, which is deleted at the end, after errors and on SIGINT, SIGTERM and SIGHUP too; after a
// signal it ends the process by that signal. A second one ends it at once. request.key is only
// read.
int StreamEval(Session& session, const StreamEvalRequest& request);

}  // namespace reco::admin
