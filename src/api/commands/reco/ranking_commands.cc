// Rankings: RECO.TOPK, MTOPK, SESSION, SIMILAR, SIMUSERS, SURPRISING.
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "api/commands/arguments.h"
#include "api/commands/command.h"
#include "api/commands/reco/groups.h"
#include "api/commands/reco/ranking_request.h"

namespace reco::api {
namespace {

// Takes one option that lists for users have: what they have seen, their session, their memory.
bool ReadUserOption(Arguments& words, RankingRequest* request) {
  if (words.Option("WITHSEEN")) {
    request->options.with_seen = true;
  } else if (words.Option("RECENCY")) {
    request->options.recency = words.Double("RECENCY", 0.01, 1);
  } else if (words.Option("CONTEXT")) {
    request->context = words.CountedIds("CONTEXT");
    request->options.context = request->context;
  } else {
    return false;
  }
  return true;
}

void TopK(CommandContext& context) {
  Arguments words(context.args);
  const KeyRef key = context.Key(words.Word());
  const std::string_view user = words.Id("user id");
  RankingRequest request;
  if (ReadOptions(context, words, ListKind::kByVector, &request,
                  [&] { return ReadUserOption(words, &request); })) {
    AnswerRanking(context.reply, request, context.database.TopK(key, user, request.options));
  }
}

void GroupTopK(CommandContext& context) {
  Arguments words(context.args);
  const KeyRef key = context.Key(words.Word());
  const std::vector<std::string_view> users = words.CountedIds(
      {.count = "the number of users", .id = "user id", .ids_max = kGroupUsersMax});
  RankingRequest request;
  if (ReadOptions(context, words, ListKind::kByVector, &request,
                  [&] { return ReadUserOption(words, &request); })) {
    AnswerRanking(context.reply, request, context.database.GroupTopK(key, users, request.options));
  }
}

void Session(CommandContext& context) {
  Arguments words(context.args);
  const KeyRef key = context.Key(words.Word());
  const std::vector<std::string_view> items = words.CountedIds("the number of items");
  std::vector<double> weights;
  RankingRequest request;
  const auto own = [&] {
    if (words.Option("WITHSEEN")) {
      request.options.with_seen = true;
    } else if (words.Option("WEIGHTS")) {
      weights = ReadWeights(words, items.size());
    } else {
      return false;
    }
    return true;
  };
  if (ReadOptions(context, words, ListKind::kByVector, &request, own)) {
    AnswerRanking(context.reply, request,
                  context.database.Session(key, items, weights, request.options));
  }
}

void Similar(CommandContext& context) {
  Arguments words(context.args);
  const KeyRef key = context.Key(words.Word());
  const std::vector<std::string_view> items = words.CountedIds("the number of items");
  SimilarityBasis basis = SimilarityBasis::kVector;
  RankingRequest request;
  const auto own = [&] {
    if (!words.Option("BY")) {
      return false;
    }
    if (words.Keyword("COOCCURRENCE")) {
      basis = SimilarityBasis::kCooccurrence;
    } else if (!words.Keyword("VECTOR")) {
      words.FailSyntax();
    }
    return true;
  };
  if (ReadOptions(context, words, ListKind::kByVector, &request, own)) {
    AnswerRanking(context.reply, request,
                  context.database.Similar(key, items, basis, request.options));
  }
}

// The first list by a replaced model reads its vectors; and lists of this collection may have taken
// long of late.
bool ListIsSlow(const CommandContext& context) {
  constexpr std::size_t kFirstOption = 3;
  return FiltersAreSlow(context, Side::kItem, kFirstOption) ||
         ContainsKeyword(context.args, kFirstOption, "MODEL") ||
         context.database.ListsAreLong(context.Key(context.args[1]));
}

// Cold rows of many users may have to be read.
bool SimilarIsSlow(const CommandContext& context) {
  constexpr std::size_t kFirstItem = 3;
  return ContainsKeyword(context.args, kFirstItem, "COOCCURRENCE") || ListIsSlow(context);
}

void SimilarUsers(CommandContext& context) {
  Arguments words(context.args);
  const KeyRef key = context.Key(words.Word());
  const std::string_view user = words.Id("user id");
  RankingRequest request;
  if (ReadOptions(context, words, ListKind::kUsers, &request)) {
    AnswerRanking(context.reply, request,
                  context.database.SimilarUsers(key, user, request.options));
  }
}

void Surprising(CommandContext& context) {
  Arguments words(context.args);
  const KeyRef key = context.Key(words.Word());
  const std::string_view user = words.Id("user id");
  RankingRequest request;
  if (ReadOptions(context, words, ListKind::kByVector, &request)) {
    AnswerRanking(context.reply, request, context.database.Surprising(key, user, request.options));
  }
}

constexpr ArgumentSpec kBases[] = {
    {.name = "vector", .type = "pure-token", .token = "VECTOR"},
    {.name = "cooccurrence", .type = "pure-token", .token = "COOCCURRENCE"},
};
constexpr ArgumentSpec kWithSeenArgument = {
    .name = "withseen", .type = "pure-token", .token = "WITHSEEN", .optional = true};
// What ReadUserOption takes, behind which the common ones follow.
constexpr std::array kForUserArguments = Join(
    std::array{
        ArgumentSpec{.name = "context",
                     .type = "block",
                     .token = "CONTEXT",
                     .optional = true,
                     .arguments = kCountedIds},
        ArgumentSpec{.name = "gamma", .type = "double", .token = "RECENCY", .optional = true},
        kWithSeenArgument},
    kVectorListArguments);

constexpr std::array kTopKArguments =
    Join(std::array{kKeyArgument, kUserArgument}, kForUserArguments);
constexpr std::array kGroupArguments =
    Join(std::array{kKeyArgument, kNumberArgument, kUsersArgument}, kForUserArguments);
constexpr std::array kSessionArguments = Join(
    std::array{kKeyArgument, kNumberArgument, kItemsArgument, kWeightsArgument, kWithSeenArgument},
    kVectorListArguments);
constexpr std::array kSimilarArguments =
    Join(std::array{kKeyArgument, kNumberArgument, kItemsArgument,
                    ArgumentSpec{.name = "basis",
                                 .type = "oneof",
                                 .token = "BY",
                                 .optional = true,
                                 .arguments = kBases}},
         kVectorListArguments);
constexpr std::array kSimilarUsersArguments =
    Join(std::array{kKeyArgument, kUserArgument}, kUserListArguments);
constexpr std::array kSurprisingArguments =
    Join(std::array{kKeyArgument, kUserArgument}, kVectorListArguments);
constexpr CommandSpec kRows[] = {
    {.name = "reco.topk",
     .arity = -3,
     .flags = kReadonly | kSlowWorker,
     .summary =
         "Returns the best items for a user, best first. For an unknown user the popular list",
     .complexity = "O(N*D) in the worst case, where N is the number of items and D the dimension; "
                   "the scan ends as soon as no item left can enter the list",
     .arguments = kTopKArguments,
     .handler = TopK,
     .slow = ListIsSlow},
    {.name = "reco.mtopk",
     .arity = -4,
     .flags = kReadonly | kSlowWorker,
     .summary = "Returns the best items for a group of users: by the mean of their scores, what "
                "any of them has seen left out",
     .complexity = "O(N*D) in the worst case, where N is the number of items and D the dimension; "
                   "the scan ends as soon as no item left can enter the list",
     .arguments = kGroupArguments,
     .handler = GroupTopK,
     .slow = ListIsSlow},
    {.name = "reco.session",
     .arity = -4,
     .flags = kReadonly | kSlowWorker,
     .summary = "Returns what fits an anonymous basket of items, best first",
     .complexity = "O(N*D) in the worst case, where N is the number of items and D the dimension; "
                   "the scan ends as soon as no item left can enter the list",
     .arguments = kSessionArguments,
     .handler = Session,
     .slow = ListIsSlow},
    {.name = "reco.similar",
     .arity = -4,
     .flags = kReadonly | kSlowWorker,
     .summary =
         "Returns the items nearest to one or several items, which are left out; by the model's "
         "vectors or exactly by the users in common",
     .complexity = "O(N*D) in the worst case, where N is the number of items and D the dimension; "
                   "the scan ends as soon as no item left can enter the list. BY COOCCURRENCE "
                   "O(U*log(U) + P + N) where U is the number of users of the items and P that of "
                   "these users' pairs, of which at most 1000000 are read, of a sample of users",
     .arguments = kSimilarArguments,
     .handler = Similar,
     .slow = SimilarIsSlow},
    {.name = "reco.simusers",
     .arity = -3,
     .flags = kReadonly | kSlowWorker,
     .summary = "Returns the users nearest to a user by the cosine of their vectors",
     .complexity = "O(U*D) where U is the number of users and D the dimension",
     .arguments = kSimilarUsersArguments,
     .handler = SimilarUsers},
    {.name = "reco.surprising",
     .arity = -3,
     .flags = kReadonly | kSlowWorker,
     .summary = "Returns the items that a user knows and the model would have predicted least, "
                "lowest score first",
     .complexity =
         "O(N*D) where N is the number of the items that the user knows and D the dimension",
     .arguments = kSurprisingArguments,
     .handler = Surprising,
     .slow = ListIsSlow},
};

}  // namespace

std::span<const CommandSpec> RankingCommands() {
  return kRows;
}

}  // namespace reco::api
