// Attributes of items as sparse rows of numbers, for the regression that predicts an item's vector:
// a column for each word and flag, and one for the numbers of a field.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "format/records.h"
#include "model/attribute_regression.h"

namespace reco::engine {

using format::AttributeColumn;
using format::AttributeKind;

// One value that an item has in one of the chosen fields.
struct AttributeTerm {
  std::uint32_t field = 0;  // place in the list of fields
  AttributeKind kind = AttributeKind::kText;
  std::string text;   // kText; "true" or "false" for kFlag
  double number = 0;  // kNumber
  bool operator==(const AttributeTerm&) const = default;
};

// The terms of a record: of a string the whole, of an array each distinct string in it, of a
// boolean or finite number the value; of anything else nothing. Texts longer than kAttributeTextMax
// and the elements of an array after kAttributeElementsMax say nothing. Of a name given twice the
// last counts. The order follows from the names and texts alone.
inline constexpr std::size_t kAttributeTextMax = 256;
inline constexpr std::size_t kAttributeElementsMax = 64;
std::vector<AttributeTerm> ReadAttributeTerms(std::span<const std::string> fields,
                                              std::string_view json);

// The columns that terms stand for. Immutable.
class AttributeFeatures {
 public:
  // The most frequent ones are kept, and none that fewer items have than kItemsMin.
  static constexpr std::size_t kColumnsMax = 4'096;
  static constexpr std::uint32_t kItemsMin = 2;

  AttributeFeatures(std::vector<std::string> fields, std::vector<AttributeColumn> columns);

  const std::vector<std::string>& fields() const { return fields_; }
  const std::vector<AttributeColumn>& columns() const { return columns_; }
  // Returns the row of an item, by column: 1 for a word or flag, 1 / sqrt(n) for each of n known
  // words of one field, the standardised value for a number. Empty when none of the terms is known.
  std::vector<model::Feature> RowOf(std::span<const AttributeTerm> terms) const;
  std::vector<model::Feature> RowOf(std::string_view json) const;

 private:
  std::vector<std::string> fields_;
  std::vector<AttributeColumn> columns_;
  std::unordered_map<std::string, std::uint32_t> numbers_;  // of columns, by key
};

// Counts the terms of items and chooses the columns. Confined.
class AttributeCounter {
 public:
  explicit AttributeCounter(std::vector<std::string> fields);
  void Add(std::span<const AttributeTerm> terms);
  void Add(std::string_view json);
  // Returns the most frequent columns. Ties in frequency go by field, kind and text.
  AttributeFeatures Choose() const;

 private:
  struct Count {
    AttributeTerm term;
    std::uint32_t items = 0;
    double mean = 0;  // of numbers; Welford's recurrence
    double squares = 0;
  };
  std::vector<std::string> fields_;
  std::unordered_map<std::string, Count> counts_;
};

}  // namespace reco::engine
