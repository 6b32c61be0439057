// Exact retrieval beside the plain way and an approximate one, over vectors from files:
//   bench_retrieval ITEMS QUERIES DIM [GRAPH]
// ITEMS and QUERIES hold float32 rows of DIM. For each line of standard input, a contender, it
// prints a JSON object with the median time of a query (or a change) in microseconds:
//
//   exact                 ItemIndex::Search
//   batch                 ItemIndex::SearchBatch, 16 at a time
//   stepped               SteppedSearch
//   eigen                 matrix-vector product and nth_element, the peer inside the process
//   accept P, bitmap P    Search of a share P of the items, by callback or by bitmap
//   among P               SearchAmong of the same set
//   lists K               lists of K for an evaluation, by IndexLister
//   scored-lists K        the same by model::ScoredLister, from the scores of all items
//   update                ItemIndex::Refresh
//   graph-recall R        hnswlib (M 16, ef_construction 200) with the least ef of a list that
//                         reaches recall R against `exact`; kept in GRAPH once built
//   graph-update          a change of one vector in it
//
// One thread. bench/peers/retrieval.py drives it and sets faiss beside it.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <memory>
#include <numeric>
#include <sstream>
#include <string>
#include <unordered_set>
#include <vector>

#include <Eigen/Core>
#include <hnswlib/hnswlib.h>

#include "index/index_lister.h"
#include "index/item_index.h"
#include "index/stepped_search.h"
#include "model/evaluation.h"
#include "model/factor_table.h"

namespace reco::index {
namespace {

constexpr std::size_t kAnswers = 20;
constexpr auto kBefore = [](std::uint32_t a, std::uint32_t b) { return a < b; };
constexpr auto kAll = [](std::uint32_t) { return true; };

double NowUs() {
  return std::chrono::duration<double, std::micro>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

std::vector<float> ReadRows(const char* path) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  const std::streamoff bytes = file ? std::streamoff{file.tellg()} : 0;
  std::vector<float> rows(static_cast<std::size_t>(bytes) / sizeof(float));
  file.seekg(0);
  file.read(reinterpret_cast<char*>(rows.data()),
            static_cast<std::streamsize>(rows.size() * sizeof(float)));
  return rows;
}

model::FactorTable ToTable(const std::vector<float>& rows, std::uint32_t dim) {
  model::FactorTable table(dim);
  table.Grow(rows.size() / dim);
  for (std::size_t i = 0; i < table.rows(); ++i) {
    std::copy_n(&rows[i * dim], dim, table.mutable_row(i));
  }
  return table;
}

bool Picked(std::uint32_t ordinal, double share) {
  return (ordinal * 2654435761U >> 8U) % 100'000 < share * 100'000;
}

class Bench {
 public:
  Bench(const std::vector<float>& items, const std::vector<float>& queries, std::uint32_t dim,
        std::string graph_path)
      : dim_(dim),
        items_(ToTable(items, dim)),
        queries_(ToTable(queries, dim)),
        index_(items_),
        dense_(
            Eigen::Map<const Dense>(items.data(), static_cast<Eigen::Index>(items_.rows()), dim)),
        graph_path_(std::move(graph_path)),
        space_(dim) {
    index_.Build(items_.rows(), kAll);
  }

  void Run(const std::string& line) {
    std::istringstream words(line);
    std::string name;
    double value = 0;
    words >> name >> value;
    std::printf("{\"name\": \"%s\"", line.c_str());
    const double us = Measure(name, value);
    std::printf(", \"us\": %.4f}\n", us);
    std::fflush(stdout);
  }

 private:
  using Dense = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  using Graph = hnswlib::HierarchicalNSW<float>;

  // The median over the queries of one pass, after a short warm-up.
  template <typename Body>
  double Median(std::size_t count, Body body) {
    std::vector<double> times;
    for (std::size_t q = 0; q < count + 8; ++q) {
      const double start = NowUs();
      body(q % count);
      times.push_back(NowUs() - start);
    }
    times.erase(times.begin(), times.begin() + 8);
    std::nth_element(times.begin(), times.begin() + static_cast<std::ptrdiff_t>(count / 2),
                     times.end());
    return times[count / 2];
  }

