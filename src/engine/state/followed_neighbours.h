// FollowedNeighbours: the tables of neighbours of a collection, and what follows them. While they
// are read from the log beside live writes, the events that come meanwhile are set aside.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "engine/neighbours/neighbour_tables.h"
#include "format/event.h"

namespace reco::engine {

// Thread-compatible.
class FollowedNeighbours {
 public:
  // Null while they are not kept, or not read yet.
  const NeighbourTables* get() const { return kept_.get(); }
  NeighbourTables* get() { return kept_.get(); }

  // Keeps them from here on, as those of an empty collection.
  void Keep(std::uint64_t bytes_max) { kept_ = std::make_unique<NeighbourTables>(bytes_max); }
  // Lets them go; returns them, to be freed without the lock.
  [[nodiscard]] std::unique_ptr<NeighbourTables> Drop();
  // From here on events are set aside, but none with a text: no rows are solved meanwhile.
  void BeginRead();
  // Keeps `read`, those of all events before BeginRead; null gives up.
  void EndRead(std::unique_ptr<NeighbourTables> read);

  void Take(const format::Event& event);
  // Takes in many events on pairs. Returns true when TakeSome() is to end it.
  bool BeginTake(std::span<const format::Event> events);
  // Takes some of them, about 200 us. Returns true while there are more.
  bool TakeSome();
  // Takes in a deletion by steps, or sets it aside. Returns true while there is more of it.
  bool ForgetSome(Side side, std::uint32_t ordinal);

  // About how much there is of a user or an item: places of an item, sessions of a user.
  std::size_t PlacesOf(Side side, std::uint32_t ordinal) const;

  std::uint64_t memory_bytes() const { return kept_ != nullptr ? kept_->memory_bytes() : 0; }

 private:
  void SetAside(const format::Event& event);

  std::unique_ptr<NeighbourTables> kept_;
  bool reading_ = false;
  std::vector<format::Event> set_aside_;  // without their texts
  std::vector<format::Event> taking_;     // likewise
  std::size_t taken_ = 0;                 // of them
};

}  // namespace reco::engine
