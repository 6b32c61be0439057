// Filter expressions: no text breaks the parser, an error is one line of printable ASCII, and what
// compiles gives the same answer for a record by row and by bitmap.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "base/check.h"
#include "filter/attribute_columns.h"
#include "filter/filter.h"

namespace {

using reco::filter::AttributeColumns;
using reco::filter::BoundFilter;
using reco::filter::Filter;

constexpr std::string_view kRecords[] = {
    R"({"a":1,"b":"noir","c":["x","1",2,null,true],"year":1994,"genre":"drama"})",
    R"({"a":"1","b":"","c":[],"year":"1994","genre":["drama","noir"]})",
    R"({"a":-2.5e3,"b":null,"c":"x","year":0,"genre":"no\u0000ir"})",
    R"({"a":{"x":1},"b":[[1]],"c":1e999})",
    R"({"a":true,"b":"10","b":"11"})",
    R"({"a":123456789012345679,"b":"2024-01-31","c":[123456789012345679],"unit price":1,"":""})",
    R"({"a":9223372036854775807,"b":9007199254740993,"c":-9007199254740993,"unit price":"1"})",
    "{}",
    "no object",
};

void Check(const std::shared_ptr<const Filter>& filter) {
  reco::filter::AttributeColumnsOptions options;
  options.first_use_rows_max = 0;
  AttributeColumns columns(options);
  constexpr std::uint32_t kApart = 100;  // some are in other blocks of rows
  const auto json = [](std::uint32_t ordinal) {
    return ordinal % kApart == 0 ? kRecords[ordinal / kApart] : std::string_view();
  };
  const reco::filter::RecordSource records{kApart * std::size(kRecords), json};
  const BoundFilter by_row = columns.Bind(filter, records);
  const BoundFilter by_bitmap = columns.Bind(filter, records);
  RECO_CHECK(!by_row.match_count().has_value());
  RECO_CHECK(by_bitmap.match_count().has_value());
  std::size_t matches = 0;
  for (std::uint32_t ordinal = 0; ordinal < kApart * std::size(kRecords); ++ordinal) {
    RECO_CHECK(by_row.Matches(ordinal) == by_bitmap.Matches(ordinal));
    matches += by_row.Matches(ordinal) ? 1 : 0;
  }
  RECO_CHECK(by_bitmap.match_count() == matches);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto filter = Filter::Compile(text);
  if (filter.ok()) {
    Check(*filter);
    return 0;
  }
  for (const char c : filter.status().message()) {
    RECO_CHECK(c >= 0x20 && c < 0x7f);
  }
  return 0;
}
