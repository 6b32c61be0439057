// Sessions: a visitor without a name has a basket and gets a list for it; nothing is stored. Once
// the visitor signs in, the basket is recorded and the list is that of a user.
// usage: sessions FOLDER
#include <cstdio>
#include <string>
#include <vector>

#include "reco/engine.h"

// 20 hikers and 20 painters buy four of the six things of their trade; every 13th is not of it.
reco::Status AddPurchases(reco::Database& db) {
  const char* const things[2][6] = {{"tent", "stove", "lamp", "rope", "boots", "map"},
                                    {"easel", "brush", "canvas", "apron", "oils", "frame"}};
  for (int n = 0; n < 160; ++n) {
    const std::string user = "customer-" + std::to_string(n / 4);
    const int trade = (n / 4 + n % 13 / 12) % 2;
    const char* const item = things[trade][(n / 8 + n % 4) % 6];
    RECO_RETURN_IF_ERROR(db.Add("gear", {.user = user, .item = item, .time_ms = n + 1}).status());
  }
  return reco::Status::Ok();
}

reco::Status Print(const char* title, const reco::Result<reco::Ranking>& list) {
  RECO_RETURN_IF_ERROR(list.status());
  std::printf("%s:", title);
  for (const auto& entry : list->entries) {
    std::printf(" %s %.3f", entry.id.c_str(), entry.score);
  }
  std::printf("\n");
  return reco::Status::Ok();
}

reco::Status Run(const char* folder) {
  RECO_ASSIGN_OR_RETURN(const auto db, reco::Database::Open({.path = folder}));
  const std::string_view old[] = {"gear"};
  RECO_RETURN_IF_ERROR(db->Delete(0, old).status());  // every run starts anew
  reco::CollectionOptions options;
  options.dim = 2;
  // These events carry no times to tell sessions of users by.
  options.neighbours = reco::Neighbours::kOff;
  RECO_RETURN_IF_ERROR(db->Create("gear", options).status());
  RECO_RETURN_IF_ERROR(AddPurchases(*db));
  RECO_ASSIGN_OR_RETURN(const auto job, db->Retrain("gear", {}));
  RECO_ASSIGN_OR_RETURN(const auto trained, db->WaitJob(job, 0));
  if (trained.state != reco::JobState::kDone) {
    return reco::Status::Unavailable(trained.error);
  }
  const reco::RankingOptions three{.count = 3};
  const std::string_view basket[] = {"tent", "rope"};
  RECO_RETURN_IF_ERROR(Print("basket", db->Session("gear", {.items = basket}, three)));
  const std::string_view shown[] = {"easel"};
  RECO_RETURN_IF_ERROR(
      Print("beside the easel", db->Similar("gear", shown, reco::SimilarityBasis::kVector, three)));
  // A hiker who looks at an easel: the context counts for this one list and is not stored.
  RECO_RETURN_IF_ERROR(Print("hiker", db->TopK("gear", "customer-0", three)));
  RECO_RETURN_IF_ERROR(
      Print("hiker at easels", db->TopK("gear", "customer-0", {.count = 3, .context = shown})));

  // The visitor signs in as zoe: all of the basket or nothing, in one commit.
  std::vector<reco::Interaction> events;
  for (const std::string_view item : basket) {
    events.push_back({.user = "zoe", .item = item});
  }
  RECO_RETURN_IF_ERROR(Print("zoe before", db->TopK("gear", "zoe", three)));
  RECO_RETURN_IF_ERROR(db->AddMany("gear", events).status());
  return Print("zoe signed in", db->TopK("gear", "zoe", three));
}

int main(int argc, char** argv) {
  const auto status = argc == 2 ? Run(argv[1]) : reco::Status::InvalidArgument("name a folder");
  std::fprintf(stderr, "sessions: %s\n", status.ToString().c_str());
  return status.ok() ? 0 : 1;
}

// Output:
//   basket: stove 0.103 lamp 0.102 boots 0.089
//   beside the easel: brush 0.999 canvas 0.998 apron 0.996
//   hiker: boots 0.158 map 0.154 oils 0.021
//   hiker at easels: boots 0.082 map 0.077 oils 0.057
//   zoe before: stove 15.000 apron 14.000 canvas 14.000
//   zoe signed in: stove 0.102 lamp 0.102 boots 0.088
