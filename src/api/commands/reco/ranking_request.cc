#include "api/commands/reco/ranking_request.h"

#include <algorithm>
#include <cstdint>
#include <limits>

#include "api/commands/answers.h"
#include "filter/filter.h"

namespace reco::api {
namespace {

constexpr std::int64_t kPageEndMax = 1'000'000;  // OFFSET + COUNT

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
  }
  return "unknown";
}

// Takes one option of `kind`. False: the next word is none.
bool ReadCommonOption(Arguments& words, ListKind kind, RankingRequest* request) {
  RankingOptions& options = request->options;
  if (words.Option("COUNT")) {
    options.count = static_cast<std::size_t>(words.Integer("COUNT", 1, kCountMax));
  } else if (words.Option("OFFSET")) {
    options.offset = static_cast<std::size_t>(words.Integer("OFFSET", 0, kPageEndMax));
  } else if (words.Option("WITHSCORES")) {
    request->with_scores = true;
  } else if (words.Option("WITHSOURCE")) {
    request->with_source = true;
  } else if (words.Option("WITHATTRS")) {
    options.with_attributes = true;
  } else if (words.Option("FILTER")) {
    options.filter = words.Word();
    if (const auto compiled = filter::Filter::Compile(options.filter); !compiled.ok()) {
      words.Fail(compiled.status().message());
    }
  } else if (words.Option("INCLUDE")) {
    request->include = words.CountedIds("INCLUDE");
    options.include = request->include;
  } else if (words.Option("EXCLUDE")) {
    request->exclude = words.CountedIds("EXCLUDE");
    options.exclude = request->exclude;
  } else if (kind != ListKind::kUsers && words.Option("DIVERSITY")) {
    options.diversity = words.Double("DIVERSITY", 0, 1);
  } else if (kind == ListKind::kByVector && words.Option("MODEL")) {
    options.model = static_cast<std::uint32_t>(
        words.Integer("MODEL", 1, std::numeric_limits<std::uint32_t>::max()));
  } else if (kind == ListKind::kByVector && words.Option("APPROX")) {
    options.approximate_ef = kApproximateEfDefault;
    if (words.Keyword("EF")) {
      options.approximate_ef =
          static_cast<std::uint32_t>(words.Integer("EF", 1, kApproximateEfMax));
    }
  } else {
    return false;
  }
  return true;
}

}  // namespace

bool ReadOptions(CommandContext& context, Arguments& words, ListKind kind, RankingRequest* request,
                 FunctionRef<bool()> own) {
  while (words.left() > 0) {
    if (!own() && !ReadCommonOption(words, kind, request)) {
      words.FailSyntax();
    }
  }
  if (request->options.count + request->options.offset > kPageEndMax) {
    words.Fail("OFFSET and COUNT must add up to at most 1000000");
  }
  return !words.Reject(context.reply);
}

bool FiltersAreSlow(const CommandContext& context, Side side, std::size_t first) {
  const auto options = context.args.subspan(std::min(first, context.args.size()));
  std::string_view filter;
  for (std::size_t i = 0; i + 1 < options.size(); ++i) {
    if (EqualsIgnoreCase(options[i], "FILTER")) {
      filter = options[i + 1];
    }
  }
  return !context.database.FiltersAreReady(context.Key(context.args[1]), side, filter);
}

std::vector<double> ReadWeights(Arguments& words, std::size_t count) {
  std::vector<double> weights;
  weights.reserve(count);
  while (!words.failed() && weights.size() < count) {
    weights.push_back(words.Double("weight", -kWeightMax, kWeightMax));
  }
  return weights;
}

void AnswerRanking(Reply& reply, const RankingRequest& request, const Result<Ranking>& ranking) {
  if (!ranking.ok()) {
    reply.Failure(ranking.status());
    return;
  }
  const bool with_attributes = request.options.with_attributes;
  const std::size_t columns = 1 + (request.with_scores ? 1U : 0U) +
                              (request.with_source ? 1U : 0U) + (with_attributes ? 1U : 0U);
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
    if (with_attributes && entry.attributes.empty()) {
      reply.Null();
    } else if (with_attributes) {
      reply.Bulk(entry.attributes);
    }
  }
}

}  // namespace reco::api
