// StreamScore: how well the items that came next were ranked, over all questions and split by how
// well the user was known.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "tools/admin/stream_plan.h"

namespace reco::admin {

// The splits: every question counts under "all", under one of "warm" and "new", and under one
// length of history.
inline constexpr std::array<std::string_view, 8> kStreamSplits = {"all", "warm", "new",   "0",
                                                                  "1-4", "5-19", "20-99", "100+"};
inline constexpr std::size_t kAllQuestions = 0;

// An average with the half-width of its 95% confidence interval, 1.96 s / sqrt(n) with s the
// standard deviation of the sample. NaN: fewer than 1 or 2 questions.
struct StreamFigure {
  double value = 0;
  double half_width = 0;
};

// Returns how much more of the same questions were within the cut-off, question by question, than
// with `base`: `ranks` are those of the items that came, counted from 1; 0: not in the list.
StreamFigure RecallGain(std::span<const std::uint32_t> ranks, std::span<const std::uint32_t> base,
                        std::size_t cutoff);
// The same of 1 / rank, 0 beyond the cut-off.
StreamFigure ReciprocalRankGain(std::span<const std::uint32_t> ranks,
                                std::span<const std::uint32_t> base, std::size_t cutoff);

// Thread-compatible.
class StreamScore {
 public:
  // Starts with no questions. `cutoffs` are lengths of lists, above 0.
  explicit StreamScore(std::vector<std::size_t> cutoffs);

  // Counts one question: the item that came stood at `rank`, counted from 1; 0: not in the list.
  void Add(const StreamQuestion& question, std::size_t rank);
  // The ranks of all questions, in the order of their Add.
  const std::vector<std::uint32_t>& ranks() const { return ranks_; }

  const std::vector<std::size_t>& cutoffs() const { return cutoffs_; }
  std::uint64_t questions(std::size_t split) const { return questions_[split]; }
  // Returns the share of the questions whose item was within the cut-off; `cutoff` is a position in
  // cutoffs().
  StreamFigure Recall(std::size_t split, std::size_t cutoff) const;
  // Returns the mean of 1 / rank, 0 beyond the cut-off.
  StreamFigure ReciprocalRank(std::size_t split, std::size_t cutoff) const;

 private:
  struct Sums {
    double hits = 0;
    double reciprocal = 0;
    double reciprocal_squares = 0;
  };

  void AddTo(std::size_t split, std::size_t rank);
  const Sums& sums(std::size_t split, std::size_t cutoff) const {
    return sums_[split * cutoffs_.size() + cutoff];
  }

  std::vector<std::size_t> cutoffs_;
  std::array<std::uint64_t, kStreamSplits.size()> questions_{};
  std::vector<Sums> sums_;
  std::vector<std::uint32_t> ranks_;
};

}  // namespace reco::admin
