// Lists that the model ranks: RECO.TOPK, MTOPK, SESSION, SIMILAR, SIMUSERS, SURPRISING.
#include <string_view>

#include "api/commands/command.h"
#include "api/commands/reco/groups.h"
#include "api/commands/reco/list_command.h"

namespace reco::api {
namespace {

constexpr ListCommand kTopK = {
    "reco.topk",
    list::kTopK,
    ListHead::kUser,
    ListWork::kByVector,
    Side::kItem,
    [](const Database& database, KeyRef key, const ListRequest& request) {
      return database.TopK(key, request.id, request);
    }};
constexpr ListCommand kGroup = {
    "reco.mtopk",
    list::kGroup,
    ListHead::kUsers,
    ListWork::kByVector,
    Side::kItem,
    [](const Database& database, KeyRef key, const ListRequest& request) {
      return database.GroupTopK(key, request.ids, request);
    }};
constexpr ListCommand kSession = {
    "reco.session",
    list::kSession,
    ListHead::kItems,
    ListWork::kByVector,
    Side::kItem,
    [](const Database& database, KeyRef key, const ListRequest& request) {
      return database.Session(key, {request.ids, request.weights, request.times_ms}, request);
    }};
constexpr ListCommand kSimilar = {
    "reco.similar",
    list::kSimilar,
    ListHead::kItems,
    ListWork::kByVector,
    Side::kItem,
    [](const Database& database, KeyRef key, const ListRequest& request) {
      return database.Similar(key, request.ids, request.basis, request);
    }};
constexpr ListCommand kSimilarUsers = {
    "reco.simusers",
    list::kSimilarUsers,
    ListHead::kUser,
    ListWork::kLong,
    Side::kUser,
    [](const Database& database, KeyRef key, const ListRequest& request) {
      return database.SimilarUsers(key, request.id, request);
    }};
constexpr ListCommand kSurprising = {
    "reco.surprising",
    list::kSurprising,
    ListHead::kUser,
    ListWork::kByVector,
    Side::kItem,
    [](const Database& database, KeyRef key, const ListRequest& request) {
      return database.Surprising(key, request.id, request);
    }};

constexpr std::string_view kVectorComplexity =
    "O(N*D) in the worst case, where N is the number of items and D the dimension; the scan ends "
    "as soon as no item left can enter the list";

constexpr CommandSpec kRows[] = {
    ListRow<kTopK>(
        "Returns the best items for a user, best first. For an unknown user the popular list",
        kVectorComplexity),
    ListRow<kGroup>(
        "Returns the best items for a group of users: by the mean of their scores, what "
        "any of them has seen left out",
        kVectorComplexity),
    ListRow<kSession>("Returns what fits an anonymous basket of items, best first",
                      kVectorComplexity),
    ListRow<kSimilar>(
        "Returns the items nearest to one or several items, which are left out; by the model's "
        "vectors or exactly by the users in common",
        "O(N*D) in the worst case, where N is the number of items and D the dimension; "
        "the scan ends as soon as no item left can enter the list. BY COOCCURRENCE "
        "O(U*log(U) + P + N) where U is the number of users of the items and P that of "
        "these users' pairs, of which at most 1000000 are read, of a sample of users"),
    ListRow<kSimilarUsers>("Returns the users nearest to a user by the cosine of their vectors",
                           "O(U*D) where U is the number of users and D the dimension"),
    ListRow<kSurprising>(
        "Returns the items that a user knows and the model would have predicted least, "
        "lowest score first",
        "O(N*D) where N is the number of the items that the user knows and D the dimension"),
};

}  // namespace

std::span<const CommandSpec> RankingCommands() {
  return kRows;
}

}  // namespace reco::api
