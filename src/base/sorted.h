// Sorted vectors as sets.
#pragma once

#include <algorithm>
#include <span>
#include <vector>

namespace reco {

// Sorts `values` and drops repeats.
template <typename T>
void SortUnique(std::vector<T>* values) {
  std::sort(values->begin(), values->end());
  values->erase(std::unique(values->begin(), values->end()), values->end());
}

// Returns `values`, sorted and without repeats.
template <typename T>
std::vector<T> Distinct(std::vector<T> values) {
  SortUnique(&values);
  return values;
}

template <typename T>
bool Contains(std::span<const T> sorted, const T& value) {
  return std::binary_search(sorted.begin(), sorted.end(), value);
}

template <typename T>
bool Contains(const std::vector<T>& sorted, const T& value) {
  return std::binary_search(sorted.begin(), sorted.end(), value);
}

}  // namespace reco
