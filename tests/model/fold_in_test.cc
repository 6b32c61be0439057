// FoldInSolver, Gram and Information against float64.
#include "model/fold_in.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <span>
#include <vector>

#include <gtest/gtest.h>

#include "model/aligned_vector.h"
#include "model/factor_table.h"
#include "model/reference.h"

namespace reco::model::testing {
namespace {

constexpr std::uint32_t kItems = 3000;

// Draws rows of random neighbours and holds every solution to the closed form.
class RandomStream {
 public:
  RandomStream(std::uint32_t dim, double scale, std::uint32_t seed)
      : items_(RandomTable(dim, kItems, scale, seed)),
        gram_(SummedGram(items_)),
        solver_(dim),
        random_(seed + 1) {}

  const FactorTable& items() const { return items_; }
  const Gram& gram() const { return gram_; }
  Gram& mutable_gram() { return gram_; }
  FoldInSolver& solver() { return solver_; }
  std::mt19937& random() { return random_; }

  // `weight(random)` gives each pair's weight.
  template <typename Weight>
  std::vector<Neighbor> Draw(std::size_t count, const Weight& weight) {
    std::uniform_int_distribution<std::size_t> pick(0, kItems - 1);
    std::vector<Neighbor> neighbors(count);
    for (Neighbor& n : neighbors) {
      n = {items_.row(pick(random_)), weight(random_)};
    }
    return neighbors;
  }

  double SolveError(const SolveParams& params, std::span<const Neighbor> neighbors, float* x) {
    solver_.Solve(gram_, params, neighbors, x);
    EXPECT_TRUE(std::all_of(x, x + gram_.stride(), [](float v) { return std::isfinite(v); }));
    EXPECT_TRUE(std::all_of(x + gram_.dim(), x + gram_.stride(), [](float v) { return v == 0; }));
    return RelativeError(x, ReferenceSolution(gram_, params, neighbors));
  }

