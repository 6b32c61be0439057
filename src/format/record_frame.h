// The frame around FlatBuffers in stored values, internal to src/format.
//
//   table   format byte | u32 length of the rest | FlatBuffers table
//   struct  format byte | FlatBuffers struct
//
// The length makes a record that lost or gained bytes at its end recognisable, which FlatBuffers
// alone do not promise. Functions are thread-safe; builders belong to their thread.
#pragma once

#include <cmath>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <flatbuffers/flatbuffers.h>

#include "reco/result.h"

namespace reco::format {

// First byte of every value. Part of the file format. Append only. See doc/format.md.
inline constexpr char kFormatV1 = 1;

// Returns the calling thread's builder, empty. Reused, so that a record costs no allocation but its
// own.
flatbuffers::FlatBufferBuilder& RecordBuilder();

// Ends the record that `builder` holds and replaces *out with format byte, length and table.
template <typename Table>
void FinishRecord(flatbuffers::FlatBufferBuilder& builder, flatbuffers::Offset<Table> root,
                  std::string* out) {
  builder.FinishSizePrefixed(root);
  const char* bytes = reinterpret_cast<const char*>(builder.GetBufferPointer());
  out->clear();
  out->reserve(1 + builder.GetSize());
  out->push_back(kFormatV1);
  out->append(bytes, builder.GetSize());
}

inline flatbuffers::Offset<flatbuffers::Vector<std::uint8_t>> CreateBytes(
    flatbuffers::FlatBufferBuilder& builder, std::string_view bytes) {
  return builder.CreateVector(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
}

// Returns the bytes; "" when the field is absent.
inline std::string_view BytesOf(const flatbuffers::Vector<std::uint8_t>* field) {
  if (field == nullptr) {
    return {};
  }
  return {reinterpret_cast<const char*>(field->data()), field->size()};
}

bool AllFinite(std::span<const double> values);
// Returns kCorruption "<what>: <why>".
Status Damaged(std::string_view what, std::string_view why);
// Returns kFailedPrecondition "<what>: <which> was written by a newer version; ...".
Status Newer(std::string_view what, std::string_view which);
// Returns Ok when `bytes` begins with a format byte that is known.
Status CheckFormatByte(std::string_view bytes, std::string_view what);

// Takes an enumeration's value. `last` is the highest that this version knows: one above it is a
// newer program's, kFailedPrecondition.
template <typename Enum>
Status DecodeChoice(std::uint8_t value, Enum last, Enum* out, std::string_view what) {
  if (value > static_cast<std::uint8_t>(last)) {
    return Newer(what, "choice " + std::to_string(value));
  }
  *out = static_cast<Enum>(value);
  return {};
}

// A verified table. Stored values lie at any address, scalars must not, so the table is read from
// an aligned copy; small records are copied into the object itself.
class RecordReader {
 public:
  RecordReader() = default;
  RecordReader(const RecordReader&) = delete;
  RecordReader& operator=(const RecordReader&) = delete;

  // Verifies and returns the table in `bytes`, valid as long as this object; `what` names the
  // record in errors.
  template <typename Table>
  Result<const Table*> Open(std::string_view bytes, std::string_view what) {
    RECO_RETURN_IF_ERROR(CopyAligned(bytes, what));
    flatbuffers::Verifier verifier(copy_, size_);
    if (!verifier.VerifySizePrefixedBuffer<Table>(nullptr)) {
      return Damaged(what, std::to_string(bytes.size()) + " bytes do not read back");
    }
    return flatbuffers::GetSizePrefixedRoot<Table>(copy_);
  }

  // Returns the bytes in the original of a field of the copy.
  std::string_view Original(std::string_view field) const {
    if (field.data() == nullptr) {
      return {};
    }
    return original_.substr(
        static_cast<std::size_t>(reinterpret_cast<const std::uint8_t*>(field.data()) - copy_),
        field.size());
  }

 private:
  // Copies what follows the format byte to where scalars are aligned.
  Status CopyAligned(std::string_view bytes, std::string_view what);

  static constexpr std::size_t kInlineBytes = 256;
  alignas(8) std::uint8_t inline_[kInlineBytes];
  std::vector<std::uint64_t> heap_;  // its elements are aligned for every scalar
  std::uint8_t* copy_ = inline_;
  std::size_t size_ = 0;
  std::string_view original_;  // behind the format byte
};

// Replaces *out with format byte and struct.
template <typename Struct>
void EncodeStruct(const Struct& value, std::string* out) {
  char bytes[1 + sizeof(Struct)];
  bytes[0] = kFormatV1;
  std::memcpy(bytes + 1, &value, sizeof(value));
  out->assign(bytes, sizeof(bytes));
}

template <typename Struct>
Result<Struct> DecodeStruct(std::string_view bytes, std::string_view what) {
  RECO_RETURN_IF_ERROR(CheckFormatByte(bytes, what));
  if (bytes.size() != 1 + sizeof(Struct)) {
    return Damaged(what, std::to_string(bytes.size()) + " bytes instead of " +
                             std::to_string(1 + sizeof(Struct)));
  }
  Struct value;
  std::memcpy(&value, bytes.data() + 1, sizeof(value));
  return value;
}

}  // namespace reco::format
