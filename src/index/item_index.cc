#include "index/item_index.h"

#include <algorithm>
#include <limits>
#include <new>
#include <numeric>
#include <utility>

#include <sys/mman.h>

#include "base/check.h"
#include "index/block_scan.h"
#include "index/code_block.h"
#include "index/quantizer.h"
#include "index/score.h"
#include "model/fold_in.h"

namespace reco::index {
namespace {

constexpr std::uint32_t kNone = std::numeric_limits<std::uint32_t>::max();
constexpr float kInfinity = std::numeric_limits<float>::infinity();
// A row whose norm stays within this factor of its block's range keeps its place: the block's bound
// then loosens by no more.
constexpr float kPlaceTolerance = 1.25F;
// Candidates are scored this many rows after their vectors were asked for.
constexpr std::size_t kPrefetchAhead = 4;
// Blocks that are made at once for rows added after Build, at most.
constexpr std::size_t kTailBlocks = 16;

// The arrays of one block: codes, scale, error, norm, ordinals. A view into a slab.
class BlockMemory {
 public:
  BlockMemory(std::uint8_t* memory, std::size_t stride)
      : codes_(memory), floats_(reinterpret_cast<float*>(memory + kBlockRows * stride)) {
    std::fill_n(codes_, kBlockRows * stride, std::uint8_t{0x80});
    for (std::size_t row = 0; row < kBlockRows; ++row) {
      Free(row);
    }
  }

  static std::size_t Bytes(std::size_t stride) { return kBlockRows * (stride + 16); }

  CodeBlock view() const {
    return {codes_, floats_, floats_ + kBlockRows, floats_ + 2 * kBlockRows};
  }
  std::uint32_t ordinal(std::size_t row) const { return ordinals()[row]; }
  std::uint8_t* mutable_codes(std::size_t row, std::size_t stride) {
    return codes_ + CodeOffset(row, stride);
  }

  void Set(std::size_t row, std::uint32_t ordinal, const RowCode& code) {
    floats_[row] = code.scale;
    floats_[kBlockRows + row] = code.error;
    floats_[2 * kBlockRows + row] = code.norm;
    ordinals()[row] = ordinal;
  }
  void Free(std::size_t row) { Set(row, kNone, {0, -kInfinity, 1, true}); }

 private:
  std::uint32_t* ordinals() const {
    return reinterpret_cast<std::uint32_t*>(floats_ + 3 * kBlockRows);
  }

  std::uint8_t* codes_;
  float* floats_;
};

// Memory of consecutive blocks. A scan of many of them runs at the speed of memory, so they lie
// together and in huge pages where the system grants them.
class Slab {
 public:
  explicit Slab(std::size_t bytes)
      : bytes_(bytes),
        alignment_(bytes >= kHugePage ? kHugePage : kLine),
        memory_(static_cast<std::uint8_t*>(::operator new (bytes, std::align_val_t{alignment_}))) {
    if (bytes >= kHugePage) {
      // Advice only: without it the scan is slower, not wrong.
      static_cast<void>(madvise(memory_, bytes, MADV_HUGEPAGE));
    }
  }
  ~Slab() { ::operator delete (memory_, std::align_val_t{alignment_}); }
  Slab(const Slab&) = delete;
  Slab& operator=(const Slab&) = delete;

  std::uint8_t* memory() { return memory_; }
  std::size_t bytes() const { return bytes_; }

 private:
  static constexpr std::size_t kHugePage = std::size_t{2} << 20U;
  static constexpr std::size_t kLine = 64;

  const std::size_t bytes_;
  const std::size_t alignment_;
  std::uint8_t* const memory_;
};

struct Block {
  Block(std::uint8_t* bytes, std::size_t stride) : memory(bytes, stride) {}
  BlockMemory memory;
  std::size_t used = 0;
  // Norms of its rows at Build; the empty range for a block of later rows.
  float built_min = kInfinity;
  float built_max = -kInfinity;
};

void PrefetchRow(const float* row, std::size_t stride) {
  constexpr std::size_t kLineFloats = 16;
  for (std::size_t i = 0; i < stride; i += kLineFloats) {
    __builtin_prefetch(row + i);
  }
}

// The best k accepted rows so far: a heap with the worst on top.
class BestList {
 public:
  BestList(const SearchRequest& request, std::vector<Candidate>* out)
      : request_(request), out_(out) {
    out_->clear();
  }

  bool full() const { return out_->size() == request_.k; }
  float worst() const { return full() ? out_->front().score : -kInfinity; }

  // True when the candidate was taken in.
  bool Offer(const Candidate& candidate) {
    const auto better = [this](const Candidate& a, const Candidate& b) { return Better(a, b); };
    if (full() && !Better(candidate, out_->front())) {
      return false;
    }
    if (!request_.accept(candidate.ordinal)) {
      return false;
    }
    if (full()) {
      std::pop_heap(out_->begin(), out_->end(), better);
      out_->back() = candidate;
    } else {
      out_->push_back(candidate);
    }
    std::push_heap(out_->begin(), out_->end(), better);
    return true;
  }

