// Attribute regression: a linear map from the attributes of items to their trained vectors, so that
// an item without interactions gets a vector (D28). Ridge regression; pure functions over views.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "reco/result.h"

#include "model/factor_table.h"

namespace reco::model {

struct Feature {
  std::uint32_t column = 0;
  float value = 0;
};

// Sparse rows of features, one per item. A row may be empty. Plain data.
struct FeatureRows {
  std::size_t columns_count = 0;
  std::vector<std::uint64_t> offsets = {0};  // rows + 1
  std::vector<Feature> features;

  std::size_t rows() const { return offsets.size() - 1; }
  std::span<const Feature> row(std::size_t i) const {
    return {features.data() + offsets[i], offsets[i + 1] - offsets[i]};
  }
  void Add(std::span<const Feature> features_of_row) {
    features.insert(features.end(), features_of_row.begin(), features_of_row.end());
    offsets.push_back(features.size());
  }
};

// prediction = base + sum over features of value x its row of weights. Plain data.
struct AttributeMap {
  std::uint32_t dim = 0;
  std::vector<float> base;     // dim
  std::vector<float> weights;  // features x dim, row-major
  double ridge = 0;            // the regulariser that cross-validation chose
  // Share of the weighted variance of the vectors that is predicted for items left out of the fit.
  // Below 0: worse than the mean vector.
  double explained = 0;

  std::size_t columns_count() const { return dim == 0 ? 0 : weights.size() / dim; }
};

// Writes the prediction for a row of features to `x` (dim floats). Columns must be in range.
void Predict(const AttributeMap& map, std::span<const Feature> features, std::span<float> x);

struct AttributeFitParams {
  // At most so many rows are used, those of the highest share first. 5,000 rows of 20 out of 4,096
  // features at d = 64 take 1 s of processor time, 20,000 rows 2 s.
  std::size_t rows_max = 32'768;
  // Rows that cross-validation works on.
  std::size_t validation_rows_max = 8'192;
  std::uint32_t threads = 1;
  const std::atomic<bool>* cancel = nullptr;  // true: kUnavailable
};

// Minimises  sum_i s_i |y_i - base - W'f_i|^2 + ridge |W|^2  with the shares s_i scaled to mean 1
// and the base not regularised, for the ridge of a fixed grid whose 4-fold cross-validation error
// is least. `shares` has an entry per row, 0: the row is not used; `targets` at least as many rows.
// The same bits for any number of threads. Conjugate gradients, relative residual 3e-4.
// kFailedPrecondition: no row has a share. kUnavailable: cancelled.
Result<AttributeMap> FitAttributes(const FeatureRows& rows, const FactorTable& targets,
                                   std::span<const float> shares, const AttributeFitParams& params);

}  // namespace reco::model
