#include "engine/neighbours/session_scores.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace reco::engine {
namespace {

constexpr double kPopularityPower = -0.45;
constexpr double kLengthPower = -0.25;
constexpr double kPlaceDecay = 0.95;

// What a session's length and the distance of two places in it count.
struct Factors {
  std::array<double, Sessions::kItemsMax + 1> length{};
  std::array<double, Sessions::kItemsMax> distance{};

  Factors() {
    for (std::size_t i = 1; i < length.size(); ++i) {
      length[i] = std::pow(static_cast<double>(i), kLengthPower);
    }
    for (std::size_t i = 0; i < distance.size(); ++i) {
      distance[i] = std::pow(kPlaceDecay, static_cast<double>(i));
    }
  }
};

const Factors& TheFactors() {
  static const Factors kFactors;
  return kFactors;
}

double OfPlaces(std::size_t a, std::size_t b) {
  return TheFactors().distance[a > b ? a - b : b - a];
}

double OfPopularity(std::uint32_t users) {
  return std::pow(static_cast<double>(users), kPopularityPower);
}

// Returns the number of items when it is not among them.
std::size_t PlaceOf(std::uint32_t item, std::span<const std::uint32_t> items) {
  return static_cast<std::size_t>(std::find(items.begin(), items.end(), item) - items.begin());
}

}  // namespace

void SessionScores::Find(const Sessions& sessions, std::span<const ProfileItem> profile,
                         std::uint32_t user) {
  found_.clear();
  numbers_.clear();
  for (std::size_t i = 0; i < profile.size(); ++i) {
    const std::uint32_t item = profile[i].item;
    if (item >= profile_places_.size()) {
      profile_places_.resize(item + 1);
    }
    profile_places_[item] = static_cast<std::uint8_t>(i + 1);
    sessions.VisitNewest(item, kSessionsAnItem, user, [&](const Sessions::Session& session) {
      if (numbers_.insert(session.number).second) {
        found_.push_back({session.items});
      }
    });
  }
  for (Found& session : found_) {
    Weigh(profile, &session);
  }
  for (const ProfileItem& own : profile) {
    profile_places_[own.item] = 0;
  }
}

// Finds a(s) and j*, of all items of the profile that are in the session: also of those whose own
// newest sessions do not reach it.
void SessionScores::Weigh(std::span<const ProfileItem> profile, Found* session) const {
  std::size_t newest = profile.size() + 1;
  for (std::size_t place = 0; place < session->items.size(); ++place) {
    const std::uint32_t item = session->items[place];
    const std::size_t at = item < profile_places_.size() ? profile_places_[item] : 0;
    if (at == 0) {
      continue;
    }
    session->weight += profile[at - 1].weight;
    if (at < newest) {
      newest = at;
      session->newest_at = place;
    }
  }
}

std::vector<ItemPart> SessionScores::Of(const Sessions& sessions,
                                        std::span<const ProfileItem> profile, std::uint32_t user,
                                        UsersOf users_of) {
  Find(sessions, profile.first(std::min(profile.size(), kProfileItems)), user);
  reached_.clear();
  for (const Found& one : found_) {
    const std::span<const std::uint32_t> items = one.items;
    const double weight = one.weight * TheFactors().length[items.size()];
    for (std::size_t place = 0; place < items.size(); ++place) {
      const std::uint32_t item = items[place];
      if (item >= sums_.size()) {
        sums_.resize(item + 1);
      }
      // Every addend is above 0.
      if (sums_[item] == 0) {
        reached_.push_back(item);
      }
      sums_[item] += weight * OfPlaces(place, one.newest_at);
    }
  }
  std::sort(reached_.begin(), reached_.end());
  std::vector<ItemPart> parts;
  parts.reserve(reached_.size());
  for (const std::uint32_t item : reached_) {
    parts.push_back({item, sums_[item] * OfPopularity(users_of(item))});
    sums_[item] = 0;
  }
  return parts;
}

std::vector<double> SessionScores::Shares(const Sessions& sessions,
                                          std::span<const ProfileItem> profile, std::uint32_t user,
                                          std::uint32_t target, UsersOf users_of) {
  std::vector<double> shares(profile.size());
  profile = profile.first(std::min(profile.size(), kProfileItems));
  Find(sessions, profile, user);
  for (const Found& one : found_) {
    const std::span<const std::uint32_t> items = one.items;
    const std::size_t place = PlaceOf(target, items);
    if (place == items.size()) {
      continue;
    }
    const double rest = TheFactors().length[items.size()] * OfPlaces(place, one.newest_at) *
                        OfPopularity(users_of(target));
    for (std::size_t i = 0; i < profile.size(); ++i) {
      if (PlaceOf(profile[i].item, items) < items.size()) {
        shares[i] += profile[i].weight * rest;
      }
    }
  }
  return shares;
}

}  // namespace reco::engine
