#include "engine/neighbours/ridge_rows.h"

#include <algorithm>
#include <utility>

namespace reco::engine {
namespace {

// Returns where the item is, or would be.
template <typename Weights>
auto PlaceOf(Weights& weights, std::uint32_t item) {
  return std::lower_bound(weights.begin(), weights.end(), item,
                          [](const ItemWeight& a, std::uint32_t b) { return a.item < b; });
}

template <typename Weights>
bool Holds(Weights& weights, std::uint32_t item) {
  const auto place = PlaceOf(weights, item);
  return place != weights.end() && place->item == item;
}

}  // namespace

void RidgeRows::Replace(std::uint32_t item, std::span<const ItemWeight> row) {
  Weights old;
  if (Weights* found = rows_.Find(item)) {
    old = std::move(*found);
    --count_;
    weights_ -= old.size();
  }
  for (const ItemWeight& was : old) {
    if (!Holds(row, was.item)) {
      Unset(was.item, item);
    }
  }
  for (const ItemWeight& is : row) {
    Set(is.item, {item, is.weight});
  }
  if (row.empty()) {
    rows_.Erase(item);
    return;
  }
  rows_.Make(item) = Weights(row.begin(), row.end());
  ++count_;
  weights_ += row.size();
}

void RidgeRows::Erase(std::uint32_t item) {
  Replace(item, {});
  const Weights with = with_[item];
  for (const ItemWeight& other : with) {
    Weights& row = *rows_.Find(other.item);
    row.erase(PlaceOf(row, item));
    --weights_;
    if (row.empty()) {
      rows_.Erase(other.item);
      --count_;
    }
  }
  with_.Erase(item);
}

float RidgeRows::WeightOf(std::uint32_t item, std::uint32_t neighbour) const {
  const Weights& row = rows_[item];
  const auto place = PlaceOf(row, neighbour);
  return place != row.end() && place->item == neighbour ? place->weight : 0;
}

void RidgeRows::Set(std::uint32_t neighbour, ItemWeight weight) {
  Weights& with = with_.Make(neighbour);
  const auto place = PlaceOf(with, weight.item);
  if (place != with.end() && place->item == weight.item) {
    *place = weight;
  } else {
    with.insert(place, weight);
  }
}

void RidgeRows::Unset(std::uint32_t neighbour, std::uint32_t item) {
  Weights& with = *with_.Find(neighbour);
  with.erase(PlaceOf(with, item));
  if (with.empty()) {
    with_.Erase(neighbour);
  } else if (with.size() < with.capacity() / 3) {
    with.shrink_to_fit();
  }
}

}  // namespace reco::engine
