// ItemIndex: exact top-K retrieval over item vectors.
//
// Rows are sorted by norm into blocks of 4-bit codes (Highway, runtime dispatch). A block's codes
// give an upper bound for each score; candidates whose bound passes the current K-th score are
// scored again in float32 from the FactorTable; a block whose norm bound x |query| cannot reach the
// K-th score is skipped. A look at the blocks of the largest norms gives the first threshold. The
// answer is that of the brute-force scan in float32 (I11). D13 says what else was tried.
//
// A search under a lock that must not be held for long: stepped_search.h. Restoring the order of
// rows beside a live index: index_rebuild.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/function_ref.h"
#include "model/factor_table.h"

namespace reco::index {

class RowBlocks;

struct Candidate {
  std::uint32_t ordinal = 0;
  float score = 0;
};

enum class Metric : std::uint8_t {
  kInnerProduct,
  kCosine,  // to |query| = 1; zero vectors have no direction and are never returned
};

struct SearchRequest {
  const float* query = nullptr;  // padded to the table's stride
  std::size_t k = 10;
  Metric metric = Metric::kInnerProduct;
  // Returns true iff an item may be in the answer (seen, hidden, excluded ... are not). Called only
  // for candidates that would enter the list.
  FunctionRef<bool(std::uint32_t)> accept;
  // Strict order of ordinals with equal scores: true when a goes before b.
  FunctionRef<bool(std::uint32_t, std::uint32_t)> before;
  // When not empty, only ordinals i with bit i % 64 of word i / 64 set may be in the answer. Tested
  // before a row is scored, so that a selective filter costs less than in `accept`.
  std::span<const std::uint64_t> among = {};
};

struct SearchStats {
  std::size_t rows_visited = 0;   // rows whose codes were compared
  std::size_t rows_rescored = 0;  // rows scored in float32, a few of them twice
};

// Refers to a FactorTable that must outlive it and hold the current vectors.
// Thread-compatible: concurrent Search; Build, Refresh and Remove need it to themselves.
class ItemIndex {
 public:
  explicit ItemIndex(const model::FactorTable& items);
  ~ItemIndex();
  ItemIndex(const ItemIndex&) = delete;
  ItemIndex& operator=(const ItemIndex&) = delete;

  // Indexes rows [0, count) for which `present` holds. O(n log n + n d).
  void Build(std::size_t count, FunctionRef<bool(std::uint32_t)> present);
  // Takes in that the table's row of `ordinal` has changed or is new. In place; about 0.2 us at d =
  // 64.
  void Refresh(std::uint32_t ordinal);
  // Takes an ordinal out; unknown ones are ignored.
  void Remove(std::uint32_t ordinal);

  // Finds the best `k`, best first. Exact (I11): equal to scoring every accepted row with
  // model::Dot (for kCosine divided by the row's norm) and ordering by score, then `before`.
  void Search(const SearchRequest& request, std::vector<Candidate>* out,
              SearchStats* stats = nullptr) const;
  // Searches each request into outs[i], as Search does, in one pass over the blocks for every
  // kBatchQueries requests of one metric that follow each other.
  void SearchBatch(std::span<const SearchRequest> requests,
                   std::span<std::vector<Candidate>> outs) const;
  // Searches as Search does with `among` holding just `ordinals`, which are distinct; those that
  // are not indexed are passed over. Scores each: for sets of up to about 2% of the rows this is
  // faster.
  void SearchAmong(const SearchRequest& request, std::span<const std::uint32_t> ordinals,
                   std::vector<Candidate>* out) const;
  static constexpr std::size_t kBatchQueries = 16;

  std::size_t size() const;
  std::size_t memory_bytes() const;
  // The share of rows that left their place in the norm order or were added since Build, 0 to 1;
  // rebuild when it is large.
  double disorder() const;
  // Differs between any two builds of any indexes of the process.
  std::uint64_t version() const;
  // Grows with each Refresh and Remove.
  std::uint64_t changes() const;
  const RowBlocks& blocks() const;
  // Returns true when a new Build would make searches faster: many rows have left their place, or
  // some and searches visit twice the share of rows that they visited after the last Build. A hint.
  bool out_of_order() const;
  // Counts a search by other means that went through so many rows.
  void CountVisits(std::size_t rows) const;

  // For IndexRebuild: appends the ordinals of Refresh and Remove to the returned list from now on,
  // as long as the caller holds it.
  std::shared_ptr<std::vector<std::uint32_t>> RecordChanges();
  RowBlocks& mutable_blocks();
  // Says that the rows of mutable_blocks() are complete: a build of its own from now on.
  void BeginService();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace reco::index
