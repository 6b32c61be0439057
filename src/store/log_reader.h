// Reads the files that RocksDB writes record by record, its write-ahead logs and its manifests:
// blocks of 32 KiB, in them fragments of a record, each with a checksum (doc/format.md). Goes on
// behind a damage, as RocksDB does not, so that what a crash leaves can be told from what one
// cannot leave.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "reco/result.h"

namespace rocksdb {
class Env;
class SequentialFile;
}  // namespace rocksdb

namespace reco::store {

struct LogRecord {
  std::string_view bytes;  // valid until the next call
  std::uint64_t begin = 0;
  std::uint64_t end = 0;  // offsets in the file
  bool behind_damage = false;
};

// Confined.
class LogReader {
 public:
  // kNotFound, kIoError.
  static Result<LogReader> Open(rocksdb::Env& env, const std::string& path);
  LogReader(LogReader&&) noexcept;
  LogReader& operator=(LogReader&&) noexcept;
  ~LogReader();

  // Moves to the next whole record; nullopt at the end. kIoError when the file cannot be read.
  Result<std::optional<LogRecord>> Next();

  // Where the last record in front of all damage ends: RocksDB reads up to there.
  std::uint64_t whole_bytes() const { return whole_bytes_; }
  // Of the first damage so far, in words, with its place; empty: none. A last record that was not
  // written to its end is one too.
  const std::string& damage() const { return damage_; }
  // Of the first damage: the file ends within the record, as where its writer was killed, or has
  // only zeros from there on, as power loss leaves it.
  bool cut_off() const { return cut_off_; }

 private:
  explicit LogReader(std::unique_ptr<rocksdb::SequentialFile> file);

  enum class Piece : std::uint8_t { kFull = 1, kFirst = 2, kMiddle = 3, kLast = 4 };
  struct Fragment {
    Piece piece;
    std::string_view bytes;
    std::uint64_t begin;
    std::uint64_t end;
  };

  Status ReadBlock();
  // Moves to the next whole fragment.
  Result<std::optional<Fragment>> NextFragment();
  // The fragment at the position, if there is a whole one; otherwise says why not.
  std::optional<Fragment> FragmentHere(std::string_view* why) const;
  void PassOverDamage();
  void EndZeros(std::string_view what);
  // Notes the first one.
  void Damage(std::uint64_t at, std::string_view what);

  std::unique_ptr<rocksdb::SequentialFile> file_;
  std::string block_;  // of the file from block_begin_ on
  std::uint64_t block_begin_ = 0;
  std::size_t position_ = 0;  // in the block
  bool last_block_ = false;
  std::optional<std::uint64_t> zeros_at_;      // where the record begins that is zeros so far
  std::string record_;                         // of several fragments
  std::optional<std::uint64_t> record_begin_;  // of the record whose fragments are being read
  std::uint64_t whole_bytes_ = 0;
  std::string damage_;
  bool cut_off_ = false;
};

}  // namespace reco::store
