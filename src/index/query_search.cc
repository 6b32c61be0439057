// Why a scan is put off and grouped: codes come at the speed of memory, refinements and vectors
// from anywhere in it. So a block is scanned while what earlier blocks have selected is on its way,
// and every row passes three bounds, each dearer and tighter than the one before.
#include "index/query_search.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>

#include "base/check.h"
#include "index/quantizer.h"
#include "index/score.h"

namespace reco::index {
namespace {

// Rows that are put off until there are so many: a loop over a few of them ends with a wrong guess
// of the processor.
constexpr std::size_t kRefineTogether = 16;
constexpr std::size_t kScoreTogether = 8;
// Candidates are scored this many rows after their vectors were asked for.
constexpr std::size_t kPrefetchAhead = 4;
// Rows that are scored first beyond those that fill the list.
constexpr std::size_t kFirstExtra = 12;
// The first threshold comes from so many blocks, where these are at most one in kSeedShare, their
// norms come near the largest, and lists are so short. At 41,000 x 64 Gaussian rows it takes 4 of
// 32 us and saves 10.
constexpr std::size_t kSeedBlocks = 16;
constexpr std::size_t kSeedShare = 8;
constexpr float kSeedBound = 0.75F;
constexpr std::size_t kSeedListMax = 64;
// Rows that are candidates for it, at most, and how many standard deviations their bounds are above
// the mean: in a normal distribution 2%.
constexpr std::size_t kSeedRowsMax = 256;
constexpr float kSeedDeviations = 2.1F;
constexpr float kInfinity = std::numeric_limits<float>::infinity();

// Returns a value that few of the bounds exceed; infinity when they are none.
float HighAmong(std::span<const float> bounds) {
  float count = 0;
  float sum = 0;
  float squares = 0;
  for (const float bound : bounds) {
    if (std::isfinite(bound)) {
      count += 1;
      sum += bound;
      squares += bound * bound;
    }
  }
  const float mean = sum / count;
  const float variance = std::max(squares / count - mean * mean, 0.0F);
  return count > 0 ? mean + kSeedDeviations * std::sqrt(variance) : kInfinity;
}

void PrefetchRefinement(const Refinement& refinement, std::size_t stride) {
  constexpr std::size_t kLineBytes = 64;
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(&refinement);
  const std::size_t size = sizeof(Refinement) + stride / 2;
  for (std::size_t i = 0; i < size; i += kLineBytes) {
    __builtin_prefetch(bytes + i);
  }
  __builtin_prefetch(bytes + size - 1);
}

void PrefetchRow(const float* row, std::size_t stride) {
  constexpr std::size_t kLineFloats = 16;
  for (std::size_t i = 0; i < stride; i += kLineFloats) {
    __builtin_prefetch(row + i);
  }
}

}  // namespace

// --- BestList -----------------------------------------------------------------------------------

BestList::BestList(const SearchRequest& request, std::size_t capacity, std::vector<Candidate>* out)
    : request_(request), capacity_(capacity), out_(out) {
  out_->clear();
}

bool BestList::Better(const Candidate& a, const Candidate& b) const {
  if (a.score != b.score) {
    return a.score > b.score;
  }
  return request_.before(a.ordinal, b.ordinal);
}

bool BestList::Offer(const Candidate& candidate) {
  const auto better = [this](const Candidate& a, const Candidate& b) { return Better(a, b); };
  // The cheap questions first: `accept` may read a record.
  if (full() && !Better(candidate, out_->front())) {
    return false;
  }
  if (repeats_ && IsMember(candidate.ordinal)) {
    return false;
  }
  if (!request_.accept(candidate.ordinal)) {
    return false;
  }
  if (full()) {
    std::pop_heap(out_->begin(), out_->end(), better);
    if (!members_.empty()) {
      members_.erase(out_->back().ordinal);
    }
    out_->back() = candidate;
  } else {
    out_->push_back(candidate);
  }
  std::push_heap(out_->begin(), out_->end(), better);
  if (repeats_ && capacity_ > kLookedThroughMax) {
    members_.insert(candidate.ordinal);
  }
  return true;
}

void BestList::ExpectRepeats() {
  if (!repeats_) {
    repeats_ = true;
    Remember();
  }
}

bool BestList::IsMember(std::uint32_t ordinal) const {
  return capacity_ > kLookedThroughMax
             ? members_.contains(ordinal)
             : std::any_of(out_->begin(), out_->end(),
                           [=](const Candidate& entry) { return entry.ordinal == ordinal; });
}

void BestList::Remember() {
  members_.clear();
  if (capacity_ <= kLookedThroughMax) {
    return;
  }
  for (const Candidate& entry : *out_) {
    members_.insert(entry.ordinal);
  }
}

// While no entry lost, whatever was turned down by one of them still is. Otherwise all that was
// turned down scored at most as the worst entry of a full list, as it was seen.
bool BestList::Settle(std::size_t k, FunctionRef<std::optional<float>(std::uint32_t)> score_now) {
  const bool was_full = full();
  // What was turned down was no better than this when it was seen.
  const float turned_down = worst();
  bool lost = false;
  std::vector<Candidate> current;
  for (const Candidate& entry : *out_) {
    const auto score = request_.accept(entry.ordinal) ? score_now(entry.ordinal) : std::nullopt;
    // An entry that fell, or left, may have kept out one that stands above it now.
    lost = lost || !score || *score < entry.score;
    if (score) {
      current.push_back({entry.ordinal, *score});
    }
  }
  out_->swap(current);
  if (!was_full || !lost) {
    return true;
  }
  const auto safe = std::count_if(out_->begin(), out_->end(), [&](const Candidate& entry) {
    return entry.score > turned_down;
  });
  return static_cast<std::size_t>(safe) >= k;
}

void BestList::Sort() {
  std::sort(out_->begin(), out_->end(),
            [this](const Candidate& a, const Candidate& b) { return Better(a, b); });
}

void BestList::Reopen() {
  std::make_heap(out_->begin(), out_->end(),
                 [this](const Candidate& a, const Candidate& b) { return Better(a, b); });
  if (repeats_) {
    Remember();
  }
}

// --- QuerySearch --------------------------------------------------------------------------------

QuerySearch::QuerySearch(const SearchRequest& request, std::size_t stride, std::size_t reserve,
                         std::vector<Candidate>* out)
    : request_(request),
      query_(EncodeQuery(request.query, stride)),
      best_(request, request.k + reserve, out),
      scan_{&query_, stride, request.metric, -kInfinity},
      // Not below any score of a row of norm 1, the rounding of this product included.
      reach_((query_.length + query_.norm_factor) * (1 + 0x1p-20F)) {}

// Finds rows of the first blocks whose bounds are high, the highest first as far as that matters,
// at most `wanted`.
std::size_t QuerySearch::FindSeeds(const RowBlocks& blocks, std::size_t wanted,
                                   std::span<SeedRow> rows) const {
  std::size_t count = 0;
  Selection selection;
  ScanRequest scan = scan_;
  for (std::size_t b = 0; b < kSeedBlocks; ++b) {
    SelectRows(blocks.View(b), scan, &selection);
    // From the first block's bounds: the later ones are of smaller norms.
    if (b == 0) {
      scan.threshold = HighAmong({selection.upper.data(), selection.count});
    }
    for (std::size_t i = 0; i < selection.count && count < rows.size(); ++i) {
      if (selection.upper[i] >= scan.threshold) {
        rows[count] = {&blocks.memory(b).refinement(selection.rows[i]), selection.upper[i]};
        __builtin_prefetch(rows[count].refinement);
        ++count;
      }
    }
  }
  if (count > wanted) {
    std::nth_element(rows.begin(), rows.begin() + static_cast<std::ptrdiff_t>(wanted),
                     rows.begin() + static_cast<std::ptrdiff_t>(count),
                     [](const SeedRow& a, const SeedRow& b) { return a.upper > b.upper; });
  }
  return std::min(count, wanted);
}

void QuerySearch::Seed(const RowBlocks& blocks) {
  if (blocks.size() < kSeedShare * kSeedBlocks || best_.capacity() > kSeedListMax ||
      !request_.among.empty() || blocks.bound(kSeedBlocks - 1) < kSeedBound * blocks.bound(0)) {
    return;
  }
  std::array<SeedRow, kSeedRowsMax> rows;
  const std::size_t count = FindSeeds(blocks, best_.capacity() + kFirstExtra, rows);
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint32_t ordinal = rows[i].refinement->ordinal;
    if (ordinal != kNoOrdinal) {
      PrefetchRow(blocks.items().row(ordinal), scan_.stride);
    }
  }
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint32_t ordinal = rows[i].refinement->ordinal;
    if (ordinal != kNoOrdinal) {
      TakeRow(blocks.items(), ordinal);
    }
  }
  // The scan meets these rows again.
  best_.ExpectRepeats();
}

