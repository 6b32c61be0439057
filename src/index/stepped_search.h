// SteppedSearch: a search in steps of bounded work, so that its caller can give a lock back between
// them (D11).
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "index/item_index.h"
#include "index/query_search.h"

namespace reco::index {

// What holds when the index changes between steps:
// - a row is scored as it was when the step that visited it saw it, and one that was put into a
//   place already visited may not be seen at all;
// - rows that stay as they are all the time are ranked exactly among themselves and the rest of the
//   answer: none is missing that would be in the answer of a search at the end;
// - at the end, in the last step, entries that were removed or are not accepted any more are
//   dropped and the others scored anew; when that lets rows in that were turned down, the search
//   goes over the blocks again by itself, the third time within one step, however long that takes;
// - so every entry of the answer is indexed, accepted and has its current score.
//
// Refers to the request and all that it refers to. Confined; each Step needs what a Search needs.
class SteppedSearch {
 public:
  enum class Progress : std::uint8_t {
    kMore,
    kDone,   // result() is the answer
    kStale,  // the index was built anew or is another one: begin anew
  };
  // Rows of 64 components visited in a step, about 50 us.
  static constexpr std::size_t kStepRows = 32'768;
  // So many of them is one that is scored in float32.
  static constexpr std::size_t kScoreCost = 16;
  // Entries kept beyond k, so that a change of some of the best does not cost another pass.
  static constexpr std::size_t kReserve = 8;
  static constexpr std::uint32_t kPassesMax = 3;  // the last one in one step

  SteppedSearch(const ItemIndex& index, const SearchRequest& request);

  // Takes a step. `index`: that of the constructor, or the one that has taken its place.
  Progress Step(const ItemIndex& index, std::size_t rows_max = kStepRows);
  const std::vector<Candidate>& result() const { return list_; }
  const SearchStats& stats() const { return search_.stats(); }
  std::uint32_t passes() const { return passes_; }

 private:
  void Scan(const RowBlocks& blocks, std::size_t rows_max);
  // Brings the list up to date. Returns false when rows that were turned down may belong into it.
  bool Settle(const RowBlocks& blocks);

  const SearchRequest& request_;
  std::vector<Candidate> list_;
  QuerySearch search_;
  const std::uint64_t version_;
  const std::uint64_t changes_;  // of the index at the beginning
  std::size_t next_block_ = 0;
  std::uint32_t passes_ = 1;
  std::size_t steps_ = 0;
};

}  // namespace reco::index
