#include "engine/lists/counted.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "base/numbers.h"
#include "engine/lists/page.h"
#include "engine/lists/stored_row.h"
#include "engine/persist/recent_list_build.h"

namespace reco::engine::lists {
namespace {

// One call of a Lister for values of one side.
struct ValueList {
  Side side;
  Source source;
  std::size_t count;
  AcceptItem accept;
  const std::vector<std::uint32_t>* among;
};

std::vector<ScoredItem> ListTop(const View& view, const ValueList& values,
                                FunctionRef<std::vector<RankedValue>(const PageQuery&)> top) {
  const Dictionary& ids = view.state().side(values.side).ids;
  const auto before = [&ids](std::uint32_t a, std::uint32_t b) { return ids.Before(a, b); };
  PageQuery query{values.count, 0, values.accept, before};
  if (values.among != nullptr) {
    query.among = *values.among;
  }
  std::vector<ScoredItem> list;
  for (const RankedValue& found : top(query)) {
    list.push_back({found.ordinal, found.value, values.source});
  }
  return list;
}

// Makes the page. `*found` says how the list was read; nullopt when it has to be built first.
Result<Ranking> RecentPage(const SharedState& shared, const RecentListName& list, PopularBy by,
                           const RankingOptions& options, std::optional<Status>* found) {
  const Source source =
      list.kind == RecentListName::Kind::kWindow ? Source::kPopular : Source::kTrending;
  ReadView view(shared);
  // Behind the wait for the view: a time that is old looks like a clock that was set back.
  const std::int64_t now_ms = shared.context().clock.NowMs();
  bool missing = false;  // at any of several searches
  const auto top = [&](const PageQuery& query) {
    auto answer = shared.recent().Top(list, by, now_ms, query);
    // Rules and diversity search several times, and another request may drop the list between two.
    missing = missing || !answer;
    *found = missing ? std::nullopt : std::optional(answer->status());
    return *found && (*found)->ok() ? std::move(*answer).value() : std::vector<RankedValue>();
  };
  return ItemPage(view, options, {}, [&](std::size_t count, AcceptItem accept, const Among& among) {
    return ListTop(view, {Side::kItem, source, count, accept, among.ordinals}, top);
  });
}

}  // namespace

std::vector<ScoredItem> ListValues(const View& view, const Counted& counted, std::size_t count,
                                   AcceptItem accept, const Among& among) {
  return ListTop(view, {counted.side, counted.source, count, accept, among.ordinals},
                 [&](const PageQuery& query) { return counted.values.Top(query); });
}

Result<Ranking> Popular(const SharedState& shared, PopularBy by, const RankingOptions& options) {
  RECO_RETURN_IF_ERROR(CheckOptionsWithoutModel(options));
  ReadView view(shared);
  const RankedValues& values = view.state().popularity().by(by);
  return ItemPage(view, options, {}, [&](std::size_t count, AcceptItem accept, const Among& among) {
    auto list = ListValues(view, {Side::kItem, values, Source::kPopular}, count, accept, among);
    for (ScoredItem& item : list) {
      item.score = ShownSum(item.score);  // the weight of a single pair is a float32
    }
    return list;
  });
}

Result<Ranking> Latest(const SharedState& shared, const RankingOptions& options) {
  RECO_RETURN_IF_ERROR(CheckOptionsWithoutModel(options));
  if (options.min_score) {
    return Status::InvalidArgument("this list takes no MINSCORE: its scores are times");
  }
  ReadView view(shared);
  const RankedValues& values = view.state().latest_items();
  const auto now_ms = static_cast<double>(shared.context().clock.NowMs());
  return ItemPage(view, options, {}, [&](std::size_t count, AcceptItem accept, const Among& among) {
    auto list = ListValues(view, {Side::kItem, values, Source::kLatest}, count, accept, among);
    for (ScoredItem& item : list) {
      item.score = std::min(item.score, now_ms);  // the clock was ahead when it became known
    }
    return list;
  });
}

Result<Ranking> ActiveUsers(const SharedState& shared, const RankingOptions& options) {
  RECO_RETURN_IF_ERROR(CheckOptionsWithoutModel(options));
  ReadView view(shared);
  const RankedValues& values = view.state().active_users();
  const auto lister = [&](std::size_t count, AcceptItem accept, const Among& among) {
    return ListValues(view, {Side::kUser, values, Source::kActivity}, count, accept, among);
  };
  RECO_ASSIGN_OR_RETURN(const auto list, List(view, options, {.side = Side::kUser}, lister));
  return Page(view, Side::kUser, options, list);
}

Result<Ranking> Recent(const SharedState& shared, const RecentListName& list, PopularBy by,
                       const RankingOptions& options) {
  RECO_RETURN_IF_ERROR(CheckOptionsWithoutModel(options));
  if (list.seconds < 1 || list.seconds > kRecentSecondsMax) {
    return Status::InvalidArgument("a window or half-life must be 1 to " +
                                   std::to_string(kRecentSecondsMax) + " seconds");
  }
  constexpr int kAttempts = 3;  // others may drop it again by asking for four more
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    std::optional<Status> found;
    Result<Ranking> ranking = RecentPage(shared, list, by, options, &found);
    if (found) {
      RECO_RETURN_IF_ERROR(*found);
    }
    if (found || !ranking.ok()) {
      return ranking;
    }
    if (Status built = persist::BuildRecent(shared, list); !built.ok()) {
      // A collection that was deleted meanwhile has the list of an empty one.
      return built.code() == StatusCode::kNotFound ? Result<Ranking>(Ranking()) : built;
    }
  }
  return Status::Unavailable("too many windows and half-lives are in use at once");
}

