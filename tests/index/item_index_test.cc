#include "index/item_index.h"

#include <cstring>
#include <limits>
#include <random>
#include <set>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "index/brute_force.h"

namespace reco::index {
namespace {

using testing::BruteForce;
using testing::FillRow;
using testing::Shape;

constexpr auto kAcceptAll = [](std::uint32_t) { return true; };
constexpr auto kAscending = [](std::uint32_t a, std::uint32_t b) { return a < b; };
// An order that has nothing to do with the ordinals' own.
constexpr auto kScrambled = [](std::uint32_t a, std::uint32_t b) {
  return a * 2654435761U < b * 2654435761U;
};

void ExpectSame(const std::vector<Candidate>& got, const std::vector<Candidate>& expected,
                const std::string& what) {
  ASSERT_EQ(got.size(), expected.size()) << what;
  for (std::size_t i = 0; i < got.size(); ++i) {
    ASSERT_EQ(got[i].ordinal, expected[i].ordinal) << what << " rank " << i;
    ASSERT_EQ(got[i].score, expected[i].score) << what << " rank " << i;
  }
}

// A table, its index and what should be in it.
class Catalogue {
 public:
  Catalogue(std::uint32_t dim, Shape shape, std::uint64_t seed)
      : dim_(dim), shape_(shape), random_(seed), items_(dim), index_(items_) {}

  void Fill(std::size_t rows) {
    items_.Grow(rows);
    for (std::uint32_t i = 0; i < rows; ++i) {
      FillRow(shape_, dim_, random_, items_.mutable_row(i));
      present_.insert(i);
    }
    Build();
  }
  void Build() {
    index_.Build(items_.rows(), [this](std::uint32_t i) { return present_.contains(i); });
  }
  // New vector for a known or unknown ordinal.
  void Change(std::uint32_t ordinal) {
    items_.Grow(std::max(items_.rows(), ordinal + std::size_t{1}));
    FillRow(shape_, dim_, random_, items_.mutable_row(ordinal));
    present_.insert(ordinal);
    index_.Refresh(ordinal);
  }
  void Remove(std::uint32_t ordinal) {
    present_.erase(ordinal);
    index_.Remove(ordinal);
  }
  std::vector<float> Query() {
    std::vector<float> query(items_.stride(), 0.0F);
    FillRow(shape_, dim_, random_, query.data());
    return query;
  }
  std::uint32_t Draw(std::size_t bound) { return static_cast<std::uint32_t>(random_() % bound); }

  void ExpectExact(const SearchRequest& request, const std::string& what) {
    const std::vector<Candidate> expected = BruteForce(items_, present_, request);
    std::vector<Candidate> got;
    SearchStats stats;
    index_.Search(request, &got, &stats);
    ExpectSame(got, expected, what);
    ASSERT_LE(stats.rows_visited, index_.size()) << what;
    // The rows that the first threshold comes from are scored twice.
    ASSERT_LE(stats.rows_rescored, stats.rows_visited + 100) << what;
    ASSERT_EQ(index_.size(), present_.size()) << what;
  }

  std::vector<Candidate> Expected(const SearchRequest& request) const {
    return BruteForce(items_, present_, request);
  }

  model::FactorTable& items() { return items_; }
  ItemIndex& index() { return index_; }

