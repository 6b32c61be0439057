// Rankings: RECO.TOPK, SESSION, SIMILAR, SCORE, EXPLAIN.
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "api/answers.h"
#include "api/arguments.h"
#include "api/command.h"
#include "api/ranking_request.h"

namespace reco::api {
namespace {

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
  if (RejectRanking(words, request, context.reply)) {
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
  if (RejectRanking(words, request, context.reply)) {
    return;
  }
  AnswerRanking(context.reply, request,
                context.database.Session(key, items, weights, request.options));
}

void Similar(CommandContext& context) {
  Arguments words(context.args);
  const KeyRef key = context.Key(words.Word());
  const std::vector<std::string_view> items = words.CountedIds("the number of items");
  SimilarityBasis basis = SimilarityBasis::kVector;
  RankingRequest request;
  while (words.left() > 0) {
    if (words.Option("BY")) {
      if (words.Keyword("COOCCURRENCE")) {
        basis = SimilarityBasis::kCooccurrence;
      } else if (!words.Keyword("VECTOR")) {
        words.FailSyntax();
      }
    } else if (!ReadCommonOption(words, &request)) {
      words.FailSyntax();
    }
  }
  if (RejectRanking(words, request, context.reply)) {
    return;
  }
  AnswerRanking(context.reply, request,
                context.database.Similar(key, items, basis, request.options));
}

// Cold rows of many users may have to be read.
bool SimilarIsSlow(std::span<const std::string_view> args) {
  constexpr std::size_t kFirstItem = 3;
  return ContainsKeyword(args, kFirstItem, "COOCCURRENCE");
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

constexpr ArgumentSpec kContextArgument = {.name = "context",
                                           .type = "block",
                                           .token = "CONTEXT",
                                           .optional = true,
                                           .arguments = kCountedIds};
constexpr ArgumentSpec kRecencyArgument = {
    .name = "gamma", .type = "double", .token = "RECENCY", .optional = true};
constexpr ArgumentSpec kBases[] = {
    {.name = "vector", .type = "pure-token", .token = "VECTOR"},
    {.name = "cooccurrence", .type = "pure-token", .token = "COOCCURRENCE"},
};
constexpr ArgumentSpec kWithSeenArgument = {
    .name = "withseen", .type = "pure-token", .token = "WITHSEEN", .optional = true};
constexpr ArgumentSpec kWeightsArgument = {
    .name = "weight", .type = "double", .token = "WEIGHTS", .optional = true, .multiple = true};

constexpr auto kTopKArguments = WithCommonArguments(
    std::array{kKeyArgument, kUserArgument, kContextArgument, kRecencyArgument, kWithSeenArgument});
constexpr auto kSessionArguments = WithCommonArguments(
    std::array{kKeyArgument, kNumberArgument, kItemsArgument, kWeightsArgument, kWithSeenArgument});
constexpr auto kSimilarArguments = WithCommonArguments(std::array{
    kKeyArgument, kNumberArgument, kItemsArgument,
    ArgumentSpec{
        .name = "basis", .type = "oneof", .token = "BY", .optional = true, .arguments = kBases}});
constexpr ArgumentSpec kScoreArguments[] = {kKeyArgument, kUserArgument, kItemsArgument};
constexpr ArgumentSpec kExplainArguments[] = {kKeyArgument, kUserArgument, kItemArgument,
                                              kCountArgument};

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
     .flags = kReadonly | kSlowWorker,
     .first_key = 1,
     .last_key = 1,
     .key_step = 1,
     .categories = "@reco",
     .group = "reco",
     .summary =
         "Returns the items nearest to one or several items, which are left out; by the model's "
         "vectors or exactly by the users in common",
     .complexity = "O(N*D) in the worst case, where N is the number of items and D the dimension; "
                   "the scan ends as soon as no item left can enter the list. BY COOCCURRENCE "
                   "O(U*log(U) + P + N) where U is the number of users of the items and P that of "
                   "these users' pairs, of which at most 1000000 are read, of a sample of users",
     .arguments = kSimilarArguments,
     .handler = Similar,
     .subcommands = {},
     .slow = SimilarIsSlow},
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
};

}  // namespace

std::span<const CommandSpec> RankingCommands() {
  return kRows;
}

}  // namespace reco::api