 private:
  FactorTable items_;
  Gram gram_;
  FoldInSolver solver_;
  std::mt19937 random_;
};

void ExpectWithinContract(std::vector<double> errors) {
  ASSERT_FALSE(errors.empty());
  std::sort(errors.begin(), errors.end());
  EXPECT_LE(errors[errors.size() / 2], 1e-4);
  EXPECT_LE(errors.back(), 1e-3);
}

float PlainWeight(std::mt19937& random) {
  return std::uniform_real_distribution<float>(0.5F, 5.0F)(random);
}

// A third negative, as when returns outweigh purchases.
float SignedWeight(std::mt19937& random) {
  const float weight = PlainWeight(random);
  return random() % 3 == 0 ? -weight : weight;
}

// From 1e-6 to 1e6, of both signs, some zero.
float ExtremeWeight(std::mt19937& random) {
  const double size = std::pow(10.0, std::uniform_real_distribution<double>(-6, 6)(random));
  const std::uint32_t kind = random() % 10;
  const auto weight = static_cast<float>(size);
  return kind == 0 ? 0 : (kind < 4 ? -weight : weight);
}

struct StreamCase {
  const char* name;
  std::uint32_t dim;
  double scale;
  float (*weight)(std::mt19937&);
  SolveParams params;
};

class SolverStream : public ::testing::TestWithParam<StreamCase> {};

TEST_P(SolverStream, StaysWithinTheContractForEveryLength) {
  const StreamCase& c = GetParam();
  RandomStream stream(c.dim, c.scale, 7);
  std::vector<double> errors;
  AlignedVector<float> x(StrideFor(c.dim));
  for (const std::size_t n : {0, 1, 2, 3, 5, 8, 10, 20, 40, 64, 100, 200, 500, 1024, 1025, 5000}) {
    const int repeats = n <= 200 ? 12 : 2;
    for (int i = 0; i < repeats; ++i) {
      const std::vector<Neighbor> neighbors = stream.Draw(n, c.weight);
      // The row before serves as a warm start, however wrong.
      errors.push_back(stream.SolveError(c.params, neighbors, x.data()));
    }
  }
  ExpectWithinContract(errors);
}

INSTANTIATE_TEST_SUITE_P(
    Streams, SolverStream,
    ::testing::Values(
        StreamCase{"plain", 64, 0.3, PlainWeight, {}},
        StreamCase{"signs", 64, 0.3, SignedWeight, {}},
        StreamCase{"extremes", 64, 0.3, ExtremeWeight, {}},
        StreamCase{"alpha", 32, 0.3, SignedWeight, {.alpha = 40, .reg = 1, .regn = 0}},
        StreamCase{"faint", 64, 1e-3, SignedWeight, {.reg = 1e-3F, .regn = 0, .unobserved = 0.01F}},
        StreamCase{"strong", 64, 10, ExtremeWeight, {.reg = 1e-3F, .regn = 1e-3F}},
        StreamCase{"padded", 50, 0.3, SignedWeight, {}},
        StreamCase{"narrow", 3, 0.3, SignedWeight, {}},
        StreamCase{"wide", 100, 0.3, SignedWeight, {}}),
    [](const ::testing::TestParamInfo<StreamCase>& each) { return each.param.name; });

// x - prior solves the row's system with targets less what the prior explains.
TEST_P(SolverStream, StaysWithinTheContractAroundAPrior) {
  const StreamCase& c = GetParam();
  RandomStream stream(c.dim, c.scale, 7);
  const FactorTable priors = RandomTable(c.dim, 50, c.scale, 9);
  std::vector<double> errors;
  AlignedVector<float> x(StrideFor(c.dim));
  for (const std::size_t n : {1, 2, 3, 5, 10, 64, 200, 1025, 5000}) {
    for (int i = 0; i < 5; ++i) {
      const std::vector<Neighbor> neighbors = stream.Draw(n, c.weight);
      const float* prior = priors.row(stream.random()() % 50);
      stream.solver().Solve(stream.gram(), c.params, neighbors, x.data(), prior);
      EXPECT_TRUE(std::all_of(x.begin() + c.dim, x.end(), [](float v) { return v == 0; }));
      const Eigen::VectorXd p = Widen(prior, c.dim);
      Eigen::VectorXd right = Eigen::VectorXd::Zero(c.dim);
      for (const Neighbor& each : neighbors) {
        const Eigen::VectorXd y = Widen(each.factor, c.dim);
        const double confidence =
            static_cast<double>(c.params.alpha) * std::abs(static_cast<double>(each.weight));
        right += confidence * ((each.weight > 0 ? 1.0 : 0.0) - y.dot(p)) * y;
      }
      const Eigen::VectorXd exact =
          p + ReferenceMatrix(stream.gram(), c.params, neighbors).ldlt().solve(right);
      errors.push_back(RelativeError(x.data(), exact));
    }
  }
  ExpectWithinContract(errors);
}

TEST(FoldInSolver, ALongRowIsDrawnToThePriorAsItsPairsAre) {
  for (const float size : {1.0F, 1e5F}) {  // solved in float32, and in float64
    RandomStream stream(64, 0.3, 7);
    const FactorTable priors = RandomTable(64, 1, 0.3, 9);
    const std::vector<Neighbor> neighbors =
        stream.Draw(300, [size](std::mt19937& random) { return size * SignedWeight(random); });
    Information sums(64);
    for (const Neighbor& each : neighbors) {
      sums.Replace(each.factor, 1, 0, each.weight);
    }
    AlignedVector<float> from_pairs(64);
    AlignedVector<float> from_sums(64);
    stream.solver().Solve(stream.gram(), {}, neighbors, from_pairs.data(), priors.row(0));
    stream.solver().SolveLong(stream.gram(), {}, sums, 300, from_sums.data(), priors.row(0));
    EXPECT_LT(RelativeError(from_sums.data(), Widen(from_pairs.data(), 64)), 1e-3) << size;
    stream.solver().SolveLong(stream.gram(), {}, Information(64), 0, from_sums.data(),
                              priors.row(0));
    EXPECT_TRUE(std::equal(from_sums.begin(), from_sums.end(), priors.row(0)));
  }
}

TEST(FoldInSolver, PriorOfARowWithoutPairsIsItsSolution) {
  RandomStream stream(64, 0.3, 7);
  const FactorTable priors = RandomTable(64, 1, 0.3, 9);
  AlignedVector<float> x(64, 1.0F);
  stream.solver().Solve(stream.gram(), {}, {}, x.data(), priors.row(0));
  EXPECT_TRUE(std::equal(x.begin(), x.end(), priors.row(0)));
}

TEST(FoldInSolver, RowThatGrowsByOnePairAtATimeStaysWithinTheContract) {
  RandomStream stream(64, 0.3, 3);
  std::vector<double> errors;
  std::vector<Neighbor> neighbors;
  AlignedVector<float> x(64);
  for (int i = 0; i < 150; ++i) {
    neighbors.push_back(stream.Draw(1, SignedWeight).front());
    errors.push_back(stream.SolveError({}, neighbors, x.data()));
  }
  ExpectWithinContract(errors);
}

TEST(FoldInSolver, GramThatIsFarFromDiagonalIsSolvedToo) {
  // All vectors lean in one direction that no axis follows.
  const std::uint32_t dim = 64;
  FactorTable items = RandomTable(dim, 500, 0.1, 11);
  for (std::size_t i = 0; i < items.rows(); ++i) {
    for (std::uint32_t k = 0; k < dim; ++k) {
      items.mutable_row(i)[k] += 0.5F;
    }
  }
  const Gram gram = SummedGram(items);
  FoldInSolver solver(dim);
  AlignedVector<float> x(dim);
  std::vector<double> errors;
  for (std::size_t n = 1; n < 300; n += 7) {
    std::vector<Neighbor> neighbors;
    for (std::size_t j = 0; j < n; ++j) {
      neighbors.push_back({items.row(j), 1.0F});
    }
    solver.Solve(gram, {}, neighbors, x.data());
    errors.push_back(RelativeError(x.data(), ReferenceSolution(gram, {}, neighbors)));
  }
  ExpectWithinContract(errors);
}

TEST(FoldInSolver, RowWithoutPositivePairsIsZero) {
  RandomStream stream(16, 0.3, 1);
  AlignedVector<float> x(16, 1.0F);
  stream.solver().Solve(stream.gram(), {}, {}, x.data());
  EXPECT_EQ(x, AlignedVector<float>(16));
  std::fill(x.begin(), x.end(), 1.0F);
  stream.solver().Solve(stream.gram(), {}, stream.Draw(5, [](auto&) { return -2.0F; }), x.data());
  EXPECT_EQ(x, AlignedVector<float>(16));
}

TEST(FoldInSolver, ZeroWeightCountsForTheRegulariserOnly) {
  RandomStream stream(16, 0.3, 1);
  std::vector<Neighbor> neighbors = stream.Draw(3, PlainWeight);
  neighbors[1].weight = 0;
  AlignedVector<float> x(16);
  EXPECT_LE(stream.SolveError({.regn = 5}, neighbors, x.data()), 1e-4);
}

TEST(FoldInSolver, SameInputsGiveTheSameBits) {
  RandomStream stream(64, 0.3, 5);
  for (const std::size_t n : {4, 100, 400}) {
    const std::vector<Neighbor> neighbors = stream.Draw(n, SignedWeight);
    AlignedVector<float> first(64);
    AlignedVector<float> second(64);
    stream.solver().Solve(stream.gram(), {}, neighbors, first.data());
    FoldInSolver(64).Solve(stream.gram(), {}, neighbors, second.data());
    EXPECT_EQ(first, second);
  }
}

TEST(FoldInSolver, WarmStartThatIsNotFiniteIsDropped) {
  RandomStream stream(64, 0.3, 5);
  const std::vector<Neighbor> neighbors = stream.Draw(7, SignedWeight);
  AlignedVector<float> x(64, std::numeric_limits<float>::quiet_NaN());
  EXPECT_LE(stream.SolveError({}, neighbors, x.data()), 1e-4);
}

TEST(FoldInSolver, SharesAddUpToTheScore) {
  RandomStream stream(64, 0.3, 9);
  for (const std::size_t n : {1, 6, 90, 300}) {
    const std::vector<Neighbor> neighbors = stream.Draw(n, SignedWeight);
    const Eigen::VectorXd x = ReferenceSolution(stream.gram(), {}, neighbors);
    const float* target = stream.items().row(17);
    std::vector<double> shares(n, -1);
    stream.solver().Shares(stream.gram(), {}, neighbors, target, shares);
    double sum = 0;
    for (std::size_t j = 0; j < n; ++j) {
      sum += shares[j];
      if (neighbors[j].weight <= 0) {
        EXPECT_EQ(shares[j], 0);
      }
    }
    EXPECT_NEAR(sum, x.dot(Widen(target, 64)), 1e-9 * (1 + std::abs(sum)));
  }
}

TEST(FoldInSolver, LongRowKeepsToTheClosedFormThroughTenThousandReplacements) {
  RandomStream stream(64, 0.3, 13);
  const SolveParams params = {.alpha = 2};
  std::vector<Neighbor> row = stream.Draw(300, SignedWeight);
  Information information(64);
  for (const Neighbor& n : row) {
    information.Replace(n.factor, params.alpha, 0, n.weight);
  }
  AlignedVector<float> x(64);
  std::vector<double> errors;
  for (int i = 0; i < 10000; ++i) {
    Neighbor& n = row[stream.random()() % row.size()];
    // One in eight is removed or put back.
    const float weight = stream.random()() % 8 == 0 ? 0 : SignedWeight(stream.random());
    information.Replace(n.factor, params.alpha, n.weight, weight);
    n.weight = weight;
    if (i % 200 == 199) {
      stream.solver().SolveLong(stream.gram(), params, information, row.size(), x.data());
      errors.push_back(RelativeError(x.data(), ReferenceSolution(stream.gram(), params, row)));
    }
  }
  ExpectWithinContract(errors);
  Eigen::MatrixXd expected =
      ReferenceMatrix(Gram(64), {.alpha = params.alpha, .reg = 0, .regn = 0}, row);
  Eigen::MatrixXd actual(64, 64);
  for (std::uint32_t i = 0; i < 64; ++i) {
    actual.row(i) = Widen(information.matrix() + std::size_t{i} * 64, 64).transpose();
  }
  EXPECT_LE((actual - expected).norm(), 1e-5 * expected.norm());
  EXPECT_LE((actual - actual.transpose()).norm(), 1e-5 * expected.norm());
}

TEST(FoldInSolver, LongRowOfExtremeWeightsIsFiniteAndClose) {
  RandomStream stream(64, 0.3, 17);
  Information information(64);
  const std::vector<Neighbor> row = stream.Draw(200, ExtremeWeight);
  for (const Neighbor& n : row) {
    information.Replace(n.factor, 1, 0, n.weight);
  }
  AlignedVector<float> x(64);
  stream.solver().SolveLong(stream.gram(), {}, information, row.size(), x.data());
  // Held to the sums it was given: their own rounding is the float32 they are kept in.
  Eigen::MatrixXd a = ReferenceMatrix(stream.gram(), {.reg = 0.1F + 0.05F * 200, .regn = 0}, {});
  for (std::uint32_t i = 0; i < 64; ++i) {
    a.row(i) += Widen(information.matrix() + std::size_t{i} * 64, 64).transpose();
  }
  EXPECT_LE(RelativeError(x.data(), a.ldlt().solve(Widen(information.right_side(), 64))), 1e-3);
}

TEST(Information, ClearedRowIsEmpty) {
  RandomStream stream(16, 0.3, 1);
  Information information(16);
  information.Replace(stream.items().row(0), 1, 0, 3);
  information.Clear();
  AlignedVector<float> x(16, 1.0F);
  stream.solver().SolveLong(stream.gram(), {}, information, 0, x.data());
  EXPECT_EQ(x, AlignedVector<float>(16));
  EXPECT_TRUE(std::all_of(information.matrix(), information.matrix() + 256,
                          [](float v) { return v == 0; }));
}

TEST(Gram, StaysExactThroughAMillionUpdates) {
  const std::uint32_t dim = 40;
  FactorTable table = RandomTable(dim, 500, 0.3, 21);
  Gram gram = SummedGram(table);
  std::mt19937 random(22);
  std::normal_distribution<float> normal(0, 0.3F);
  AlignedVector<float> row(StrideFor(dim));
  for (int i = 0; i < 1'000'000; ++i) {
    const std::size_t at = random() % table.rows();
    for (std::uint32_t k = 0; k < dim; ++k) {
      row[k] = normal(random);
    }
    gram.Update(table.row(at), row.data());
    std::copy(row.begin(), row.end(), table.mutable_row(at));
  }
  const Gram expected = SummedGram(table);
  EXPECT_LE(gram.RelativeDistance(expected), 1e-9);
  for (std::size_t i = 0; i < gram.stride(); ++i) {
    for (std::size_t k = 0; k < gram.stride(); ++k) {
      const std::size_t at = i * gram.stride() + k;
      ASSERT_EQ(gram.values()[at], gram.values()[k * gram.stride() + i]);
      ASSERT_EQ(gram.values32()[at], static_cast<float>(gram.values()[at]));
      if (i >= dim || k >= dim) {
        ASSERT_EQ(gram.values()[at], 0);
      }
    }
  }
}

// More than one pass takes, and a row twice among them.
TEST(Gram, DeferredUpdatesComeWithSettle) {
  const std::uint32_t dim = 40;
  FactorTable table = RandomTable(dim, 50, 0.3, 23);
  const FactorTable other = RandomTable(dim, 50, 0.3, 24);
  const Gram before = SummedGram(table);
  Gram gram = before;
  for (const std::size_t at : {3U, 4U, 3U}) {
    gram.Defer(table.row(at), other.row(at + 7));
    std::copy_n(other.row(at + 7), table.stride(), table.mutable_row(at));
  }
  EXPECT_EQ(gram.RelativeDistance(before), 0);
  for (std::size_t at = 10; at < 50; ++at) {
    gram.Defer(table.row(at), other.row(at));
    std::copy_n(other.row(at), table.stride(), table.mutable_row(at));
  }
  gram.Settle();
  EXPECT_LE(gram.RelativeDistance(SummedGram(table)), 1e-12);
  for (std::size_t i = 0; i < gram.stride(); ++i) {
    for (std::size_t k = 0; k < gram.stride(); ++k) {
      const std::size_t at = i * gram.stride() + k;
      ASSERT_EQ(gram.values()[at], gram.values()[k * gram.stride() + i]);
      ASSERT_EQ(gram.values32()[at], static_cast<float>(gram.values()[at]));
    }
  }
  const Gram settled = gram;
  gram.Settle();
  EXPECT_EQ(gram.RelativeDistance(settled), 0);
}

TEST(Information, ManyChangesAreTheSameAsOneByOne) {
  for (const std::size_t count : {0U, 1U, 3U, 300U}) {
    RandomStream stream(40, 0.3, 25);
    Information one_by_one(40);
    Information together(40);
    std::vector<Information::Change> changes;
    for (const Neighbor& n : stream.Draw(count, SignedWeight)) {
      const float after = SignedWeight(stream.random());
      one_by_one.Replace(n.factor, 2, n.weight, after);
      changes.push_back({n.factor, n.weight, after});
    }
    together.ReplaceAll(changes, 2);
    for (std::size_t i = 0; i < StrideFor(40); ++i) {
      ASSERT_NEAR(one_by_one.right_side()[i], together.right_side()[i], 1e-3);
      for (std::size_t k = 0; k < StrideFor(40); ++k) {
        const std::size_t at = i * StrideFor(40) + k;
        ASSERT_NEAR(one_by_one.matrix()[at], together.matrix()[at], 1e-3) << count;
      }
    }
  }
}

TEST(Gram, DistanceIsRelativeToTheOther) {
  Gram one(16);
  Gram two(16);
  EXPECT_EQ(one.RelativeDistance(two), 0);
  std::vector<double> values(256);
  values[0] = 3;
  values[17] = 4;
  one.Assign(values);
  values[0] = 6;
  values[17] = 8;
  two.Assign(values);
  EXPECT_DOUBLE_EQ(one.RelativeDistance(two), 0.5);
  EXPECT_DOUBLE_EQ(two.RelativeDistance(one), 1.0);
}

TEST(Dot, SumsOverTheWholeStride) {
  AlignedVector<float> a(48);
  AlignedVector<float> b(48);
  float expected = 0;
  for (std::size_t k = 0; k < 48; ++k) {
    a[k] = static_cast<float>(k);
    b[k] = static_cast<float>(2 * k + 1);
    expected += a[k] * b[k];
  }
  EXPECT_EQ(Dot(a.data(), b.data(), 48), expected);
}

}  // namespace
}  // namespace reco::model::testing
