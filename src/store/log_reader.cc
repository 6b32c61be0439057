#include "store/log_reader.h"

#include <algorithm>
#include <utility>

#include <rocksdb/env.h>

#include "base/coding.h"
#include "base/crc32c.h"
#include "store/rocksdb_status.h"

namespace reco::store {
namespace {

constexpr std::size_t kBlockBytes = 32U << 10U;
// Checksum u32, length u16, piece u8.
constexpr std::size_t kHeaderBytes = 7;
constexpr std::size_t kLengthAt = 4;
constexpr std::size_t kPieceAt = 6;
constexpr std::string_view kCutOff = "the record is cut off";
constexpr std::string_view kOnlyZeros = "there are only zeros";
constexpr std::string_view kNoRecord = "there is no record";

// RocksDB stores no checksum as it is, since bytes with their checksums are checksummed again.
std::uint32_t Masked(std::uint32_t crc) {
  return ((crc >> 15U) | (crc << 17U)) + 0xa282ead8U;
}

}  // namespace

LogReader::LogReader(std::unique_ptr<rocksdb::SequentialFile> file) : file_(std::move(file)) {}
LogReader::LogReader(LogReader&&) noexcept = default;
LogReader& LogReader::operator=(LogReader&&) noexcept = default;
LogReader::~LogReader() = default;

Result<LogReader> LogReader::Open(rocksdb::Env& env, const std::string& path) {
  std::unique_ptr<rocksdb::SequentialFile> file;
  RECO_RETURN_IF_ERROR(
      ToStatus(env.NewSequentialFile(path, &file, rocksdb::EnvOptions()), "open " + path));
  return LogReader(std::move(file));
}

void LogReader::Damage(std::uint64_t at, std::string_view what) {
  if (damage_.empty()) {
    cut_off_ = what == kCutOff || what == kOnlyZeros;
    damage_.append(what).append(" at byte ").append(std::to_string(at));
  }
}

Status LogReader::ReadBlock() {
  block_begin_ += block_.size();
  position_ = 0;
  block_.resize(kBlockBytes);
  std::size_t filled = 0;
  while (filled < kBlockBytes) {
    rocksdb::Slice read;
    RECO_RETURN_IF_ERROR(
        ToStatus(file_->Read(kBlockBytes - filled, &read, block_.data() + filled), "read"));
    if (read.empty()) {
      break;
    }
    // An Env may answer bytes of its own.
    if (read.data() != block_.data() + filled) {
      std::copy(read.data(), read.data() + read.size(), block_.data() + filled);
    }
    filled += read.size();
  }
  block_.resize(filled);
  last_block_ = filled < kBlockBytes;
  return {};
}

std::optional<LogReader::Fragment> LogReader::FragmentHere(std::string_view* why) const {
  const std::string_view rest = std::string_view(block_).substr(position_);
  if (rest.size() < kHeaderBytes) {
    *why = kCutOff;
    return std::nullopt;
  }
  const auto length = ReadLittleEndian<std::uint16_t>(rest, kLengthAt);
  const auto piece = static_cast<std::uint8_t>(rest[kPieceAt]);
  if (piece < static_cast<std::uint8_t>(Piece::kFull) ||
      piece > static_cast<std::uint8_t>(Piece::kLast)) {
    *why = kNoRecord;
    return std::nullopt;
  }
  if (kHeaderBytes + length > rest.size()) {
    *why = last_block_ ? kCutOff : "the record is longer than its block";
    return std::nullopt;
  }
  const std::string_view bytes = rest.substr(kHeaderBytes, length);
  if (Masked(Crc32c(rest.substr(kPieceAt, 1 + std::size_t{length}))) !=
      ReadLittleEndian<std::uint32_t>(rest, 0)) {
    *why = "the record differs from its checksum";
    return std::nullopt;
  }
  const std::uint64_t begin = block_begin_ + position_;
  return Fragment{static_cast<Piece>(piece), bytes, begin, begin + kHeaderBytes + length};
}

// Moves to where a fragment may begin next: whether the length or something else is damaged cannot
// be told, so anywhere. 2 ^ -32 of what is none passes for one.
void LogReader::PassOverDamage() {
  const std::size_t next = block_.find_first_not_of('\0', position_ + 1 + kPieceAt);
  position_ = next == std::string::npos ? block_.size() : next - kPieceAt;
}

// What the zeros passed over were is told by what stands behind them.
void LogReader::EndZeros(std::string_view what) {
  if (zeros_at_) {
    Damage(*std::exchange(zeros_at_, std::nullopt), what);
  }
}

Result<std::optional<LogReader::Fragment>> LogReader::NextFragment() {
  while (true) {
    // What is left of a whole block and holds no header is padding.
    const bool at_end = position_ >= block_.size();
    if (at_end || (!last_block_ && block_.size() - position_ < kHeaderBytes)) {
      if (last_block_) {
        EndZeros(kOnlyZeros);
        return std::optional<Fragment>();
      }
      RECO_RETURN_IF_ERROR(ReadBlock());
      continue;
    }
    if (block_.find_first_not_of('\0', position_) == std::string::npos) {
      zeros_at_ = zeros_at_.value_or(record_begin_.value_or(block_begin_ + position_));
      record_begin_.reset();
      position_ = block_.size();
      continue;
    }
    EndZeros(kNoRecord);
    std::string_view why;
    if (std::optional<Fragment> fragment = FragmentHere(&why)) {
      position_ += kHeaderBytes + fragment->bytes.size();
      return fragment;
    }
    Damage(record_begin_.value_or(block_begin_ + position_), why);
    record_begin_.reset();
    PassOverDamage();
  }
}

Result<std::optional<LogRecord>> LogReader::Next() {
  while (true) {
    RECO_ASSIGN_OR_RETURN(const std::optional<Fragment> fragment, NextFragment());
    if (!fragment) {
      if (record_begin_) {
        Damage(*record_begin_, kCutOff);
      }
      return std::optional<LogRecord>();
    }
    const bool begins = fragment->piece == Piece::kFull || fragment->piece == Piece::kFirst;
    if (begins == record_begin_.has_value()) {
      Damage(record_begin_.value_or(fragment->begin),
             begins ? "the record has no end" : "the record has no beginning");
    }
    if (begins) {
      record_begin_ = fragment->begin;
      record_.clear();
    } else if (!record_begin_) {
      continue;
    }
    const bool ends = fragment->piece == Piece::kFull || fragment->piece == Piece::kLast;
    std::string_view bytes = fragment->bytes;
    if (fragment->piece != Piece::kFull) {
      record_.append(bytes);
      bytes = record_;
    }
    if (ends) {
      if (damage_.empty()) {
        whole_bytes_ = fragment->end;
      }
      return std::optional(LogRecord{.bytes = bytes,
                                     .begin = *std::exchange(record_begin_, std::nullopt),
                                     .end = fragment->end,
                                     .behind_damage = !damage_.empty()});
    }
  }
}

}  // namespace reco::store
