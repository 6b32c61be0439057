// ItemColumns: which column of a file of items holds the id, and which become attributes.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "reco/result.h"

namespace reco::admin {

struct ItemColumns {
  struct Attribute {
    std::size_t at = 0;  // position in the line
    std::string name;
  };

  std::size_t width = 0;  // fields of a good line
  std::size_t item = 0;
  std::vector<Attribute> attributes;  // no name twice
  std::vector<std::string> warnings;  // about names that are hard to use
};

// Finds the columns by the first line: the header, or with `has_header` false data, whose columns
// have 1-based numbers for names and become the attributes column1, column2, ... `names` are those
// to import; empty: all but the item's.
//
// A column without a name is left out, of several with one name the last one counts, and blanks
// around a name are part of it; of each there is a warning. kInvalidArgument: a column is not
// there, or more than one has the name of the item's.
Result<ItemColumns> ResolveItemColumns(const std::vector<std::string_view>& first, bool has_header,
                                       const std::string& item,
                                       const std::vector<std::string>& names);

}  // namespace reco::admin
