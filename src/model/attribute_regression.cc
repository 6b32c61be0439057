// Ridge regression of item vectors on sparse features, 16 dimensions at a time.
#include "model/attribute_regression.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "model/parallel.h"
#include "model/random.h"
#include "model/simd.h"

namespace reco::model {
namespace {

// Dimensions that are solved together: a row of the padded tables holds a whole number of them.
constexpr std::size_t kLane = 16;
using Lane = std::array<float, kLane>;

// to += scale x from.
void AddScaled(float scale, const Lane& from, Lane* to) {
  for (std::size_t k = 0; k < kLane; k += simd::kLanes) {
    simd::Store(to->data() + k, simd::Load(to->data() + k) + scale * simd::Load(from.data() + k));
  }
}

// to += scale x from, column by column.
void AddScaled(const Lane& scale, const Lane& from, Lane* to) {
  for (std::size_t k = 0; k < kLane; k += simd::kLanes) {
    simd::Store(to->data() + k, simd::Load(to->data() + k) +
                                    simd::Load(scale.data() + k) * simd::Load(from.data() + k));
  }
}

constexpr std::size_t kFolds = 4;
// In rows of mean share: a feature that so many rows have is believed half. From strong to weak, so
// that each solution is a start for the next.
constexpr std::array<double, 7> kRidges = {300, 100, 30, 10, 3, 1, 0.3};
// How far a system is solved: relative residual and steps. The first chooses the same ridges as
// 1e-4 in up to 100 steps does (bench/cold_items.cc).
struct Limits {
  float residual;
  int steps;
};
constexpr Limits kTrial = {0.03F, 15};
constexpr Limits kFinal = {3e-4F, 60};

// The rows of one fit and what centring needs.
struct Problem {
  Problem(const FeatureRows& all_rows, const FactorTable& all_targets)
      : rows(all_rows), targets(all_targets) {}

  const FeatureRows& rows;
  const FactorTable& targets;
  std::vector<std::uint32_t> used;
  std::vector<float> shares;         // of `used`
  std::vector<float> feature_means;  // weighted, as is the next
  std::vector<float> target_means;
  std::vector<float> diagonal;  // of X'SX, centred
};

Problem MakeProblem(const FeatureRows& rows, const FactorTable& targets,
                    std::span<const std::uint32_t> used, std::span<const float> shares) {
  Problem problem(rows, targets);
  problem.used.assign(used.begin(), used.end());
  std::vector<double> sums(rows.columns_count);
  std::vector<double> squares(rows.columns_count);
  std::vector<double> target_sums(targets.stride());
  double total = 0;
  for (const std::uint32_t row : used) {
    const double share = shares[row];
    problem.shares.push_back(shares[row]);
    total += share;
    for (const Feature& feature : rows.row(row)) {
      const double value = feature.value;
      sums[feature.column] += share * value;
      squares[feature.column] += share * value * value;
    }
    for (std::size_t k = 0; k < target_sums.size(); ++k) {
      target_sums[k] += share * static_cast<double>(targets.row(row)[k]);
    }
  }
  for (std::size_t j = 0; j < sums.size(); ++j) {
    problem.feature_means.push_back(static_cast<float>(sums[j] / total));
    // Centred without centring the rows, which would make them dense.
    problem.diagonal.push_back(static_cast<float>(squares[j] - sums[j] * sums[j] / total));
  }
  for (const double sum : target_sums) {
    problem.target_means.push_back(static_cast<float>(sum / total));
  }
  return problem;
}

// Solves (X'SX + ridge I) W = X'S(Y - mean) for kLane columns of Y, X centred, by conjugate
// gradients with the diagonal as preconditioner; each column has its own step lengths.
class LaneFit {
 public:
  LaneFit(const Problem& problem, std::size_t first_column)
      : problem_(problem),
        first_(first_column),
        weights_(problem.rows.columns_count, Lane{}),
        right_(weights_),
        residual_(weights_),
        direction_(weights_),
        product_(weights_) {
    for (std::size_t i = 0; i < problem.used.size(); ++i) {
      const Lane away = Away(problem.used[i]);
      for (const Feature& feature : problem.rows.row(problem.used[i])) {
        AddScaled(problem.shares[i] * feature.value, away, &right_[feature.column]);
      }
    }
  }

