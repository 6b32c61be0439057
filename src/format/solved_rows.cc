#include "format/solved_rows.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

namespace reco::format {
namespace {

struct Head {
  std::uint32_t item = 0;
  std::uint32_t weights = 0;
};

bool AreWeights(std::span<const ItemWeight> row) {
  return std::ranges::all_of(row,
                             [](const ItemWeight& one) { return std::isfinite(one.weight); }) &&
         std::ranges::adjacent_find(row, [](const ItemWeight& a, const ItemWeight& b) {
           return a.item >= b.item;
         }) == row.end();
}

}  // namespace

void AppendSolvedRow(std::uint32_t item, std::span<const ItemWeight> row, std::string* text) {
  const Head head{item, static_cast<std::uint32_t>(row.size())};
  const std::size_t at = text->size();
  text->resize(at + sizeof(head) + row.size_bytes());
  std::memcpy(text->data() + at, &head, sizeof(head));
  if (!row.empty()) {
    std::memcpy(text->data() + at + sizeof(head), row.data(), row.size_bytes());
  }
}

Status VisitSolvedRows(std::string_view text,
                       FunctionRef<void(std::uint32_t, std::span<const ItemWeight>)> visit) {
  std::vector<ItemWeight> row;
  while (!text.empty()) {
    Head head;
    if (text.size() < sizeof(head)) {
      return Status::Corruption("a solved row is cut off");
    }
    std::memcpy(&head, text.data(), sizeof(head));
    text.remove_prefix(sizeof(head));
    const std::size_t bytes = head.weights * sizeof(ItemWeight);
    if (head.weights > kRowWeightsMax || text.size() < bytes) {
      return Status::Corruption("a solved row is cut off");
    }
    row.resize(head.weights);
    if (bytes != 0) {
      std::memcpy(row.data(), text.data(), bytes);
    }
    text.remove_prefix(bytes);
    if (!AreWeights(row)) {
      return Status::Corruption("the weights of a solved row are no finite numbers in order");
    }
    visit(head.item, row);
  }
  return Status::Ok();
}

}  // namespace reco::format
