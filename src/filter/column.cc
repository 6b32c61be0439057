#include "filter/column.h"

#include <utility>

namespace reco::filter {
namespace {

// Below this, leftovers of replaced values are not worth a pass over the rows.
constexpr std::size_t kUnusedMin = 1024;

}  // namespace

void Column::Grow(std::size_t rows) {
  if (rows > tags_.size()) {
    tags_.resize(rows, Tag::kMissing);
    payloads_.resize(rows);
  }
}

void Column::Set(std::uint32_t row, const AttributeValue& value) {
  Clear(row);
  switch (value.type()) {
    case AttributeType::kNull:
      tags_[row] = Tag::kNull;
      break;
    case AttributeType::kBoolean:
    case AttributeType::kNumber:
      tags_[row] = Tag::kNumber;
      payloads_[row] = std::bit_cast<std::uint64_t>(value.scalar.number);
      break;
    case AttributeType::kString:
      tags_[row] = Tag::kString;
      payloads_[row] = dictionary_.Intern(value.scalar.text);
      break;
    case AttributeType::kArray:
      SetArray(row, value);
      break;
    case AttributeType::kOther:
      break;
  }
}

void Column::SetArray(std::uint32_t row, const AttributeValue& value) {
  if (value.elements.size() >> kCountBits != 0) {
    return;  // more than a record of the size we take can hold
  }
  tags_[row] = Tag::kArray;
  payloads_[row] = (elements_.size() << kCountBits) | value.elements.size();
  for (const AttributeScalar& scalar : value.elements) {
    elements_.push_back(Store(scalar));
  }
}

Element Column::Store(const AttributeScalar& scalar) {
  switch (scalar.type) {
    case AttributeType::kBoolean:
    case AttributeType::kNumber:
      return {Tag::kNumber, 0, scalar.number};
    case AttributeType::kString:
      return {Tag::kString, dictionary_.Intern(scalar.text), 0};
    default:
      return {};
  }
}

void Column::Clear(std::uint32_t row) {
  const std::uint64_t payload = payloads_[row];
  if (tags_[row] == Tag::kString) {
    dictionary_.Release(static_cast<std::uint32_t>(payload));
  } else if (tags_[row] == Tag::kArray) {
    for (std::size_t i = First(payload); i < First(payload) + Count(payload); ++i) {
      if (elements_[i].tag == Tag::kString) {
        dictionary_.Release(elements_[i].id);
      }
    }
    unused_elements_ += Count(payload);
  }
  tags_[row] = Tag::kMissing;
  payloads_[row] = 0;
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
  for (std::size_t row = 0; row < rows(); ++row) {
    if (tags_[row] != Tag::kArray) {
      continue;
    }
    const std::uint64_t payload = payloads_[row];
    const auto first = elements_.begin() + static_cast<std::ptrdiff_t>(First(payload));
    payloads_[row] = (renewed.size() << kCountBits) | Count(payload);
    renewed.insert(renewed.end(), first, first + Count(payload));
  }
  elements_ = std::move(renewed);
  unused_elements_ = 0;
}

// Every element belongs to a row.
void Column::RenewDictionary() {
  Dictionary renewed;
  for (std::size_t row = 0; row < rows(); ++row) {
    if (tags_[row] == Tag::kString) {
      const auto id = static_cast<std::uint32_t>(payloads_[row]);
      payloads_[row] = renewed.Intern(dictionary_.entry(id).text);
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
  return tags_.capacity() * sizeof(Tag) + payloads_.capacity() * sizeof(std::uint64_t) +
         elements_.capacity() * sizeof(Element) + dictionary_.memory_bytes();
}

}  // namespace reco::filter
