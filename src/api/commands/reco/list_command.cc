#include "api/commands/reco/list_command.h"

#include <algorithm>

#include "api/commands/answers.h"
#include "api/commands/arguments.h"
#include "filter/filter.h"

namespace reco::api {
namespace {

constexpr Arguments::IdList kGroup = {
    .count = "the number of users", .id = "user id", .ids_max = kGroupUsersMax};
constexpr Arguments::IdList kBasket = {
    .count = "the number of items", .id = "item id", .ids_max = kBasketItemsMax};

std::string_view SourceName(Source source) {
  switch (source) {
    case Source::kModel:
      return "model";
    case Source::kFoldIn:
      return "fold-in";
    case Source::kPopular:
      return "popular";
    case Source::kTrending:
      return "trending";
    case Source::kLatest:
      return "latest";
    case Source::kActivity:
      return "activity";
    case Source::kCooccurrence:
      return "cooccurrence";
    case Source::kNeighbours:
      return "neighbours";
  }
  return "unknown";
}

void ReadHead(ListHead head, Arguments& words, ListRequest* request) {
  request->key = words.Word();
  switch (head) {
    case ListHead::kNothing:
      break;
    case ListHead::kUser:
      request->id = words.Id("user id");
      break;
    case ListHead::kItem:
      request->id = words.Id("item id");
      break;
    case ListHead::kUsers:
      request->ids = words.CountedIds(kGroup);
      break;
    case ListHead::kItems:
      request->ids = words.CountedIds(kBasket);
      break;
  }
}

void AnswerRanking(Reply& reply, const ListRequest& request, const Ranking& ranking) {
  // An entry alone is its id; what else is asked for follows in this order.
  const std::size_t columns = 1 + (request.with_scores ? 1U : 0U) +
                              (request.with_source ? 1U : 0U) + (request.with_attributes ? 1U : 0U);
  StartRows(reply, ranking.entries.size(), columns);
  for (const Ranking::Entry& entry : ranking.entries) {
    StartRow(reply, columns);
    reply.Bulk(entry.id);
    if (request.with_scores) {
      reply.Double(entry.score);
    }
    if (request.with_source) {
      reply.Bulk(SourceName(entry.source));
    }
    if (request.with_attributes && entry.attributes.empty()) {
      reply.Null();
    } else if (request.with_attributes) {
      reply.Bulk(entry.attributes);
    }
  }
}

}  // namespace

void ReadList(const ListCommand& command, Arguments& words, ListRequest* request) {
  ReadHead(command.head, words, request);
  ReadOptions<ListRequest>(kListOptions, command.bit, words, request);
  // Each has its own range in the table; only their sum needs both. A row of AUDIENCE or HISTORY is
  // read as a whole, whatever the page.
  if ((command.bit & list::kRankings) != 0 && request->count + request->offset > kPageEndMax) {
    words.Fail("OFFSET and COUNT must add up to at most " + std::to_string(kPageEndMax));
  }
}

void AnswerList(const ListCommand& command, CommandContext& context) {
  Arguments words(context.args);
  ListRequest request;
  ReadList(command, words, &request);
  if (request.filtered) {
    // A wrong expression is refused whatever the key holds, as other wrong words are.
    if (const auto compiled = filter::Filter::Compile(request.filter); !compiled.ok()) {
      words.Fail(compiled.status().message());
    }
  }
  if (words.Reject(context.reply)) {
    return;
  }
  const Result<Ranking> ranking = command.ask(context.database, context.Key(request.key), request);
  if (ranking.ok()) {
    AnswerRanking(context.reply, request, *ranking);
  } else {
    context.reply.Failure(ranking.status());
  }
}

bool ListIsSlow(const ListCommand& command, const CommandContext& context) {
  if (command.work == ListWork::kLong || HasManyWords(context)) {
    return true;
  }
  Arguments words(context.args);
  ListRequest request;
  // Read here and again by the handler: whether a request is slow stands in its options.
  ReadList(command, words, &request);
  if (words.failed()) {
    return false;  // the error is at hand
  }
  const bool asks_for_work = std::ranges::any_of(kListOptions, [&](const auto& option) {
    return (option.commands & command.bit) != 0 && option.slow != nullptr && option.slow(request);
  });
  if (asks_for_work || command.work == ListWork::kShort) {
    return asks_for_work;
  }
  // Most lists are answered at once, on the io thread, once their filters stand in memory.
  const KeyRef key = context.Key(request.key);
  return !context.database.FiltersAreReady(key, command.side, request.filter) ||
         (command.work == ListWork::kByVector && context.database.ListsAreLong(key));
}

}  // namespace reco::api
