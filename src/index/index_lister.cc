#include "index/index_lister.h"

#include <algorithm>
#include <deque>
#include <vector>

namespace reco::index {

model::UserLister IndexLister(const model::FactorTable& users, const ItemIndex& items,
                              const model::InteractionMatrix& train) {
  return [&users, &items, &train](std::span<const std::uint32_t> asked, std::size_t k,
                                  std::span<std::vector<std::uint32_t>> lists) {
    const auto before = [](std::uint32_t a, std::uint32_t b) { return a < b; };
    const auto unknown_to = [&train](std::uint32_t user) {
      return [known = train.row_columns(user)](std::uint32_t item) {
        return !std::binary_search(known.begin(), known.end(), item);
      };
    };
    std::deque<decltype(unknown_to(0))> accepts;  // requests refer to them
    std::vector<SearchRequest> requests;
    for (const std::uint32_t user : asked) {
      requests.push_back({users.row(user), k, Metric::kInnerProduct,
                          accepts.emplace_back(unknown_to(user)), before});
    }
    std::vector<std::vector<Candidate>> found(asked.size());
    items.SearchBatch(requests, found);
    for (std::size_t i = 0; i < asked.size(); ++i) {
      lists[i].resize(found[i].size());
      std::transform(found[i].begin(), found[i].end(), lists[i].begin(),
                     [](const Candidate& candidate) { return candidate.ordinal; });
    }
  };
}

}  // namespace reco::index
