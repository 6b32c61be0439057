#include "index/item_index.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <deque>
#include <utility>

#include "base/check.h"
#include "index/block_scan.h"
#include "index/query_search.h"
#include "index/row_blocks.h"
#include "index/visit_meter.h"
#include "model/fold_in.h"

namespace reco::index {
namespace {

// Below the first, order is not why searches visit more; above the second a third of all rows lie
// where their norms do not belong, whatever is asked for.
constexpr double kDisorderMin = 0.02;
constexpr double kDisorderMax = 0.3;

std::uint64_t NextVersion() {
  static std::atomic<std::uint64_t> last = 0;
  return last.fetch_add(1, std::memory_order_relaxed) + 1;
}

// Chooses the searches that a block of a group with this bound may concern.
void ChooseForGroup(float bound, std::deque<QuerySearch>* searches,
                    std::vector<QuerySearch*>* chosen) {
  chosen->clear();
  for (QuerySearch& search : *searches) {
    if (search.active() && search.Reaches(bound)) {
      chosen->push_back(&search);
    }
  }
}

}  // namespace

struct ItemIndex::Impl {
  explicit Impl(const model::FactorTable& table) : blocks(table) {}

  RowBlocks blocks;
  std::uint64_t version = NextVersion();
  std::uint64_t changes = 0;
  std::shared_ptr<std::vector<std::uint32_t>> record;  // null: nobody asks
  mutable VisitMeter visits;

  void Record(std::uint32_t ordinal) {
    ++changes;
    if (record == nullptr) {
      return;
    }
    // Whoever asked has let go of it.
    if (record.use_count() == 1) {
      record.reset();
    } else {
      record->push_back(ordinal);
    }
  }