  const std::vector<Lane>& weights() const { return weights_; }

  // Starts from the weights of the last call.
  void Solve(double ridge, const Limits& limits) {
    const auto strength = static_cast<float>(ridge);
    Multiply(weights_, strength);
    for (std::size_t j = 0; j < residual_.size(); ++j) {
      for (std::size_t k = 0; k < kLane; ++k) {
        residual_[j][k] = right_[j][k] - product_[j][k];
        direction_[j][k] = residual_[j][k] / (problem_.diagonal[j] + strength);
      }
    }
    Lane limit = Product(right_, right_);
    for (float& value : limit) {
      value *= limits.residual * limits.residual;
    }
    Lane energy = Product(residual_, direction_);
    for (int step = 0; step < limits.steps && !Done(Product(residual_, residual_), limit); ++step) {
      energy = Step(strength, energy);
    }
  }

  // Returns the squared error of `row` over the columns of this fit.
  double Error(std::uint32_t row) const {
    Lane away = Away(row);
    const Lane offset = Offset();
    for (const Feature& feature : problem_.rows.row(row)) {
      AddScaled(-feature.value, weights_[feature.column], &away);
    }
    double sum = 0;
    for (std::size_t k = 0; k < kLane; ++k) {
      const double error = static_cast<double>(away[k]) + static_cast<double>(offset[k]);
      sum += error * error;
    }
    return sum;
  }

  // The target less the mean.
  Lane Away(std::uint32_t row) const {
    Lane away{};
    const float* target = problem_.targets.row(row) + first_;
    for (std::size_t k = 0; k < kLane; ++k) {
      away[k] = target[k] - problem_.target_means[first_ + k];
    }
    return away;
  }

  // Returns what the mean features predict.
  Lane Offset() const { return OffsetOf(weights_); }

 private:
  static bool Done(const Lane& squares, const Lane& limit) {
    bool done = true;
    for (std::size_t k = 0; k < kLane; ++k) {
      done &= squares[k] <= limit[k];
    }
    return done;
  }

  static Lane Product(const std::vector<Lane>& a, const std::vector<Lane>& b) {
    Lane product{};
    for (std::size_t j = 0; j < a.size(); ++j) {
      AddScaled(a[j], b[j], &product);
    }
    return product;
  }

  Lane OffsetOf(const std::vector<Lane>& weights) const {
    Lane offset{};
    for (std::size_t j = 0; j < weights.size(); ++j) {
      AddScaled(problem_.feature_means[j], weights[j], &offset);
    }
    return offset;
  }

  // product = (X'SX + ridge I) x. The rows of SX, centred, sum up to 0, so X' need not be.
  void Multiply(const std::vector<Lane>& x, float ridge) {
    for (std::size_t j = 0; j < x.size(); ++j) {
      product_[j] = {};
      AddScaled(ridge, x[j], &product_[j]);
    }
    const Lane offset = OffsetOf(x);
    for (std::size_t i = 0; i < problem_.used.size(); ++i) {
      const std::span<const Feature> row = problem_.rows.row(problem_.used[i]);
      Lane value{};
      for (const Feature& feature : row) {
        AddScaled(feature.value, x[feature.column], &value);
      }
      for (std::size_t k = 0; k < kLane; ++k) {
        value[k] = problem_.shares[i] * (value[k] - offset[k]);
      }
      for (const Feature& feature : row) {
        AddScaled(feature.value, value, &product_[feature.column]);
      }
    }
  }

