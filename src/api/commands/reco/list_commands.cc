// Lists that no model ranks: RECO.POPULAR, TRENDING, LATEST, ACTIVEUSERS, AUDIENCE, HISTORY.
#include <string>
#include <utility>
#include <vector>

#include "api/commands/command.h"
#include "api/commands/reco/groups.h"
#include "api/commands/reco/list_command.h"

namespace reco::api {
namespace {

// Returns the entries as a ranking whose scores are their weights.
template <typename Entry>
Result<Ranking> ByWeight(Result<std::vector<Entry>> entries, std::string Entry::*id) {
  RECO_RETURN_IF_ERROR(entries.status());
  Ranking ranking;
  ranking.entries.reserve(entries->size());
  for (Entry& entry : *entries) {
    ranking.entries.push_back({std::move(entry.*id), entry.weight});
  }
  return ranking;
}

constexpr ListCommand kPopular = {
    "reco.popular",
    list::kPopular,
    ListHead::kNothing,
    ListWork::kFiltered,
    Side::kItem,
    [](const Database& database, KeyRef key, const ListRequest& request) {
      return request.window_s
                 ? database.PopularWithin(key, *request.window_s, request.popular_by, request)
                 : database.Popular(key, request.popular_by, request);
    }};
// kLong, because the first use of a half-life reads the log.
constexpr ListCommand kTrending = {
    "reco.trending",
    list::kTrending,
    ListHead::kNothing,
    ListWork::kLong,
    Side::kItem,
    [](const Database& database, KeyRef key, const ListRequest& request) {
      return database.Trending(key, request.halflife_s, request);
    }};
constexpr ListCommand kLatest = {
    "reco.latest",
    list::kLatest,
    ListHead::kNothing,
    ListWork::kFiltered,
    Side::kItem,
    [](const Database& database, KeyRef key, const ListRequest& request) {
      return database.Latest(key, request);
    }};
constexpr ListCommand kActiveUsers = {
    "reco.activeusers",
    list::kActiveUsers,
    ListHead::kNothing,
    ListWork::kFiltered,
    Side::kUser,
    [](const Database& database, KeyRef key, const ListRequest& request) {
      return database.ActiveUsers(key, request);
    }};
constexpr ListCommand kAudience = {
    "reco.audience",
    list::kAudience,
    ListHead::kItem,
    ListWork::kLong,
    Side::kUser,
    [](const Database& database, KeyRef key, const ListRequest& request) {
      return ByWeight(
          database.Audience(key, request.id, {.count = request.count, .offset = request.offset}),
          &AudienceEntry::user);
    }};
// kShort: only ASOF may take long, and its row says so.
constexpr ListCommand kHistory = {
    "reco.history",
    list::kHistory,
    ListHead::kUser,
    ListWork::kShort,
    Side::kItem,
    [](const Database& database, KeyRef key, const ListRequest& request) {
      return ByWeight(database.History(key, request.id,
                                       {.count = request.count,
                                        .offset = request.offset,
                                        .type = request.type,
                                        .since_ms = request.since_ms,
                                        .until_ms = request.until_ms,
                                        .as_of_ms = request.as_of_ms}),
                      &HistoryEntry::item);
    }};

constexpr CommandSpec kRows[] = {
    ListRow<kPopular>(
        "Returns the items with the most users who like them (whose preference is above 0), with "
        "the most events of these, or with the largest sum of all weights, of all time or within "
        "the last seconds, by the events of these alone. What nobody likes is not listed",
        "O(N) where N is the number of items; the first use of a WINDOW O(E) where E is "
        "the number of events in the log"),
    ListRow<kTrending>(
        "Returns the items by the sum of their events' weights, each halved with every "
        "half-life of age. What nobody likes is not listed. HALFLIFE is a day by default",
        "O(N) where N is the number of items; the first use of a HALFLIFE O(E) where E "
        "is the number of events in the log"),
    ListRow<kLatest>(
        "Returns the items that became known last, newest first. The score is that time in "
        "milliseconds: of the first interaction or of the record that created the item",
        "O(N) where N is the number of items"),
    ListRow<kActiveUsers>("Returns the users with the most events. INCLUDE and EXCLUDE name users",
                          "O(N) where N is the number of users"),
    ListRow<kAudience>(
        "Returns the users who interacted with an item, newest first. The score is the "
        "stored preference",
        "O(N*log(N)) where N is the number of the item's pairs"),
    ListRow<kHistory>(
        "Returns what a user interacted with, newest first; with ASOF as it stood then",
        "O(N*log(N)) where N is the number of the user's pairs; with ASOF O(E) where E "
        "is the number of events in the log"),
};

}  // namespace

std::span<const CommandSpec> ListCommands() {
  return kRows;
}

}  // namespace reco::api
