#include "engine/neighbours/session_scores.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <utility>

namespace reco::engine {
namespace {

constexpr double kPopularityPower = -0.45;
constexpr double kLengthPower = -0.25;
constexpr double kPlaceDecay = 0.95;

constexpr std::uint64_t kNoNumber = UINT64_MAX;

// What a session's length, the distance of two places in it, and the users of an item count, where
// these are not many.
struct Factors {
  std::array<double, Sessions::kItemsMax + 1> length{};
  std::array<double, Sessions::kItemsMax> distance{};
  std::array<double, 4096> popularity{};

  Factors() {
    for (std::size_t i = 1; i < length.size(); ++i) {
      length[i] = std::pow(static_cast<double>(i), kLengthPower);
    }
    for (std::size_t i = 0; i < distance.size(); ++i) {
      distance[i] = std::pow(kPlaceDecay, static_cast<double>(i));
    }
    for (std::size_t i = 1; i < popularity.size(); ++i) {
      popularity[i] = std::pow(static_cast<double>(i), kPopularityPower);
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
  const auto& few = TheFactors().popularity;
  return users < few.size() ? few[users] : std::pow(static_cast<double>(users), kPopularityPower);
}

// Returns the number of items when it is not among them.
std::size_t PlaceOf(std::uint32_t item, std::span<const std::uint32_t> items) {
  return static_cast<std::size_t>(std::find(items.begin(), items.end(), item) - items.begin());
}

}  // namespace

void SessionScores::Find(const Sessions& sessions, std::span<const ProfileItem> profile,
                         std::uint32_t user) {
  found_.clear();
  numbers_.fill(kNoNumber);
  for (std::size_t i = 0; i < profile.size(); ++i) {
    const std::uint32_t item = profile[i].item;
    if (item >= profile_places_.size()) {
      profile_places_.resize(item + 1);
    }
    profile_places_[item] = static_cast<std::uint8_t>(i + 1);
    sessions.VisitNewest(item, kSessionsAnItem, user, [&](const Sessions::Session& session) {
      if (PutIn(session.number)) {
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

bool SessionScores::PutIn(std::uint64_t number) {
  std::size_t at = number * 0x9e3779b97f4a7c15U >> (64U - std::bit_width(numbers_.size() - 1));
  while (numbers_[at] != kNoNumber && numbers_[at] != number) {
    at = (at + 1) % numbers_.size();
  }
  return std::exchange(numbers_[at], number) == kNoNumber;
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
  const Factors& factors = TheFactors();
  for (const Found& one : found_) {
    const double weight = one.weight * factors.length[one.items.size()];
    for (std::size_t place = 0; place < one.items.size(); ++place) {
      const std::size_t apart =
          place > one.newest_at ? place - one.newest_at : one.newest_at - place;
      sums_.Add(one.items[place], weight * factors.distance[apart]);
    }
  }
  std::vector<ItemPart> parts;
  sums_.TakeOff([&](std::uint32_t item, double sum) {
    parts.push_back({item, sum * OfPopularity(users_of(item))});
  });
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