  // Takes one step of every column; a column that is done (energy 0) stays.
  Lane Step(float ridge, const Lane& energy) {
    Multiply(direction_, ridge);
    const Lane curve = Product(direction_, product_);
    Lane length{};
    Lane back{};
    for (std::size_t k = 0; k < kLane; ++k) {
      length[k] = curve[k] > 0 ? energy[k] / curve[k] : 0.0F;
      back[k] = -length[k];
    }
    for (std::size_t j = 0; j < weights_.size(); ++j) {
      const float scale = 1 / (problem_.diagonal[j] + ridge);
      AddScaled(length, direction_[j], &weights_[j]);
      AddScaled(back, product_[j], &residual_[j]);
      product_[j] = {};
      AddScaled(scale, residual_[j], &product_[j]);  // preconditioned
    }
    const Lane next = Product(residual_, product_);
    Lane keep{};
    for (std::size_t k = 0; k < kLane; ++k) {
      keep[k] = energy[k] > 0 ? next[k] / energy[k] : 0.0F;
    }
    for (std::size_t j = 0; j < weights_.size(); ++j) {
      AddScaled(keep, direction_[j], &product_[j]);
      direction_[j] = product_[j];
    }
    return next;
  }

  const Problem& problem_;
  const std::size_t first_;
  std::vector<Lane> weights_;
  std::vector<Lane> right_;
  std::vector<Lane> residual_;
  std::vector<Lane> direction_;
  std::vector<Lane> product_;
};

struct Validation {
  std::array<double, kRidges.size()> errors{};
  double variance = 0;  // the error of the mean
};

bool Cancelled(const AttributeFitParams& params) {
  return params.cancel != nullptr && params.cancel->load(std::memory_order_relaxed);
}

// The errors over `held` of fits to `problem`, for one lane.
Validation ValidateLane(const Problem& problem, std::size_t first_column,
                        std::span<const std::uint32_t> held, std::span<const float> shares,
                        const AttributeFitParams& params) {
  Validation validation;
  LaneFit fit(problem, first_column);
  for (const std::uint32_t row : held) {
    validation.variance += static_cast<double>(shares[row]) * fit.Error(row);
  }
  for (std::size_t i = 0; i < kRidges.size() && !Cancelled(params); ++i) {
    fit.Solve(kRidges[i], kTrial);
    for (const std::uint32_t row : held) {
      validation.errors[i] += static_cast<double>(shares[row]) * fit.Error(row);
    }
  }
  return validation;
}

// The rows dealt out into folds.
Validation CrossValidate(const FeatureRows& rows, const FactorTable& targets,
                         std::span<const std::uint32_t> used, std::span<const float> shares,
                         const AttributeFitParams& params) {
  std::vector<std::vector<std::uint32_t>> held(kFolds);
  std::vector<std::vector<std::uint32_t>> kept(kFolds);
  for (std::size_t i = 0; i < used.size(); ++i) {
    // `used` is in a random order, so every fourth row is a fair fold.
    const std::size_t own = i % kFolds;
    for (std::size_t fold = 0; fold < kFolds; ++fold) {
      (fold == own ? held : kept)[fold].push_back(used[i]);
    }
  }
  std::vector<Problem> problems;
  for (std::size_t fold = 0; fold < kFolds; ++fold) {
    problems.push_back(MakeProblem(rows, targets, kept[fold], shares));
  }
  const std::size_t lanes = targets.stride() / kLane;
  std::vector<Validation> parts(kFolds * lanes);
  ParallelFor(params.threads, parts.size(), [&](std::size_t block, std::uint32_t /*thread*/) {
    const std::size_t fold = block / lanes;
    parts[block] = ValidateLane(problems[fold], block % lanes * kLane, held[fold], shares, params);
  });
  Validation sum;
  for (const Validation& part : parts) {
    sum.variance += part.variance;
    for (std::size_t i = 0; i < kRidges.size(); ++i) {
      sum.errors[i] += part.errors[i];
    }
  }
  return sum;
}

// Rows with a share, at most `rows_max`, those of the highest share; in an order that has nothing
// to do with that of the rows, the same each time.
std::vector<std::uint32_t> ChooseRows(std::span<const float> shares, std::size_t rows_max) {
  std::vector<std::uint32_t> used;
  for (std::uint32_t row = 0; row < shares.size(); ++row) {
    if (shares[row] > 0) {
      used.push_back(row);
    }
  }
  if (used.size() > rows_max) {
    std::stable_sort(used.begin(), used.end(),
                     [&](std::uint32_t a, std::uint32_t b) { return shares[a] > shares[b]; });
    used.resize(rows_max);
    std::sort(used.begin(), used.end());
  }
  std::sort(used.begin(), used.end(),
            [](std::uint32_t a, std::uint32_t b) { return StreamSeed(0, a) < StreamSeed(0, b); });
  return used;
}

// Returns the shares scaled to mean 1 over `used`.
std::vector<float> Scaled(std::span<const float> shares, std::span<const std::uint32_t> used) {
  double total = 0;
  for (const std::uint32_t row : used) {
    total += static_cast<double>(shares[row]);
  }
  const double scale = static_cast<double>(used.size()) / total;
  std::vector<float> scaled(shares.size());
  for (const std::uint32_t row : used) {
    scaled[row] = static_cast<float>(static_cast<double>(shares[row]) * scale);
  }
  return scaled;
}

void StoreLane(const LaneFit& fit, const Problem& problem, std::size_t first, AttributeMap* map) {
  const std::size_t count = std::min<std::size_t>(kLane, map->dim - first);
  const Lane offset = fit.Offset();
  for (std::size_t k = 0; k < count; ++k) {
    map->base[first + k] = problem.target_means[first + k] - offset[k];
  }
  for (std::size_t j = 0; j < fit.weights().size(); ++j) {
    std::copy_n(fit.weights()[j].begin(), count,
                map->weights.begin() + static_cast<std::ptrdiff_t>(j * map->dim + first));
  }
}

}  // namespace

void Predict(const AttributeMap& map, std::span<const Feature> features, std::span<float> x) {
  std::copy(map.base.begin(), map.base.end(), x.begin());
  for (const Feature& feature : features) {
    const float* weights = map.weights.data() + std::size_t{feature.column} * map.dim;
    for (std::uint32_t k = 0; k < map.dim; ++k) {
      x[k] += feature.value * weights[k];
    }
  }
}

Result<AttributeMap> FitAttributes(const FeatureRows& rows, const FactorTable& targets,
                                   std::span<const float> shares,
                                   const AttributeFitParams& params) {
  const std::vector<std::uint32_t> used = ChooseRows(shares, params.rows_max);
  if (used.empty()) {
    return Status::FailedPrecondition("no item to learn from");
  }
  const std::vector<float> scaled = Scaled(shares, used);
  AttributeMap map;
  map.dim = targets.dim();
  map.ridge = kRidges.front();
  // With fewer rows nothing can be learned about the ridge: the strongest one stands.
  if (used.size() >= kFolds) {
    const std::size_t validated = std::min(used.size(), params.validation_rows_max);
    const Validation validation =
        CrossValidate(rows, targets, std::span(used).first(validated), scaled, params);
    const auto least = std::min_element(validation.errors.begin(), validation.errors.end());
    map.ridge = kRidges[static_cast<std::size_t>(least - validation.errors.begin())];
    map.explained = validation.variance > 0 ? 1 - *least / validation.variance : 0;
  }
  map.base.resize(map.dim);
  map.weights.resize(rows.columns_count * map.dim);
  const Problem problem = MakeProblem(rows, targets, used, scaled);
  ParallelFor(params.threads, targets.stride() / kLane,
              [&](std::size_t lane, std::uint32_t /*thread*/) {
                if (!Cancelled(params)) {
                  LaneFit fit(problem, lane * kLane);
                  fit.Solve(map.ridge, kFinal);
                  StoreLane(fit, problem, lane * kLane, &map);
                }
              });
  if (Cancelled(params)) {
    return Status::Unavailable("cancelled");
  }
  return map;
}

}  // namespace reco::model
