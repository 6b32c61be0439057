// The graph of neighbours over a collection's items, for requests that asked for an approximate
// answer: what answers them, and what its build keeps from round to round.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "index/approximate_index.h"

namespace reco::engine {

// A search of the graph at the default EF took 160 us at 100,000 items of 64 components, on a busy
// machine. The exact scan took 15 us there, 20 us at a million items whose norms differ, as trained
// ones do, and 1.4 ms at a million that are all of about one norm: below this it seldom pays.
inline constexpr std::size_t kApproximateItemsMin = 500'000;

// Guarded by the collection's lock. Figures are those of the last round of maintenance.
struct ApproximateItems {
  std::shared_ptr<index::ApproximateIndex> graph;  // of inner products; null: none
  bool built = false;                              // it has held all items
  std::size_t rows = 0;
  std::size_t memory_bytes = 0;
  std::optional<double> recall;

  // Returns true iff requests may be answered from the graph: it has been built, and at most a
  // tenth of it is out of date.
  bool answers() const { return built && graph->pending() * 10 <= rows; }

  // The figures under the names that CollectionInfo::approximate uses; none without a graph.
  std::vector<std::pair<std::string, double>> Figures() const {
    if (graph == nullptr) {
      return {};
    }
    std::vector<std::pair<std::string, double>> figures = {
        {"rows", static_cast<double>(rows)},
        {"pending", static_cast<double>(graph->pending())},
        {"answering", answers() ? 1 : 0}};
    if (recall) {
      figures.emplace_back("recall@20", *recall);
    }
    return figures;
  }
};

// Where the build of `graph` stands. Confined to the thread that builds.
struct ApproximateBuild {
  std::shared_ptr<index::ApproximateIndex> graph;  // null: none
  std::uint32_t noted = 0;                         // items below this are in it or pending
  // Rows to insert until all that were noted at first are in it; nullopt: they are being noted.
  // Pending rows go first in, first out, so writes meanwhile do not put that off.
  std::optional<std::size_t> missing;
  bool built() const { return missing == std::size_t{0}; }
  // The sample that its recall is measured on.
  std::uint32_t users_measured = 0;
  std::size_t best = 0;   // items of the exact lists
  std::size_t found = 0;  // of them in the graph's lists
};

}  // namespace reco::engine
