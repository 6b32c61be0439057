// QuerySearch: the state of one query's search, whatever the order in which it is shown blocks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <unordered_set>
#include <vector>

#include "base/function_ref.h"
#include "index/block_scan.h"
#include "index/code_block.h"
#include "index/item_index.h"
#include "index/quantizer.h"
#include "index/row_blocks.h"

namespace reco::index {

// The best accepted rows so far, at most `capacity`: a heap with the worst on top.
// Confined to the search that owns it.
class BestList {
 public:
  BestList(const SearchRequest& request, std::size_t capacity, std::vector<Candidate>* out);

  std::size_t capacity() const { return capacity_; }
  bool full() const { return out_->size() == capacity_; }
  float worst() const {
    return full() && !out_->empty() ? out_->front().score : -std::numeric_limits<float>::infinity();
  }
  std::vector<Candidate>& entries() { return *out_; }
  // Allows an ordinal to be offered twice from now on; the first stays.
  void ExpectRepeats();

  // Returns true when the candidate was taken in.
  bool Offer(const Candidate& candidate);
  // Brings a list up to date whose rows may have changed since they were offered: drops those that
  // are not accepted any more or that `score_now` returns nullopt for and sets the scores of the
  // others. Returns true when no row that was turned down, and has not changed, belongs among the
  // best k. No Offer after it but after Reopen.
  bool Settle(std::size_t k, FunctionRef<std::optional<float>(std::uint32_t)> score_now);
  // Sorts the entries, best first; no Offer after it but after Reopen.
  void Sort();
  void Reopen();

 private:
  bool Better(const Candidate& a, const Candidate& b) const;
  void Remember();
  bool IsMember(std::uint32_t ordinal) const;

  // Longer lists keep the set of their members.
  static constexpr std::size_t kLookedThroughMax = 64;

  const SearchRequest& request_;
  const std::size_t capacity_;
  std::vector<Candidate>* const out_;
  bool repeats_ = false;
  std::unordered_set<std::uint32_t> members_;  // of *out_, while repeats are expected
};

// Refers to a request and a list that must outlive it. Confined.
class QuerySearch {
 public:
  // Keeps the best k + reserve in `out`.
  QuerySearch(const SearchRequest& request, std::size_t stride, std::size_t reserve,
              std::vector<Candidate>* out);
  QuerySearch(const QuerySearch&) = delete;
  QuerySearch& operator=(const QuerySearch&) = delete;

  // Returns false when nothing can be in the answer.
  bool active() const { return request_.k > 0 && query_.finite; }
  // Returns true iff a row of a norm of at most `bound` could enter the list.
  bool Reaches(float bound) const {
    return scan_.metric == Metric::kCosine || !(bound * reach_ + query_.absolute < scan_.threshold);
  }
  // Fills a short list from the rows of the highest bounds in the first blocks, for a threshold
  // that most of the other rows do not reach. To be called once, before any block is taken; these
  // blocks are to be taken nevertheless.
  void Seed(const RowBlocks& blocks);
  // Returns the first block from `b` on that could change the list; the number of blocks when none
  // does.
  std::size_t NextBlock(const RowBlocks& blocks, std::size_t b) const;
  const ScanRequest& scan() const { return scan_; }
  // Takes the rows of block b that the scan has selected: asks for their refinements, bounds the
  // rows taken before by theirs and asks for the vectors of what is left, and scores those of
  // earlier rows; each when there are some. So the scan of a block hides the wait for memory.
  void Take(const RowBlocks& blocks, std::size_t b, const Selection& selection);
  // Scores what Take has put off; due when no block is left.
  void Drain(const RowBlocks& blocks);
  // Scores those of `ordinals` that are contained.
  void TakeAll(const RowBlocks& blocks, std::span<const std::uint32_t> ordinals);
  // Scores all of them.
  void TakeAll(const model::FactorTable& items, std::span<const std::uint32_t> ordinals);
  // Takes the threshold anew from the list, which was changed from outside.
  void RenewThreshold();

  BestList& best() { return best_; }
  const SearchStats& stats() const { return stats_; }

 private:
  struct Waiting {
    std::uint32_t ordinal;
    float upper;
  };

  struct Found {
    const Refinement* refinement;
    CoarseRow row;
    float upper;
  };

  struct SeedRow {
    const Refinement* refinement;
    float upper;
  };

  std::size_t FindSeeds(const RowBlocks& blocks, std::size_t wanted, std::span<SeedRow> rows) const;
  void Refine(const RowBlocks& blocks);
  void Score(const RowBlocks& blocks);
  void TakeFirst(const RowBlocks& blocks);
  void TakeRow(const model::FactorTable& items, std::uint32_t ordinal);
  bool IsBound(const model::FactorTable& items, std::uint32_t ordinal, float upper) const;
  bool Among(std::uint32_t ordinal) const {
    const std::size_t word = ordinal / 64;
    return request_.among.empty() ||
           (word < request_.among.size() && (request_.among[word] >> (ordinal % 64) & 1U) != 0);
  }

  const SearchRequest& request_;
  const QueryCode query_;
  BestList best_;
  ScanRequest scan_;
  float reach_;
  SearchStats stats_;
  std::vector<Found> found_;      // by the scan
  std::vector<Waiting> waiting_;  // for their score
};

}  // namespace reco::index
