// RatingFoldIn: the vector and bias of one row of explicit feedback, given the other side's rows.
//
//   predict(u, i) = mean + b_u + b_i + x_u.y_i
//   (sum z z' + l I) [x; b] = sum z t,   z = [y; 1],   t = r - mean - b_partner,   l = reg + regn n
//
// (Koren, Bell, Volinsky 2009 for the biases, Zhou et al. 2008 for the regulariser; a row's vector
// and bias are solved jointly.) Rows are augmented, so that predict is mean plus the inner product
// of two rows of dimension d + 2: a user's row is [x, b_u, 1], an item's [y, 1, b_i]. A row without
// pairs is all zeros, its constant too. Pure functions over views.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

namespace reco::model {

// Which side a row belongs to.
enum class RatingSide : std::uint8_t { kUser, kItem };

// What an augmented row has beside the vector.
inline constexpr std::uint32_t kRatingExtras = 2;
// Returns where a row of `side` keeps its bias; the other of d and d + 1 has its constant 1.
constexpr std::uint32_t RatingBiasAt(RatingSide side, std::uint32_t dim) {
  return side == RatingSide::kUser ? dim : dim + 1;
}
constexpr std::uint32_t RatingConstantAt(RatingSide side, std::uint32_t dim) {
  return side == RatingSide::kUser ? dim + 1 : dim;
}

// One known rating of the row: the partner's padded augmented row (it lives in a FactorTable of
// dimension d + 2) and the rating. The partner's constant counts as 1 whatever its row holds, so
// that a partner without a solution yet stands for y = 0 and a bias of 0.
struct RatedNeighbor {
  const float* factor = nullptr;
  float rating = 0;
};

// What a solve needs beside the pairs. All finite, reg > 0, regn >= 0. The defaults suit ratings
// with a standard deviation of about 1, as on a scale of 1 to 5: on MovieLens 100K (80/20, d = 64)
// they give an rmse of 0.911, the best of a grid 0.909 and the defaults of implicit feedback 0.940.
// The objective does not scale with its ratings: the same ratings times 20 give 1.207 (x 20), worse
// than the mean alone; with both terms times 20 they give 0.931. Bring ratings to that scale first.
struct RatingTerms {
  RatingSide side = RatingSide::kUser;  // of the row to be solved
  double mean = 0;
  float reg = 1;
  float regn = 0.1F;
};

// Returns predict(u, i) from two padded augmented rows, in float64. A row of zeros adds neither
// vector nor bias; the partner's bias counts still, unlike in the plain inner product.
double PredictRating(double mean, const float* user, const float* item, std::uint32_t dim);

// Solves rows in float64. Owns scratch memory, so one object serves one thread at a time.
// Deterministic: the same inputs in the same order give the same bits on the same machine.
//
// Within 1e-4 of the float64 closed form, relative to its norm; results are always finite.
// O(n d min(n, d) + min(n, d)^3).
class RatingFoldIn {
 public:
  // `dim`: d, the length of the vectors without the extras; 0 solves biases alone.
  explicit RatingFoldIn(std::uint32_t dim);
  ~RatingFoldIn();
  RatingFoldIn(const RatingFoldIn&) = delete;
  RatingFoldIn& operator=(const RatingFoldIn&) = delete;

  // Solves a row from its pairs. `x`: a padded augmented row, StrideFor(d + 2) floats, written
  // whole. No neighbours: all zeros.
  void Solve(const RatingTerms& terms, std::span<const RatedNeighbor> neighbors, float* x);

  // Solve a row that is too long to be held at once: Start, then Add in pieces, then Finish with
  // the number of all its pairs. The pieces' neighbours may move once Add has returned.
  void Start();
  void Add(const RatingTerms& terms, std::span<const RatedNeighbor> neighbors);
  void Finish(const RatingTerms& terms, std::uint64_t pairs, float* x);

  // Sets shares[j] = t_j z_j' A^-1 z_target: what neighbour j contributes to the prediction for
  // `target` (a padded augmented row of the other side). The shares, the mean and the target's own
  // bias add up to the prediction under the solution of Solve. O(n d^2 + d^3).
  void Shares(const RatingTerms& terms, std::span<const RatedNeighbor> neighbors,
              const float* target, std::span<double> shares);

 private:
  struct Scratch;
  std::unique_ptr<Scratch> scratch_;
};

}  // namespace reco::model