  void Sort() {
    std::sort_heap(out_->begin(), out_->end(),
                   [this](const Candidate& a, const Candidate& b) { return Better(a, b); });
  }

 private:
  bool Better(const Candidate& a, const Candidate& b) const {
    if (a.score != b.score) {
      return a.score > b.score;
    }
    return request_.before(a.ordinal, b.ordinal);
  }

  const SearchRequest& request_;
  std::vector<Candidate>* out_;
};

}  // namespace

// A slot is a place in a block: block x kBlockRows + row. A row keeps its slot until it is removed
// or the index is built anew.
struct ItemIndex::Impl {
  explicit Impl(const model::FactorTable& table) : items(table), stride(table.stride()) {
    RECO_CHECK(stride <= kStrideMax);
  }

  const model::FactorTable& items;
  const std::size_t stride;
  std::vector<std::unique_ptr<Slab>> slabs;
  std::vector<Block> blocks;
  // Per block: no row's norm is above it. Never lowered between builds.
  std::vector<float> bounds;
  std::vector<std::uint32_t> slot_of;     // by ordinal; kNone: not indexed
  std::vector<std::uint32_t> free_slots;  // a stack
  std::vector<bool> displaced;            // by slot, since Build
  std::size_t rows = 0;
  std::size_t displaced_rows = 0;

  void AddBlocks(std::size_t count) {
    const std::size_t bytes = BlockMemory::Bytes(stride);
    slabs.push_back(std::make_unique<Slab>(count * bytes));
    const std::size_t first = blocks.size() * kBlockRows;
    for (std::size_t i = 0; i < count; ++i) {
      blocks.emplace_back(slabs.back()->memory() + i * bytes, stride);
    }
    bounds.resize(blocks.size(), 0.0F);
    displaced.resize(blocks.size() * kBlockRows, false);
    // The first slot on top.
    for (std::size_t slot = blocks.size() * kBlockRows; slot > first; --slot) {
      free_slots.push_back(static_cast<std::uint32_t>(slot - 1));
    }
  }

  // Codes the ordinal's row into the slot. False, and nothing has changed: the row is not finite.
  bool Write(std::uint32_t slot, std::uint32_t ordinal) {
    Block& block = blocks[slot / kBlockRows];
    const std::size_t row = slot % kBlockRows;
    const RowCode code =
        EncodeRow(items.row(ordinal), stride, block.memory.mutable_codes(row, stride));
    if (!code.finite) {
      return false;
    }
    block.memory.Set(row, ordinal, code);
    float& bound = bounds[slot / kBlockRows];
    bound = std::max(bound, code.norm);
    return true;
  }

  // Writes the row of an ordinal that has no slot into a free one, which it takes.
  bool Insert(std::uint32_t ordinal) {
    if (free_slots.empty()) {
      AddBlocks(std::clamp<std::size_t>(blocks.size() / 8, 1, kTailBlocks));
    }
    const std::uint32_t slot = free_slots.back();
    if (!Write(slot, ordinal)) {
      return false;
    }
    free_slots.pop_back();
    slot_of[ordinal] = slot;
    ++blocks[slot / kBlockRows].used;
    ++rows;
    return true;
  }

  bool InPlace(std::uint32_t slot) const {
    const Block& block = blocks[slot / kBlockRows];
    const float norm = block.memory.view().norm[slot % kBlockRows];
    return norm <= block.built_max * kPlaceTolerance && norm * kPlaceTolerance >= block.built_min;
  }

  void MarkDisplaced(std::uint32_t slot) {
    displaced_rows += displaced[slot] ? 0 : 1;
    displaced[slot] = true;
  }

