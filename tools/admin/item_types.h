// Types of the columns of a file of items: what its cells become as JSON.
//
// A column has one type, so that a filter sees one kind of value: a cell that looks like a number
// among words stays a word. Numbers are only what no other text equals: in a filter
// (doc/filters.md) 1.10 is 1.1, 12E5 is 1200000, and whole numbers beyond 64 bits are their
// neighbours.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "reco/result.h"

#include "tools/admin/record_reader.h"

namespace reco::admin {

enum class CellType : std::uint8_t { kNumber, kBoolean, kText };

// "number", "boolean", "text": as in the collection's parameter attribute-types.
std::string_view NameOf(CellType type);

// Names of attributes with their types.
using TypeList = std::vector<std::pair<std::string, CellType>>;
// Reads price:number,"a, b":text. kInvalidArgument: another form or type, or a name twice.
Result<TypeList> ParseTypes(std::string_view text);
std::string FormatTypes(const TypeList& types);

// Returns true iff `text` is a number of JSON that prints back to itself: an integer of 64 bits
// with sign, or the shortest decimal of a double.
bool IsCanonicalNumber(std::string_view text);

// Which numbers a column takes.
enum class Numbers : std::uint8_t {
  kCanonical,
  kAny,  // every number of JSON that a double holds
};

// Returns the cell as JSON; nullopt: it does not fit the type. Booleans are true, True and TRUE,
// and so for false.
std::optional<std::string> CellJson(CellType type, Numbers numbers, std::string_view cell);

// What the cells of one column have in common. Thread-compatible.
class TypeSurvey {
 public:
  // Empty cells say nothing.
  void Add(std::string_view cell, CellKind kind = CellKind::kUnknown);
  // Number or boolean when all cells are, booleans in one spelling; else text. nullopt: no cell.
  std::optional<CellType> Decide() const;

 private:
  bool seen_ = false;
  bool numbers_ = true;
  unsigned spellings_ = 0b111U;  // of booleans, those that all cells have; a bit each
};

}  // namespace reco::admin
