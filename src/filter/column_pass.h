// ColumnPass: reads all records once, in steps, and makes columns of some of their fields.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/function_ref.h"
#include "filter/attribute_reader.h"
#include "filter/bitmap.h"
#include "filter/column.h"

namespace reco::filter {

// The records of one side of a collection, as they are now.
struct RecordSource {
  std::uint32_t end = 0;  // all ordinals are below
  // The attributes of the record; empty when it has none. Good until the next call.
  FunctionRef<std::string_view(std::uint32_t ordinal)> json;
};

struct NamedColumn {
  std::string name;
  std::shared_ptr<Column> column;
};

// Takes the value into those of `columns` that are of this field.
void SetField(std::span<const NamedColumn> columns, std::uint32_t ordinal, std::string_view name,
              const AttributeValue& value);

// Thread-compatible. Records may change between steps; those with an ordinal that the pass has come
// by are its caller's to bring up to date.
class ColumnPass {
 public:
  // Makes also the bitmap of the records that have attributes when `with_records`.
  ColumnPass(std::vector<NamedColumn> columns, bool with_records)
      : columns_(std::move(columns)), with_records_(with_records) {}

  // Reads for about 0.3 ms. With `records` only those of which it holds, which must be those that
  // have attributes. Returns true when all are read.
  bool Step(const RecordSource& source, const Bitmap* records, AttributeReader& reader);

  bool HasRead(std::uint32_t ordinal) const { return ordinal < next_; }
  std::span<const NamedColumn> columns() const { return columns_; }
  bool with_records() const { return with_records_; }
  Bitmap& records() { return records_; }
  std::size_t rows() const { return rows_; }  // all records that were read are below
  std::size_t memory_bytes() const;

 private:
  // Reads the record next_.
  void Read(std::string_view json, AttributeReader& reader);

  std::vector<NamedColumn> columns_;
  const bool with_records_;
  std::uint32_t next_ = 0;  // all below are read
  Bitmap records_;
  std::size_t rows_ = 0;
};

}  // namespace reco::filter