  double Measure(const std::string& name, double value) {
    const std::size_t count = queries_.rows();
    if (name == "exact") {
      return Median(count, [&](std::size_t q) { index_.Search(Request(q, kAll), &out_); });
    }
    if (name == "stepped") {
      return Median(count, [&](std::size_t q) {
        const SearchRequest request = Request(q, kAll);
        SteppedSearch search(index_, request);
        while (search.Step(index_) == SteppedSearch::Progress::kMore) {
        }
      });
    }
    if (name == "batch") {
      return Batch();
    }
    if (name == "eigen") {
      return Median(std::min<std::size_t>(count, 50), [&](std::size_t q) { Brute(q); });
    }
    if (name == "accept" || name == "bitmap" || name == "among") {
      return Filtered(name, value);
    }
    if (name == "lists" || name == "scored-lists") {
      return Lists(name == "lists", static_cast<std::size_t>(value));
    }
    if (name == "update") {
      return Update();
    }
    if (name == "graph-recall") {
      return GraphAtRecall(value);
    }
    if (name == "graph-update") {
      return GraphUpdate();
    }
    return 0;
  }

  SearchRequest Request(std::size_t q, FunctionRef<bool(std::uint32_t)> accept) const {
    return {queries_.row(q), kAnswers, Metric::kInnerProduct, accept, kBefore};
  }

  double Batch() {
    constexpr std::size_t kTogether = ItemIndex::kBatchQueries;
    std::vector<SearchRequest> requests;
    for (std::size_t q = 0; q < queries_.rows(); ++q) {
      requests.push_back(Request(q, kAll));
    }
    std::vector<std::vector<Candidate>> outs(kTogether);
    return Median(requests.size() / kTogether,
                  [&](std::size_t i) {
                    index_.SearchBatch({&requests[i * kTogether], kTogether}, outs);
                  }) /
           kTogether;
  }

  void Brute(std::size_t q) {
    const Eigen::Map<const Eigen::VectorXf> query(queries_.row(q), dim_);
    scores_.noalias() = dense_ * query;
    order_.resize(items_.rows());
    std::iota(order_.begin(), order_.end(), 0U);
    const auto better = [&](std::uint32_t a, std::uint32_t b) { return scores_[a] > scores_[b]; };
    std::nth_element(order_.begin(), order_.begin() + kAnswers, order_.end(), better);
    std::sort(order_.begin(), order_.begin() + kAnswers, better);
  }

  double Filtered(const std::string& name, double share) {
    std::vector<std::uint64_t> bits((items_.rows() + 63) / 64);
    std::vector<std::uint32_t> ordinals;
    for (std::uint32_t i = 0; i < items_.rows(); ++i) {
      if (Picked(i, share)) {
        bits[i / 64] |= std::uint64_t{1} << (i % 64);
        ordinals.push_back(i);
      }
    }
    const auto accept = [&](std::uint32_t i) { return Picked(i, share); };
    return Median(queries_.rows(), [&](std::size_t q) {
      SearchRequest request = Request(q, kAll);
      if (name == "among") {
        index_.SearchAmong(request, ordinals, &out_);
      } else if (name == "bitmap") {
        request.among = bits;
        index_.Search(request, &out_);
      } else {
        index_.Search(Request(q, accept), &out_);
      }
    });
  }

  double Lists(bool from_index, std::size_t k) {
    constexpr std::size_t kTogether = model::kListedUsersMax;
    model::InteractionMatrix nothing_known;
    nothing_known.columns_count = items_.rows();
    nothing_known.offsets.resize(queries_.rows() + 1);
    const model::UserLister lister =
        from_index ? IndexLister(queries_, index_, nothing_known)
                   : model::ScoredLister(nothing_known, model::FactorScorer(queries_, items_));
    std::vector<std::uint32_t> users(queries_.rows());
    std::iota(users.begin(), users.end(), 0U);
    std::vector<std::vector<std::uint32_t>> lists(kTogether);
    return Median(users.size() / kTogether,
                  [&](std::size_t i) {
                    lister({&users[i * kTogether], kTogether}, k, lists);
                  }) /
           kTogether;
  }

