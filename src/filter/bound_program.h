// A filter tied to the columns of the fields it reads, and its evaluation for one record.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "filter/bitmap.h"
#include "filter/column.h"
#include "filter/filter.h"

namespace reco::filter {

// Thread-compatible; reads what it points to. A record matches when it is among `records`, has all
// fields, and the expression is true of them.
struct BoundProgram {
  std::shared_ptr<const Filter> filter;
  std::vector<std::shared_ptr<const Column>> columns;  // one a field of the filter, in order
  std::shared_ptr<const Bitmap> records;               // that have attributes

  // Returns true iff the record matches. Any ordinal; no allocation.
  bool Matches(std::uint32_t ordinal) const;
  // Returns the fields of the filter that the record lacks, in order. Any ordinal.
  std::vector<std::string> MissingFields(std::uint32_t ordinal) const;
};

// Returns what a binary operator makes of two values.
double Apply(Op op, const Value& a, const Value& b);
// Returns what an operator of arithmetic makes of two numbers.
double ApplyToNumbers(Op op, double a, double b);

}  // namespace reco::filter
