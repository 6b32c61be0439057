// RidgeScores: what the ridge rows say to a user who has had to do with some items:
//
//   R(u,i) = sum_j w_j B_ji
//
// over the items j of the user's profile, w_j rounded to float32. See doc/model.md.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/neighbours/item_sums.h"
#include "engine/neighbours/ridge_rows.h"
#include "engine/neighbours/session_scores.h"

namespace reco::engine {

// Owns scratch memory, so one object serves one thread at a time. Sums go by the profile's order,
// so that they are the same bits for the same rows.
class RidgeScores {
 public:
  // Returns R of all items whose rows hold one of the profile, those of the profile among them, by
  // item. It may be below 0.
  std::vector<ItemPart> Of(const RidgeRows& rows, std::span<const ProfileItem> profile);

 private:
  ItemSums sums_;
};

// Returns what each item of the profile adds to R of `target`; their sum in this order is R.
std::vector<double> RidgeShares(const RidgeRows& rows, std::span<const ProfileItem> profile,
                                std::uint32_t target);

}  // namespace reco::engine
