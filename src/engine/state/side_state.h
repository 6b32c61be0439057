// SideState: all that is held of the users, or of the items, of a collection, by ordinal.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <vector>

#include "base/sparse_table.h"
#include "engine/rows/row_table.h"
#include "engine/rows/storage.h"
#include "engine/state/attribute_table.h"
#include "engine/state/dictionary.h"
#include "filter/attribute_columns.h"
#include "format/event.h"
#include "format/records.h"
#include "model/factor_table.h"
#include "model/fold_in.h"

namespace reco::engine {

// The numbers kept of every user and item.
struct Entity {
  std::uint32_t pairs = 0;             // stored pairs
  std::uint32_t dirty_generation = 0;  // the checkpoint that will write it; older: clean
  std::uint64_t events = 0;            // interactions in the stored pairs
  std::uint64_t last_seq = 0;          // newest event that touched it
  double weight = 0;                   // sum of the pairs' weights
  std::int64_t first_ms = 0;           // of its events, by event time as it is read (D50)
  std::int64_t last_ms = 0;
  // Sum of the pairs' squared weights: within 1e-12 of the largest that it ever was, exact while
  // the squares and their sum fit a float64's 53 bits.
  double squares = 0;
  // The earliest event about it; kNotKnown before any.
  std::int64_t known_ms = kNotKnown;

  static constexpr std::int64_t kNotKnown = -1;
};

// Users or items of a collection; all tables are indexed by ordinal. Of what was deleted nothing is
// left in them but the half byte of a sparse table, once a checkpoint has written the deletion.
struct SideState {
  SideState(CollectionContext& context, std::uint32_t cid, Side which, std::uint32_t dim)
      : ids(),
        entities(),
        liked(),
        factors(std::make_unique<model::FactorTable>(dim)),
        gram(0),
        rows(context, cid, which) {}

  // Fetches from memory what Apply will look at of an owner(event), for all events at once; a hint.
  template <typename Owner>
  void Prefetch(std::span<const format::Event> events, Owner&& owner) const {
    for (const format::Event& event : events) {
      rows.PrefetchPage(owner(event));
      entities.PrefetchPage(owner(event));
    }
    for (const format::Event& event : events) {
      rows.PrefetchSlot(owner(event));
      entities.PrefetchValue(owner(event));
    }
    for (const format::Event& event : events) {
      rows.PrefetchRow(owner(event));
    }
  }

  Dictionary ids;
  SparseTable<Entity> entities;
  SparseTable<format::Liked> liked;  // of items: what popularity counts
  AttributeTable attributes;
  // The columns of what filters have asked for; thread-safe for readers.
  mutable filter::AttributeColumns columns;
  std::unique_ptr<model::FactorTable> factors;
  model::Gram gram;  // of `factors`; of no dimensions before the first model
  RowTable rows;
  std::vector<std::uint32_t> dirty;  // entities of the current generation
  // Deleted, to be forgotten when that is on disk; none of the lists is empty.
  std::deque<std::vector<std::uint32_t>> erased;
  std::vector<std::uint32_t> touched;  // entities changed since a training took its data
  std::vector<std::uint32_t> pending;  // rows that the background is to solve, with repeats
  std::uint64_t rows_building = 0;     // and those being built
  std::size_t pending_taken = 0;       // of `pending`, by upkeep, which has not come to them yet
  std::uint32_t old_sums_next = 0;     // where CollectionState::DropOldSums goes on
};

}  // namespace reco::engine
