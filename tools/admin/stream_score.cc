#include "tools/admin/stream_score.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace reco::admin {
namespace {

constexpr std::size_t kWarm = 1;
constexpr std::size_t kNew = 2;
constexpr std::size_t kFirstHistory = 3;
constexpr std::array<std::uint32_t, 4> kHistoryBegins = {1, 5, 20, 100};  // of all but the first
constexpr double kNormal95 = 1.959964;  // 97.5% of a normal distribution lies below

// Returns the split of a user who had so many items.
std::size_t HistorySplit(std::uint32_t history) {
  const auto above = std::upper_bound(kHistoryBegins.begin(), kHistoryBegins.end(), history);
  return kFirstHistory + static_cast<std::size_t>(above - kHistoryBegins.begin());
}

// Returns the mean of `n` values of this sum and sum of squares.
StreamFigure FigureOf(double n, double sum, double squares) {
  constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
  if (n < 1) {
    return {kNone, kNone};
  }
  const double mean = sum / n;
  if (n < 2) {
    return {mean, kNone};
  }
  // Not below 0, which rounding could make of equal values.
  const double variance = std::max(squares - n * mean * mean, 0.0) / (n - 1);
  return {mean, kNormal95 * std::sqrt(variance / n)};
}

double Hit(std::uint32_t rank, std::size_t cutoff) {
  return rank > 0 && rank <= cutoff ? 1 : 0;
}

double Reciprocal(std::uint32_t rank, std::size_t cutoff) {
  return Hit(rank, cutoff) / std::max(1.0, static_cast<double>(rank));
}

StreamFigure Gain(std::span<const std::uint32_t> ranks, std::span<const std::uint32_t> base,
                  std::size_t cutoff, double (*value)(std::uint32_t, std::size_t)) {
  double sum = 0;
  double squares = 0;
  for (std::size_t i = 0; i < ranks.size(); ++i) {
    const double gain = value(ranks[i], cutoff) - value(base[i], cutoff);
    sum += gain;
    squares += gain * gain;
  }
  return FigureOf(static_cast<double>(ranks.size()), sum, squares);
}

}  // namespace

StreamFigure RecallGain(std::span<const std::uint32_t> ranks, std::span<const std::uint32_t> base,
                        std::size_t cutoff) {
  return Gain(ranks, base, cutoff, Hit);
}

StreamFigure ReciprocalRankGain(std::span<const std::uint32_t> ranks,
                                std::span<const std::uint32_t> base, std::size_t cutoff) {
  return Gain(ranks, base, cutoff, Reciprocal);
}

StreamScore::StreamScore(std::vector<std::size_t> cutoffs)
    : cutoffs_(std::move(cutoffs)), sums_(kStreamSplits.size() * cutoffs_.size()) {}

void StreamScore::Add(const StreamQuestion& question, std::size_t rank) {
  ranks_.push_back(static_cast<std::uint32_t>(rank));
  AddTo(kAllQuestions, rank);
  AddTo(question.warm ? kWarm : kNew, rank);
  AddTo(HistorySplit(question.history), rank);
}

void StreamScore::AddTo(std::size_t split, std::size_t rank) {
  ++questions_[split];
  for (std::size_t c = 0; c < cutoffs_.size(); ++c) {
    if (rank > 0 && rank <= cutoffs_[c]) {
      const double reciprocal = 1 / static_cast<double>(rank);
      Sums& sums = sums_[split * cutoffs_.size() + c];
      sums.hits += 1;
      sums.reciprocal += reciprocal;
      sums.reciprocal_squares += reciprocal * reciprocal;
    }
  }
}

StreamFigure StreamScore::Recall(std::size_t split, std::size_t cutoff) const {
  const double hits = sums(split, cutoff).hits;
  // A hit counts 1, whose square is the same.
  return FigureOf(static_cast<double>(questions_[split]), hits, hits);
}

StreamFigure StreamScore::ReciprocalRank(std::size_t split, std::size_t cutoff) const {
  const Sums& of = sums(split, cutoff);
  return FigureOf(static_cast<double>(questions_[split]), of.reciprocal, of.reciprocal_squares);
}

}  // namespace reco::admin
