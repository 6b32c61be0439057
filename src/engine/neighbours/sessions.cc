#include "engine/neighbours/sessions.h"

#include <algorithm>
#include <cstddef>
#include <iterator>

#include "base/sorted.h"

namespace reco::engine {

void Sessions::Add(std::uint32_t user, std::uint32_t item, std::int64_t time_ms) {
  std::vector<std::uint64_t>& own = of_user_.Make(user);
  Stored* open = own.empty() ? nullptr : &At(own.back());
  const auto holds = [item](const Stored& session) {
    return std::find(session.items.begin(), session.items.end(), item) != session.items.end();
  };
  if (open != nullptr && time_ms >= open->last_ms - kGapMs && time_ms <= open->last_ms + kGapMs) {
    open->last_ms = std::max(open->last_ms, time_ms);
    if (holds(*open)) {
      return;
    }
    if (open->items.size() == kItemsMax) {
      open = nullptr;
    }
  } else {
    open = nullptr;
  }
  if (open == nullptr) {
    own.push_back(first_ + sessions_.size());
    open = &sessions_.emplace_back(Stored{user, time_ms, {}});
    ++live_;
  }
  open->items.push_back(item);
  ++entries_;
  const std::uint64_t number = own.back();
  std::vector<std::uint64_t>& holding = holding_.Make(item);
  // Mostly the newest, or one of the newest.
  holding.insert(std::upper_bound(holding.begin(), holding.end(), number), number);
  CountLast(number);
  while (AboveBound() && sessions_.size() > 1) {
    LetOldestGo();
  }
}

void Sessions::Remove(std::uint32_t user, std::uint32_t item) {
  if (holding_[item].empty()) {
    return;
  }
  // By the shorter of both lists; oldest first either way.
  const std::vector<std::uint64_t>& holding = holding_[item];
  const std::vector<std::uint64_t>& own = of_user_[user];
  std::vector<std::uint64_t> numbers;
  if (holding.size() < own.size()) {
    std::copy_if(std::lower_bound(holding.begin(), holding.end(), first_), holding.end(),
                 std::back_inserter(numbers),
                 [&](std::uint64_t number) { return At(number).user == user; });
  } else {
    std::copy_if(own.begin(), own.end(), std::back_inserter(numbers), [&](std::uint64_t number) {
      const std::vector<std::uint32_t>& items = At(number).items;
      return std::find(items.begin(), items.end(), item) != items.end();
    });
  }
  for (const std::uint64_t number : numbers) {
    TakeFromItem(number, item);
    TakeOut(number, item);
  }
}

bool Sessions::RemoveUser(std::uint32_t user, std::size_t most) {
  const std::vector<std::uint64_t>& own = of_user_[user];
  // A copy: it changes on the way.
  const std::vector<std::uint64_t> numbers(
      own.begin(), own.begin() + static_cast<std::ptrdiff_t>(std::min(own.size(), most)));
  std::size_t places = 0;
  for (const std::uint64_t number : numbers) {
    places += At(number).items.size();
  }
  UncountFirst(user, places);
  for (const std::uint64_t number : numbers) {
    for (const std::uint32_t item : At(number).items) {
      TakeFromItem(number, item);
    }
    End(number);
  }
  return !of_user_[user].empty();
}

bool Sessions::RemoveItem(std::uint32_t item, std::size_t most) {
  std::vector<std::uint64_t>* holding = holding_.Find(item);
  for (; holding != nullptr && most > 0; --most) {
    if (holding->empty() || holding->back() < first_) {
      holding_.Erase(item);
      return false;
    }
    const std::uint64_t number = holding->back();
    holding->pop_back();
    TakeOut(number, item);
  }
  return holding != nullptr;
}

std::vector<Sessions::Session> Sessions::OfUser(std::uint32_t user) const {
  std::vector<Session> found;
  for (const std::uint64_t number : of_user_[user]) {
    found.push_back({number, sessions_[number - first_].items});
  }
  return found;
}

// Takes the item out of the session, which ends when it was its last.
void Sessions::TakeOut(std::uint64_t number, std::uint32_t item) {
  std::vector<std::uint32_t>& items = At(number).items;
  const auto at = std::find(items.begin(), items.end(), item);
  UncountOne(number, static_cast<std::size_t>(at - items.begin()));
  items.erase(at);
  --entries_;
  if (items.empty()) {
    End(number);
  }
}

void Sessions::TakeFromItem(std::uint64_t number, std::uint32_t item) {
  std::vector<std::uint64_t>& holding = *holding_.Find(item);
  holding.erase(std::lower_bound(holding.begin(), holding.end(), number));
  if (holding.empty()) {
    holding_.Erase(item);
  }
}

// Takes the session, whose items do not know it any more, from its user.
void Sessions::End(std::uint64_t number) {
  Stored& session = At(number);
  std::vector<std::uint64_t>& own = *of_user_.Find(session.user);
  own.erase(std::lower_bound(own.begin(), own.end(), number));
  if (own.empty()) {
    of_user_.Erase(session.user);
  }
  entries_ -= session.items.size();
  --live_;
  session = Stored();
  while (!sessions_.empty() && sessions_.front().user == kNobody) {
    sessions_.pop_front();
    ++first_;
  }
}

// The items find out by its number that it is gone, and drop what is gone once that is half.
void Sessions::LetOldestGo() {
  const std::uint64_t number = first_;
  const std::vector<std::uint32_t> items = sessions_.front().items;
  UncountFirst(sessions_.front().user, items.size());
  ++let_go_;
  End(number);
  for (const std::uint32_t item : items) {
    std::vector<std::uint64_t>& holding = *holding_.Find(item);
    const auto kept = std::lower_bound(holding.begin(), holding.end(), first_);
    if (kept == holding.end()) {
      holding_.Erase(item);
    } else if (kept - holding.begin() > holding.end() - kept) {
      holding.erase(holding.begin(), kept);
    }
  }
}

void Sessions::CountLast(std::uint64_t number) {
  if (pairs_ != nullptr) {
    const std::vector<std::uint32_t>& items = At(number).items;
    pairs_->PutIn(items.back(), Before(number, items.size() - 1), {});
  }
}

void Sessions::UncountOne(std::uint64_t number, std::size_t place) {
  if (pairs_ != nullptr) {
    pairs_->TakeOut(At(number).items[place], Before(number, place), Behind(number, place));
  }
}

// From the front on, so that nothing moves nearer.
void Sessions::UncountFirst(std::uint32_t user, std::size_t count) {
  if (pairs_ == nullptr) {
    return;
  }
  std::vector<std::uint32_t> history;
  for (const std::uint64_t number : of_user_[user]) {
    const std::vector<std::uint32_t>& items = At(number).items;
    history.insert(history.end(), items.begin(), items.end());
    // The rest says nothing of the first `count`.
    if (count < history.size() && history.size() - count >= PairCounts::kWindow) {
      break;
    }
  }
  for (std::size_t i = 0; i < std::min(count, history.size()); ++i) {
    pairs_->TakeOut(history[i], {}, std::span(history).subspan(i + 1));
  }
}

std::vector<std::uint32_t> Sessions::Before(std::uint64_t number, std::size_t place) const {
  std::vector<std::uint32_t> items;
  items.reserve(PairCounts::kWindow);
  const std::vector<std::uint64_t>& own = of_user_[At(number).user];
  auto session = std::lower_bound(own.begin(), own.end(), number);
  for (;;) {
    const std::vector<std::uint32_t>& here = At(*session).items;
    for (; place > 0 && items.size() < PairCounts::kWindow; --place) {
      items.push_back(here[place - 1]);
    }
    if (items.size() == PairCounts::kWindow || session == own.begin()) {
      return items;
    }
    place = At(*--session).items.size();
  }
}

std::vector<std::uint32_t> Sessions::Behind(std::uint64_t number, std::size_t place) const {
  std::vector<std::uint32_t> items;
  items.reserve(PairCounts::kWindow);
  const std::vector<std::uint64_t>& own = of_user_[At(number).user];
  std::size_t from = place + 1;
  for (auto session = std::lower_bound(own.begin(), own.end(), number); session != own.end();
       ++session, from = 0) {
    const std::vector<std::uint32_t>& here = At(*session).items;
    for (std::size_t i = from; i < here.size(); ++i) {
      if (items.size() == PairCounts::kWindow) {
        return items;
      }
      items.push_back(here[i]);
    }
  }
  return items;
}

}  // namespace reco::engine
