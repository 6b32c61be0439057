// What all rankings share on the wire: the common options, their words in COMMAND DOCS, the answer.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "reco/result.h"
#include "reco/types.h"

#include "api/commands/arguments.h"
#include "api/commands/command.h"
#include "api/protocol/reply.h"
#include "base/function_ref.h"

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

// Which options a ranking has beside its own.
enum class ListKind : std::uint8_t {
  kUsers,     // COUNT, OFFSET, WITHSCORES, WITHATTRS, WITHSOURCE, FILTER, INCLUDE, EXCLUDE
  kItems,     // those and DIVERSITY
  kByVector,  // those, MODEL and APPROX
};

// Reads all options up to the end; `own` takes those of the command alone and says whether the
// next word was one. False: something is wrong, which is answered.
bool ReadOptions(
    CommandContext& context, Arguments& words, ListKind kind, RankingRequest* request,
    FunctionRef<bool()> own = [] { return false; });
// Whether a list of this side has columns or bitmaps of filters to make first, and so belongs on a
// worker. `first`: where its options begin.
bool FiltersAreSlow(const CommandContext& context, Side side, std::size_t first);
// One weight for each of `count` items.
std::vector<double> ReadWeights(Arguments& words, std::size_t count);
void AnswerRanking(Reply& reply, const RankingRequest& request, const Result<Ranking>& ranking);

inline constexpr ArgumentSpec kKeyArgument = {.name = "key", .type = "key"};
inline constexpr ArgumentSpec kUserArgument = {.name = "user", .type = "string"};
inline constexpr ArgumentSpec kItemArgument = {.name = "item", .type = "string"};
inline constexpr ArgumentSpec kItemsArgument = {.name = "item", .type = "string", .multiple = true};
inline constexpr ArgumentSpec kUsersArgument = {.name = "user", .type = "string", .multiple = true};
inline constexpr ArgumentSpec kWeightsArgument = {
    .name = "weight", .type = "double", .token = "WEIGHTS", .optional = true, .multiple = true};
inline constexpr ArgumentSpec kNumberArgument = {.name = "n", .type = "integer"};
inline constexpr ArgumentSpec kCountedIds[] = {{.name = "n", .type = "integer"},
                                               {.name = "id", .type = "string", .multiple = true}};
inline constexpr ArgumentSpec kCountArgument = {
    .name = "count", .type = "integer", .token = "COUNT", .optional = true};
inline constexpr ArgumentSpec kOffsetArgument = {
    .name = "offset", .type = "integer", .token = "OFFSET", .optional = true};
inline constexpr ArgumentSpec kWithScoresArgument = {
    .name = "withscores", .type = "pure-token", .token = "WITHSCORES", .optional = true};

// The options of each ListKind.
inline constexpr std::array kUserListArguments = {
    kCountArgument,
    kOffsetArgument,
    kWithScoresArgument,
    ArgumentSpec{.name = "withattrs", .type = "pure-token", .token = "WITHATTRS", .optional = true},
    ArgumentSpec{
        .name = "withsource", .type = "pure-token", .token = "WITHSOURCE", .optional = true},
    ArgumentSpec{.name = "expression", .type = "string", .token = "FILTER", .optional = true},
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

// One array behind the other.
template <std::size_t kFirst, std::size_t kSecond>
constexpr std::array<ArgumentSpec, kFirst + kSecond> Join(
    const std::array<ArgumentSpec, kFirst>& first,
    const std::array<ArgumentSpec, kSecond>& second) {
  std::array<ArgumentSpec, kFirst + kSecond> all{};
  std::copy(first.begin(), first.end(), all.begin());
  std::copy(second.begin(), second.end(), all.begin() + kFirst);
  return all;
}

inline constexpr std::array kItemListArguments =
    Join(kUserListArguments,
         std::array{ArgumentSpec{
             .name = "lambda", .type = "double", .token = "DIVERSITY", .optional = true}});
inline constexpr ArgumentSpec kApproximateArguments[] = {
    {.name = "ef", .type = "integer", .token = "EF", .optional = true}};
inline constexpr std::array kVectorListArguments = Join(
    kItemListArguments,
    std::array{
        ArgumentSpec{.name = "model-id", .type = "integer", .token = "MODEL", .optional = true},
        ArgumentSpec{.name = "approx",
                     .type = "block",
                     .token = "APPROX",
                     .optional = true,
                     .arguments = kApproximateArguments}});

}  // namespace reco::api