  void ScanBlock(std::size_t b, const SearchRequest& request, ScanRequest* scan, BestList* best,
                 SearchStats* stats) const;
};

ItemIndex::ItemIndex(const model::FactorTable& items) : impl_(std::make_unique<Impl>(items)) {}

ItemIndex::~ItemIndex() = default;

void ItemIndex::Build(std::size_t count, FunctionRef<bool(std::uint32_t)> present) {
  Impl& impl = *impl_;
  impl.slabs.clear();
  impl.blocks.clear();
  impl.bounds.clear();
  impl.free_slots.clear();
  impl.displaced.clear();
  impl.rows = 0;
  impl.displaced_rows = 0;
  impl.slot_of.assign(count, kNone);

  // Largest norm first; equal ones by ordinal, so that the order is a function of the table.
  std::vector<std::pair<float, std::uint32_t>> order;
  order.reserve(count);
  for (std::uint32_t ordinal = 0; ordinal < count; ++ordinal) {
    if (present(ordinal)) {
      const float* row = impl.items.row(ordinal);
      const float squares = model::Dot(row, row, impl.items.stride());
      order.emplace_back(squares == squares ? -squares : 0, ordinal);
    }
  }
  std::sort(order.begin(), order.end());
  if (!order.empty()) {
    impl.AddBlocks((order.size() + kBlockRows - 1) / kBlockRows);
  }
  for (const auto& [key, ordinal] : order) {
    if (!impl.Insert(ordinal)) {
      continue;
    }
    const std::uint32_t slot = impl.slot_of[ordinal];
    Block& block = impl.blocks[slot / kBlockRows];
    const float norm = block.memory.view().norm[slot % kBlockRows];
    block.built_min = std::min(block.built_min, norm);
    block.built_max = std::max(block.built_max, norm);
  }
  impl.free_slots.shrink_to_fit();
}

void ItemIndex::Refresh(std::uint32_t ordinal) {
  Impl& impl = *impl_;
  if (ordinal >= impl.slot_of.size()) {
    impl.slot_of.resize(ordinal + std::size_t{1}, kNone);
  }
  const std::uint32_t slot = impl.slot_of[ordinal];
  if (slot == kNone) {
    if (impl.Insert(ordinal)) {
      impl.MarkDisplaced(impl.slot_of[ordinal]);
    }
    return;
  }
  if (!impl.Write(slot, ordinal)) {
    Remove(ordinal);
  } else if (!impl.InPlace(slot)) {
    impl.MarkDisplaced(slot);
  }
}

void ItemIndex::Remove(std::uint32_t ordinal) {
  Impl& impl = *impl_;
  if (ordinal >= impl.slot_of.size() || impl.slot_of[ordinal] == kNone) {
    return;
  }
  const std::uint32_t slot = std::exchange(impl.slot_of[ordinal], kNone);
  Block& block = impl.blocks[slot / kBlockRows];
  block.memory.Free(slot % kBlockRows);
  --block.used;
  --impl.rows;
  impl.displaced_rows -= impl.displaced[slot] ? 1 : 0;
  impl.displaced[slot] = false;
  impl.free_slots.push_back(slot);
}

void ItemIndex::Impl::ScanBlock(std::size_t b, const SearchRequest& request, ScanRequest* scan,
                                BestList* best, SearchStats* stats) const {
  const BlockMemory& memory = blocks[b].memory;
  Selection selection;
  SelectRows(memory.view(), *scan, &selection);
  stats->rows_visited += blocks[b].used;
  for (std::size_t i = 0; i < selection.count; ++i) {
    if (i + kPrefetchAhead < selection.count) {
      const std::uint32_t ahead = memory.ordinal(selection.rows[i + kPrefetchAhead]);
      if (ahead != kNone) {
        PrefetchRow(items.row(ahead), stride);
      }
    }
    const std::uint32_t ordinal = memory.ordinal(selection.rows[i]);
    // The threshold has moved since the block was compared.
    if (ordinal == kNone || selection.upper[i] < scan->threshold) {
      continue;
    }
    ++stats->rows_rescored;
    const auto score = ScoreRow(request.metric, request.query, items.row(ordinal), items.stride());
    if (score && best->Offer({ordinal, *score})) {
      scan->threshold = ThresholdFor(*scan->query, best->worst());
    }
  }
}

void ItemIndex::Search(const SearchRequest& request, std::vector<Candidate>* out,
                       SearchStats* stats) const {
  const Impl& impl = *impl_;
  SearchStats counted;
  BestList best(request, out);
  const QueryCode query = EncodeQuery(request.query, impl.stride);
  if (request.k > 0 && query.finite) {
    ScanRequest scan{&query, impl.stride, request.metric, -kInfinity};
    // Not below any score of a row of norm 1, the rounding of this product included.
    const float reach = (query.length + query.norm_factor) * (1 + 0x1p-20F);
    for (std::size_t b = 0; b < impl.blocks.size(); ++b) {
      // Blocks stay in the order of Build, but a refreshed row may have raised any bound.
      const bool within_reach = request.metric == Metric::kCosine ||
                                !(impl.bounds[b] * reach + query.absolute < scan.threshold);
      if (impl.blocks[b].used > 0 && within_reach) {
        impl.ScanBlock(b, request, &scan, &best, &counted);
      }
    }
  }
  best.Sort();
  if (stats != nullptr) {
    *stats = counted;
  }
}

std::size_t ItemIndex::size() const {
  return impl_->rows;
}

std::size_t ItemIndex::memory_bytes() const {
  const Impl& impl = *impl_;
  std::size_t bytes =
      sizeof(Impl) + impl.blocks.capacity() * sizeof(Block) +
      impl.bounds.capacity() * sizeof(float) +
      (impl.slot_of.capacity() + impl.free_slots.capacity()) * sizeof(std::uint32_t) +
      impl.displaced.capacity() / 8;
  for (const auto& slab : impl.slabs) {
    bytes += slab->bytes();
  }
  return bytes;
}

double ItemIndex::disorder() const {
  return impl_->rows == 0
             ? 0
             : static_cast<double>(impl_->displaced_rows) / static_cast<double>(impl_->rows);
}

}  // namespace reco::index
