// One field of all records, by ordinal: a tag and eight bytes a row.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "filter/attribute_reader.h"
#include "filter/dictionary.h"
#include "filter/value.h"

namespace reco::filter {

// Thread-compatible. Values of different types may stand in different rows.
class Column {
 public:
  // Rows 0 to rows - 1 exist; new ones are missing. Never shrinks.
  void Grow(std::size_t rows);
  // `row` must exist. What filters cannot use makes it missing.
  void Set(std::uint32_t row, const AttributeValue& value);
  void Clear(std::uint32_t row);

  std::size_t rows() const { return tags_.size(); }
  const Tag* tags() const { return tags_.data(); }
  // Of a row tagged kNumber the bits of the double, of kString the id, of kArray its elements.
  const std::uint64_t* payloads() const { return payloads_.data(); }
  const Dictionary& dictionary() const { return dictionary_; }
  std::size_t memory_bytes() const;

  // kMissing for a row that does not exist.
  Tag tag(std::uint32_t row) const { return row < tags_.size() ? tags_[row] : Tag::kMissing; }

  // Of a row that exists. A missing one is null.
  Value At(std::size_t row) const {
    const std::uint64_t payload = payloads_[row];
    switch (tags_[row]) {
      case Tag::kNumber:
        return Value::Number(std::bit_cast<double>(payload));
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

  void SetArray(std::uint32_t row, const AttributeValue& value);
  Element Store(const AttributeScalar& scalar);
  void DropUnused();
  void RenewElements();
  void RenewDictionary();

  std::vector<Tag> tags_;
  std::vector<std::uint64_t> payloads_;
  std::vector<Element> elements_;  // of the arrays of all rows
  std::size_t unused_elements_ = 0;
  Dictionary dictionary_;
};

}  // namespace reco::filter
