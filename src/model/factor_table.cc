#include "model/factor_table.h"

#include <algorithm>
#include <limits>
#include <new>
#include <utility>

#include "base/check.h"

namespace reco::model {
namespace {

constexpr std::uint32_t kWholePage = std::numeric_limits<std::uint32_t>::max();

std::size_t PagesFor(std::size_t rows) {
  return (rows + FactorTable::kPageRows - 1) / FactorTable::kPageRows;
}

std::size_t CountOf(std::uint32_t mask) {
  return static_cast<std::size_t>(std::popcount(mask));
}

}  // namespace

void FactorTable::Free::operator()(float* rows) const {
  ::operator delete (rows, std::align_val_t{kCacheLine});
}

// Returns rows of zeros.
FactorTable::Memory FactorTable::MakeRows(std::size_t rows) const {
  const std::size_t floats = rows * stride_;
  Memory memory(
      static_cast<float*>(::operator new (floats * sizeof(float), std::align_val_t{kCacheLine})));
  std::fill_n(memory.get(), floats, 0.0F);
  return memory;
}

FactorTable::FactorTable(std::uint32_t dim) : dim_(dim), stride_(StrideFor(dim)), zeros_(stride_) {}

std::size_t FactorTable::memory_bytes() const {
  return (1 + room_rows_) * stride_ * sizeof(float) + pages_.capacity() * sizeof(Page) +
         own_.capacity() * sizeof(Memory);
}

void FactorTable::Grow(std::size_t rows) {
  rows_ = std::max(rows_, rows);
}

void FactorTable::Allocate(std::size_t rows) {
  RECO_CHECK(rows_ == 0);
  allocated_.resize(rows * stride_);
  rows_ = room_rows_ = rows;
  pages_.resize(PagesFor(rows));
  own_.resize(pages_.size());
  for (std::size_t p = 0; p < pages_.size(); ++p) {
    const std::size_t first = p * kPageRows;
    const auto unused = static_cast<std::uint32_t>(kPageRows - std::min(kPageRows, rows - first));
    pages_[p] = {allocated_.data() + first * stride_, kWholePage >> unused, kWholePage >> unused};
  }
}

void FactorTable::Renumber(std::span<const std::uint32_t> ordinals, std::size_t rows) {
  RECO_CHECK(ordinals.size() == rows_ && room_rows_ == rows_);
  pages_.assign(PagesFor(rows), Page());
  pages_.shrink_to_fit();
  own_ = std::vector<Memory>(pages_.size());
  // Those of a page follow each other before and after.
  for (std::size_t k = 0; k < ordinals.size(); ++k) {
    Page& page = pages_[ordinals[k] / kPageRows];
    if (page.room == 0) {
      page.memory = allocated_.data() + k * stride_;
    }
    page.room |= BitOf(ordinals[k]);
    page.used = page.room;
  }
  rows_ = rows;
  numbered_ = true;
}

// Puts the vectors of a page where there is room for these rows.
void FactorTable::GiveRoom(std::size_t p, std::uint32_t room) {
  Memory memory;
  if (room != 0) {
    memory = MakeRows(CountOf(room));
  }
  Page& page = pages_[p];
  const Page moved = {memory.get(), room, page.used & room};
  for (std::size_t i = 0; i < kPageRows; ++i) {
    if ((moved.used & BitOf(i)) != 0) {
      std::copy_n(At(page, i), stride_, At(moved, i));
    }
  }
  // What lies in the allocated piece goes with that.
  room_rows_ += CountOf(room) - (own_[p] != nullptr ? CountOf(page.room) : 0);
  page = moved;
  own_[p] = std::move(memory);
}

void FactorTable::Take(std::size_t i) {
  RECO_CHECK(i < rows_);
  const std::size_t p = i / kPageRows;
  if (p >= pages_.size()) {
    pages_.resize(PagesFor(rows_));
    own_.resize(pages_.size());
  }
  if ((pages_[p].room & BitOf(i)) == 0) {
    GiveRoom(p, kWholePage);
  }
  pages_[p].used |= BitOf(i);
}

void FactorTable::Release(std::size_t i) {
  if (!has_vector(i)) {
    return;
  }
  const std::size_t p = i / kPageRows;
  Page& page = pages_[p];
  std::fill_n(At(page, i), stride_, 0.0F);
  page.used &= ~BitOf(i);
  if (page.used == 0 && own_[p] != nullptr) {
    GiveRoom(p, 0);
  }
}

void FactorTable::Compact() {
  for (std::size_t p = 0; p < pages_.size(); ++p) {
    if (own_[p] != nullptr && pages_[p].room != pages_[p].used) {
      GiveRoom(p, pages_[p].used);
    }
  }
}

}  // namespace reco::model
