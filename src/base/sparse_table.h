// SparseTable: values by a dense number of which many may be unused, such as what is kept of users
// of whom half were deleted.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

namespace reco {

// A page stands for 32 numbers and has one array of those values that exist, in order, as in
// Google's sparsetable: a mask says which, the ones below its bit say where. So a number without a
// value costs half a byte, and an array grows and shrinks by four values, which moves at most a
// page. Numbers are best given out from 0 in order.
//
// T: default-constructible and movable. Thread-compatible.
template <typename T>
class SparseTable {
 public:
  // Returns null when the number has no value. Valid until a number of the same page gets or loses
  // one.
  const T* Find(std::uint32_t number) const {
    const std::size_t p = number / kPageNumbers;
    return p < pages_.size() && (pages_[p].mask & BitOf(number)) != 0
               ? &pages_[p].values[PlaceOf(pages_[p], number)]
               : nullptr;
  }
  T* Find(std::uint32_t number) { return const_cast<T*>(std::as_const(*this).Find(number)); }

  // The value; a default one when there is none.
  const T& operator[](std::uint32_t number) const {
    static const T kNone{};
    const T* found = Find(number);
    return found != nullptr ? *found : kNone;
  }

  // Returns the value, after making a default one when there is none.
  T& Make(std::uint32_t number) {
    if (T* found = Find(number)) {
      return *found;
    }
    if (number / kPageNumbers >= pages_.size()) {
      pages_.resize(number / kPageNumbers + 1);
    }
    Page& page = pages_[number / kPageNumbers];
    const std::size_t count = CountOf(page);
    const std::size_t place = PlaceOf(page, number);
    SetRoom(page, count + 1);
    T* values = page.values.get();
    std::move_backward(values + place, values + count, values + count + 1);
    values[place] = T{};
    page.mask |= BitOf(number);
    return values[place];
  }

  // Takes the value away, if there is one.
  void Erase(std::uint32_t number) {
    if (Find(number) == nullptr) {
      return;
    }
    Page& page = pages_[number / kPageNumbers];
    const std::size_t count = CountOf(page);
    const std::size_t place = PlaceOf(page, number);
    T* values = page.values.get();
    std::move(values + place + 1, values + count, values + place);
    values[count - 1] = T{};
    page.mask &= ~BitOf(number);
    SetRoom(page, count - 1);
  }

  void Clear() {
    pages_ = std::vector<Page>();
    room_ = 0;
  }

  // All numbers with a value are below.
  std::uint32_t end() const { return static_cast<std::uint32_t>(pages_.size()) * kPageNumbers; }

  // Calls visit(number, value) for those in [begin, end) that have a value, ascending.
  template <typename Visit>
  void ForEach(std::uint32_t begin, std::uint32_t end, Visit&& visit) const {
    ForEachOf(*this, begin, end, visit);
  }
  template <typename Visit>
  void ForEach(std::uint32_t begin, std::uint32_t end, Visit&& visit) {
    ForEachOf(*this, begin, end, visit);
  }

  // Ask the processor for what Find will look at, in this order; hints.
  void PrefetchPage(std::uint32_t number) const {
    if (number / kPageNumbers < pages_.size()) {
      __builtin_prefetch(&pages_[number / kPageNumbers]);
    }
  }
  void PrefetchValue(std::uint32_t number) const {
    if (const T* found = Find(number)) {
      __builtin_prefetch(found);
    }
  }

  // What the values themselves refer to is not in it.
  std::size_t memory_bytes() const { return pages_.capacity() * sizeof(Page) + room_ * sizeof(T); }

 private:
  static constexpr std::uint32_t kPageNumbers = 32;

  struct Page {
    std::unique_ptr<T[]> values;
    std::uint32_t mask = 0;
    std::uint32_t room = 0;  // of the array: RoomFor(ones of the mask)
  };

  static constexpr std::uint32_t BitOf(std::uint32_t number) {
    return 1U << (number % kPageNumbers);
  }
  static std::size_t PlaceOf(const Page& page, std::uint32_t number) {
    return static_cast<std::size_t>(std::popcount(page.mask & (BitOf(number) - 1)));
  }
  static std::size_t CountOf(const Page& page) {
    return static_cast<std::size_t>(std::popcount(page.mask));
  }
  static constexpr std::size_t RoomFor(std::size_t count) { return (count + 3) / 4 * 4; }

  // Makes the array the one for `count` values; those behind are gone.
  void SetRoom(Page& page, std::size_t count) {
    const std::size_t room = RoomFor(count);
    if (room == page.room) {
      return;
    }
    std::unique_ptr<T[]> values = room > 0 ? std::make_unique<T[]>(room) : nullptr;
    T* old = page.values.get();
    std::move(old, old + std::min<std::size_t>(count, page.room), values.get());
    page.values = std::move(values);
    room_ += room - page.room;
    page.room = static_cast<std::uint32_t>(room);
  }

  template <typename Table, typename Visit>
  static void ForEachOf(Table& table, std::uint32_t begin, std::uint32_t end, Visit& visit) {
    const std::size_t pages = std::min<std::size_t>(
        table.pages_.size(), (std::size_t{end} + kPageNumbers - 1) / kPageNumbers);
    for (std::size_t p = begin / kPageNumbers; p < pages; ++p) {
      auto* value = table.pages_[p].values.get();
      for (std::uint32_t mask = table.pages_[p].mask; mask != 0; mask &= mask - 1, ++value) {
        const auto number = static_cast<std::uint32_t>(p * kPageNumbers) +
                            static_cast<std::uint32_t>(std::countr_zero(mask));
        if (number >= begin && number < end) {
          visit(number, *value);
        }
      }
    }
  }

  std::vector<Page> pages_;
  std::size_t room_ = 0;  // values of all arrays
};

}  // namespace reco
