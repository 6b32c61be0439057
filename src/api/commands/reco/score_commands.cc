// Scores of single items and why they are what they are: RECO.SCORE, SESSIONSCORE, SIMILARITY,
// EXPLAIN, SESSIONEXPLAIN, WHY, REPRESENTATIVE.
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "api/commands/answers.h"
#include "api/commands/arguments.h"
#include "api/commands/command.h"
#include "api/commands/grammar.h"
#include "api/commands/reco/argument_specs.h"
#include "api/commands/reco/groups.h"
#include "api/commands/reco/list_options.h"

namespace reco::api {
namespace {

// Bounded as a basket is: the collection's lock is held meanwhile.
constexpr Arguments::IdList kScoredItems = {
    .count = "the number of items", .id = "item id", .ids_max = kBasketItemsMax};

void Score(CommandContext& context) {
  Arguments words(context.args);
  const KeyRef key = context.Key(words.Word());
  const std::string_view user = words.Id("user id");
  const std::vector<std::string_view> items = words.RemainingIds(kScoredItems);
  if (!words.Reject(context.reply)) {
    AnswerScores(context.reply, context.database.Score(key, user, items));
  }
}

void Similarity(CommandContext& context) {
  Arguments words(context.args);
  const KeyRef key = context.Key(words.Word());
  const std::string_view item = words.Id("item id");
  const std::vector<std::string_view> others = words.RemainingIds(kScoredItems);
  if (!words.Reject(context.reply)) {
    AnswerScores(context.reply, context.database.Similarities(key, item, others));
  }
}

// A request about an anonymous basket: "key target n item ..." and its options.
struct BasketRequest : ScoreOptions {
  std::string_view target;
  std::vector<std::string_view> items;
  std::vector<double> weights;
  std::vector<std::int64_t> times_ms;
  std::size_t count = 10;

