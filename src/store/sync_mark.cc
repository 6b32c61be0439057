#include "store/sync_mark.h"

#include <string>

#include <rocksdb/write_batch.h>

#include "base/check.h"
#include "base/coding.h"

namespace reco::store {
namespace {

// As a batch holds a piece of log data: its kind, its length, the bytes.
constexpr std::string_view kMarkBegin = "\x03\x0cmark";
constexpr std::size_t kKindAndLength = 2;
constexpr std::size_t kMarkBytes = kMarkBegin.size() + sizeof(std::uint64_t);
constexpr std::size_t kCountAt = 8;

}  // namespace

void AppendSyncMark(rocksdb::WriteBatch& batch, std::uint64_t synced) {
  std::string mark(kMarkBegin.substr(kKindAndLength));
  AppendLittleEndian(&mark, synced);
  RECO_CHECK(batch.PutLogData(mark).ok());
}

std::optional<BatchHeader> ReadBatchHeader(std::string_view bytes) {
  if (bytes.size() < kCountAt + sizeof(std::uint32_t)) {
    return std::nullopt;
  }
  return BatchHeader{.sequence = ReadLittleEndian<std::uint64_t>(bytes, 0),
                     .count = ReadLittleEndian<std::uint32_t>(bytes, kCountAt)};
}

std::uint64_t ReadSyncMark(std::string_view bytes) {
  if (bytes.size() < kMarkBytes) {
    return 0;
  }
  const std::string_view mark = bytes.substr(bytes.size() - kMarkBytes);
  return mark.starts_with(kMarkBegin) ? ReadLittleEndian<std::uint64_t>(mark, kMarkBegin.size())
                                      : 0;
}

}  // namespace reco::store
