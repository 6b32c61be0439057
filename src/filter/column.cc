#include "filter/column.h"

#include <utility>

namespace reco::filter {
namespace {

// Below this, leftovers of replaced values are not worth a pass over the rows.
constexpr std::size_t kUnusedMin = 1024;

// Returns the tag that a usable value is stored under; kMissing for the others.
Tag TagOf(const AttributeScalar& scalar) {
  switch (scalar.type) {
    case AttributeType::kNull:
      return Tag::kNull;
    case AttributeType::kBoolean:
    case AttributeType::kNumber:
      return scalar.integer != 0 ? Tag::kInteger : Tag::kNumber;
    case AttributeType::kString:
      return Tag::kString;
    case AttributeType::kArray:
      return Tag::kArray;
    case AttributeType::kOther:
      break;
  }
  return Tag::kMissing;
}

}  // namespace

Column::Chunk& Column::ChunkOf(std::uint32_t row) {
  const std::size_t at = row / kChunkRows;
  if (at >= chunks_.size()) {
    chunks_.resize(at + 1);
  }
  if (chunks_[at] == nullptr) {
    chunks_[at] = std::make_unique<Chunk>();
    ++chunk_count_;
  }
  return *chunks_[at];
}

void Column::Set(std::uint32_t row, const AttributeValue& value) {
  const Tag tag = TagOf(value.scalar);
  // An array of more is larger than a record that we take.
  if (tag == Tag::kMissing || value.elements.size() >> kCountBits != 0) {
    Clear(row);
    return;
  }
  Chunk& chunk = ChunkOf(row);
  const std::size_t at = row % kChunkRows;
  // The old value first: the same string may come back under the same id.
  Release(chunk, at);
  chunk.values += chunk.tags[at] == Tag::kMissing ? 1 : 0;
  chunk.tags[at] = tag;
  chunk.payloads[at] = 0;
  if (tag == Tag::kNumber) {
    chunk.payloads[at] = std::bit_cast<std::uint64_t>(value.scalar.number);
  } else if (tag == Tag::kInteger) {
    chunk.payloads[at] = static_cast<std::uint64_t>(value.scalar.integer);
  } else if (tag == Tag::kString) {
    chunk.payloads[at] = dictionary_.Intern(value.scalar.text);
  } else if (tag == Tag::kArray) {
    chunk.payloads[at] = StoreArray(value);
  }
  DropUnused();
}

std::uint64_t Column::StoreArray(const AttributeValue& value) {
  const std::size_t first = elements_.size();
  for (const AttributeScalar& scalar : value.elements) {
    elements_.push_back(Store(scalar));
  }
  return (first << kCountBits) | value.elements.size();
}

Element Column::Store(const AttributeScalar& scalar) {
  const Tag tag = TagOf(scalar);
  switch (tag) {
    case Tag::kNumber:
      return {tag, 0, {.number = scalar.number}};
    case Tag::kInteger:
      return {tag, 0, {.integer = scalar.integer}};
    case Tag::kString:
      return {tag, dictionary_.Intern(scalar.text), {}};
    default:
      return {};
  }
}

// The value of the row is no longer used.
void Column::Release(const Chunk& chunk, std::size_t row) {
  const std::uint64_t payload = chunk.payloads[row];
  if (chunk.tags[row] == Tag::kString) {
    dictionary_.Release(static_cast<std::uint32_t>(payload));
  } else if (chunk.tags[row] == Tag::kArray) {
    for (std::size_t i = First(payload); i < First(payload) + Count(payload); ++i) {
      if (elements_[i].tag == Tag::kString) {
        dictionary_.Release(elements_[i].id);
      }
    }
    unused_elements_ += Count(payload);
  }
}

void Column::Clear(std::uint32_t row) {
  const std::size_t at = row / kChunkRows;
  if (tag(row) == Tag::kMissing) {
    return;
  }
  Chunk& chunk = *chunks_[at];
  Release(chunk, row % kChunkRows);
  chunk.tags[row % kChunkRows] = Tag::kMissing;
  chunk.payloads[row % kChunkRows] = 0;
  if (--chunk.values == 0) {
    chunks_[at].reset();
    --chunk_count_;
  }
  DropUnused();
}

// A pass over the rows pays for as many changes as it drops leftovers.
void Column::DropUnused() {
  if (unused_elements_ > kUnusedMin && unused_elements_ > (rows() + elements_.size()) / 2) {
    RenewElements();
  }
  if (dictionary_.unused() > kUnusedMin &&
      dictionary_.unused() > (rows() + dictionary_.size()) / 2) {
    RenewElements();
    RenewDictionary();
  }
}

void Column::RenewElements() {
  std::vector<Element> renewed;
  renewed.reserve(elements_.size() - unused_elements_);
  for (const auto& chunk : chunks_) {
    for (std::size_t row = 0; chunk != nullptr && row < kChunkRows; ++row) {
      if (chunk->tags[row] == Tag::kArray) {
        const std::uint64_t payload = chunk->payloads[row];
        const auto first = elements_.begin() + static_cast<std::ptrdiff_t>(First(payload));
        chunk->payloads[row] = (renewed.size() << kCountBits) | Count(payload);
        renewed.insert(renewed.end(), first, first + Count(payload));
      }
    }
  }
  elements_ = std::move(renewed);
  unused_elements_ = 0;
}

// Makes a dictionary of the strings in use. Every element belongs to a row.
void Column::RenewDictionary() {
  Dictionary renewed;
  for (const auto& chunk : chunks_) {
    for (std::size_t row = 0; chunk != nullptr && row < kChunkRows; ++row) {
      if (chunk->tags[row] == Tag::kString) {
        const auto id = static_cast<std::uint32_t>(chunk->payloads[row]);
        chunk->payloads[row] = renewed.Intern(dictionary_.entry(id).text);
      }
    }
  }
  for (Element& element : elements_) {
    if (element.tag == Tag::kString) {
      element.id = renewed.Intern(dictionary_.entry(element.id).text);
    }
  }
  dictionary_ = std::move(renewed);
}

std::size_t Column::memory_bytes() const {
  constexpr std::size_t kAllocationBytes = 16;  // what the allocator keeps beside a chunk
  return chunks_.capacity() * sizeof(chunks_[0]) +
         chunk_count_ * (sizeof(Chunk) + kAllocationBytes) +
         elements_.capacity() * sizeof(Element) + dictionary_.memory_bytes();
}

}  // namespace reco::filter
