// FrozenRows: what a checkpoint writes, copied under the collection's lock. The protocol, told
// once:
//
//   generation g is the checkpoint that will write what changes now. A changed entity keeps g
//   (Entity::dirty_generation) and stands in SideState::dirty; a changed pair marks its two rows
//   with g (Row::newest_dirty), which pins them in memory (I7).
//   BeginFreeze() names all of g and begins g + 1: what changes from here on is another
//   checkpoint's. CopyFrozen() copies what was named a few rows at a time, between other commands;
//   a write that comes first keeps what it is about to change (BeforeImages), so the copy is that
//   of one moment. EndFreeze() lets that go. The copy is written without the lock. SetDurable(g)
//   then says that marks up to g are on disk; rows may be evicted, and notice it when they change
//   again.
//
// All of these are CollectionState's. When the write fails, the folder is opened again and the
// whole state loaded anew, so no mark is ever lost.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <unordered_map>
#include <vector>

#include "reco/types.h"

#include "format/records.h"

namespace reco::engine {

struct FrozenRows {
  struct FrozenEntity {
    Side side;
    std::uint32_t ordinal;
    bool live;  // false: deleted, the rows go
    format::EntityRecord record;
  };
  struct FrozenPair {
    std::uint32_t user;
    std::uint32_t item;
    std::optional<format::Pair> pair;  // nullopt: removed
  };
  std::uint32_t generation = 0;
  std::uint32_t dim = 0;
  std::uint32_t first_model = 0;  // the oldest that has item vectors
  format::CheckpointRecord checkpoint;
  std::vector<FrozenEntity> entities;
  std::vector<float> vectors;  // dim floats for each of `entities`; empty without a model
  std::vector<FrozenPair> pairs;

  // What there is to copy, in this order, and how much of it is.
  std::array<std::vector<std::uint32_t>, 2> changed;  // entities, by Side
  std::vector<std::uint64_t> changed_pairs;           // user << 32 | item
  std::size_t copied = 0;
  std::array<std::vector<std::uint32_t>, 2> erased;  // of `entities` those that are not live

  std::size_t size() const { return changed[0].size() + changed[1].size() + changed_pairs.size(); }
};

// What has changed since BeginFreeze(), as it was then.
struct BeforeImages {
  struct Entity {
    FrozenRows::FrozenEntity entity;
    std::vector<float> vector;
  };
  std::array<std::unordered_map<std::uint32_t, Entity>, 2> entities;  // by Side and ordinal
  std::unordered_map<std::uint64_t, std::optional<format::Pair>> pairs;
};

}  // namespace reco::engine
