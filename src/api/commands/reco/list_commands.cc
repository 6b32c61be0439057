// Lists that are not personal: RECO.POPULAR, TRENDING, LATEST, ACTIVEUSERS, AUDIENCE.
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "api/commands/answers.h"
#include "api/commands/arguments.h"
#include "api/commands/command.h"
#include "api/commands/reco/groups.h"
#include "api/commands/reco/ranking_request.h"

namespace reco::api {
namespace {

constexpr std::int64_t kOffsetMax = 1'000'000;

PopularBy ReadPopularBy(Arguments& words) {
  if (words.Keyword("WEIGHT")) {
    return PopularBy::kWeight;
  }
  if (words.Keyword("EVENTS")) {
    return PopularBy::kEvents;
  }
  if (!words.Keyword("USERS")) {
    words.FailSyntax();
  }
  return PopularBy::kUsers;
}

void Popular(CommandContext& context) {
  Arguments words(context.args);
  const KeyRef key = context.Key(words.Word());
  PopularBy by = PopularBy::kUsers;
  std::optional<std::int64_t> window_s;
  RankingRequest request;
  const auto own = [&] {
    if (words.Option("BY")) {
      by = ReadPopularBy(words);
    } else if (words.Option("WINDOW")) {
      window_s = words.Integer("WINDOW", 1, kRecentSecondsMax);
    } else {
      return false;
    }
    return true;
  };
  if (ReadOptions(context, words, ListKind::kItems, &request, own)) {
    AnswerRanking(context.reply, request,
                  window_s ? context.database.PopularWithin(key, *window_s, by, request.options)
                           : context.database.Popular(key, by, request.options));
  }
}

constexpr std::size_t kFirstOption = 2;

bool ItemFiltersAreSlow(const CommandContext& context) {
  return FiltersAreSlow(context, Side::kItem, kFirstOption);
}

bool UserFiltersAreSlow(const CommandContext& context) {
  return FiltersAreSlow(context, Side::kUser, kFirstOption);
}

// A window that nobody has asked for yet is made from the log, however long that is.
bool PopularIsSlow(const CommandContext& context) {
  return ContainsKeyword(context.args, kFirstOption, "WINDOW") || ItemFiltersAreSlow(context);
}

void Trending(CommandContext& context) {
  Arguments words(context.args);
  const KeyRef key = context.Key(words.Word());
  std::int64_t halflife_s = kTrendingHalfLifeS;
  RankingRequest request;
  const auto own = [&] {
    const bool taken = words.Option("HALFLIFE");
    halflife_s = taken ? words.Integer("HALFLIFE", 1, kRecentSecondsMax) : halflife_s;
    return taken;
  };
  if (ReadOptions(context, words, ListKind::kItems, &request, own)) {
    AnswerRanking(context.reply, request,
                  context.database.Trending(key, halflife_s, request.options));
  }
}

void Latest(CommandContext& context) {
  Arguments words(context.args);
  const KeyRef key = context.Key(words.Word());
  RankingRequest request;
  if (ReadOptions(context, words, ListKind::kItems, &request)) {
    AnswerRanking(context.reply, request, context.database.Latest(key, request.options));
  }
}

void ActiveUsers(CommandContext& context) {
  Arguments words(context.args);
  const KeyRef key = context.Key(words.Word());
  RankingRequest request;
  if (ReadOptions(context, words, ListKind::kUsers, &request)) {
    AnswerRanking(context.reply, request, context.database.ActiveUsers(key, request.options));
  }
}

void Audience(CommandContext& context) {
  Arguments words(context.args);
  const KeyRef key = context.Key(words.Word());
  const std::string_view item = words.Id("item id");
  AudienceOptions options;
  bool with_scores = false;
  while (words.left() > 0) {
    if (words.Option("COUNT")) {
      options.count = static_cast<std::size_t>(words.Integer("COUNT", 1, kCountMax));
    } else if (words.Option("OFFSET")) {
      options.offset = static_cast<std::size_t>(words.Integer("OFFSET", 0, kOffsetMax));
    } else if (words.Option("WITHSCORES")) {
      with_scores = true;
    } else {
      words.FailSyntax();
    }
  }
  if (words.Reject(context.reply)) {
    return;
  }
  const Result<std::vector<AudienceEntry>> users = context.database.Audience(key, item, options);
  if (!users.ok()) {
    context.reply.Failure(users.status());
    return;
  }
  const std::size_t columns = with_scores ? 2 : 1;
  StartRows(context.reply, users->size(), columns);
  for (const AudienceEntry& entry : *users) {
    StartRow(context.reply, columns);
    context.reply.Bulk(entry.user);
    if (with_scores) {
      context.reply.Double(entry.weight);
    }
  }
}

constexpr ArgumentSpec kPopularities[] = {
    {.name = "users", .type = "pure-token", .token = "USERS"},
    {.name = "weight", .type = "pure-token", .token = "WEIGHT"},
    {.name = "events", .type = "pure-token", .token = "EVENTS"},
};
constexpr std::array kPopularArguments = Join(
    std::array{
        kKeyArgument,
        ArgumentSpec{.name = "window", .type = "integer", .token = "WINDOW", .optional = true},
        ArgumentSpec{.name = "by",
                     .type = "oneof",
                     .token = "BY",
                     .optional = true,
                     .arguments = kPopularities}},
    kItemListArguments);
constexpr std::array kTrendingArguments = Join(
    std::array{
        kKeyArgument,
        ArgumentSpec{.name = "seconds", .type = "integer", .token = "HALFLIFE", .optional = true}},
    kItemListArguments);
constexpr std::array kLatestArguments = Join(std::array{kKeyArgument}, kItemListArguments);
constexpr std::array kActiveUsersArguments = Join(std::array{kKeyArgument}, kUserListArguments);
constexpr ArgumentSpec kAudienceArguments[] = {kKeyArgument, kItemArgument, kCountArgument,
                                               kOffsetArgument, kWithScoresArgument};

constexpr CommandSpec kRows[] = {
    {.name = "reco.popular",
     .arity = -2,
     .flags = kReadonly | kSlowWorker,
     .summary = "Returns the items with the most users, weight or events, of all time or within "
                "the last seconds",
     .complexity = "O(N) where N is the number of items; the first use of a WINDOW O(E) where E is "
                   "the number of events in the log",
     .arguments = kPopularArguments,
     .handler = Popular,
     .slow = PopularIsSlow},
    {.name = "reco.trending",
     .arity = -2,
     .flags = kReadonly | kSlowWorker,
     .summary = "Returns the items by the sum of their events' weights, each halved with every "
                "half-life of age. HALFLIFE is a day by default",
     .complexity = "O(N) where N is the number of items; the first use of a HALFLIFE O(E) where E "
                   "is the number of events in the log",
     .arguments = kTrendingArguments,
     .handler = Trending},
    {.name = "reco.latest",
     .arity = -2,
     .flags = kReadonly | kSlowWorker,
     .summary = "Returns the items that became known last, newest first. The score is that time in "
                "milliseconds: of the first interaction or of the record that created the item",
     .complexity = "O(N) where N is the number of items",
     .arguments = kLatestArguments,
     .handler = Latest,
     .slow = ItemFiltersAreSlow},
    {.name = "reco.activeusers",
     .arity = -2,
     .flags = kReadonly | kSlowWorker,
     .summary = "Returns the users with the most events. INCLUDE and EXCLUDE name users",
     .complexity = "O(N) where N is the number of users",
     .arguments = kActiveUsersArguments,
     .handler = ActiveUsers,
     .slow = UserFiltersAreSlow},
    {.name = "reco.audience",
     .arity = -3,
     .flags = kReadonly | kSlowWorker,
     .summary = "Returns the users who interacted with an item, newest first. The score is the "
                "stored preference",
     .complexity = "O(N*log(N)) where N is the number of the item's pairs",
     .arguments = kAudienceArguments,
     .handler = Audience},
};

}  // namespace

std::span<const CommandSpec> ListCommands() {
  return kRows;
}

}  // namespace reco::api