  void SearchTogether(std::span<const SearchRequest> requests,
                      std::span<std::vector<Candidate>> outs) const;
};

ItemIndex::ItemIndex(const model::FactorTable& items) : impl_(std::make_unique<Impl>(items)) {}

ItemIndex::~ItemIndex() = default;

void ItemIndex::Build(std::size_t count, FunctionRef<bool(std::uint32_t)> present) {
  const model::FactorTable& items = impl_->blocks.items();
  // Largest norm first; equal ones by ordinal, so that the order is a function of the table.
  std::vector<std::pair<float, std::uint32_t>> order;
  order.reserve(count);
  for (std::uint32_t ordinal = 0; ordinal < count; ++ordinal) {
    if (present(ordinal)) {
      const float* row = items.row(ordinal);
      const float squares = model::Dot(row, row, items.stride());
      // NaN has no place in an order; Append turns the row down.
      order.emplace_back(squares == squares ? -squares : 0, ordinal);
    }
  }
  std::sort(order.begin(), order.end());
  impl_->blocks.Clear(count, order.size());
  for (const auto& [key, ordinal] : order) {
    impl_->blocks.Append(ordinal);
  }
  BeginService();
}

void ItemIndex::BeginService() {
  impl_->version = NextVersion();
  impl_->record.reset();
  impl_->visits.Reset();
}

void ItemIndex::Refresh(std::uint32_t ordinal) {
  impl_->Record(ordinal);
  // The row keeps its slot whatever its norm is now: bounds are raised, and the order gets worse
  // (displaced_rows).
  impl_->blocks.Put(ordinal);
}

void ItemIndex::Remove(std::uint32_t ordinal) {
  impl_->Record(ordinal);
  impl_->blocks.Erase(ordinal);
}

void ItemIndex::Search(const SearchRequest& request, std::vector<Candidate>* out,
                       SearchStats* stats) const {
  const RowBlocks& blocks = impl_->blocks;
  QuerySearch search(request, blocks.stride(), 0, out);
  Selection selection;
  if (search.active()) {
    search.Seed(blocks);
  }
  std::size_t b = search.active() ? search.NextBlock(blocks, 0) : blocks.size();
  for (; b < blocks.size(); b = search.NextBlock(blocks, b + 1)) {
    SelectRows(blocks.View(b), search.scan(), &selection);
    search.Take(blocks, b, selection);
  }
  search.Drain(blocks);
  search.best().Sort();
  impl_->visits.Count(search.stats().rows_visited, blocks.rows());
  if (stats != nullptr) {
    *stats = search.stats();
  }
}

// Searches at most kBatchQueries requests of one metric.
void ItemIndex::Impl::SearchTogether(std::span<const SearchRequest> requests,
                                     std::span<std::vector<Candidate>> outs) const {
  std::deque<QuerySearch> searches;
  for (std::size_t i = 0; i < requests.size(); ++i) {
    QuerySearch& search = searches.emplace_back(requests[i], blocks.stride(), 0, &outs[i]);
    if (search.active()) {
      search.Seed(blocks);
    }
  }
  std::vector<Selection> selections(requests.size());
  std::array<BlockQuery, kBatchQueries> queries;
  std::array<QuerySearch*, kBatchQueries> reached;
  std::vector<QuerySearch*> in_group;  // those that a block of the group may concern
  for (std::size_t b = 0; b < blocks.size(); ++b) {
    if (b % RowBlocks::kGroupBlocks == 0) {
      ChooseForGroup(blocks.group_bound(b / RowBlocks::kGroupBlocks), &searches, &in_group);
    }
    // None of the group's blocks reaches any list: with sorted norms this ends most searches.
    if (in_group.empty()) {
      b += RowBlocks::kGroupBlocks - 1;
      continue;
    }
    std::size_t count = 0;
    for (QuerySearch* search : in_group) {
      if (search->Reaches(blocks.bound(b))) {
        queries[count] = {&search->scan(), &selections[count]};
        reached[count++] = search;
      }
    }
    if (count == 0 || blocks.used(b) == 0) {
      continue;
    }
    SelectRows(blocks.View(b), {queries.data(), count});
    for (std::size_t i = 0; i < count; ++i) {
      reached[i]->Take(blocks, b, selections[i]);
    }
  }
  for (QuerySearch& search : searches) {
    search.Drain(blocks);
    search.best().Sort();
  }
}

void ItemIndex::SearchBatch(std::span<const SearchRequest> requests,
                            std::span<std::vector<Candidate>> outs) const {
  RECO_CHECK(outs.size() == requests.size());
  for (std::size_t first = 0; first < requests.size();) {
    std::size_t count = 1;
    while (first + count < requests.size() && count < kBatchQueries &&
           requests[first + count].metric == requests[first].metric) {
      ++count;
    }
    impl_->SearchTogether(requests.subspan(first, count), outs.subspan(first, count));
    first += count;
  }
}

void ItemIndex::SearchAmong(const SearchRequest& request, std::span<const std::uint32_t> ordinals,
                            std::vector<Candidate>* out) const {
  const RowBlocks& blocks = impl_->blocks;
  QuerySearch search(request, blocks.stride(), 0, out);
  if (search.active()) {
    search.TakeAll(blocks, ordinals);
  }
  search.best().Sort();
}

std::size_t ItemIndex::size() const {
  return impl_->blocks.rows();
}

std::size_t ItemIndex::memory_bytes() const {
  return sizeof(Impl) + impl_->blocks.memory_bytes();
}

double ItemIndex::disorder() const {
  const RowBlocks& blocks = impl_->blocks;
  return blocks.rows() == 0
             ? 0
             : static_cast<double>(blocks.displaced_rows()) / static_cast<double>(blocks.rows());
}

std::uint64_t ItemIndex::version() const {
  return impl_->version;
}

std::uint64_t ItemIndex::changes() const {
  return impl_->changes;
}

const RowBlocks& ItemIndex::blocks() const {
  return impl_->blocks;
}

RowBlocks& ItemIndex::mutable_blocks() {
  return impl_->blocks;
}

bool ItemIndex::out_of_order() const {
  const double share = disorder();
  return share >= kDisorderMax || (share >= kDisorderMin && impl_->visits.doubled());
}

void ItemIndex::CountVisits(std::size_t rows) const {
  impl_->visits.Count(rows, impl_->blocks.rows());
}

std::shared_ptr<std::vector<std::uint32_t>> ItemIndex::RecordChanges() {
  impl_->record = std::make_shared<std::vector<std::uint32_t>>();
  return impl_->record;
}

}  // namespace reco::index
