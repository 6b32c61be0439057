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

  // Adds a row of at most as many cells as there are columns; missing ones are empty.
  void AddRow(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
  bool empty() const { return rows_.empty(); }
  // Returns the rows, each ending with a line feed and without trailing spaces; `indent` spaces
  // before each.
  std::string ToText(std::size_t indent = 0) const;

 private:
  std::vector<Align> columns_;
  std::vector<std::vector<std::string>> rows_;
};

// Returns the number of characters of valid UTF-8 (bytes that continue a character are not
// counted).
std::size_t DisplayWidth(const std::string& text);

// Returns `text` with control characters replaced, so that data cannot drive the terminal.
std::string Printable(const std::string& text);

}  // namespace reco::terminal
