// What all rankings share on the wire: the common options, their words in COMMAND DOCS, the answer.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>
#include <vector>

#include "reco/result.h"
#include "reco/types.h"

#include "api/arguments.h"
#include "api/command.h"
#include "api/reply.h"

namespace reco::api {

// One request for a ranking. `options` borrows from the vectors beside it.
struct RankingRequest {
  RankingRequest() = default;
  RankingRequest(const RankingRequest&) = delete;
  RankingRequest& operator=(const RankingRequest&) = delete;

  RankingOptions options;
  std::vector<std::string_view> include;
  std::vector<std::string_view> exclude;
  std::vector<std::string_view> context;
  bool with_scores = false;
  bool with_source = false;
};

// Takes one option that every ranking has. False: the next word is none.
bool ReadCommonOption(Arguments& words, RankingRequest* request);
// Answers what is wrong with the words; false when nothing is.
bool RejectRanking(Arguments& words, const RankingRequest& request, Reply& reply);
void AnswerRanking(Reply& reply, const RankingRequest& request, const Result<Ranking>& ranking);

inline constexpr ArgumentSpec kKeyArgument = {.name = "key", .type = "key"};
inline constexpr ArgumentSpec kUserArgument = {.name = "user", .type = "string"};
inline constexpr ArgumentSpec kItemArgument = {.name = "item", .type = "string"};
inline constexpr ArgumentSpec kItemsArgument = {.name = "item", .type = "string", .multiple = true};
inline constexpr ArgumentSpec kNumberArgument = {.name = "n", .type = "integer"};
inline constexpr ArgumentSpec kCountedIds[] = {{.name = "n", .type = "integer"},
                                               {.name = "id", .type = "string", .multiple = true}};
inline constexpr ArgumentSpec kCountArgument = {
    .name = "count", .type = "integer", .token = "COUNT", .optional = true};
inline constexpr ArgumentSpec kOffsetArgument = {
    .name = "offset", .type = "integer", .token = "OFFSET", .optional = true};
inline constexpr ArgumentSpec kWithScoresArgument = {
    .name = "withscores", .type = "pure-token", .token = "WITHSCORES", .optional = true};

// What ReadCommonOption takes.
inline constexpr std::array kCommonArguments = {
    kCountArgument,
    kOffsetArgument,
    kWithScoresArgument,
    ArgumentSpec{
        .name = "withsource", .type = "pure-token", .token = "WITHSOURCE", .optional = true},
    ArgumentSpec{.name = "include",
                 .type = "block",
                 .token = "INCLUDE",
                 .optional = true,
                 .arguments = kCountedIds},
    ArgumentSpec{.name = "exclude",
                 .type = "block",
                 .token = "EXCLUDE",
                 .optional = true,
                 .arguments = kCountedIds},
};

// `own` with the common ones behind.
template <std::size_t kOwn>
constexpr std::array<ArgumentSpec, kOwn + kCommonArguments.size()> WithCommonArguments(
    const std::array<ArgumentSpec, kOwn>& own) {
  std::array<ArgumentSpec, kOwn + kCommonArguments.size()> all{};
  std::copy(own.begin(), own.end(), all.begin());
  std::copy(kCommonArguments.begin(), kCommonArguments.end(), all.begin() + kOwn);
  return all;
}

}  // namespace reco::api
