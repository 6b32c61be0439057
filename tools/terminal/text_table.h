// TextTable: rows of text in aligned columns.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace reco::terminal {

enum class Align : std::uint8_t { kLeft, kRight };

// Columns are two spaces apart and as wide as their widest cell, counted in UTF-8 characters.
// Thread-compatible.
class TextTable {
 public:
  explicit TextTable(std::vector<Align> columns) : columns_(std::move(columns)) {}

  // At most as many cells as there are columns; missing ones are empty.
  void AddRow(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
  bool empty() const { return rows_.empty(); }
  // Every row ends with a line feed and has no trailing spaces; `indent` spaces before each.
  std::string ToText(std::size_t indent = 0) const;

 private:
  std::vector<Align> columns_;
  std::vector<std::vector<std::string>> rows_;
};

// Number of characters of valid UTF-8 (bytes that continue a character are not counted).
std::size_t DisplayWidth(const std::string& text);

// `text` with control characters replaced, so that data cannot drive the terminal.
std::string Printable(const std::string& text);

}  // namespace reco::terminal
