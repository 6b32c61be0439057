// The text of an event kSolvedRows: rows of items, each with the weights of its neighbours. See
// doc/format.md.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "reco/status.h"

#include "base/function_ref.h"

namespace reco::format {

struct ItemWeight {
  std::uint32_t item = 0;
  float weight = 0;
  bool operator==(const ItemWeight&) const = default;
};

inline constexpr std::uint32_t kRowWeightsMax = 100;

// Appends the row of `item`: at most kRowWeightsMax finite weights, ascending by item.
void AppendSolvedRow(std::uint32_t item, std::span<const ItemWeight> row, std::string* text);

// Calls visit(item, row) for each row of the text, in its order. kCorruption, after the rows before
// it, when one is not as AppendSolvedRow writes it.
Status VisitSolvedRows(std::string_view text,
                       FunctionRef<void(std::uint32_t, std::span<const ItemWeight>)> visit);

}  // namespace reco::format
