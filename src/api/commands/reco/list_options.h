// The options of lists: one row each (grammar.h). A new option of a list is a row here and the
// place in src/engine/lists where it acts.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>
#include <vector>

#include "reco/types.h"

#include "api/commands/grammar.h"
#include "api/commands/reco/argument_specs.h"

namespace reco::api {

// One request for a list: what is asked about, and the values of all options. The options of the
// engine that are spans borrow from the vectors here.
struct ListRequest : RankingOptions {
  ListRequest() = default;
  ListRequest(const ListRequest&) = delete;
  ListRequest& operator=(const ListRequest&) = delete;

  std::string_view key;
  std::string_view id;                // of the user or the item, where there is one
  std::vector<std::string_view> ids;  // of the group or the basket

  std::vector<std::string_view> include_ids;
  std::vector<std::string_view> exclude_ids;
  std::vector<std::string_view> context_ids;
  bool filtered = false;  // FILTER was given
  bool with_scores = false;
  bool with_source = false;

  std::vector<double> weights;         // of the basket; empty: all 1
  std::vector<std::int64_t> times_ms;  // likewise; empty: all of now
  SimilarityBasis basis = SimilarityBasis::kVector;
  PopularBy popular_by = PopularBy::kUsers;
  std::optional<std::int64_t> window_s;
  std::int64_t halflife_s = kTrendingHalfLifeS;
  std::optional<std::string_view> type;
  std::optional<std::int64_t> since_ms;
  std::optional<std::int64_t> until_ms;
  std::optional<std::int64_t> as_of_ms;
};

// A list of more is made on a worker: about 10 ms.
inline constexpr std::uint64_t kEntriesAtOnce = 10'000;
inline constexpr std::uint64_t kRecordsAtOnce = 100;  // of up to 64 KiB each

// Bits of Option::commands.
namespace list {
inline constexpr std::uint32_t kTopK = 1U << 0U;
inline constexpr std::uint32_t kGroup = 1U << 1U;
inline constexpr std::uint32_t kSession = 1U << 2U;
inline constexpr std::uint32_t kSimilar = 1U << 3U;
inline constexpr std::uint32_t kSimilarUsers = 1U << 4U;
inline constexpr std::uint32_t kSurprising = 1U << 5U;
inline constexpr std::uint32_t kPopular = 1U << 6U;
inline constexpr std::uint32_t kTrending = 1U << 7U;
inline constexpr std::uint32_t kLatest = 1U << 8U;
inline constexpr std::uint32_t kActiveUsers = 1U << 9U;
inline constexpr std::uint32_t kAudience = 1U << 10U;
inline constexpr std::uint32_t kHistory = 1U << 11U;

inline constexpr std::uint32_t kForUsers = kTopK | kGroup;
// Made from pairs, which have times.
inline constexpr std::uint32_t kFromPairs = kForUsers | kSession | kSurprising;
inline constexpr std::uint32_t kByVector = kForUsers | kSession | kSimilar | kSurprising;
inline constexpr std::uint32_t kOfItems = kByVector | kPopular | kTrending | kLatest;
inline constexpr std::uint32_t kRankings = kOfItems | kSimilarUsers | kActiveUsers;
inline constexpr std::uint32_t kEvery = kRankings | kAudience | kHistory;
}  // namespace list

// Reads one weight for each of `count` items.
inline std::vector<double> ReadWeights(Arguments& words, std::size_t count) {
  std::vector<double> weights;
  while (!words.failed() && weights.size() < count) {
    weights.push_back(words.Double("weight", -kWeightMax, kWeightMax));
  }
  return weights;
}

// Reads one time for each of `count` items.
inline std::vector<std::int64_t> ReadTimes(Arguments& words, std::size_t count) {
  std::vector<std::int64_t> times_ms;
  while (!words.failed() && times_ms.size() < count) {
    times_ms.push_back(words.Integer("time", 0, kTimeMsMax));
  }
  return times_ms;
}

// How pairs count by their time, of requests that are ScoreOptions.
inline constexpr ArgumentSpec kRecencies[] = {
    {.name = "age", .type = "pure-token", .token = "AGE"},
    {.name = "gamma", .type = "double"},
};
template <typename Request>
constexpr Option<Request> RecencyOption() {
  return OptionsOf<Request>::Custom(
      {.name = "recency", .type = "oneof", .token = "RECENCY", .arguments = kRecencies},
      "weighs the pairs by their age, or the n-th newest by gamma^n, 0.01 to 1; by default the "
      "collection's parameter. A basket without TIMES has no newest",
      [](const Option<Request>&, Arguments& words, Request* request) {
        request->recency = Recency();
        if (!words.Keyword("AGE")) {
          const std::optional<double> gamma = ParseDouble(words.Word());
          if (!gamma || *gamma < kRecencyMin || *gamma > 1) {
            words.Fail("RECENCY must be AGE or a number from 0.01 to 1");
          }
          request->recency = Recency(gamma.value_or(1));
        }
      });
}
template <typename Request>
constexpr Option<Request> NowOption() {
  return OptionsOf<Request>::template Time<&Request::now_ms>(
      {"NOW", "now",
       "the moment that ages are counted up to; by default now, but at most the user's pace behind "
       "the newest event of the collection"});
}

inline constexpr ArgumentSpec kBlendArguments[] = {
    {.name = "sessions", .type = "double", .token = "V"},
    {.name = "ridge", .type = "double", .token = "R"},
};
template <typename Request>
constexpr Option<Request> BlendOption() {
  return OptionsOf<Request>::Custom(
      {.name = "blend", .type = "block", .token = "BLEND", .arguments = kBlendArguments},
      "how much the sessions of others (V) and the ridge rows (R) count beside the vectors, 0 to "
      "1000; 1.5 each by default",
      [](const Option<Request>&, Arguments& words, Request* request) {
        const auto read = [&words](std::string_view token, std::string_view name) {
          if (!words.Keyword(token)) {
            words.FailSyntax();
          }
          return words.Double(name, 0, kBlendMax);
        };
        request->blend = {read("V", "BLEND V"), read("R", "BLEND R")};
      });
}

// Makes an option that reads "n id ..." into the vector, and into the engine's option that borrows
// it.
template <auto kIds, auto kSpan>
constexpr Option<ListRequest> IdsOption(const OptionText& text) {
  return OptionsOf<ListRequest>::Custom(
      {.name = text.name, .type = "block", .token = text.token, .arguments = kCountedIds}, text.doc,
      [](const Option<ListRequest>& option, Arguments& words, ListRequest* request) {
        request->*kIds = words.CountedIds(option.argument.token);
        request->*kSpan = request->*kIds;
      });
}

inline constexpr ArgumentSpec kBases[] = {
    {.name = "vector", .type = "pure-token", .token = "VECTOR"},
    {.name = "cooccurrence", .type = "pure-token", .token = "COOCCURRENCE"},
    {.name = "neighbours", .type = "pure-token", .token = "NEIGHBOURS"},
};
inline constexpr ArgumentSpec kPopularities[] = {
    {.name = "users", .type = "pure-token", .token = "USERS"},
    {.name = "weight", .type = "pure-token", .token = "WEIGHT"},
    {.name = "events", .type = "pure-token", .token = "EVENTS"},
};
inline constexpr ArgumentSpec kApproximateArguments[] = {
    {.name = "ef", .type = "integer", .token = "EF", .optional = true}};

using ListOptions = OptionsOf<ListRequest>;

// In the order in which a command's syntax shows them.
inline constexpr std::array kListOptions = {
    ListOptions::Custom({.name = "weight", .type = "double", .token = "WEIGHTS", .multiple = true},
                        "one weight for each item of the basket; 1 by default",
                        [](const Option<ListRequest>&, Arguments& words, ListRequest* request) {
                          request->weights = ReadWeights(words, request->ids.size());
                        })
        .For(list::kSession),
    ListOptions::Custom(
        {.name = "time", .type = "unix-time", .token = "TIMES", .multiple = true},
        "when, one time for each item of the basket, by which they count; all alike by default",
        [](const Option<ListRequest>&, Arguments& words, ListRequest* request) {
          request->times_ms = ReadTimes(words, request->ids.size());
        })
        .For(list::kSession),
    IdsOption<&ListRequest::context_ids, &ListRequest::context>(
        {"CONTEXT", "context",
         "items folded in with weight 1, as if the user had them; not stored"})
        .For(list::kForUsers),
    RecencyOption<ListRequest>().For(list::kFromPairs),
    NowOption<ListRequest>().For(list::kFromPairs),
    BlendOption<ListRequest>().For(list::kFromPairs),
    ListOptions::Flag<&ListRequest::with_seen>(
        {"WITHSEEN", "withseen", "offers also what the user, or the basket, has already"})
        .For(list::kForUsers | list::kSession),
    ListOptions::OneOf<&ListRequest::basis, kBases>(
        {"BY", "basis",
         "what makes items similar: the model's vectors, the users in common, or the ridge rows"})
        .For(list::kSimilar)
        // Cold rows of many users may have to be read.
        .SlowWhen([](const ListRequest& request) {
          return request.basis == SimilarityBasis::kCooccurrence;
        }),
    ListOptions::Integer<&ListRequest::window_s>(
        {"WINDOW", "window", "counts the events of the last so many seconds only"}, 1,
        kRecentSecondsMax)
        .For(list::kPopular)
        // A window that nobody has asked for yet is made from the log, however long that is.
        .SlowWhen([](const ListRequest& request) { return request.window_s.has_value(); }),
    ListOptions::OneOf<&ListRequest::popular_by, kPopularities>(
        {"BY", "by", "what is counted; users by default"})
        .For(list::kPopular),
    ListOptions::Integer<&ListRequest::halflife_s>(
        {"HALFLIFE", "seconds", "the age at which an event counts half; a day by default"}, 1,
        kRecentSecondsMax)
        .For(list::kTrending),
    ListOptions::Integer<&ListRequest::count>(
        {"COUNT", "count", "entries of the page; 10 by default"}, 1, kCountMax)
        .For(list::kEvery),
    ListOptions::Integer<&ListRequest::offset>({"OFFSET", "offset",
                                                "entries in front of the page; of a ranking OFFSET "
                                                "and COUNT are at most 1000000 together"},
                                               0, kPageEndMax)
        .For(list::kEvery)
        // All in front of the page is ranked, too.
        .SlowWhen([](const ListRequest& request) {
          return request.offset + request.count > kEntriesAtOnce;
        }),
    ListOptions::Text<&ListRequest::type>(
        {"TYPE", "name", "pairs whose newest event is of this type"}, kTypeNameBytesMax)
        .For(list::kHistory),
    ListOptions::Time<&ListRequest::since_ms>({"SINCE", "since", "pairs from this time on"})
        .For(list::kHistory),
    ListOptions::Time<&ListRequest::until_ms>({"UNTIL", "until", "pairs up to this time"})
        .For(list::kHistory),
    ListOptions::Time<&ListRequest::as_of_ms>(
        {"ASOF", "asof", "the history as it stood then, by the time at which events arrived"})
        .For(list::kHistory)
        // The past is read from the log, however long that is; the present stands in memory.
        .SlowWhen([](const ListRequest& request) { return request.as_of_ms.has_value(); }),
    ListOptions::Flag<&ListRequest::with_scores>(
        {"WITHSCORES", "withscores", "answers the score of each entry beside it"})
        .For(list::kEvery),
    ListOptions::Flag<&ListRequest::with_attributes>(
        {"WITHATTRS", "withattrs", "answers the attributes of each entry, or nil"})
        .For(list::kRankings)
        // Up to 64 KiB each.
        .SlowWhen([](const ListRequest& request) {
          return request.with_attributes && request.count > kRecordsAtOnce;
        }),
    ListOptions::Flag<&ListRequest::with_source>(
        {"WITHSOURCE", "withsource",
         "answers what each entry comes from: model, fold-in, popular, trending, latest, activity, "
         "cooccurrence or neighbours"})
        .For(list::kRankings),
    ListOptions::Custom({.name = "expression", .type = "string", .token = "FILTER"},
                        "lists only what the expression holds for (doc/filters.md)",
                        [](const Option<ListRequest>&, Arguments& words, ListRequest* request) {
                          request->filter = words.Word();
                          request->filtered = true;
                        })
        .For(list::kRankings),
    IdsOption<&ListRequest::include_ids, &ListRequest::include>(
        {"INCLUDE", "include", "lists only these"})
        .For(list::kRankings),
    IdsOption<&ListRequest::exclude_ids, &ListRequest::exclude>(
        {"EXCLUDE", "exclude", "leaves these out"})
        .For(list::kRankings),
    ListOptions::Double<&ListRequest::diversity>(
        {"DIVERSITY", "lambda",
         "trades score for distance to the items before, among the best 500; 0, the default, is "
         "none"},
        0, 1)
        .For(list::kOfItems),
    ListOptions::Double<&ListRequest::min_score>(
        {"MINSCORE", "score",
         "leaves out what scores less, after the boosts of rules; of SURPRISING what scores more. "
         "Pinned items stay"},
        -std::numeric_limits<double>::max(), std::numeric_limits<double>::max())
        .For(list::kRankings & ~list::kLatest),
    ListOptions::Integer<&ListRequest::model>(
        {"MODEL", "model-id", "ranks by a replaced model that is kept (RECO.MODEL LIST)"}, 1,
        std::numeric_limits<std::uint32_t>::max())
        .For(list::kByVector)
        // The first list by a replaced model reads its vectors.
        .SlowWhen([](const ListRequest& request) { return request.model.has_value(); }),
    ListOptions::Custom(
        {.name = "approx", .type = "block", .token = "APPROX", .arguments = kApproximateArguments},
        "asks a graph of neighbours, which looks at EF items (200 by default) and "
        "may miss some of the best",
        [](const Option<ListRequest>&, Arguments& words, ListRequest* request) {
          request->approximate_ef = kApproximateEfDefault;
          if (words.Keyword("EF")) {
            request->approximate_ef =
                static_cast<std::uint32_t>(words.Integer("EF", 1, kApproximateEfMax));
          }
        })
        .For(list::kByVector),
};

}  // namespace reco::api
