// ApproximateIndex: top-K by a graph of neighbours (HNSW, Malkov and Yashunin 2018; hnswlib), which
// misses some of the best. Scores are exact; which items are compared is not.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <vector>

#include "reco/status.h"

#include "base/mutex.h"
#include "index/item_index.h"
#include "model/factor_table.h"

namespace reco::index {

// In brackets what hnswlib calls them.
struct ApproximateOptions {
  Metric metric = Metric::kInnerProduct;  // of all searches
  std::uint32_t links = 16;               // of a row on a level, 2 to 64 (M)
  std::uint32_t build_ef = 200;           // rows looked at for the links of one (ef_construction)
  std::uint64_t seed = 100;               // the same rows in the same order give the same graph
};

// Rows to put into the graph or to take out, copied under the caller's lock.
struct ApproximateBatch {
  std::vector<std::uint32_t> ordinals;
  std::vector<bool> present;
  std::vector<float> rows;  // padded, as the graph compares them
};

// Refers to a FactorTable that must outlive it but for calls that are [none]. The caller's lock
// guards the table: [exclusive] needs both to itself, [shared] that nobody changes them, [none]
// touches neither. Refresh and Remove only note what has changed; a background thread carries it
// into the graph, also to build it at first:
//
//   while (index.pending() > 0) {              [shared]
//     const auto batch = index.Copy(64);       [shared]
//     status = index.Insert(batch);            [none]   0.2 to 1 ms a row
//   }
//
// Copy and Insert are for one thread at a time. Until Insert a changed row is found by its old
// place, though scored by its vector of now, and a new one is not found. No exception leaves.
class ApproximateIndex {
 public:
  ApproximateIndex(const model::FactorTable& items, const ApproximateOptions& options);
  ~ApproximateIndex();
  ApproximateIndex(const ApproximateIndex&) = delete;
  ApproximateIndex& operator=(const ApproximateIndex&) = delete;

  // Notes that the row is new or has changed. [exclusive]
  void Refresh(std::uint32_t ordinal);
  // Takes the row out of every answer from now on. [exclusive]
  void Remove(std::uint32_t ordinal);

  std::size_t pending() const { return pending_.size(); }  // [shared]
  ApproximateBatch Copy(std::size_t rows_max);             // [shared]
  // Carries the batch into the graph. kResourceExhausted: its rows stay pending when handed to
  // Return.
  Status Insert(const ApproximateBatch& batch) EXCLUDES(graph_mutex_);  // [none]
  // Notes the rows of a batch that Insert failed with again. [exclusive]
  void Return(const ApproximateBatch& batch);

  // Finds the best, best first by the exact float32 scores that ItemIndex gives; looks at the `ef`
  // rows that the graph finds nearest (at least k), and where `accept` and `among` leave too few,
  // at up to kWidenMax times as many, though then at no more than kWidenedRowsMax. May find fewer
  // than k. The request's metric must be the index's. kResourceExhausted when a search finds no
  // memory. [shared]
  Status Search(const SearchRequest& request, std::size_t ef, std::vector<Candidate>* out) const
      EXCLUDES(graph_mutex_);
  static constexpr std::size_t kWidenMax = 32;
  static constexpr std::size_t kWidenedRowsMax = 20'000;  // some 20 ms under the caller's lock

  // Returns the share of the exact answers that Search finds, over `queries` (padded). [shared]
  double MeasureRecall(const ItemIndex& exact, std::span<const float* const> queries, std::size_t k,
                       std::size_t ef) const;

  std::size_t size() const EXCLUDES(graph_mutex_);  // rows in the graph that count
  std::size_t memory_bytes() const EXCLUDES(graph_mutex_);

 private:
  struct Graph;

  bool Usable(std::uint32_t ordinal) const;
  void Note(std::uint32_t ordinal);
  void InsertRow(std::uint32_t ordinal, const float* row) REQUIRES(graph_mutex_);
  bool Fetch(const float* query, std::size_t count, std::vector<std::uint32_t>* ordinals) const
      REQUIRES_SHARED(graph_mutex_);

  const model::FactorTable& items_;
  const ApproximateOptions options_;

  // Guarded by the caller's lock.
  std::vector<bool> present_;          // by ordinal
  std::vector<bool> noted_;            // by ordinal: in pending_
  std::deque<std::uint32_t> pending_;  // in the order of the changes

  mutable SharedMutex graph_mutex_;  // held exclusively for one row at a time
  std::unique_ptr<Graph> graph_ GUARDED_BY(graph_mutex_);
};

}  // namespace reco::index
