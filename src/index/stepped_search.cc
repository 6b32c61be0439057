#include "index/stepped_search.h"

#include <algorithm>
#include <limits>
#include <optional>

#include "index/block_scan.h"
#include "index/row_blocks.h"
#include "index/score.h"

namespace reco::index {
namespace {

constexpr std::size_t kCostStride = 64;

}  // namespace

SteppedSearch::SteppedSearch(const ItemIndex& index, const SearchRequest& request)
    : request_(request),
      search_(request, index.blocks().stride(), kReserve, &list_),
      version_(index.version()),
      changes_(index.changes()) {}

SteppedSearch::Progress SteppedSearch::Step(const ItemIndex& index, std::size_t rows_max) {
  if (index.version() != version_) {
    return Progress::kStale;
  }
  const RowBlocks& blocks = index.blocks();
  if (!search_.active()) {
    list_.clear();
    return Progress::kDone;
  }
  if (steps_ == 0) {
    search_.Seed(blocks);
  }
  ++steps_;
  // A row that was written meanwhile may lie in a block that is still to come, and be in the list.
  if (index.changes() != changes_) {
    search_.best().ExpectRepeats();
  }
  for (;;) {
    Scan(blocks, passes_ < kPassesMax ? rows_max : std::numeric_limits<std::size_t>::max());
    if (next_block_ < blocks.size()) {
      return Progress::kMore;
    }
    // Nothing to bring up to date when all was seen under one hold of the lock, at once or in the
    // last pass. Else what is accepted may have changed, also without a change of the index.
    const bool alone = steps_ == 1 && passes_ == 1;
    const bool begun_here = passes_ == kPassesMax;
    const bool settled = alone || begun_here || Settle(blocks);
    if (settled) {
      search_.best().Sort();
      list_.resize(std::min(list_.size(), request_.k));
      index.CountVisits(search_.stats().rows_visited / passes_);
      return Progress::kDone;
    }
    ++passes_;
    next_block_ = 0;
    search_.best().ExpectRepeats();
    // Another pass, for what was turned down by entries that have fallen since.
    search_.best().Reopen();
    // The threshold of entries that have fallen would turn rows down that belong into the list now.
    search_.RenewThreshold();
    if (passes_ < kPassesMax) {
      return Progress::kMore;
    }
  }
}

void SteppedSearch::Scan(const RowBlocks& blocks, std::size_t rows_max) {
  Selection selection;
  const std::size_t stride = blocks.stride();
  const auto work = [&] {
    const SearchStats& stats = search_.stats();
    return (stats.rows_visited + stats.rows_rescored * kScoreCost) * stride / kCostStride;
  };
  const std::size_t start = work();
  next_block_ = search_.NextBlock(blocks, next_block_);
  while (next_block_ < blocks.size() && work() - start < rows_max) {
    SelectRows(blocks.View(next_block_), search_.scan(), &selection);
    search_.Take(blocks, next_block_, selection);
    next_block_ = search_.NextBlock(blocks, next_block_ + 1);
  }
  // Before the lock is given back: what was put off refers to vectors as they are now.
  search_.Drain(blocks);
}

bool SteppedSearch::Settle(const RowBlocks& blocks) {
  const model::FactorTable& items = blocks.items();
  return search_.best().Settle(request_.k, [&](std::uint32_t ordinal) -> std::optional<float> {
    return blocks.Contains(ordinal)
               ? ScoreRow(request_.metric, request_.query, items.row(ordinal), items.stride())
               : std::nullopt;
  });
}

}  // namespace reco::index