  Basket basket() const { return {items, weights, times_ms}; }
};

// Bits of Option::commands.
constexpr std::uint32_t kScores = 1;
constexpr std::uint32_t kExplains = 2;
constexpr std::array kBasketOptions = {
    OptionsOf<BasketRequest>::Custom(
        {.name = "weight", .type = "double", .token = "WEIGHTS", .multiple = true},
        "one weight for each item of the basket",
        [](const Option<BasketRequest>&, Arguments& words, BasketRequest* basket) {
          basket->weights = ReadWeights(words, basket->items.size());
        }),
    OptionsOf<BasketRequest>::Custom(
        {.name = "time", .type = "unix-time", .token = "TIMES", .multiple = true},
        "one time for each item of the basket",
        [](const Option<BasketRequest>&, Arguments& words, BasketRequest* basket) {
          basket->times_ms = ReadTimes(words, basket->items.size());
        }),
    RecencyOption<BasketRequest>(),
    NowOption<BasketRequest>(),
    BlendOption<BasketRequest>(),
    OptionsOf<BasketRequest>::Integer<&BasketRequest::count>(
        {"COUNT", "count", "shares to answer, the largest"}, 1, kCountMax)
        .For(kExplains),
};

BasketRequest ReadBasket(Arguments& words, std::uint32_t command) {
  BasketRequest basket;
  basket.target = words.Id("item id");
  basket.items = words.CountedIds("the number of items");
  ReadOptions<BasketRequest>(kBasketOptions, command, words, &basket);
  return basket;
}

void SessionScore(CommandContext& context) {
  Arguments words(context.args);
  const KeyRef key = context.Key(words.Word());
  const BasketRequest basket = ReadBasket(words, kScores);
  if (words.Reject(context.reply)) {
    return;
  }
  const auto score = context.database.SessionScore(key, basket.target, basket.basket(), basket);
  if (!score.ok()) {
    context.reply.Failure(score.status());
  } else if (*score) {
    context.reply.Double(**score);
  } else {
    context.reply.Null();
  }
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

// Answers null for what is unknown.
void AnswerExplanationOrNull(Reply& reply, const Result<Explanation>& explanation) {
  if (explanation.ok()) {
    AnswerExplanation(reply, *explanation);
  } else if (explanation.status().code() == StatusCode::kNotFound) {
    reply.Null();
  } else {
    reply.Failure(explanation.status());
  }
}

// A request about one item and one user.
struct PairRequest : ScoreOptions {
  std::size_t count = 10;
};

constexpr std::uint32_t kWhy = 4;
constexpr std::array kPairOptions = {
    OptionsOf<PairRequest>::Integer<&PairRequest::count>(
        {"COUNT", "count", "shares to answer, the largest"}, 1, kCountMax)
        .For(kExplains),
    RecencyOption<PairRequest>(),
    NowOption<PairRequest>(),
    BlendOption<PairRequest>(),
};

void Explain(CommandContext& context) {
  Arguments words(context.args);
  const KeyRef key = context.Key(words.Word());
  const std::string_view user = words.Id("user id");
  const std::string_view item = words.Id("item id");
  PairRequest request;
  ReadOptions<PairRequest>(kPairOptions, kExplains, words, &request);
  if (!words.Reject(context.reply)) {
    AnswerExplanationOrNull(context.reply,
                            context.database.Explain(key, user, item, request.count, request));
  }
}

void ExplainSession(CommandContext& context) {
  Arguments words(context.args);
  const KeyRef key = context.Key(words.Word());
  const BasketRequest basket = ReadBasket(words, kExplains);
  if (!words.Reject(context.reply)) {
    AnswerExplanationOrNull(
        context.reply,
        context.database.ExplainSession(key, basket.target, basket.basket(), basket.count, basket));
  }
}

std::string_view StateName(ItemPlace::State state) {
  switch (state) {
    case ItemPlace::State::kRanked:
      return "ranked";
    case ItemPlace::State::kUnknownItem:
      return "unknown-item";
    case ItemPlace::State::kSeen:
      return "seen";
    case ItemPlace::State::kHidden:
      return "hidden";
    case ItemPlace::State::kExpired:
      return "expired";
    case ItemPlace::State::kRule:
      return "rule";
    case ItemPlace::State::kUnscored:
      return "unscored";
  }
  return "unknown";
}

void AnswerNames(Reply& reply, const std::vector<std::string>& names) {
  reply.Array(names.size());
  for (const std::string& name : names) {
    reply.Bulk(name);
  }
}

void Why(CommandContext& context) {
  constexpr std::size_t kPairs = 6;
  Arguments words(context.args);
  const KeyRef key = context.Key(words.Word());
  const std::string_view user = words.Id("user id");
  const std::string_view item = words.Id("item id");
  PairRequest request;
  ReadOptions<PairRequest>(kPairOptions, kWhy, words, &request);
  if (words.Reject(context.reply)) {
    return;
  }
  Reply& reply = context.reply;
  const Result<ItemPlace> place = context.database.Why(key, user, item, request);
  if (!place.ok()) {
    reply.Failure(place.status());
    return;
  }
  reply.Map(kPairs);
  reply.Bulk("state");
  reply.Bulk(StateName(place->state));
  reply.Bulk("rank");
  // Only an item that is in the list has a place in it.
  if (place->state == ItemPlace::State::kRanked) {
    reply.Integer(static_cast<std::int64_t>(place->rank));
  } else {
    reply.Null();
  }
  reply.Bulk("score");
  if (place->score) {
    reply.Double(*place->score);
  } else {
    reply.Null();
  }
  reply.Bulk("taken-out-by");
  if (place->state == ItemPlace::State::kRule) {
    reply.Bulk(place->taken_out_by);
  } else {
    reply.Null();
  }
  reply.Bulk("rules");
  AnswerNames(reply, place->rules);
  reply.Bulk("missing-fields");
  reply.Map(place->missing_fields.size());
  for (const MissingFields& missing : place->missing_fields) {
    reply.Bulk(missing.rule);
    AnswerNames(reply, missing.fields);
  }
}

void Representatives(CommandContext& context) {
  constexpr std::size_t kColumns = 2;
  Arguments words(context.args);
  const KeyRef key = context.Key(words.Word());
  if (words.Reject(context.reply)) {
    return;
  }
  const auto representatives = context.database.Representatives(key);
  if (!representatives.ok()) {
    context.reply.Failure(representatives.status());
    return;
  }
  StartRows(context.reply, representatives->size(), kColumns);
  for (const Representative& representative : *representatives) {
    StartRow(context.reply, kColumns);
    context.reply.Bulk(representative.item);
    context.reply.Float32(static_cast<float>(representative.component));
  }
}

constexpr ArgumentSpec kTargetArgument = {.name = "target", .type = "string"};
constexpr ArgumentSpec kScoreArguments[] = {kKeyArgument, kUserArgument, kItemsArgument};
constexpr ArgumentSpec kSimilarityArguments[] = {
    kKeyArgument, kItemArgument, {.name = "other", .type = "string", .multiple = true}};
constexpr ArgumentSpec kBasket[] = {kKeyArgument, kTargetArgument, kNumberArgument, kItemsArgument};
constexpr auto kSessionScoreArguments = ArgumentsOf<kScores, kBasket, kBasketOptions>();
constexpr auto kExplainSessionArguments = ArgumentsOf<kExplains, kBasket, kBasketOptions>();
constexpr ArgumentSpec kUserItem[] = {kKeyArgument, kUserArgument, kItemArgument};
constexpr auto kExplainArguments = ArgumentsOf<kExplains, kUserItem, kPairOptions>();
constexpr auto kWhyArguments = ArgumentsOf<kWhy, kUserItem, kPairOptions>();

constexpr CommandSpec kRows[] = {
    {.name = "reco.score",
     .arity = -4,
     .flags = kReadonly | kFast | kSlowWorker,
     .summary = "Returns the predicted preference of a user for each of at most 10000 items, or "
                "nil",
     .complexity = "O(N*D) where N is the number of items and D the dimension",
     .arguments = kScoreArguments,
     .handler = Score,
     .slow = HasManyWords},
    {.name = "reco.sessionscore",
     .arity = -5,
     .flags = kReadonly | kSlowWorker,
     .summary =
         "Returns the preference for an item that an anonymous basket predicts, or nil: when "
         "the target or every item of the basket is unknown, or nothing has been trained",
     .complexity = "O(N*D + D^2) where N is the number of items in the basket and D the dimension",
     .arguments = kSessionScoreArguments,
     .handler = SessionScore,
     .slow = HasManyWords},
    {.name = "reco.similarity",
     .arity = -4,
     .flags = kReadonly | kFast | kSlowWorker,
     .summary = "Returns the cosine of the vectors of an item and each of at most 10000 others, or "
                "nil",
     .complexity = "O(N*D) where N is the number of items and D the dimension",
     .arguments = kSimilarityArguments,
     .handler = Similarity,
     .slow = HasManyWords},
    {.name = "reco.explain",
     .arity = -4,
     .flags = kReadonly | kSlowWorker,
     .summary = "Returns a map of the score of an item, the share of each known item in it, "
                "largest first, and the remainder. nil when the user or the item is unknown or "
                "nothing has been trained",
     .complexity =
         "O(N*D + D^3) where N is the number of the items that the user knows and D the dimension",
     .arguments = kExplainArguments,
     .handler = Explain,
     .slow = HasManyWords},
    {.name = "reco.sessionexplain",
     .arity = -5,
     .flags = kReadonly | kSlowWorker,
     .summary = "The same as RECO.EXPLAIN for an anonymous basket. nil where RECO.SESSIONSCORE "
                "answers nil",
     .complexity = "O(N*D + D^3) where N is the number of items in the basket and D the dimension",
     .arguments = kExplainSessionArguments,
     .handler = ExplainSession,
     .slow = HasManyWords},
    {.name = "reco.why",
     .arity = -4,
     .flags = kReadonly | kSlowWorker,
     .summary = "Returns a map of why an item is not in the list of a user, or its exact rank and "
                "score, of the rules that hold for it (rules), and of those that cannot because "
                "it lacks fields that their filters name, with these (missing-fields)",
     .complexity = "O(N*D) where N is the number of items and D the dimension",
     .arguments = kWhyArguments,
     .handler = Why},
    {.name = "reco.representative",
     .arity = 2,
     .flags = kReadonly | kSlowWorker,
     .summary =
         "Returns for each latent feature the item with the largest component, and the component",
     .complexity = "O(N*D) where N is the number of items and D the dimension",
     .arguments = kKeyAlone,
     .handler = Representatives},
};

}  // namespace

std::span<const CommandSpec> ScoreCommands() {
  return kRows;
}

}  // namespace reco::api
