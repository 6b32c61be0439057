// AlignedVector: a std::vector whose storage starts on a cache line, for the numeric kernels.
#pragma once

#include <cstddef>
#include <new>
#include <vector>

namespace reco::model {

inline constexpr std::size_t kCacheLine = 64;

template <typename T>
struct AlignedAllocator {
  using value_type = T;  // NOLINT(readability-identifier-naming): named by the standard

  AlignedAllocator() = default;
  template <typename U>
  AlignedAllocator(const AlignedAllocator<U>& /*other*/) {}  // NOLINT(google-explicit-constructor)

  // NOLINTNEXTLINE(readability-identifier-naming): named by the standard
  T* allocate(std::size_t count) {
    return static_cast<T*>(::operator new (count * sizeof(T), std::align_val_t{kCacheLine}));
  }
  // NOLINTNEXTLINE(readability-identifier-naming): named by the standard
  void deallocate(T* memory, std::size_t /*count*/) {
    ::operator delete (memory, std::align_val_t{kCacheLine});
  }
  friend bool operator==(const AlignedAllocator& /*a*/, const AlignedAllocator& /*b*/) {
    return true;
  }
};

template <typename T>
using AlignedVector = std::vector<T, AlignedAllocator<T>>;

}  // namespace reco::model
