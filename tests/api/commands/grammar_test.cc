// Options read from rows, by a table of their own.
#include "api/commands/grammar.h"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

namespace reco::api {
namespace {

enum class Order : std::uint8_t { kUp, kDown };

struct Request {
  std::size_t count = 10;
  std::optional<double> share;
  bool verbose = false;
  Order order = Order::kUp;
  std::string_view label;
};

constexpr std::uint32_t kFirst = 1;
constexpr std::uint32_t kSecond = 2;

using Row = OptionsOf<Request>;
constexpr std::array kOrders = {
    ArgumentSpec{.name = "up", .type = "pure-token", .token = "UP"},
    ArgumentSpec{.name = "down", .type = "pure-token", .token = "DOWN"}};
constexpr std::array kOptions = {
    Row::Integer<&Request::count>({"COUNT", "count", "how many"}, 1, 100),
    Row::Double<&Request::share>({"SHARE", "share", "of all"}, 0, 1).For(kFirst),
    Row::Flag<&Request::verbose>({"VERBOSE", "verbose", "more"}),
    Row::OneOf<&Request::order, kOrders>({"ORDER", "order", "which"}),
    Row::Text<&Request::label>({"LABEL", "label", "shown"}, 4).For(kSecond),
};

struct Read {
  Request request;
  std::string error;  // as it is sent; empty: none
};
Read Get(const std::vector<std::string_view>& words, std::uint32_t command = kFirst) {
  Read read;
  Arguments arguments(words, 0);
  ReadOptions<Request>(kOptions, command, arguments, &read.request);
  Reply reply(&read.error, 2);
  arguments.Reject(reply);
  return read;
}

TEST(ReadOptions, TakesOptionsInAnyOrderAndCase) {
  const Read read = Get({"verbose", "SHARE", "0.5", "count", "7", "order", "down"});
  EXPECT_EQ(read.error, "");
  EXPECT_EQ(read.request.count, 7U);
  EXPECT_EQ(read.request.share, 0.5);
  EXPECT_TRUE(read.request.verbose);
  EXPECT_EQ(read.request.order, Order::kDown);
}

TEST(ReadOptions, WhatIsNotGivenKeepsItsDefault) {
  const Read read = Get({});
  EXPECT_EQ(read.error, "");
  EXPECT_EQ(read.request.count, 10U);
  EXPECT_EQ(read.request.share, std::nullopt);
  EXPECT_FALSE(read.request.verbose);
}

TEST(ReadOptions, OtherWordsRepeatsAndMissingValuesAreSyntaxErrors) {
  for (const std::vector<std::string_view>& words :
       std::vector<std::vector<std::string_view>>{{"NOSUCH"},
                                                  {"COUNT"},
                                                  {"COUNT", "1", "COUNT", "1"},
                                                  {"VERBOSE", "verbose"},
                                                  {"ORDER", "sideways"},
                                                  {"ORDER"},
                                                  {"COUNT", "1", "2"}}) {
    EXPECT_EQ(Get(words).error, "-ERR syntax error\r\n") << words[0];
  }
}

TEST(ReadOptions, ValuesHaveTheRangeOfTheirRow) {
  EXPECT_EQ(Get({"COUNT", "100"}).error, "");
  EXPECT_EQ(Get({"COUNT", "101"}).error, "-ERR COUNT must be between 1 and 100\r\n");
  EXPECT_NE(Get({"COUNT", "x"}).error, "");
  EXPECT_EQ(Get({"SHARE", "1"}).error, "");
  EXPECT_NE(Get({"SHARE", "1.01"}).error, "");
  EXPECT_EQ(Get({"LABEL", "abcd"}, kSecond).request.label, "abcd");
  EXPECT_NE(Get({"LABEL", "abcde"}, kSecond).error, "");
}

TEST(ReadOptions, ACommandHasTheOptionsOfItsBit) {
  EXPECT_EQ(Get({"SHARE", "1"}, kSecond).error, "-ERR syntax error\r\n");
  EXPECT_EQ(Get({"LABEL", "a"}, kFirst).error, "-ERR syntax error\r\n");
  EXPECT_EQ(Get({"COUNT", "2"}, kSecond).request.count, 2U);
}

constexpr std::array kFront = {ArgumentSpec{.name = "key", .type = "key"}};

TEST(ArgumentsOf, AreThoseInFrontAndTheCommandsOwnOptions) {
  constexpr auto kAll = ArgumentsOf<kSecond, kFront, kOptions>();
  std::vector<std::string_view> names;
  names.reserve(kAll.size());
  for (const ArgumentSpec& argument : kAll) {
    names.push_back(argument.name);
  }
  EXPECT_EQ(names, (std::vector<std::string_view>{"key", "count", "verbose", "order", "label"}));
  EXPECT_FALSE(kAll[0].optional);
  EXPECT_TRUE(kAll[1].optional);
  constexpr auto kRequired = Row::Flag<&Request::verbose>({"VERBOSE", "verbose", ""}).Required();
  EXPECT_FALSE(kRequired.argument.optional);
}

}  // namespace
}  // namespace reco::api
