#include "tools/admin/item_columns.h"

#include <algorithm>

#include "tools/admin/record_mapping.h"

namespace reco::admin {
namespace {

constexpr std::string_view kBlanks = " \t\r\n\v\f";

// Returns "2 and 5", "2, 5 and 6": the 1-based positions of a name that several columns have.
std::string Numbers(const std::vector<std::size_t>& columns) {
  std::string text;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    text += i == 0 ? "" : i + 1 == columns.size() ? " and " : ", ";
    text += std::to_string(columns[i] + 1);
  }
  return text;
}

std::vector<std::size_t> ColumnsCalled(const std::vector<std::string_view>& header,
                                       std::string_view name) {
  std::vector<std::size_t> columns;
  for (std::size_t column = 0; column < header.size(); ++column) {
    if (header[column] == name) {
      columns.push_back(column);
    }
  }
  return columns;
}

bool IsKnown(const ItemColumns& columns, std::string_view name) {
  return std::any_of(columns.attributes.begin(), columns.attributes.end(),
                     [name](const auto& attribute) { return attribute.name == name; });
}

// Adds the attribute of the header's column `name`, which is there, unless it was added.
void AddNamed(const std::vector<std::string_view>& header, std::string_view name,
              ItemColumns* columns) {
  if (IsKnown(*columns, name)) {
    return;
  }
  const std::vector<std::size_t> called = ColumnsCalled(header, name);
  if (called.size() > 1) {
    columns->warnings.push_back("columns " + Numbers(called) + " are all called " + Quoted(name) +
                                ": the last one counts, the others are left out");
  }
  if (kBlanks.find(name.front()) != std::string_view::npos ||
      kBlanks.find(name.back()) != std::string_view::npos) {
    columns->warnings.push_back("column " + std::to_string(called.back() + 1) + " is called " +
                                Quoted(name) +
                                ": the blanks around it become part of the attribute's name");
  }
  columns->attributes.push_back({called.back(), std::string(name)});
}

// Adds all columns of the header but the item's.
void AddAll(const std::vector<std::string_view>& header, ItemColumns* columns) {
  for (std::size_t column = 0; column < header.size(); ++column) {
    if (column == columns->item) {
      continue;
    }
    // Nothing but blanks is no name either: nobody could ask for it.
    if (header[column].find_first_not_of(kBlanks) == std::string_view::npos) {
      columns->warnings.push_back("column " + std::to_string(column + 1) +
                                  " has no name and is left out");
    } else {
      AddNamed(header, header[column], columns);
    }
  }
}

}  // namespace

Result<ItemColumns> ResolveItemColumns(const std::vector<std::string_view>& first, bool has_header,
                                       const std::string& item,
                                       const std::vector<std::string>& names) {
  ItemColumns columns;
  columns.width = first.size();
  RECO_ASSIGN_OR_RETURN(columns.item, FindColumn(first, has_header, item));
  if (has_header) {
    const std::vector<std::size_t> called = ColumnsCalled(first, item);
    if (called.size() > 1) {
      return Status::InvalidArgument("columns " + Numbers(called) + " are all called " +
                                     Quoted(item) + ": which one holds the item is not clear");
    }
  }
  for (const std::string& name : names) {
    RECO_ASSIGN_OR_RETURN(const std::size_t column, FindColumn(first, has_header, name));
    if (!has_header && !IsKnown(columns, "column" + name)) {
      columns.attributes.push_back({column, "column" + name});
    } else if (has_header && name.find_first_not_of(kBlanks) != std::string::npos) {
      AddNamed(first, name, &columns);
    }
  }
  if (names.empty() && has_header) {
    AddAll(first, &columns);
  } else if (names.empty()) {
    for (std::size_t column = 0; column < first.size(); ++column) {
      if (column != columns.item) {
        columns.attributes.push_back({column, "column" + std::to_string(column + 1)});
      }
    }
  }
  return columns;
}

}  // namespace reco::admin
