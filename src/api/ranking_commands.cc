// Rankings: RECO.TOPK, SESSION, SIMILAR, SCORE, EXPLAIN, POPULAR.
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "api/answers.h"
#include "api/arguments.h"
#include "api/command.h"

namespace reco::api {
namespace {

constexpr std::int64_t kPageEndMax = 1'000'000;  // OFFSET + COUNT

// The options common to all rankings. `options` borrows from the vectors beside it.
struct RankingRequest {
  RankingOptions options;
  std::vector<std::string_view> include;
  std::vector<std::string_view> exclude;
  std::vector<std::string_view> context;
  bool with_scores = false;
  bool with_source = false;
};

// Takes one common option. False: the next word is none.
bool ReadCommonOption(Arguments& words, RankingRequest* request) {
  RankingOptions& options = request->options;
  if (words.Option("COUNT")) {
    options.count = static_cast<std::size_t>(words.Integer("COUNT", 1, kCountMax));
  } else if (words.Option("OFFSET")) {
    options.offset = static_cast<std::size_t>(words.Integer("OFFSET", 0, kPageEndMax));
  } else if (words.Option("WITHSCORES")) {
    request->with_scores = true;
  } else if (words.Option("WITHSOURCE")) {
    request->with_source = true;
  } else if (words.Option("INCLUDE")) {
    request->include = words.CountedIds("INCLUDE");
    options.include = request->include;
  } else if (words.Option("EXCLUDE")) {
    request->exclude = words.CountedIds("EXCLUDE");
    options.exclude = request->exclude;
  } else {
    return false;
  }
  return true;
}

// Answers what is wrong with the words; false when nothing is.
bool RejectRequest(Arguments& words, const RankingRequest& request, Reply& reply) {
  if (request.options.count + request.options.offset > kPageEndMax) {
    words.Fail("OFFSET and COUNT must add up to at most 1000000");
  }
  return words.Reject(reply);
}

std::string_view SourceName(Source source) {
  switch (source) {
    case Source::kModel:
      return "model";
    case Source::kFoldIn:
      return "fold-in";
    case Source::kPopular:
      return "popular";
  }
  return "unknown";
}

void AnswerRanking(Reply& reply, const RankingRequest& request, const Result<Ranking>& ranking) {
  if (!ranking.ok()) {
    reply.Failure(ranking.status());
    return;
  }
  const std::size_t columns = 1 + (request.with_scores ? 1U : 0U) + (request.with_source ? 1U : 0U);
  StartRows(reply, ranking->entries.size(), columns);
  for (const Ranking::Entry& entry : ranking->entries) {
    StartRow(reply, columns);
    reply.Bulk(entry.id);
    if (request.with_scores) {
      reply.Double(entry.score);
    }
    if (request.with_source) {
      reply.Bulk(SourceName(entry.source));
    }
  }
}

void TopK(CommandContext& context) {
  Arguments words(context.args);
  const KeyRef key = context.Key(words.Word());
  const std::string_view user = words.Id("user id");
  RankingRequest request;
  while (words.left() > 0) {
    if (words.Option("WITHSEEN")) {
      request.options.with_seen = true;
    } else if (words.Option("RECENCY")) {
      request.options.recency = words.Double("RECENCY", 0.01, 1);
    } else if (words.Option("CONTEXT")) {
      request.context = words.CountedIds("CONTEXT");
      request.options.context = request.context;
    } else if (!ReadCommonOption(words, &request)) {
      words.FailSyntax();
    }
  }
  if (RejectRequest(words, request, context.reply)) {
    return;
  }
  AnswerRanking(context.reply, request, context.database.TopK(key, user, request.options));
}

std::vector<double> ReadWeights(Arguments& words, std::size_t count) {
  std::vector<double> weights;
  weights.reserve(count);
  while (!words.failed() && weights.size() < count) {
    weights.push_back(words.Double("weight", -kWeightMax, kWeightMax));
  }
  return weights;
}

void Session(CommandContext& context) {
  Arguments words(context.args);
  const KeyRef key = context.Key(words.Word());
  const std::vector<std::string_view> items = words.CountedIds("the number of items");
  std::vector<double> weights;
  RankingRequest request;
  while (words.left() > 0) {
    if (words.Option("WITHSEEN")) {
      request.options.with_seen = true;
    } else if (words.Option("WEIGHTS")) {
      weights = ReadWeights(words, items.size());
    } else if (!ReadCommonOption(words, &request)) {
      words.FailSyntax();
    }
  }
  if (RejectRequest(words, request, context.reply)) {
    return;
  }
  AnswerRanking(context.reply, request,
                context.database.Session(key, items, weights, request.options));
}

void Similar(CommandContext& context) {
  Arguments words(context.args);
  const KeyRef key = context.Key(words.Word());
  const std::vector<std::string_view> items = words.CountedIds("the number of items");
  RankingRequest request;
  while (words.left() > 0) {
    if (words.Option("BY")) {
      if (!words.Keyword("VECTOR")) {
        words.FailSyntax();
      }
    } else if (!ReadCommonOption(words, &request)) {
      words.FailSyntax();
    }
  }
  if (RejectRequest(words, request, context.reply)) {
    return;
  }
  AnswerRanking(context.reply, request,
                context.database.Similar(key, items, SimilarityBasis::kVector, request.options));
}

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
  RankingRequest request;
  while (words.left() > 0) {
    if (words.Option("BY")) {
      by = ReadPopularBy(words);
    } else if (!ReadCommonOption(words, &request)) {
      words.FailSyntax();
    }
  }
  if (RejectRequest(words, request, context.reply)) {
    return;
  }
  AnswerRanking(context.reply, request, context.database.Popular(key, by, request.options));
}

void Score(CommandContext& context) {
  Arguments words(context.args);
  const KeyRef key = context.Key(words.Word());
  const std::string_view user = words.Id("user id");
  const std::vector<std::string_view> items = words.RemainingIds("item id");
  if (words.Reject(context.reply)) {
    return;
  }
  AnswerScores(context.reply, context.database.Score(key, user, items));
}

void AnswerExplanation(Reply& reply, const Explanation& explanation) {
  constexpr std::size_t kPairs = 3;
  constexpr std::size_t kColumns = 2;
  reply.Map(kPairs);
  reply.Bulk("score");
  reply.Double(explanation.score);
  reply.Bulk("remainder");
  reply.Double(explanation.remainder);
  reply.Bulk("shares");
  StartRows(reply, explanation.shares.size(), kColumns);
  for (const Explanation::Share& share : explanation.shares) {
    StartRow(reply, kColumns);
    reply.Bulk(share.item);
    reply.Double(share.share);
  }
}

void Explain(CommandContext& context) {
  Arguments words(context.args);
  const KeyRef key = context.Key(words.Word());
  const std::string_view user = words.Id("user id");
  const std::string_view item = words.Id("item id");
  std::int64_t count = 10;
  while (words.left() > 0) {
    if (words.Option("COUNT")) {
      count = words.Integer("COUNT", 1, kCountMax);
    } else {
      words.FailSyntax();
    }
  }
  if (words.Reject(context.reply)) {
    return;
  }
  const Result<Explanation> explanation =
      context.database.Explain(key, user, item, static_cast<std::size_t>(count));
  if (explanation.ok()) {
    AnswerExplanation(context.reply, *explanation);
  } else if (explanation.status().code() == StatusCode::kNotFound) {
    context.reply.Null();
  } else {
    context.reply.Failure(explanation.status());
  }
}

constexpr ArgumentSpec kKeyArgument = {.name = "key", .type = "key"};
constexpr ArgumentSpec kUserArgument = {.name = "user", .type = "string"};
constexpr ArgumentSpec kItemsArgument = {.name = "item", .type = "string", .multiple = true};
constexpr ArgumentSpec kCountedIds[] = {{.name = "n", .type = "integer"},
                                        {.name = "id", .type = "string", .multiple = true}};
constexpr ArgumentSpec kCountArgument = {
    .name = "count", .type = "integer", .token = "COUNT", .optional = true};
constexpr ArgumentSpec kOffsetArgument = {
    .name = "offset", .type = "integer", .token = "OFFSET", .optional = true};
constexpr ArgumentSpec kWithScoresArgument = {
    .name = "withscores", .type = "pure-token", .token = "WITHSCORES", .optional = true};
constexpr ArgumentSpec kWithSourceArgument = {
    .name = "withsource", .type = "pure-token", .token = "WITHSOURCE", .optional = true};
constexpr ArgumentSpec kWithSeenArgument = {
    .name = "withseen", .type = "pure-token", .token = "WITHSEEN", .optional = true};
constexpr ArgumentSpec kIncludeArgument = {.name = "include",
                                           .type = "block",
                                           .token = "INCLUDE",
                                           .optional = true,
                                           .arguments = kCountedIds};
constexpr ArgumentSpec kExcludeArgument = {.name = "exclude",
                                           .type = "block",
                                           .token = "EXCLUDE",
                                           .optional = true,
                                           .arguments = kCountedIds};
constexpr ArgumentSpec kContextArgument = {.name = "context",
                                           .type = "block",
                                           .token = "CONTEXT",
                                           .optional = true,
                                           .arguments = kCountedIds};
constexpr ArgumentSpec kRecencyArgument = {
    .name = "gamma", .type = "double", .token = "RECENCY", .optional = true};
constexpr ArgumentSpec kBases[] = {{.name = "vector", .type = "pure-token", .token = "VECTOR"}};
constexpr ArgumentSpec kPopularities[] = {
    {.name = "users", .type = "pure-token", .token = "USERS"},
    {.name = "weight", .type = "pure-token", .token = "WEIGHT"},
    {.name = "events", .type = "pure-token", .token = "EVENTS"},
};

constexpr ArgumentSpec kTopKArguments[] = {
    kKeyArgument,      kUserArgument,    kContextArgument,    kRecencyArgument,
    kCountArgument,    kOffsetArgument,  kWithScoresArgument, kWithSourceArgument,
    kWithSeenArgument, kIncludeArgument, kExcludeArgument,
};
constexpr ArgumentSpec kSessionArguments[] = {
    kKeyArgument,
    {.name = "n", .type = "integer"},
    kItemsArgument,
    {.name = "weight", .type = "double", .token = "WEIGHTS", .optional = true, .multiple = true},
    kCountArgument,
    kOffsetArgument,
    kWithScoresArgument,
    kWithSourceArgument,
    kWithSeenArgument,
    kIncludeArgument,
    kExcludeArgument,
};
constexpr ArgumentSpec kSimilarArguments[] = {
    kKeyArgument,
    {.name = "n", .type = "integer"},
    kItemsArgument,
    {.name = "basis", .type = "oneof", .token = "BY", .optional = true, .arguments = kBases},
    kCountArgument,
    kOffsetArgument,
    kWithScoresArgument,
    kWithSourceArgument,
    kIncludeArgument,
    kExcludeArgument,
};
constexpr ArgumentSpec kPopularArguments[] = {
    kKeyArgument,
    {.name = "by", .type = "oneof", .token = "BY", .optional = true, .arguments = kPopularities},
    kCountArgument,
    kOffsetArgument,
    kWithScoresArgument,
    kWithSourceArgument,
    kIncludeArgument,
    kExcludeArgument,
};
constexpr ArgumentSpec kScoreArguments[] = {kKeyArgument, kUserArgument, kItemsArgument};
constexpr ArgumentSpec kExplainArguments[] = {
    kKeyArgument, kUserArgument, {.name = "item", .type = "string"}, kCountArgument};

constexpr CommandSpec kRows[] = {
    {.name = "reco.topk",
     .arity = -3,
     .flags = kReadonly,
     .first_key = 1,
     .last_key = 1,
     .key_step = 1,
     .categories = "@reco",
     .group = "reco",
     .summary =
         "Returns the best items for a user, best first. For an unknown user the popular list",
     .complexity = "O(N*D) in the worst case, where N is the number of items and D the dimension; "
                   "the scan ends as soon as no item left can enter the list",
     .arguments = kTopKArguments,
     .handler = TopK},
    {.name = "reco.session",
     .arity = -4,
     .flags = kReadonly,
     .first_key = 1,
     .last_key = 1,
     .key_step = 1,
     .categories = "@reco",
     .group = "reco",
     .summary = "Returns what fits an anonymous basket of items, best first",
     .complexity = "O(N*D) in the worst case, where N is the number of items and D the dimension; "
                   "the scan ends as soon as no item left can enter the list",
     .arguments = kSessionArguments,
     .handler = Session},
    {.name = "reco.similar",
     .arity = -4,
     .flags = kReadonly,
     .first_key = 1,
     .last_key = 1,
     .key_step = 1,
     .categories = "@reco",
     .group = "reco",
     .summary = "Returns the items nearest to one or several items, which are left out",
     .complexity = "O(N*D) in the worst case, where N is the number of items and D the dimension; "
                   "the scan ends as soon as no item left can enter the list",
     .arguments = kSimilarArguments,
     .handler = Similar},
    {.name = "reco.score",
     .arity = -4,
     .flags = kReadonly | kFast,
     .first_key = 1,
     .last_key = 1,
     .key_step = 1,
     .categories = "@reco",
     .group = "reco",
     .summary = "Returns the predicted preference of a user for each item, or nil",
     .complexity = "O(N*D) where N is the number of items and D the dimension",
     .arguments = kScoreArguments,
     .handler = Score},
    {.name = "reco.explain",
     .arity = -4,
     .flags = kReadonly,
     .first_key = 1,
     .last_key = 1,
     .key_step = 1,
     .categories = "@reco",
     .group = "reco",
     .summary = "Returns a map of the score of an item, the share of each known item in it, "
                "largest first, and the remainder. nil when the user or the item is unknown",
     .complexity = "O(N*D + D^3) where N is the number of the user's items and D the dimension",
     .arguments = kExplainArguments,
     .handler = Explain},
    {.name = "reco.popular",
     .arity = -2,
     .flags = kReadonly,
     .first_key = 1,
     .last_key = 1,
     .key_step = 1,
     .categories = "@reco",
     .group = "reco",
     .summary = "Returns the items with the most users, weight or events",
     .complexity = "O(N) where N is the number of items",
     .arguments = kPopularArguments,
     .handler = Popular},
};

}  // namespace

std::span<const CommandSpec> RankingCommands() {
  return kRows;
}

}  // namespace reco::api
