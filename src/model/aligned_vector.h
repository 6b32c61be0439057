// AlignedVector: a std::vector whose storage starts on a cache line, for the numeric kernels. Long
// ones lie in huge pages where the system grants them, since rows are gathered from them.
#pragma once

#include <cstddef>
#include <new>
#include <vector>

#include <sys/mman.h>

namespace reco::model {

inline constexpr std::size_t kCacheLine = 64;
inline constexpr std::size_t kHugePage = std::size_t{2} << 20U;

template <typename T>
struct AlignedAllocator {
  using value_type = T;  // NOLINT(readability-identifier-naming): named by the standard

  AlignedAllocator() = default;
  template <typename U>
  AlignedAllocator(const AlignedAllocator<U>& /*other*/) {}  // NOLINT(google-explicit-constructor)

  // NOLINTNEXTLINE(readability-identifier-naming): named by the standard
  T* allocate(std::size_t count) {
    void* memory = ::operator new(count * sizeof(T), AlignmentOf(count));
    if (count * sizeof(T) >= kHugePage) {
      // Advice only: without it rows are found more slowly.
      static_cast<void>(madvise(memory, count * sizeof(T), MADV_HUGEPAGE));
    }
    return static_cast<T*>(memory);
  }
  // NOLINTNEXTLINE(readability-identifier-naming): named by the standard
  void deallocate(T* memory, std::size_t count) { ::operator delete(memory, AlignmentOf(count)); }
  friend bool operator==(const AlignedAllocator& /*a*/, const AlignedAllocator& /*b*/) {
    return true;
  }

 private:
  static std::align_val_t AlignmentOf(std::size_t count) {
    return std::align_val_t{count * sizeof(T) >= kHugePage ? kHugePage : kCacheLine};
  }
};

template <typename T>
using AlignedVector = std::vector<T, AlignedAllocator<T>>;

}  // namespace reco::model
