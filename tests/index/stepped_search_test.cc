#include "index/stepped_search.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <random>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "index/brute_force.h"
#include "index/row_blocks.h"

namespace reco::index {
namespace {

using testing::BruteForce;
using testing::FillRow;
using testing::Shape;
using Progress = SteppedSearch::Progress;

constexpr auto kScrambled = [](std::uint32_t a, std::uint32_t b) {
  return a * 2654435761U < b * 2654435761U;
};
constexpr auto kMost = [](std::uint32_t i) { return i % 11 != 0; };
constexpr std::uint32_t kDim = 24;

// A live catalogue and which of its rows have stayed as they were since the last Mark().
class LiveCatalogue {
 public:
  LiveCatalogue(Shape shape, std::size_t rows, std::uint64_t seed)
      : shape_(shape), random_(seed), items_(kDim), index_(items_) {
    items_.Grow(rows);
    for (std::uint32_t i = 0; i < rows; ++i) {
      FillRow(shape_, kDim, random_, items_.mutable_row(i));
      present_.insert(i);
    }
    Build();
  }
  void Build() {
    index_.Build(items_.rows(), [this](std::uint32_t i) { return present_.contains(i); });
  }

  std::vector<float> Query() {
    std::vector<float> query(items_.stride(), 0.0F);
    FillRow(shape_, kDim, random_, query.data());
    return query;
  }
  void Mark() { changed_.clear(); }

  // Changes what a search has found as well as anything else.
  void ChangeSome(const std::vector<Candidate>& found) {
    for (int i = 0; i < 20; ++i) {
      const bool hit = !found.empty() && random_() % 2 == 0;
      const auto end = static_cast<std::uint32_t>(items_.rows());
      const std::uint32_t ordinal = hit ? found[random_() % found.size()].ordinal
                                        : static_cast<std::uint32_t>(random_() % (end + 3));
      changed_.insert(ordinal);
      if (random_() % 3 == 0) {
        present_.erase(ordinal);
        index_.Remove(ordinal);
        continue;
      }
      items_.Grow(ordinal + std::size_t{1});
      FillRow(shape_, kDim, random_, items_.mutable_row(ordinal));
      present_.insert(ordinal);
      index_.Refresh(ordinal);
    }
  }

  void ExpectHolds(const SearchRequest& request, const std::vector<Candidate>& got,
                   const std::string& what) const {
    const auto better = [&](const Candidate& a, const Candidate& b) {
      return a.score != b.score ? a.score > b.score : request.before(a.ordinal, b.ordinal);
    };
    ASSERT_LE(got.size(), request.k) << what;
    ASSERT_TRUE(std::is_sorted(got.begin(), got.end(), better)) << what;
    SearchRequest all = request;
    all.k = present_.size();
    std::set<std::uint32_t> listed;
    for (const Candidate& entry : got) {
      ASSERT_TRUE(listed.insert(entry.ordinal).second) << what << ": twice";
    }
    std::size_t current = 0;
    for (const Candidate& now : BruteForce(items_, present_, all)) {
      const auto entry = std::find_if(got.begin(), got.end(), [&](const Candidate& candidate) {
        return candidate.ordinal == now.ordinal;
      });
      if (entry != got.end()) {
        ++current;
        ASSERT_EQ(entry->score, now.score) << what << ": not its current score";
      } else if (!changed_.contains(now.ordinal)) {
        ASSERT_TRUE(got.size() == request.k && better(got.back(), now))
            << what << ": " << now.ordinal << " is missing";
      }
    }
    ASSERT_EQ(current, got.size()) << what << ": an entry is gone or not accepted";
  }

  const model::FactorTable& items() const { return items_; }
  ItemIndex& index() { return index_; }
  const std::set<std::uint32_t>& present() const { return present_; }

