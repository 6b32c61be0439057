// A mark at the end of each batch in the log: up to which write the log was synced when the batch
// was made. A later batch that is whole so tells of an earlier one that is damaged whether a power
// loss could have left it so, without a write or a sync of its own (D49).
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace rocksdb {
class WriteBatch;
}

namespace reco::store {

// Part of the file format. See doc/format.md.
void AppendSyncMark(rocksdb::WriteBatch& batch, std::uint64_t synced);

// What the bytes of a batch begin with.
struct BatchHeader {
  std::uint64_t sequence = 0;  // RocksDB's number of its first change
  std::uint32_t count = 0;     // of changes

  // The number of its last change. One of no changes, as RocksDB begins a log with behind one whose
  // end is torn, has the number of the change to come.
  std::uint64_t last() const {
    const std::uint64_t end = sequence + count;
    return end > 0 ? end - 1 : 0;
  }
};
// Returns nullopt when the bytes are no batch.
std::optional<BatchHeader> ReadBatchHeader(std::string_view bytes);

// Returns what the mark at the end of a batch says; 0 where there is none, as in logs of programs
// before 0.3.
std::uint64_t ReadSyncMark(std::string_view bytes);

}  // namespace reco::store
