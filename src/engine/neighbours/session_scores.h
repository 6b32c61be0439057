// SessionScores: what the sessions of others say to a user who has just had to do with some items,
// as VMIS-kNN does (Kersbergen et al. 2022), but from sessions that are kept event by event, and
// weighed by time and place:
//
//   V(u,i) = f_i^-.45 sum_s a(s) |s|^-.25 .95^|pos_s(i) - pos_s(j*)|
//
// over the newest kSessionsAnItem sessions, not the user's own, of each of the newest kProfileItems
// items; a(s) is the sum of the weights of these items in s, j* the newest of them, f_i the number
// of i's users. See doc/model.md.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/function_ref.h"
#include "engine/neighbours/item_parts.h"
#include "engine/neighbours/item_sums.h"
#include "engine/neighbours/sessions.h"

namespace reco::engine {

// An item of the user whom a list is for, and how much it counts.
struct ProfileItem {
  std::uint32_t item = 0;
  double weight = 0;  // above 0
};

inline constexpr std::size_t kProfileItems = 20;
inline constexpr std::size_t kSessionsAnItem = 50;

// Returns the number of users of an item, at least 1.
using UsersOf = FunctionRef<std::uint32_t(std::uint32_t item)>;

// Owns scratch memory, so one object serves one thread at a time. The walk goes by the newest item,
// then the newest session, so that sums are the same bits for the same sessions.
class SessionScores {
 public:
  // Returns V of all items that the sessions reach, those of the profile among them, by item.
  // `profile`: newest first, of which the first kProfileItems count; `user`: whose sessions do not
  // count, or kNobody.
  std::vector<ItemPart> Of(const Sessions& sessions, std::span<const ProfileItem> profile,
                           std::uint32_t user, UsersOf users_of);
  // Returns what each item of the profile adds to V of `target`.
  std::vector<double> Shares(const Sessions& sessions, std::span<const ProfileItem> profile,
                             std::uint32_t user, std::uint32_t target, UsersOf users_of);

 private:
  // One of N(u).
  struct Found {
    std::span<const std::uint32_t> items;
    double weight = 0;          // a(s)
    std::size_t newest_at = 0;  // the place of j* in it
  };
  void Find(const Sessions& sessions, std::span<const ProfileItem> profile, std::uint32_t user);
  void Weigh(std::span<const ProfileItem> profile, Found* session) const;
  // Returns false when the number is in numbers_.
  bool PutIn(std::uint64_t number);

  std::vector<Found> found_;  // in the order of the walk
  // The numbers of found_, by open addressing; at most half of it is used.
  std::array<std::uint64_t, std::bit_ceil(2 * kProfileItems * kSessionsAnItem)> numbers_{};
  // By item, its place in the profile from 1 on; all 0 between calls.
  std::vector<std::uint8_t> profile_places_;
  ItemSums sums_;
};

}  // namespace reco::engine