Result<std::vector<AudienceEntry>> Audience(const SharedState& shared, std::string_view item,
                                            const AudienceOptions& options) {
  std::optional<std::uint32_t> ordinal;
  {
    ReadView view(shared);
    ordinal = view.state().items().ids.Find(item);
  }
  std::vector<AudienceEntry> entries;
  if (!ordinal) {
    return entries;
  }
  // Copied without holding a view: an item's row may be as long as there are users.
  RECO_ASSIGN_OR_RETURN(std::vector<RowPair> pairs, CopyRow(shared, Side::kItem, *ordinal));
  const std::int64_t now_ms = shared.context().clock.NowMs();
  for (RowPair& pair : pairs) {
    pair.pair.last_ms = std::min(pair.pair.last_ms, now_ms);
  }
  std::sort(pairs.begin(), pairs.end(),
            [](const RowPair& a, const RowPair& b) { return a.pair.last_ms > b.pair.last_ms; });
  ReadView view(shared);
  const Dictionary& users = view.state().users().ids;
  std::size_t seen = 0;
  // Users of one time are ordered by their ids only when the page comes to them, not for the whole
  // row.
  for (std::size_t from = 0, to = 0; from < pairs.size() && entries.size() < options.count;
       from = to) {
    while (to < pairs.size() && pairs[to].pair.last_ms == pairs[from].pair.last_ms) {
      ++to;
    }
    const auto first = pairs.begin() + static_cast<std::ptrdiff_t>(from);
    const auto last = pairs.begin() + static_cast<std::ptrdiff_t>(to);
    std::sort(first, last,
              [&](const RowPair& a, const RowPair& b) { return users.Before(a.other, b.other); });
    for (std::size_t i = from; i < to && entries.size() < options.count; ++i) {
      const std::uint32_t user = pairs[i].other;
      if (users.id(user).empty() || !Visible(view, Side::kUser, user, now_ms)) {
        continue;  // deleted meanwhile, or not to be shown
      }
      // The offset counts what is shown, not what was passed over.
      if (seen++ >= options.offset) {
        entries.push_back(
            {std::string(users.id(user)), Shown(pairs[i].pair.weight), pairs[i].pair.last_ms});
      }
    }
  }
  return entries;
}

}  // namespace reco::engine::lists
