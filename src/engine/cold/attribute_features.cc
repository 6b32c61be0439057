#include "engine/cold/attribute_features.h"

#include <algorithm>
#include <cmath>
#include <tuple>
#include <utility>

#include "filter/attribute_reader.h"

namespace reco::engine {
namespace {

// Returns the key of a term's column. All numbers of a field share one.
std::string KeyOf(std::uint32_t field, AttributeKind kind, std::string_view text) {
  std::string key = std::to_string(field);
  key += kind == AttributeKind::kText ? 't' : kind == AttributeKind::kFlag ? 'f' : 'n';
  return kind == AttributeKind::kNumber ? key : key.append(text);
}

void AddText(std::uint32_t field, std::string_view text, std::vector<AttributeTerm>* terms) {
  if (text.size() <= kAttributeTextMax) {
    terms->push_back({.field = field, .kind = AttributeKind::kText, .text = std::string(text)});
  }
}

void AddElements(std::uint32_t field, std::span<const filter::AttributeScalar> elements,
                 std::vector<AttributeTerm>* terms) {
  std::vector<std::string_view> texts;
  for (const filter::AttributeScalar& element :
       elements.first(std::min(elements.size(), kAttributeElementsMax))) {
    // Only texts of an array are words; numbers in it would each be a word of its own.
    if (element.type == filter::AttributeType::kString) {
      texts.push_back(element.text);
    }
  }
  // Distinct, so that a word written twice counts once; sorted, so that the order says nothing.
  std::sort(texts.begin(), texts.end());
  texts.erase(std::unique(texts.begin(), texts.end()), texts.end());
  for (const std::string_view text : texts) {
    AddText(field, text, terms);
  }
}

void AddTerms(std::uint32_t field, const filter::AttributeValue& value,
              std::vector<AttributeTerm>* terms) {
  const filter::AttributeScalar& scalar = value.scalar;
  switch (value.type()) {
    case filter::AttributeType::kString:
      AddText(field, scalar.text, terms);
      break;
    case filter::AttributeType::kArray:
      AddElements(field, value.elements, terms);
      break;
    case filter::AttributeType::kBoolean:
      terms->push_back({.field = field,
                        .kind = AttributeKind::kFlag,
                        .text = scalar.number != 0 ? "true" : "false"});
      break;
    case filter::AttributeType::kNumber:
      if (std::isfinite(scalar.number)) {
        terms->push_back(
            {.field = field, .kind = AttributeKind::kNumber, .text = {}, .number = scalar.number});
      }
      break;
    case filter::AttributeType::kNull:
    case filter::AttributeType::kOther:
      break;
  }
}

}  // namespace

std::vector<AttributeTerm> ReadAttributeTerms(std::span<const std::string> fields,
                                              std::string_view json) {
  // Its parser's buffers are worth keeping.
  thread_local filter::AttributeReader reader;
  std::vector<AttributeTerm> terms;
  reader.Read(json, [&](std::string_view name, const filter::AttributeValue& value) {
    const auto found = std::find(fields.begin(), fields.end(), name);
    if (found != fields.end()) {
      AddTerms(static_cast<std::uint32_t>(found - fields.begin()), value, &terms);
    }
  });
  return terms;
}

AttributeFeatures::AttributeFeatures(std::vector<std::string> fields,
                                     std::vector<AttributeColumn> columns)
    : fields_(std::move(fields)), columns_(std::move(columns)) {
  for (std::uint32_t i = 0; i < columns_.size(); ++i) {
    numbers_.emplace(KeyOf(columns_[i].field, columns_[i].kind, columns_[i].text), i);
  }
}

std::vector<model::Feature> AttributeFeatures::RowOf(std::span<const AttributeTerm> terms) const {
  std::vector<model::Feature> row;
  for (const AttributeTerm& term : terms) {
    const auto found = numbers_.find(KeyOf(term.field, term.kind, term.text));
    if (found == numbers_.end()) {
      continue;
    }
    const AttributeColumn& column = columns_[found->second];
    const bool number = term.kind == AttributeKind::kNumber;
    // Far outliers would else send a vector anywhere.
    const double value =
        number ? std::clamp((term.number - column.mean) / column.deviation, -4.0, 4.0) : 1.0;
    row.push_back({found->second, static_cast<float>(value)});
  }
  // Scaled by the known words of the field, so that an item with ten tags weighs what one with a
  // single tag does: the row has length 1 in each field.
  std::vector<std::uint32_t> words(fields_.size());
  for (const model::Feature& feature : row) {
    words[columns_[feature.column].field] += columns_[feature.column].kind == AttributeKind::kText;
  }
  for (model::Feature& feature : row) {
    const AttributeColumn& column = columns_[feature.column];
    if (column.kind == AttributeKind::kText) {
      feature.value = 1 / std::sqrt(static_cast<float>(words[column.field]));
    }
  }
  // By column, so that sums over it have the same bits whatever the order of the JSON.
  std::sort(row.begin(), row.end(),
            [](const auto& a, const auto& b) { return a.column < b.column; });
  return row;
}

std::vector<model::Feature> AttributeFeatures::RowOf(std::string_view json) const {
  return json.empty() ? std::vector<model::Feature>() : RowOf(ReadAttributeTerms(fields_, json));
}

AttributeCounter::AttributeCounter(std::vector<std::string> fields) : fields_(std::move(fields)) {}

void AttributeCounter::Add(std::span<const AttributeTerm> terms) {
  for (const AttributeTerm& term : terms) {
    Count& count = counts_[KeyOf(term.field, term.kind, term.text)];
    if (count.items++ == 0) {
      count.term = term;
    }
    // Welford 1962: one pass, and no difference of large sums.
    const double away = term.number - count.mean;
    count.mean += away / count.items;
    count.squares += away * (term.number - count.mean);
  }
}

void AttributeCounter::Add(std::string_view json) {
  if (!json.empty()) {
    Add(ReadAttributeTerms(fields_, json));
  }
}

AttributeFeatures AttributeCounter::Choose() const {
  std::vector<const Count*> chosen;
  for (const auto& [key, count] : counts_) {
    // A number that is the same everywhere cannot be standardised and tells nothing.
    const bool tells = count.term.kind != AttributeKind::kNumber ||
                       (count.squares > 0 && std::isfinite(count.squares));
    if (count.items >= AttributeFeatures::kItemsMin && tells) {
      chosen.push_back(&count);
    }
  }
  std::sort(chosen.begin(), chosen.end(), [](const Count* a, const Count* b) {
    // The map has no order, and a model may depend on the data and the seed only.
    return std::tuple(b->items, a->term.field, a->term.kind, std::string_view(a->term.text)) <
           std::tuple(a->items, b->term.field, b->term.kind, std::string_view(b->term.text));
  });
  chosen.resize(std::min(chosen.size(), AttributeFeatures::kColumnsMax));
  std::vector<AttributeColumn> columns;
  for (const Count* count : chosen) {
    const bool number = count->term.kind == AttributeKind::kNumber;
    columns.push_back({.field = count->term.field,
                       .kind = count->term.kind,
                       .text = number ? std::string() : count->term.text,
                       .mean = number ? count->mean : 0,
                       .deviation = number ? std::sqrt(count->squares / count->items) : 1});
  }
  return {fields_, std::move(columns)};
}

}  // namespace reco::engine
