// Exact cosines over the stored pairs:
//
// cos(q, j) = sum_u q_u w_uj / (|q| |j|), where q is the sum of the given items' rows, each divided
// by its length. For one item that is the cosine of the two rows.
#include "engine/lists/cooccurrence.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/sorted.h"
#include "engine/lists/counted.h"
#include "engine/lists/query.h"
#include "engine/lists/stored_row.h"

namespace reco::engine::lists {
namespace {

// Pairs of users' rows that one query reads: about 0.3 s of cold rows. Beyond it a sample of the
// users is read, those with the smallest hash.
constexpr std::uint64_t kPairsReadMax = 1'000'000;
// Pairs of the given items, in memory: 80 MB.
constexpr std::size_t kBasketPairsMax = 5'000'000;
// Read under one lock: about 1 ms of cold rows.
constexpr std::uint64_t kPairsAStep = 4'096;

// Returns the hash that samples go by (SplitMix64). Fixed: the same users are in every sample that
// is large enough for them.
std::uint64_t MixUser(std::uint32_t user) {
  std::uint64_t mixed = user + 0x9e3779b97f4a7c15ULL;
  mixed = (mixed ^ (mixed >> 30U)) * 0xbf58476d1ce4e5b9ULL;
  mixed = (mixed ^ (mixed >> 27U)) * 0x94d049bb133111ebULL;
  return mixed ^ (mixed >> 31U);
}

// The query: users with what they weigh in q.
struct Basket {
  struct User {
    std::uint32_t user = 0;
    double weight = 0;
  };
  std::vector<std::uint32_t> items;  // ascending
  std::vector<User> users;           // ascending
  double length = 0;                 // |q|, of all users
  double scale = 1;                  // users of q for each one that is read
};

Status ReadBasket(const SharedState& shared, std::span<const std::string_view> items,
                  Basket* basket) {
  {
    ReadView view(shared);
    // The rows are copied one by one without this view (CopyRow), so writes get through between
    // them.
    basket->items = Ordinals(view, Side::kItem, items);
  }
  SortUnique(&basket->items);
  std::vector<Basket::User> all;
  for (const std::uint32_t item : basket->items) {
    RECO_ASSIGN_OR_RETURN(const std::vector<RowPair> row, CopyRow(shared, Side::kItem, item));
    // Checked before the copy grows: this bounds the memory of one request.
    if (all.size() + row.size() > kBasketPairsMax) {
      return Status::ResourceExhausted(
          "the items have more than 5000000 interactions together; name fewer, or ask BY VECTOR");
    }
    double squares = 0;
    for (const RowPair& pair : row) {
      squares += static_cast<double>(pair.pair.weight) * static_cast<double>(pair.pair.weight);
    }
    for (const RowPair& pair : row) {
      // Each item has the same say in the query, however many users it has.
      all.push_back({pair.other, squares > 0 ? pair.pair.weight / std::sqrt(squares) : 0});
    }
  }
  // Stable: sums of a user then add up in the order of the items, and have the same bits each time.
  std::stable_sort(all.begin(), all.end(),
                   [](const Basket::User& a, const Basket::User& b) { return a.user < b.user; });
  for (const Basket::User& next : all) {
    if (basket->users.empty() || basket->users.back().user != next.user) {
      basket->users.push_back(next);
    } else {
      basket->users.back().weight += next.weight;
    }
  }
  double squares = 0;
  for (const Basket::User& user : basket->users) {
    squares += user.weight * user.weight;
  }
  basket->length = std::sqrt(squares);
  return Status::Ok();
}

// Leaves as many users as may be read, by their hash, so that it is the same sample each time.
void SampleUsers(const SharedState& shared, Basket* basket) {
  std::vector<std::uint32_t> pairs(basket->users.size());
  std::uint64_t total = 0;
  {
    ReadView view(shared);
    const auto& entities = view.state().users().entities;
    for (std::size_t i = 0; i < pairs.size(); ++i) {
      pairs[i] = entities[basket->users[i].user].pairs;
      total += pairs[i];
    }
  }
  if (total <= kPairsReadMax) {
    return;
  }
  std::vector<std::pair<std::uint64_t, std::uint32_t>> order;  // hash, place
  order.reserve(pairs.size());
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    order.emplace_back(MixUser(basket->users[i].user), static_cast<std::uint32_t>(i));
  }
  std::sort(order.begin(), order.end());
  std::size_t taken = 0;
  for (std::uint64_t read = 0; taken < order.size(); ++taken) {
    read += pairs[order[taken].second];
    // One user is always read, even with a row beyond the bound.
    if (read > kPairsReadMax && taken > 0) {
      break;
    }
  }
  basket->scale = static_cast<double>(order.size()) / static_cast<double>(taken);
  order.resize(taken);
  std::vector<Basket::User> sample;
  sample.reserve(taken);
  for (const auto& [hash, place] : order) {
    sample.push_back(basket->users[place]);
  }
  // Users are read in the order of their rows on disk.
  std::sort(sample.begin(), sample.end(),
            [](const Basket::User& a, const Basket::User& b) { return a.user < b.user; });
  basket->users = std::move(sample);
}

// Returns the cosine of every item that shares a user with the query. Each row is as it stands when
// it is read: writes may come in between the steps.
Result<RankedValues> SumRows(const SharedState& shared, const Basket& basket) {
  std::vector<double> sums;
  std::vector<bool> met;  // by a user of the query
  std::vector<RowPair> scratch;
  for (std::size_t next = 0; next < basket.users.size();) {
    ReadView view(shared);
    // Items may have come since the last step, and rows name them.
    sums.resize(view.state().items().ids.end());
    met.resize(sums.size());
    for (std::uint64_t read = 0; next < basket.users.size() && read < kPairsAStep; ++next) {
      const auto& [user, weight] = basket.users[next];
      RECO_ASSIGN_OR_RETURN(const auto row, view.state().users().rows.Read(user, &scratch));
      for (const RowPair& pair : row) {
        sums[pair.other] += weight * static_cast<double>(pair.pair.weight);
        met[pair.other] = true;
      }
      read += row.size() + 1;
    }
  }
  RankedValues cosines;
  ReadView view(shared);
  const auto& entities = view.state().items().entities;
  for (std::uint32_t item = 0; item < sums.size(); ++item) {
    // The item's length is kept with its counters, so its row need not be read.
    const double length = std::sqrt(entities[item].squares) * basket.length;
    if (met[item] && length > 0) {
      cosines.Set(item, std::clamp(basket.scale * sums[item] / length, -1.0, 1.0));
    }
  }
  for (const std::uint32_t item : basket.items) {
    cosines.Unrank(item);
  }
  return cosines;
}

}  // namespace

Result<Ranking> SimilarByCooccurrence(const SharedState& shared,
                                      std::span<const std::string_view> items,
                                      const RankingOptions& options) {
  RECO_RETURN_IF_ERROR(CheckOptionsWithoutModel(options));
  if (items.size() > kBasketItemsMax) {
    return Status::InvalidArgument("a list of items may name at most 10000");
  }
  Basket basket;
  RECO_RETURN_IF_ERROR(ReadBasket(shared, items, &basket));
  SampleUsers(shared, &basket);
  RECO_ASSIGN_OR_RETURN(const RankedValues cosines, SumRows(shared, basket));
  ReadView view(shared);
  return ItemPage(view, options, {}, [&](std::size_t count, AcceptItem accept, const Among& among) {
    return ListValues(view, {Side::kItem, cosines, Source::kCooccurrence}, count, accept, among);
  });
}

}  // namespace reco::engine::lists
