// ReadAhead: what the events of a call need of the disk, read while others use the collection.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "reco/status.h"
#include "reco/types.h"

#include "engine/rows/row_table.h"
#include "format/records.h"
#include "store/store.h"

namespace reco::engine {

// CollectionState::PrepareAll names what is missing in memory; Read fetches that without the
// collection's lock; the next PrepareAll takes it in. In between others may write, and a checkpoint
// may go by: what changed since the reading is laid over it, as over the disk itself, as long as it
// is in memory for certain, which is until another checkpoint is durable (I7). Then all is void.
// Confined.
struct ReadAhead {
  struct StoredPair {
    std::uint32_t user = 0;
    std::uint32_t item = 0;
    std::optional<format::Pair> pair;  // as stored, once it was read

    std::uint64_t key() const { return std::uint64_t{user} << 32U | item; }
  };
  // What is read at once takes 3 MiB at most; more than one round is needed for more.
  static constexpr std::size_t kPairsMax = 65'536;

  Status Read(const store::Store& store, std::uint32_t cid);

  std::uint32_t durable = 0;                             // when the names were noted
  std::array<std::vector<RowTable::StoredRow>, 2> rows;  // by Side; by owner
  std::vector<StoredPair> pairs;                         // by user and item
};

}  // namespace reco::engine