 private:
  Shape shape_;
  std::mt19937_64 random_;
  model::FactorTable items_;
  ItemIndex index_;
  std::set<std::uint32_t> present_;
  std::set<std::uint32_t> changed_;
};

class SteppedSearchTest : public ::testing::TestWithParam<Shape> {};

void ExpectAsSearchDoes(const ItemIndex& index, const SearchRequest& request,
                        std::size_t rows_max) {
  std::vector<Candidate> expected;
  index.Search(request, &expected);
  SteppedSearch search(index, request);
  std::size_t steps = 1;
  while (search.Step(index, rows_max) == Progress::kMore) {
    ++steps;
  }
  EXPECT_EQ(search.passes(), 1U);
  EXPECT_LE(steps, 14U);
  ASSERT_EQ(search.result().size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    ASSERT_EQ(search.result()[i].ordinal, expected[i].ordinal);
    ASSERT_EQ(search.result()[i].score, expected[i].score);
  }
}

TEST_P(SteppedSearchTest, WithoutChangesAnswersAsSearchDoesInAnySteps) {
  LiveCatalogue live(GetParam(), 3000, 1);
  for (const Metric metric : {Metric::kInnerProduct, Metric::kCosine}) {
    for (const std::size_t k : {0U, 1U, 20U, 4000U}) {
      for (const std::size_t rows_max : {std::size_t{1}, std::size_t{1000}, std::size_t{1} << 30}) {
        const std::vector<float> query = live.Query();
        ExpectAsSearchDoes(live.index(), {query.data(), k, metric, kMost, kScrambled}, rows_max);
      }
    }
  }
}

TEST_P(SteppedSearchTest, WithChangesBetweenStepsRanksWhatStaysExactly) {
  LiveCatalogue live(GetParam(), 2000, 2);
  std::uint32_t passes_max = 0;
  for (int round = 0; round < 120 && !HasFatalFailure(); ++round) {
    const Metric metric = round % 2 == 0 ? Metric::kInnerProduct : Metric::kCosine;
    const std::size_t k = round % 3 == 0 ? 1 : round % 3 == 1 ? 15 : 60;
    const std::vector<float> query = live.Query();
    const SearchRequest request{query.data(), k, metric, kMost, kScrambled};
    live.Mark();
    SteppedSearch search(live.index(), request);
    while (search.Step(live.index(), 1) == Progress::kMore) {
      live.ChangeSome(search.result());
    }
    live.ExpectHolds(request, search.result(), "round " + std::to_string(round));
    passes_max = std::max(passes_max, search.passes());
  }
  EXPECT_GT(passes_max, 1U);  // else the test has not met the hard case
  EXPECT_LE(passes_max, 3U);
}

// So many blocks that the first threshold comes from a look at some of them.
TEST(SteppedSearchLongTest, WithChangesBetweenStepsRanksWhatStaysExactly) {
  LiveCatalogue live(Shape::kTied, 34'000, 3);
  for (int round = 0; round < 8 && !::testing::Test::HasFatalFailure(); ++round) {
    const std::vector<float> query = live.Query();
    const std::size_t k = round % 2 == 0 ? 1 : 40;
    const SearchRequest request{query.data(), k, Metric::kInnerProduct, kMost, kScrambled};
    live.Mark();
    SteppedSearch search(live.index(), request);
    while (search.Step(live.index(), 1) == Progress::kMore) {
      live.ChangeSome(search.result());
    }
    live.ExpectHolds(request, search.result(), "round " + std::to_string(round));
    if (round % 4 == 3) {
      live.Build();
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Shapes, SteppedSearchTest,
                         ::testing::Values(Shape::kGaussian, Shape::kTrained, Shape::kTied,
                                           Shape::kExtreme),
                         [](const auto& test) {
                           return "shape" + std::to_string(static_cast<int>(test.param));
                         });

TEST(SteppedSearchStateTest, EntriesNotAcceptedAnyMoreAreDroppedAtTheEnd) {
  LiveCatalogue live(Shape::kGaussian, 2000, 3);
  const std::vector<float> query = live.Query();
  std::set<std::uint32_t> hidden;
  const auto visible = [&](std::uint32_t i) { return !hidden.contains(i); };
  const SearchRequest request{query.data(), 5, Metric::kInnerProduct, visible, kScrambled};
  SteppedSearch search(live.index(), request);
  while (search.Step(live.index(), 1) == Progress::kMore) {
    for (const Candidate& entry : search.result()) {
      if (hidden.size() < 30) {
        hidden.insert(entry.ordinal);
      }
    }
  }
  EXPECT_EQ(search.result().size(), 5U);
  live.ExpectHolds(request, search.result(), "hidden");
}

TEST(SteppedSearchStateTest, IndexBuiltAnewIsStale) {
  LiveCatalogue live(Shape::kGaussian, 2000, 4);
  LiveCatalogue other(Shape::kGaussian, 2000, 4);
  const std::vector<float> query = live.Query();
  const SearchRequest request{query.data(), 5, Metric::kInnerProduct, kMost, kScrambled};
  SteppedSearch search(live.index(), request);
  EXPECT_EQ(search.Step(live.index(), 1), Progress::kMore);
  EXPECT_EQ(search.Step(other.index(), 1), Progress::kStale);
  live.index().Build(2000, [](std::uint32_t) { return true; });
  EXPECT_EQ(search.Step(live.index(), 1), Progress::kStale);
}

TEST(SteppedSearchStateTest, QueryThatIsNotFiniteIsAnsweredWithNothing) {
  LiveCatalogue live(Shape::kGaussian, 100, 5);
  std::vector<float> query = live.Query();
  query[0] = std::numeric_limits<float>::infinity();
  const SearchRequest request{query.data(), 5, Metric::kInnerProduct, kMost, kScrambled};
  SteppedSearch search(live.index(), request);
  EXPECT_EQ(search.Step(live.index()), Progress::kDone);
  EXPECT_TRUE(search.result().empty());
}

}  // namespace
}  // namespace reco::index
