#include "format/attribute_record.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

#include "format/record_frame.h"

namespace reco::format {
namespace {

using flatbuffers::FlatBufferBuilder;
using flatbuffers::Offset;

std::vector<float> FloatsOf(const flatbuffers::Vector<float>* field) {
  std::vector<float> values(field != nullptr ? field->size() : 0);
  if (!values.empty()) {
    std::memcpy(values.data(), field->Data(), values.size() * sizeof(float));
  }
  return values;
}

Result<AttributeColumn> ColumnOf(const fb::AttributeColumn& table, std::size_t fields,
                                 std::string_view what) {
  AttributeColumn column{.field = table.field(),
                         .text = std::string(BytesOf(table.text())),
                         .mean = table.mean(),
                         .deviation = table.deviation()};
  RECO_RETURN_IF_ERROR(DecodeChoice(table.kind(), AttributeKind::kNumber, &column.kind, what));
  const double numbers[] = {column.mean, column.deviation};
  if (!AllFinite(numbers) || !(column.deviation > 0) || column.field >= fields) {
    return Damaged(what, "a feature of attributes is out of its range");
  }
  return column;
}

}  // namespace

Offset<FieldNameVector> CreateNames(FlatBufferBuilder& builder,
                                    std::span<const std::string> names) {
  std::vector<Offset<fb::FieldName>> entries;
  entries.reserve(names.size());
  for (const std::string& name : names) {
    entries.push_back(fb::CreateFieldName(builder, CreateBytes(builder, name)));
  }
  return builder.CreateVector(entries);
}

std::vector<std::string> NamesOf(const FieldNameVector* field) {
  std::vector<std::string> names;
  if (field != nullptr) {
    for (const fb::FieldName* entry : *field) {
      names.emplace_back(BytesOf(entry->name()));
    }
  }
  return names;
}

Offset<fb::AttributeMap> CreateAttributes(FlatBufferBuilder& builder,
                                          const AttributeRecord& record) {
  std::vector<Offset<fb::AttributeColumn>> columns;
  columns.reserve(record.columns.size());
  for (const AttributeColumn& column : record.columns) {
    columns.push_back(fb::CreateAttributeColumn(
        builder, column.field, static_cast<std::uint8_t>(column.kind),
        CreateBytes(builder, column.text), column.mean, column.deviation));
  }
  const auto fields = CreateNames(builder, record.fields);
  const auto column_vector = builder.CreateVector(columns);
  const auto base = builder.CreateVector(record.base);
  const auto weights = builder.CreateVector(record.weights);
  const auto trained_pairs = builder.CreateVector(record.trained_pairs);
  return fb::CreateAttributeMap(builder, fields, column_vector, base, weights, record.prior_pairs,
                                trained_pairs);
}

Result<AttributeRecord> AttributesOf(const fb::AttributeMap& table, std::uint32_t dim,
                                     std::string_view what) {
  AttributeRecord record{.fields = NamesOf(table.fields()),
                         .base = FloatsOf(table.base()),
                         .weights = FloatsOf(table.weights()),
                         .prior_pairs = table.prior_pairs(),
                         .trained_pairs = {}};
  if (table.trained_pairs() != nullptr) {
    record.trained_pairs.assign(table.trained_pairs()->begin(), table.trained_pairs()->end());
  }
  if (table.columns() != nullptr) {
    for (const fb::AttributeColumn* column : *table.columns()) {
      RECO_ASSIGN_OR_RETURN(AttributeColumn decoded, ColumnOf(*column, record.fields.size(), what));
      record.columns.push_back(std::move(decoded));
    }
  }
  if (!std::isfinite(record.prior_pairs) || record.prior_pairs < 0) {
    return Damaged(what, "the weight of predictions is out of its range");
  }
  // A prediction indexes these by column and dimension without a check of its own.
  if (record.base.size() != dim || record.weights.size() != record.columns.size() * dim) {
    return Damaged(what, "the weights of attributes have the wrong number");
  }
  const auto finite = [](float value) { return std::isfinite(value); };
  if (!std::all_of(record.base.begin(), record.base.end(), finite) ||
      !std::all_of(record.weights.begin(), record.weights.end(), finite)) {
    return Damaged(what, "a weight of attributes is not finite");
  }
  return record;
}

}  // namespace reco::format
