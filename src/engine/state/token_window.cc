#include "engine/state/token_window.h"

#include <utility>

#include "format/keys.h"
#include "format/records.h"

namespace reco::engine {

std::optional<std::uint64_t> TokenWindow::Find(std::string_view token) const {
  if (token.empty()) {
    return std::nullopt;
  }
  const auto found = numbers_.find(std::string(token));
  return found != numbers_.end() ? std::optional(found->second) : std::nullopt;
}

void TokenWindow::Remember(std::string_view token, std::uint64_t seq, std::uint64_t window,
                           std::uint32_t cid, store::Batch* rows) {
  if (token.empty() || window == 0) {
    return;
  }
  numbers_.emplace(token, seq);
  order_.emplace_back(token);
  rows->Put(store::Family::kTokens, format::TokenKey(cid, token), format::EncodeToken(seq));
  while (order_.size() > window) {
    rows->Delete(store::Family::kTokens, format::TokenKey(cid, order_.front()));
    numbers_.erase(order_.front());
    order_.pop_front();
  }
}

void TokenWindow::Restore(std::string token, std::uint64_t seq) {
  numbers_.emplace(token, seq);
  order_.push_back(std::move(token));
}

}  // namespace reco::engine
