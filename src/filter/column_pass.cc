#include "filter/column_pass.h"

namespace reco::filter {
namespace {

// About nanoseconds.
constexpr std::size_t kStepCost = 300'000;
constexpr std::size_t kOrdinalCost = 4;
constexpr std::size_t kLookupCost = 60;
constexpr std::size_t kRecordCost = 100;  // and as much as its bytes twice

}  // namespace

void SetField(std::span<const NamedColumn> columns, std::uint32_t ordinal, std::string_view name,
              const AttributeValue& value) {
  for (const NamedColumn& named : columns) {
    if (named.name == name) {
      named.column->Set(ordinal, value);
    }
  }
}

bool ColumnPass::Step(const RecordSource& source, const Bitmap* records, AttributeReader& reader) {
  std::size_t cost = 0;
  for (; next_ < source.end && cost < kStepCost; ++next_) {
    if (records != nullptr && !records->Test(next_)) {
      cost += kOrdinalCost;
      continue;
    }
    // Also for a record without attributes: finding that out takes as long.
    cost += kLookupCost;
    const std::string_view json = source.json(next_);
    if (json.empty()) {
      continue;
    }
    cost += kRecordCost + 2 * json.size();
    Read(json, reader);
  }
  return next_ >= source.end;
}

void ColumnPass::Read(std::string_view json, AttributeReader& reader) {
  rows_ = std::size_t{next_} + 1;
  const bool good = reader.Read(json, [&](std::string_view name, const AttributeValue& value) {
    SetField(columns_, next_, name, value);
  });
  if (with_records_ && good) {
    records_.Set(next_, true);
  }
}

std::size_t ColumnPass::memory_bytes() const {
  std::size_t bytes = records_.memory_bytes();
  for (const NamedColumn& named : columns_) {
    bytes += named.column->memory_bytes();
  }
  return bytes;
}

}  // namespace reco::filter
