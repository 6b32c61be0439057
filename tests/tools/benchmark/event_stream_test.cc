#include "tools/benchmark/event_stream.h"

#include <cstdint>
#include <vector>

#include <gtest/gtest.h>

namespace reco::benchmark {
namespace {

std::vector<StreamEvent> Take(EventStream& stream, std::size_t count) {
  std::vector<StreamEvent> events;
  for (std::size_t i = 0; i < count; ++i) {
    events.push_back(stream.Next());
  }
  return events;
}

TEST(EventStream, TheSameOptionsGiveTheSameEventsAndSkippingLeadsIntoThem) {
  for (const UserOrder order : {UserOrder::kRandom, UserOrder::kSessions}) {
    StreamOptions options;
    options.order = order;
    EventStream whole(options);
    EventStream rest(options);
    Take(whole, 15);  // within a session
    rest.Skip(15);
    const auto expected = Take(whole, 100);
    const auto found = Take(rest, 100);
    for (std::size_t i = 0; i < expected.size(); ++i) {
      EXPECT_EQ(found[i].user, expected[i].user);
      EXPECT_EQ(found[i].item, expected[i].item);
    }
  }
}

TEST(EventStream, NumbersStayInTheirRanges) {
  for (const bool by_power_law : {false, true}) {
    StreamOptions options;
    options.users = 3;
    options.items = 70;
    options.users_by_power_law = by_power_law;
    EventStream stream(options);
    for (const StreamEvent& event : Take(stream, 10'000)) {
      EXPECT_LT(event.user, 3U);
      EXPECT_LT(event.item, 70U);
    }
  }
}

TEST(EventStream, ASessionIsOfOneUser) {
  StreamOptions options;
  options.order = UserOrder::kSessions;
  EventStream stream(options);
  std::uint64_t changes = 0;
  std::uint64_t last = options.users;
  for (int session = 0; session < 100; ++session) {
    const auto events = Take(stream, kSessionEvents);
    for (const StreamEvent& event : events) {
      EXPECT_EQ(event.user, events[0].user);
    }
    changes += events[0].user != last ? 1 : 0;
    last = events[0].user;
  }
  EXPECT_GT(changes, 95U);
}

TEST(EventStream, ByAPowerLawTheFirstUserHasFarMoreThanItsShare) {
  for (const bool by_power_law : {false, true}) {
    StreamOptions options;
    options.users = 1'000;
    options.users_by_power_law = by_power_law;
    EventStream stream(options);
    std::uint64_t of_first = 0;
    for (const StreamEvent& event : Take(stream, 10'000)) {
      of_first += event.user == 0 ? 1 : 0;
    }
    EXPECT_EQ(of_first > 500, by_power_law) << of_first;
  }
}

}  // namespace
}  // namespace reco::benchmark
