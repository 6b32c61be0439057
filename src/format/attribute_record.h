// The parts of records that have to do with attributes: lists of field names, and what a model
// predicts vectors of items from. Internal to the format layer.
#pragma once

#include <records_generated.h>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "reco/result.h"

#include "format/records.h"

namespace reco::format {

using FieldNameVector = flatbuffers::Vector<flatbuffers::Offset<fb::FieldName>>;

flatbuffers::Offset<FieldNameVector> CreateNames(flatbuffers::FlatBufferBuilder& builder,
                                                 std::span<const std::string> names);
// Returns the names; empty when the field is absent.
std::vector<std::string> NamesOf(const FieldNameVector* field);

flatbuffers::Offset<fb::AttributeMap> CreateAttributes(flatbuffers::FlatBufferBuilder& builder,
                                                       const AttributeRecord& record);
// Decodes the table. kCorruption unless everything is finite, in its range and of the number that
// `dim` asks for.
Result<AttributeRecord> AttributesOf(const fb::AttributeMap& table, std::uint32_t dim,
                                     std::string_view what);

}  // namespace reco::format
