#include "engine/training/served_lists.h"

#include <algorithm>
#include <functional>
#include <limits>
#include <memory>
#include <tuple>
#include <utility>

#include "engine/neighbours/ridge_build.h"
#include "engine/training/part_scale.h"
#include "model/random.h"

namespace reco::engine::training {
ServedLists::ServedLists(const model::TimedInteractions& data, const model::HoldOut& hold_out,
                         const model::TrainedModel& trained, const index::ItemIndex& items,
                         const ServedOptions& options)
    : data_(data),
      hold_out_(hold_out),
      trained_(trained),
      items_(items),
      options_(options),
      users_of_item_(hold_out.train.columns_count),
      sessions_(options.bytes_max, &counts_),
      folders_([&trained] {
        return std::make_unique<RowFolder>(trained.users.dim(), Feedback::kImplicit);
      }),
      session_scores_([] { return std::make_unique<SessionScores>(); }),
      ridge_scores_([] { return std::make_unique<RidgeScores>(); }) {
  for (const std::uint32_t item : hold_out.train.columns) {
    ++users_of_item_[item];
  }
  if (options.sessions || options.ridge) {
    Follow(options.seed);
  }
  if (options.ridge) {
    auto rows = BuildRidgeRows(counts_, {.threads = options.threads, .cancel = options.cancel});
    if (rows.ok()) {
      rows_ = std::move(rows).value();
    }
  }
  FindScales(options.seed);
}

// In the order of time; within one time stamp by the seed, since the log's order is not known here.
void ServedLists::Follow(std::uint64_t seed) {
  struct Told {
    std::int64_t time_ms;
    std::uint64_t draw;
    std::uint32_t user;
    std::uint32_t item;
  };
  model::SplitMix64 random(seed);
  std::vector<Told> told;
  const model::InteractionMatrix& train = hold_out_.train;
  for (std::uint32_t user = 0; user < train.rows(); ++user) {
    for (std::size_t i = 0; i < train.row_columns(user).size(); ++i) {
      if (train.row_weights(user)[i] > 0) {
        const std::uint32_t item = train.row_columns(user)[i];
        told.push_back({TimeOf(user, item), random.Next(), user, item});
      }
    }
  }
  std::ranges::sort(told, {}, [](const Told& one) { return std::tie(one.time_ms, one.draw); });
  for (const Told& one : told) {
    sessions_.Add(one.user, one.item, one.time_ms);
  }
}

void ServedLists::FindScales(std::uint64_t seed) {
  std::vector<std::uint32_t> users;
  for (std::uint32_t user = 0; user < hold_out_.train.rows(); ++user) {
    if (!hold_out_.train.row_columns(user).empty()) {
      users.push_back(user);
    }
  }
  SampleUsers(seed, &users);
  PartScale by_sessions;
  PartScale by_ridge;
  for (const std::uint32_t user : users) {
    const Request request = RequestOf(user);
    const double by_vectors = BestByVectors(user, request);
    const auto best = [&](double session_factor, double ridge_factor) {
      session_factor_ = session_factor;
      ridge_factor_ = ridge_factor;
      return BestByPart(user, PartsOf(user, request));
    };
    by_sessions.Add(options_.sessions ? best(1, 0) : 0, by_vectors);
    by_ridge.Add(options_.ridge ? best(0, 1) : 0, by_vectors);
  }
  const Blend blend;
  session_factor_ = blend.sessions * by_sessions.value();
  ridge_factor_ = blend.ridge * by_ridge.value();
}

std::int64_t ServedLists::TimeOf(std::size_t user, std::uint32_t item) const {
  const std::span<const std::uint32_t> columns = data_.matrix.row_columns(user);
  const auto at = std::ranges::lower_bound(columns, item) - columns.begin();
  return data_.time_ms[data_.matrix.offsets[user] + static_cast<std::size_t>(at)];
}

ServedLists::Request ServedLists::RequestOf(std::uint32_t user) {
  const std::span<const std::uint32_t> columns = hold_out_.train.row_columns(user);
  const std::span<const float> weights = hold_out_.train.row_weights(user);
  std::vector<TimedItem> newest;
  for (const std::uint32_t item : columns) {
    newest.push_back({item, TimeOf(user, item)});
  }
  KeepNewest(&newest, kServedPairsMax);
  Request request;
  if (newest.empty()) {
    return request;
  }
  const double pace_ms = PaceMs(newest);
  std::int64_t now_ms = std::numeric_limits<std::int64_t>::max();
  for (const std::uint32_t item : hold_out_.held[user]) {
    now_ms = std::min(now_ms, TimeOf(user, item));
  }
  if (hold_out_.held[user].empty()) {
    now_ms = newest.front().time_ms + static_cast<std::int64_t>(pace_ms);
  }
  const std::vector<double> shares = SharesByTime(newest, options_.recency, now_ms, pace_ms);
  for (std::size_t i = 0; i < newest.size(); ++i) {
    const std::uint32_t item = newest[i].item;
    if (shares[i] == 0) {
      continue;
    }
    const float weight = weights[static_cast<std::size_t>(std::ranges::lower_bound(columns, item) -
                                                          columns.begin())];
    request.neighbors.push_back({trained_.items.row(item), static_cast<float>(weight * shares[i])});
    if (weight > 0 && request.profile.size() < kProfileItems) {
      request.profile.push_back({item, shares[i]});
    }
  }
  return request;
}

model::AlignedVector<float> ServedLists::VectorOf(std::uint32_t user, const Request& request) {
  const float* start = trained_.users.row(user);
  model::AlignedVector<float> vector(start, start + trained_.users.stride());
  folders_.With([&](RowFolder& folder) {
    folder.Solve({Side::kUser, trained_.item_gram, trained_.solve}, request.neighbors,
                 vector.data());
  });
  return vector;
}

std::vector<ItemPart> ServedLists::PartsOf(std::uint32_t user, const Request& request) {
  std::vector<ItemPart> sessions;
  std::vector<ItemPart> ridge;
  if (session_factor_ > 0) {
    session_scores_.With([&](SessionScores& scores) {
      sessions = scores.Of(sessions_, request.profile, user, [this](std::uint32_t item) {
        return std::max(1U, users_of_item_[item]);
      });
    });
    MultiplyParts(session_factor_, &sessions);
  }
  if (ridge_factor_ > 0) {
    ridge_scores_.With([&](RidgeScores& scores) { ridge = scores.Of(rows_, request.profile); });
    MultiplyParts(ridge_factor_, &ridge);
  }
  return SumOfParts(sessions, ridge);
}

bool ServedLists::Seen(std::uint32_t user, std::uint32_t item) const {
  return std::ranges::binary_search(hold_out_.train.row_columns(user), item);
}

double ServedLists::BestByVectors(std::uint32_t user, const Request& request) {
  const model::AlignedVector<float> vector = VectorOf(user, request);
  const auto unseen = [&](std::uint32_t item) { return !Seen(user, item); };
  const auto before = [](std::uint32_t a, std::uint32_t b) { return a < b; };
  std::vector<index::Candidate> found;
  items_.Search({vector.data(), kScaleBest, index::Metric::kInnerProduct, unseen, before}, &found);
  std::vector<double> scores;
  scores.reserve(found.size());
  for (const index::Candidate& candidate : found) {
    scores.push_back(candidate.score);
  }
  return MeanOfBest(std::move(scores));
}

double ServedLists::BestByPart(std::uint32_t user, std::span<const ItemPart> parts) const {
  std::vector<double> scores;
  for (const ItemPart& part : parts) {
    if (!Seen(user, part.item)) {
      scores.push_back(part.value);
    }
  }
  return MeanOfBest(std::move(scores));
}

std::vector<std::uint32_t> ServedLists::ListOf(std::uint32_t user, std::size_t k) {
  const Request request = RequestOf(user);
  const model::AlignedVector<float> vector = VectorOf(user, request);
  const std::vector<ItemPart> parts = PartsOf(user, request);
  const auto before = [](std::uint32_t a, std::uint32_t b) { return a < b; };
  const auto without_part = [&](std::uint32_t item) {
    return !Seen(user, item) && !std::ranges::binary_search(parts, item, {}, &ItemPart::item);
  };
  std::vector<index::Candidate> found;
  items_.Search({vector.data(), k, index::Metric::kInnerProduct, without_part, before}, &found);
  std::vector<std::pair<double, std::uint32_t>> ranked;  // by descending score
  ranked.reserve(found.size() + parts.size());
  for (const index::Candidate& candidate : found) {
    ranked.emplace_back(-static_cast<double>(candidate.score), candidate.ordinal);
  }
  for (const ItemPart& part : parts) {
    if (!Seen(user, part.item)) {
      const std::span<const float> item = trained_.items.values(part.item);
      double score = part.value;
      for (std::size_t i = 0; i < item.size(); ++i) {
        score += static_cast<double>(vector[i]) * static_cast<double>(item[i]);
      }
      ranked.emplace_back(-score, part.item);
    }
  }
  std::ranges::sort(ranked);
  std::vector<std::uint32_t> list;
  for (std::size_t i = 0; i < std::min(k, ranked.size()); ++i) {
    list.push_back(ranked[i].second);
  }
  return list;
}

std::vector<std::uint32_t> ServedLists::RidgeListOf(std::uint32_t user, std::size_t k) {
  const Request request = RequestOf(user);
  std::vector<ItemPart> parts;
  ridge_scores_.With([&](RidgeScores& scores) { parts = scores.Of(rows_, request.profile); });
  std::erase_if(parts, [&](const ItemPart& part) { return Seen(user, part.item); });
  std::ranges::stable_sort(parts, std::greater<>(), &ItemPart::value);
  std::vector<std::uint32_t> list;
  for (std::size_t i = 0; i < std::min(k, parts.size()); ++i) {
    list.push_back(parts[i].item);
  }
  return list;
}

model::UserLister ServedLists::Served() {
  return [this](std::span<const std::uint32_t> users, std::size_t k,
                std::span<std::vector<std::uint32_t>> lists) {
    for (std::size_t i = 0; i < users.size(); ++i) {
      lists[i] = ListOf(users[i], k);
    }
  };
}

model::UserLister ServedLists::RidgeAlone() {
  return [this](std::span<const std::uint32_t> users, std::size_t k,
                std::span<std::vector<std::uint32_t>> lists) {
    for (std::size_t i = 0; i < users.size(); ++i) {
      lists[i] = RidgeListOf(users[i], k);
    }
  };
}

}  // namespace reco::engine::training