std::size_t QuerySearch::NextBlock(const RowBlocks& blocks, std::size_t b) const {
  // Blocks stay in the order of Build, but a refreshed row may have raised any bound.
  while (b < blocks.size()) {
    if (b % RowBlocks::kGroupBlocks == 0 &&
        !Reaches(blocks.group_bound(b / RowBlocks::kGroupBlocks))) {
      b += RowBlocks::kGroupBlocks;
    } else if (blocks.used(b) > 0 && Reaches(blocks.bound(b))) {
      return b;
    } else {
      ++b;
    }
  }
  return blocks.size();
}

void QuerySearch::Take(const RowBlocks& blocks, std::size_t b, const Selection& selection) {
  if (waiting_.size() >= kScoreTogether) {
    Score(blocks);
  }
  if (found_.size() >= kRefineTogether) {
    Refine(blocks);
  }
  const BlockMemory& memory = blocks.memory(b);
  const bool cosine = scan_.metric == Metric::kCosine;
  stats_.rows_visited += blocks.used(b);
  for (std::size_t i = 0; i < selection.count; ++i) {
    const std::size_t row = selection.rows[i];
    const Refinement& refinement = memory.refinement(row);
    PrefetchRefinement(refinement, scan_.stride);
    const float norm = cosine ? memory.norm(row) : blocks.bound(b);
    found_.push_back({&refinement, {selection.dot[i], memory.step(row), norm}, selection.upper[i]});
  }
  // Without a threshold every row passes; better to have one before the next block.
  if (!best_.full()) {
    Refine(blocks);
    TakeFirst(blocks);
  }
}