  // Rows in a scattered order; each a hundred times over, since one is too short to time.
  double Update() {
    constexpr std::uint32_t kRepeats = 100;
    return Median(200,
                  [&](std::size_t i) {
                    for (std::uint32_t r = 0; r < kRepeats; ++r) {
                      index_.Refresh((static_cast<std::uint32_t>(i) * kRepeats + r) * 2654435761U %
                                     static_cast<std::uint32_t>(items_.rows()));
                    }
                  }) /
           kRepeats;
  }

  void MakeGraph() {
    if (graph_ != nullptr) {
      return;
    }
    if (std::ifstream(graph_path_).good()) {
      graph_ = std::make_unique<Graph>(&space_, graph_path_);
      return;
    }
    graph_ = std::make_unique<Graph>(&space_, items_.rows(), 16, 200, 1);
    for (std::size_t i = 0; i < items_.rows(); ++i) {
      graph_->addPoint(items_.row(i), i);
    }
    if (!graph_path_.empty()) {
      graph_->saveIndex(graph_path_);
    }
  }

  double Recall(std::size_t ef) {
    graph_->setEf(ef);
    std::size_t hits = 0;
    for (std::size_t q = 0; q < queries_.rows(); ++q) {
      index_.Search(Request(q, kAll), &out_);
      std::unordered_set<std::size_t> found;
      for (auto list = graph_->searchKnn(queries_.row(q), kAnswers); !list.empty(); list.pop()) {
        found.insert(list.top().second);
      }
      hits += static_cast<std::size_t>(
          std::count_if(out_.begin(), out_.end(),
                        [&](const Candidate& entry) { return found.contains(entry.ordinal); }));
    }
    return static_cast<double>(hits) / static_cast<double>(queries_.rows() * kAnswers);
  }

  double GraphAtRecall(double wanted) {
    MakeGraph();
    std::size_t ef = 20;
    double recall = Recall(ef);
    while (recall < wanted && ef < std::min<std::size_t>(items_.rows(), 20'000)) {
      ef = ef * 5 / 4;
      recall = Recall(ef);
    }
    std::printf(", \"ef\": %zu, \"recall\": %.4f", ef, recall);
    return Median(queries_.rows(),
                  [&](std::size_t q) { graph_->searchKnn(queries_.row(q), kAnswers); });
  }

  double GraphUpdate() {
    MakeGraph();
    return Median(100, [&](std::size_t i) {
      const std::size_t row = i * 2654435761U % items_.rows();
      graph_->addPoint(items_.row(row), row);
    });
  }

  std::uint32_t dim_;
  model::FactorTable items_;
  model::FactorTable queries_;
  ItemIndex index_;
  Dense dense_;
  std::string graph_path_;
  hnswlib::InnerProductSpace space_;
  std::unique_ptr<Graph> graph_;
  Eigen::VectorXf scores_;
  std::vector<std::uint32_t> order_;
  std::vector<Candidate> out_;
};

}  // namespace
}  // namespace reco::index

int main(int argc, char** argv) {
  if (argc < 4) {
    std::fprintf(stderr, "usage: bench_retrieval ITEMS QUERIES DIM [GRAPH]\n");
    return 2;
  }
  const auto dim = static_cast<std::uint32_t>(std::atoi(argv[3]));
  const std::vector<float> items = reco::index::ReadRows(argv[1]);
  const std::vector<float> queries = reco::index::ReadRows(argv[2]);
  if (items.empty() || queries.size() < std::size_t{20} * dim) {
    std::fprintf(stderr, "bench_retrieval: no rows in the files\n");
    return 1;
  }
  reco::index::Bench bench(items, queries, dim, argc > 4 ? argv[4] : "");
  for (std::string line; std::getline(std::cin, line);) {
    bench.Run(line);
  }
  return 0;
}
