#include "engine/state/followed_neighbours.h"

#include <algorithm>
#include <utility>

namespace reco::engine {

std::unique_ptr<NeighbourTables> FollowedNeighbours::Drop() {
  EndRead(nullptr);
  return std::move(kept_);
}

void FollowedNeighbours::BeginRead() {
  reading_ = true;
  set_aside_.clear();
}

void FollowedNeighbours::EndRead(std::unique_ptr<NeighbourTables> read) {
  reading_ = false;
  if (read != nullptr) {
    kept_ = std::move(read);
    for (const format::Event& event : set_aside_) {
      kept_->Follow(event);
    }
  }
  set_aside_ = {};
}

void FollowedNeighbours::Take(const format::Event& event) {
  if (kept_ != nullptr) {
    kept_->Follow(event);
  } else if (reading_) {
    SetAside(event);
  }
}

bool FollowedNeighbours::BeginTake(std::span<const format::Event> events) {
  if (kept_ == nullptr) {
    std::ranges::for_each(events, [this](const format::Event& event) { Take(event); });
    return false;
  }
  taking_.assign(events.begin(), events.end());
  for (format::Event& event : taking_) {
    event.token = event.text = {};
  }
  taken_ = 0;
  return true;
}

bool FollowedNeighbours::TakeSome() {
  constexpr std::size_t kTakenAStep = 64;
  const std::size_t end = std::min(taken_ + kTakenAStep, taking_.size());
  for (; taken_ < end; ++taken_) {
    kept_->Follow(taking_[taken_]);
  }
  if (end < taking_.size()) {
    return true;
  }
  taking_ = {};  // of a long call it is large
  taken_ = 0;
  return false;
}

bool FollowedNeighbours::ForgetSome(Side side, std::uint32_t ordinal) {
  if (kept_ != nullptr) {
    return kept_->ForgetSome(side, ordinal);
  }
  if (reading_) {
    format::Event gone;
    gone.kind =
        side == Side::kUser ? format::EventKind::kUserDelete : format::EventKind::kItemDelete;
    (side == Side::kUser ? gone.user : gone.item) = ordinal;
    SetAside(gone);
  }
  return false;
}

std::size_t FollowedNeighbours::PlacesOf(Side side, std::uint32_t ordinal) const {
  if (kept_ == nullptr) {
    return 0;
  }
  return side == Side::kItem ? kept_->pairs().places(ordinal)
                             : kept_->sessions().SessionsOf(ordinal);
}

void FollowedNeighbours::SetAside(const format::Event& event) {
  set_aside_.push_back(event);
  set_aside_.back().token = set_aside_.back().text = {};
}

}  // namespace reco::engine
