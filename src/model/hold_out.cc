// LeaveLastOut: the time-ordered hold-out.
#include <algorithm>
#include <tuple>

#include "model/evaluation.h"
#include "model/random.h"

namespace reco::model {
namespace {

struct Candidate {
  std::int64_t time_ms = 0;
  std::uint64_t tie = 0;  // order within one time
  std::uint64_t at = 0;   // position in the matrix
};

bool Newer(const Candidate& a, const Candidate& b) {
  return std::tie(a.time_ms, a.tie, a.at) > std::tie(b.time_ms, b.tie, b.at);
}

}  // namespace

HoldOut LeaveLastOut(const TimedInteractions& data, std::uint32_t last, bool shuffle_ties,
                     std::uint64_t seed) {
  const InteractionMatrix& matrix = data.matrix;
  HoldOut out;
  out.held.resize(matrix.rows());
  out.train.columns_count = matrix.columns_count;
  out.train.columns.reserve(matrix.pairs());
  out.train.weights.reserve(matrix.pairs());
  std::vector<Candidate> candidates;
  std::vector<std::uint64_t> taken;
  for (std::size_t user = 0; user < matrix.rows(); ++user) {
    // A stream for each user, so that a new user shuffles nobody else's ties.
    SplitMix64 random(StreamSeed(seed, user));
    candidates.clear();
    for (std::uint64_t at = matrix.offsets[user]; at < matrix.offsets[user + 1]; ++at) {
      if (matrix.weights[at] > 0) {
        candidates.push_back(
            {data.time_ms[at], shuffle_ties ? random.Next() : matrix.columns[at], at});
      }
    }
    taken.clear();
    // A user who would be left without any liked pair is not asked about.
    if (candidates.size() > last) {
      std::partial_sort(candidates.begin(), candidates.begin() + last, candidates.end(), Newer);
      for (std::uint32_t i = 0; i < last; ++i) {
        out.held[user].push_back(matrix.columns[candidates[i].at]);
        taken.push_back(candidates[i].at);
      }
      std::sort(taken.begin(), taken.end());
    }
    auto skip = taken.begin();
    for (std::uint64_t at = matrix.offsets[user]; at < matrix.offsets[user + 1]; ++at) {
      if (skip != taken.end() && *skip == at) {
        ++skip;
        continue;
      }
      out.train.columns.push_back(matrix.columns[at]);
      out.train.weights.push_back(matrix.weights[at]);
    }
    out.train.offsets.push_back(out.train.columns.size());
  }
  return out;
}

}  // namespace reco::model