// Returns true iff a row that is turned down by this bound could not have been in the answer.
bool QuerySearch::IsBound(const model::FactorTable& items, std::uint32_t ordinal,
                          float upper) const {
  const auto score = ScoreRow(request_.metric, request_.query, items.row(ordinal), items.stride());
  return !score || !(upper < ThresholdFor(query_, *score));
}

// Passes on the rows whose finer bound reaches the threshold. Of NaN nothing is known: it passes.
void QuerySearch::Refine(const RowBlocks& blocks) {
  for (const Found& found : found_) {
    const std::uint32_t ordinal = found.refinement->ordinal;
    // The threshold has moved since the block was compared.
    if (found.upper < scan_.threshold || ordinal == kNoOrdinal || !Among(ordinal)) {
      continue;
    }
    const float upper = RefinedBound(query_, scan_.metric, found.row, *found.refinement);
    RECO_DCHECK(IsBound(blocks.items(), ordinal, found.upper), "I11");
    RECO_DCHECK(IsBound(blocks.items(), ordinal, upper), "I11");
    if (!(upper < scan_.threshold)) {
      PrefetchRow(blocks.items().row(ordinal), scan_.stride);
      waiting_.push_back({ordinal, upper});
    }
  }
  found_.clear();
}

void QuerySearch::Score(const RowBlocks& blocks) {
  for (const Waiting& row : waiting_) {
    if (!(row.upper < scan_.threshold)) {
      TakeRow(blocks.items(), row.ordinal);
    }
  }
  waiting_.clear();
}

void QuerySearch::Drain(const RowBlocks& blocks) {
  // First what waits, since it may raise the threshold for the rest.
  Score(blocks);
  Refine(blocks);
  Score(blocks);
}

// Scores the waiting rows of the highest bounds. While there is no threshold a whole block is
// waiting; these give one that most of the others do not reach.
void QuerySearch::TakeFirst(const RowBlocks& blocks) {
  const std::size_t count = std::min(waiting_.size(), best_.capacity() + kFirstExtra);
  const auto higher = [](const Waiting& a, const Waiting& b) {
    // In place of NaN the highest.
    return (a.upper != a.upper ? kInfinity : a.upper) > (b.upper != b.upper ? kInfinity : b.upper);
  };
  const auto end = waiting_.begin() + static_cast<std::ptrdiff_t>(count);
  std::nth_element(waiting_.begin(), end, waiting_.end(), higher);
  for (auto row = waiting_.begin(); row != end; ++row) {
    TakeRow(blocks.items(), row->ordinal);
  }
  waiting_.erase(waiting_.begin(), end);
  std::erase_if(waiting_, [&](const Waiting& row) { return row.upper < scan_.threshold; });
}

void QuerySearch::TakeAll(const RowBlocks& blocks, std::span<const std::uint32_t> ordinals) {
  std::vector<std::uint32_t> contained;
  contained.reserve(ordinals.size());
  std::copy_if(ordinals.begin(), ordinals.end(), std::back_inserter(contained),
               [&](std::uint32_t ordinal) { return blocks.Contains(ordinal); });
  TakeAll(blocks.items(), contained);
}

void QuerySearch::TakeAll(const model::FactorTable& items,
                          std::span<const std::uint32_t> ordinals) {
  for (std::size_t i = 0; i < ordinals.size(); ++i) {
    if (i + kPrefetchAhead < ordinals.size()) {
      PrefetchRow(items.row(ordinals[i + kPrefetchAhead]), scan_.stride);
    }
    if (Among(ordinals[i])) {
      TakeRow(items, ordinals[i]);
    }
  }
}

void QuerySearch::TakeRow(const model::FactorTable& items, std::uint32_t ordinal) {
  ++stats_.rows_rescored;
  const auto score = ScoreRow(request_.metric, request_.query, items.row(ordinal), items.stride());
  if (score && best_.Offer({ordinal, *score})) {
    scan_.threshold = ThresholdFor(query_, best_.worst());
  }
}

void QuerySearch::RenewThreshold() {
  scan_.threshold = ThresholdFor(query_, best_.worst());
}

}  // namespace reco::index
