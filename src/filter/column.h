// One field of all records, by ordinal: a tag and eight bytes a row, where there are values.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "filter/attribute_reader.h"
#include "filter/dictionary.h"
#include "filter/value.h"

namespace reco::filter {

// Thread-compatible. Values of different types may stand in different rows. Rows lie in chunks, and
// a chunk exists while one of its rows has a value.
class Column {
 public:
  static constexpr std::size_t kChunkRows = 256;

  struct Chunk {
    std::array<Tag, kChunkRows> tags{};
    // Of a row tagged kNumber the bits of the double, of kInteger those of the integer, of kString
    // the id, of kArray its elements.
    std::array<std::uint64_t, kChunkRows> payloads{};
    std::uint32_t values = 0;  // rows that are not missing
  };

  // Sets the value of a row; one that filters cannot use makes the row missing.
  void Set(std::uint32_t row, const AttributeValue& value);
  void Clear(std::uint32_t row);

  // Returns the chunk of rows `at` * kChunkRows on; null when all of them are missing.
  const Chunk* chunk(std::size_t at) const {
    return at < chunks_.size() ? chunks_[at].get() : nullptr;
  }
  const Dictionary& dictionary() const { return dictionary_; }
  std::size_t memory_bytes() const;

  // Returns the tag of any row.
  Tag tag(std::size_t row) const {
    const Chunk* found = chunk(row / kChunkRows);
    return found != nullptr ? found->tags[row % kChunkRows] : Tag::kMissing;
  }

  // Returns the value of any row. A missing one is null.
  Value At(std::size_t row) const {
    const Chunk* found = chunk(row / kChunkRows);
    return found != nullptr ? At(*found, row % kChunkRows) : Value::Null();
  }
  Value At(const Chunk& chunk, std::size_t row) const {
    const std::uint64_t payload = chunk.payloads[row];
    switch (chunk.tags[row]) {
      case Tag::kNumber:
        return Value::Number(std::bit_cast<double>(payload));
      case Tag::kInteger:
        return Value::Integer(static_cast<std::int64_t>(payload));
      case Tag::kString:
        return Value::String(dictionary_.entry(static_cast<std::uint32_t>(payload)));
      case Tag::kArray:
        return {Tag::kArray,
                Count(payload),
                0,
                {.elements = elements_.data() + First(payload)},
                &dictionary_};
      default:
        return Value::Null();
    }
  }

 private:
  // The payload of an array: where its elements begin, and how many.
  static constexpr int kCountBits = 20;
  static std::uint32_t Count(std::uint64_t payload) {
    return static_cast<std::uint32_t>(payload & ((std::uint64_t{1} << kCountBits) - 1));
  }
  static std::size_t First(std::uint64_t payload) { return payload >> kCountBits; }

  Chunk& ChunkOf(std::uint32_t row);
  // Counts down what the row's value uses of the dictionary and the elements.
  void Release(const Chunk& chunk, std::size_t row);
  std::uint64_t StoreArray(const AttributeValue& value);
  Element Store(const AttributeScalar& scalar);
  // The rows of the chunks that exist.
  std::size_t rows() const { return chunk_count_ * kChunkRows; }
  void DropUnused();
  void RenewElements();
  void RenewDictionary();

  std::vector<std::unique_ptr<Chunk>> chunks_;
  std::size_t chunk_count_ = 0;    // that are not null
  std::vector<Element> elements_;  // of the arrays of all rows
  std::size_t unused_elements_ = 0;
  Dictionary dictionary_;
};

}  // namespace reco::filter