 private:
  std::uint32_t dim_;
  Shape shape_;
  std::mt19937_64 random_;
  model::FactorTable items_;
  ItemIndex index_;
  std::set<std::uint32_t> present_;
};

struct ExactCase {
  std::uint32_t dim;
  Shape shape;
  std::size_t rows;
};

class ExactTest : public ::testing::TestWithParam<ExactCase> {};

// Every k that matters, both metrics, filters from all to none.
void ExpectExactForAllRequests(Catalogue& catalogue, const std::string& what) {
  const std::size_t rows = catalogue.items().rows();
  for (const Metric metric : {Metric::kInnerProduct, Metric::kCosine}) {
    for (const std::uint32_t percent : {100U, 50U, 1U, 0U}) {
      for (const std::size_t k : {std::size_t{1}, std::size_t{10}, std::size_t{100}, rows + 5}) {
        const std::vector<float> query = catalogue.Query();
        const auto accept = [percent](std::uint32_t i) {
          return i * 2654435761U / 256 % 100 < percent;
        };
        catalogue.ExpectExact({query.data(), k, metric, accept, kScrambled},
                              what + " metric " + std::to_string(static_cast<int>(metric)) +
                                  " percent " + std::to_string(percent) + " k " +
                                  std::to_string(k));
        if (::testing::Test::HasFatalFailure()) {
          return;
        }
      }
    }
  }
}

TEST_P(ExactTest, EqualsBruteForceAfterBuildUpdatesInsertsRemovesAndRebuild) {
  const ExactCase& param = GetParam();
  Catalogue catalogue(param.dim, param.shape, 7);
  catalogue.Fill(param.rows);
  ExpectExactForAllRequests(catalogue, "built");
  for (int round = 0; round < 3 && !HasFatalFailure(); ++round) {
    for (std::size_t i = 0; i < param.rows / 2; ++i) {
      const std::uint32_t draw = catalogue.Draw(10);
      if (draw < 5) {
        catalogue.Change(catalogue.Draw(catalogue.items().rows()));
      } else if (draw < 7) {
        catalogue.Change(static_cast<std::uint32_t>(catalogue.items().rows()));
      } else {
        catalogue.Remove(catalogue.Draw(catalogue.items().rows()));
      }
    }
    ExpectExactForAllRequests(catalogue, "changed");
  }
  catalogue.Build();
  ExpectExactForAllRequests(catalogue, "rebuilt");
}

std::vector<ExactCase> ExactCases() {
  std::vector<ExactCase> cases;
  for (const std::uint32_t dim : {1U, 3U, 16U, 17U, 64U, 100U, 512U}) {
    for (const Shape shape : {Shape::kGaussian, Shape::kTrained, Shape::kTied, Shape::kExtreme}) {
      cases.push_back({dim, shape, dim > 100 ? 300U : 900U});
    }
  }
  return cases;
}

INSTANTIATE_TEST_SUITE_P(DimsAndShapes, ExactTest, ::testing::ValuesIn(ExactCases()),
                         [](const auto& test) {
                           return "dim" + std::to_string(test.param.dim) + "shape" +
                                  std::to_string(static_cast<int>(test.param.shape));
                         });

std::vector<std::uint64_t> BitsOf(std::size_t rows, std::uint32_t percent) {
  std::vector<std::uint64_t> bits((rows + 63) / 64);
  for (std::size_t i = 0; i < rows; ++i) {
    if (i * 2654435761U / 256 % 100 < percent) {
      bits[i / 64] |= std::uint64_t{1} << (i % 64);
    }
  }
  return bits;
}

bool HasBit(const std::vector<std::uint64_t>& bits, std::uint32_t i) {
  return i / 64 < bits.size() && (bits[i / 64] >> (i % 64) & 1U) != 0;
}

TEST_P(ExactTest, BitmapsAndSetsOfOrdinalsFilterAsAcceptDoes) {
  const ExactCase& param = GetParam();
  Catalogue catalogue(param.dim, param.shape, 8);
  catalogue.Fill(param.rows);
  for (std::uint32_t i = 0; i < param.rows; i += 3) {
    catalogue.Remove(i);
  }
  for (const Metric metric : {Metric::kInnerProduct, Metric::kCosine}) {
    for (const std::uint32_t percent : {100U, 50U, 2U, 0U}) {
      // Shorter than the table: what lies past the end is not among them.
      const std::vector<std::uint64_t> bits = BitsOf(param.rows - 100, percent);
      const std::vector<float> query = catalogue.Query();
      const auto accept = [&](std::uint32_t i) { return i % 7 != 0 && HasBit(bits, i); };
      const auto accept_rest = [&](std::uint32_t i) { return i % 7 != 0; };
      const SearchRequest plain{query.data(), 10, metric, accept, kScrambled};
      SearchRequest filtered{query.data(), 10, metric, accept_rest, kScrambled, bits};
      const std::vector<Candidate> expected = catalogue.Expected(plain);
      std::vector<Candidate> got;
      catalogue.index().Search(filtered, &got);
      ExpectSame(got, expected, "bitmap of " + std::to_string(percent));
      std::vector<std::uint32_t> ordinals = {4'000'000'000U};
      for (std::uint32_t i = 0; i < param.rows; ++i) {
        if (HasBit(bits, i)) {
          ordinals.push_back(i);
        }
      }
      filtered.among = {};
      catalogue.index().SearchAmong(filtered, ordinals, &got);
      ExpectSame(got, expected, "set of " + std::to_string(percent));
    }
  }
}

TEST_P(ExactTest, EveryQueryOfABatchIsAnsweredAsIfAlone) {
  const ExactCase& param = GetParam();
  Catalogue catalogue(param.dim, param.shape, 9);
  catalogue.Fill(param.rows);
  for (std::uint32_t i = 0; i < param.rows; i += 2) {
    catalogue.Change(catalogue.Draw(param.rows + 300));
  }
  constexpr std::size_t kQueries = 37;
  std::vector<std::vector<float>> queries;
  std::vector<SearchRequest> requests;
  const auto accept_some = [](std::uint32_t i) { return i % 5 != 0; };
  const std::vector<std::uint64_t> bits = BitsOf(param.rows, 30);
  for (std::size_t q = 0; q < kQueries; ++q) {
    queries.push_back(catalogue.Query());
    if (q == 11) {
      queries.back()[0] = std::numeric_limits<float>::quiet_NaN();
    }
  }
  for (std::size_t q = 0; q < kQueries; ++q) {
    SearchRequest request{queries[q].data(), q * q % 50,
                          q / 9 % 2 == 0 ? Metric::kInnerProduct : Metric::kCosine, kAcceptAll,
                          kScrambled};
    if (q % 3 == 1) {
      request.accept = accept_some;
    }
    if (q % 4 == 1) {
      request.among = bits;
    }
    requests.push_back(request);
  }
  std::vector<std::vector<Candidate>> got(kQueries);
  catalogue.index().SearchBatch(requests, got);
  for (std::size_t q = 0; q < kQueries; ++q) {
    std::vector<Candidate> alone;
    catalogue.index().Search(requests[q], &alone);
    ExpectSame(got[q], alone, "query " + std::to_string(q));
  }
  catalogue.index().SearchBatch({}, {});
}

TEST(ItemIndexTest, EveryKFromOneToPastTheEndIsExact) {
  Catalogue catalogue(8, Shape::kTied, 3);
  catalogue.Fill(40);
  const std::vector<float> query = catalogue.Query();
  for (std::size_t k = 0; k <= 45; ++k) {
    catalogue.ExpectExact({query.data(), k, Metric::kInnerProduct, kAcceptAll, kAscending},
                          "k " + std::to_string(k));
  }
}

TEST(ItemIndexTest, AllScoresNegativeIsExact) {
  Catalogue catalogue(4, Shape::kGaussian, 4);
  catalogue.Fill(2000);
  for (std::uint32_t i = 0; i < 2000; ++i) {
    float* row = catalogue.items().mutable_row(i);
    for (int j = 0; j < 4; ++j) {
      row[j] = -std::fabs(row[j]);
    }
  }
  catalogue.Build();
  std::vector<float> query(catalogue.items().stride(), 0.0F);
  std::fill_n(query.begin(), 4, 1.0F);
  catalogue.ExpectExact({query.data(), 20, Metric::kInnerProduct, kAcceptAll, kAscending}, "all");
}

TEST(ItemIndexTest, ZeroQueryOrdersByTheTieRule) {
  Catalogue catalogue(16, Shape::kGaussian, 5);
  catalogue.Fill(700);
  const std::vector<float> query(catalogue.items().stride(), 0.0F);
  catalogue.ExpectExact({query.data(), 20, Metric::kInnerProduct, kAcceptAll, kScrambled}, "zero");
}

TEST(ItemIndexTest, EmptyIndexAnswersNothing) {
  Catalogue catalogue(16, Shape::kGaussian, 6);
  const std::vector<float> query(catalogue.items().stride(), 1.0F);
  catalogue.ExpectExact({query.data(), 20, Metric::kInnerProduct, kAcceptAll, kAscending}, "empty");
  catalogue.Fill(3);
  for (std::uint32_t i = 0; i < 3; ++i) {
    catalogue.Remove(i);
  }
  catalogue.ExpectExact({query.data(), 20, Metric::kInnerProduct, kAcceptAll, kAscending},
                        "emptied");
}

TEST(ItemIndexTest, ZeroVectorsHaveNoCosine) {
  model::FactorTable items(3);
  items.Grow(10);
  items.mutable_row(4)[0] = -2;
  ItemIndex index(items);
  index.Build(10, kAcceptAll);
  std::vector<float> query(items.stride(), 0.0F);
  query[0] = 1;
  std::vector<Candidate> got;
  index.Search({query.data(), 5, Metric::kCosine, kAcceptAll, kAscending}, &got);
  ASSERT_EQ(got.size(), 1U);
  EXPECT_EQ(got[0].ordinal, 4U);
  EXPECT_EQ(got[0].score, -1.0F);
}

TEST(ItemIndexTest, RowsAndQueriesThatAreNotFiniteAreLeftOut) {
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  Catalogue catalogue(20, Shape::kGaussian, 8);
  catalogue.Fill(50);
  catalogue.items().mutable_row(7)[19] = kNan;
  catalogue.items().mutable_row(9)[0] = -kInfinity;
  catalogue.index().Refresh(7);
  catalogue.index().Refresh(9);
  EXPECT_EQ(catalogue.index().size(), 48U);
  catalogue.index().Build(50, kAcceptAll);
  EXPECT_EQ(catalogue.index().size(), 48U);

  std::vector<float> query = catalogue.Query();
  std::vector<Candidate> got;
  catalogue.index().Search({query.data(), 100, Metric::kInnerProduct, kAcceptAll, kAscending},
                           &got);
  EXPECT_EQ(got.size(), 48U);
  query[3] = kNan;
  catalogue.index().Search({query.data(), 100, Metric::kInnerProduct, kAcceptAll, kAscending},
                           &got);
  EXPECT_TRUE(got.empty());
  catalogue.Change(7);
  EXPECT_EQ(catalogue.index().size(), 49U);
}

TEST(ItemIndexTest, ScoresPastFloatAreHeldAtItsLimitsAndTieThere) {
  model::FactorTable items(2);
  items.Grow(600);
  for (std::uint32_t i = 0; i < 600; ++i) {
    items.mutable_row(i)[0] = i % 2 == 0 ? -3e38F : -2e38F;
    items.mutable_row(i)[1] = i % 3 == 0 ? 3e38F : -3e38F;
  }
  ItemIndex index(items);
  index.Build(600, kAcceptAll);
  std::set<std::uint32_t> all;
  for (std::uint32_t i = 0; i < 600; ++i) {
    all.insert(i);
  }
  for (const float first : {2.0F, 3e38F, -2.0F, 0.25F}) {
    std::vector<float> query(items.stride(), 0.0F);
    query[0] = first;
    query[1] = 1.5F;
    const SearchRequest request{query.data(), 250, Metric::kInnerProduct, kAcceptAll, kScrambled};
    std::vector<Candidate> got;
    index.Search(request, &got);
    const std::vector<Candidate> expected = BruteForce(items, all, request);
    ASSERT_EQ(got.size(), expected.size());
    for (std::size_t i = 0; i < got.size(); ++i) {
      ASSERT_EQ(got[i].ordinal, expected[i].ordinal) << first << " rank " << i;
      ASSERT_EQ(got[i].score, expected[i].score) << first << " rank " << i;
    }
  }
}

TEST(ItemIndexTest, RemovingUnknownOrdinalsChangesNothing) {
  Catalogue catalogue(16, Shape::kGaussian, 9);
  catalogue.Fill(30);
  catalogue.index().Remove(30);
  catalogue.index().Remove(4'000'000'000U);
  catalogue.Remove(3);
  catalogue.Remove(3);
  EXPECT_EQ(catalogue.index().size(), 29U);
}

TEST(ItemIndexTest, SlotsOfRemovedRowsAreUsedAgain) {
  Catalogue catalogue(16, Shape::kGaussian, 10);
  catalogue.Fill(512);
  catalogue.Remove(0);
  catalogue.Change(0);
  const std::size_t before = catalogue.index().memory_bytes();
  for (std::uint32_t round = 0; round < 1000; ++round) {
    catalogue.Remove(round % 512);
    catalogue.Change(round % 512);
  }
  EXPECT_EQ(catalogue.index().memory_bytes(), before);
}

TEST(ItemIndexTest, AcceptIsAskedOnlyForRowsThatWouldEnter) {
  Catalogue catalogue(64, Shape::kTrained, 11);
  catalogue.Fill(5000);
  const std::vector<float> query = catalogue.Query();
  std::vector<float> entered;
  const auto accept = [&](std::uint32_t i) {
    const float score = model::Dot(query.data(), catalogue.items().row(i), 64);
    std::sort(entered.rbegin(), entered.rend());
    EXPECT_TRUE(entered.size() < 10 || score >= entered[9]);
    entered.push_back(score);
    return true;
  };
  std::vector<Candidate> got;
  catalogue.index().Search({query.data(), 10, Metric::kInnerProduct, accept, kAscending}, &got);
  EXPECT_EQ(got.size(), 10U);
}

void ExpectExactForShortLists(Catalogue& catalogue, Metric metric, const std::string& what) {
  for (const std::uint32_t percent : {100U, 50U, 1U, 0U}) {
    const auto accept = [percent](std::uint32_t i) {
      return i * 2654435761U / 256 % 100 < percent;
    };
    for (const std::size_t k : {1U, 20U, 64U, 65U}) {
      const std::vector<float> query = catalogue.Query();
      catalogue.ExpectExact(
          {query.data(), k, metric, accept, kScrambled},
          what + " percent " + std::to_string(percent) + " k " + std::to_string(k));
    }
  }
}

// So many blocks of like norms that the first threshold comes from a look at some of them. Filters
// keep what that finds, half of it, nearly nothing of it; scores tie, and equal rows are
// everywhere.
TEST(ItemIndexTest, LongCataloguesOfLikeNormsAreExact) {
  for (const Shape shape : {Shape::kGaussian, Shape::kTied}) {
    Catalogue catalogue(64, shape, 14);
    catalogue.Fill(34'000);
    for (int round = 0; round < 3 && !::testing::Test::HasFatalFailure(); ++round) {
      ExpectExactForShortLists(
          catalogue, round == 1 ? Metric::kCosine : Metric::kInnerProduct,
          "shape " + std::to_string(static_cast<int>(shape)) + " round " + std::to_string(round));
      // Leaves free slots and rows out of place among the first blocks too.
      for (int i = 0; i < 3'000; ++i) {
        catalogue.Remove(catalogue.Draw(34'000));
        catalogue.Change(catalogue.Draw(34'000));
      }
    }
  }
}

TEST(ItemIndexTest, BatchesOverLongCataloguesAreExact) {
  Catalogue catalogue(64, Shape::kGaussian, 15);
  catalogue.Fill(34'000);
  std::vector<std::vector<float>> queries(20);
  std::vector<SearchRequest> requests;
  for (std::vector<float>& query : queries) {
    query = catalogue.Query();
    requests.push_back({query.data(), 15, Metric::kInnerProduct, kAcceptAll, kScrambled});
  }
  std::fill(queries[3].begin(), queries[3].end(), 0.0F);  // every score ties
  queries[7][0] = std::numeric_limits<float>::quiet_NaN();
  std::vector<std::vector<Candidate>> outs(requests.size());
  catalogue.index().SearchBatch(requests, outs);
  for (std::size_t i = 0; i < requests.size(); ++i) {
    ExpectSame(outs[i], i == 7 ? std::vector<Candidate>() : catalogue.Expected(requests[i]),
               "query " + std::to_string(i));
  }
}

TEST(ItemIndexTest, SpreadNormsEndTheScanEarly) {
  Catalogue catalogue(64, Shape::kTrained, 12);
  catalogue.Fill(20000);
  const std::vector<float> query = catalogue.Query();
  std::vector<Candidate> got;
  SearchStats stats;
  catalogue.index().Search({query.data(), 10, Metric::kInnerProduct, kAcceptAll, kAscending}, &got,
                           &stats);
  EXPECT_LT(stats.rows_visited, 10000U);
  EXPECT_LT(stats.rows_rescored, 1000U);
  EXPECT_GE(stats.rows_rescored, 10U);
}

TEST(ItemIndexTest, DisorderCountsMovedAndAddedRowsUntilBuild) {
  Catalogue catalogue(16, Shape::kGaussian, 13);
  EXPECT_EQ(catalogue.index().disorder(), 0);
  catalogue.Fill(1000);
  EXPECT_EQ(catalogue.index().disorder(), 0);
  catalogue.index().Refresh(5);
  EXPECT_EQ(catalogue.index().disorder(), 0);
  for (std::uint32_t j = 0; j < 16; ++j) {
    catalogue.items().mutable_row(5)[j] *= 10;
  }
  catalogue.index().Refresh(5);
  EXPECT_DOUBLE_EQ(catalogue.index().disorder(), 1.0 / 1000);
  catalogue.Change(1000);
  EXPECT_DOUBLE_EQ(catalogue.index().disorder(), 2.0 / 1001);
  catalogue.Remove(5);
  EXPECT_DOUBLE_EQ(catalogue.index().disorder(), 1.0 / 1000);
  catalogue.Build();
  EXPECT_EQ(catalogue.index().disorder(), 0);
}

TEST(ItemIndexTest, AnswersDoNotDependOnHowTheIndexCameToBe) {
  Catalogue updated(64, Shape::kTrained, 14);
  updated.Fill(3000);
  for (std::uint32_t i = 0; i < 3000; i += 2) {
    updated.Change(i);
  }
  ItemIndex fresh(updated.items());
  fresh.Build(3000, kAcceptAll);
  for (int q = 0; q < 20; ++q) {
    const std::vector<float> query = updated.Query();
    const SearchRequest request{query.data(), 50, Metric::kInnerProduct, kAcceptAll, kAscending};
    std::vector<Candidate> a;
    std::vector<Candidate> b;
    updated.index().Search(request, &a);
    fresh.Search(request, &b);
    ASSERT_EQ(a.size(), b.size());
    EXPECT_EQ(std::memcmp(a.data(), b.data(), a.size() * sizeof(Candidate)), 0);
  }
}

}  // namespace
}  // namespace reco::index
