// RecoDB inside a program: open a folder, add interactions, train, ask. No server, no sockets.
// usage: embedded FOLDER
#include <cstdint>
#include <cstdio>
#include <string>

#include "reco/engine.h"

namespace {

constexpr int kShoppers = 20;

// Shoppers 0, 2, 4, ... buy what belongs to tea, the others what belongs to bread; nobody has all.
reco::Status AddPurchases(reco::Database& db) {
  const char* const tea[] = {"teapot", "cups", "sugar bowl", "strainer"};
  const char* const bread[] = {"toaster", "bread knife", "butter dish", "board"};
  for (int shopper = 0; shopper < kShoppers; ++shopper) {
    const std::string user = "shopper-" + std::to_string(shopper);
    for (int n = 0; n < 3; ++n) {
      const char* const item = (shopper % 2 == 0 ? tea : bread)[(shopper / 2 + n) % 4];
      // The token makes a repeated run change nothing.
      const std::string token = user + "/" + item;
      const auto added = db.Add("shop", {.user = user, .item = item, .token = token});
      RECO_RETURN_IF_ERROR(added.status());
    }
  }
  return reco::Status::Ok();
}

reco::Status Train(reco::Database& db) {
  const auto started = db.Retrain("shop", {});
  RECO_RETURN_IF_ERROR(started.status());
  const auto job = db.WaitJob(*started, 0);
  RECO_RETURN_IF_ERROR(job.status());
  return job->state == reco::JobState::kDone ? reco::Status::Ok()
                                             : reco::Status::Unavailable(job->error);
}

reco::Status PrintRanking(const char* title, const reco::Result<reco::Ranking>& ranking) {
  RECO_RETURN_IF_ERROR(ranking.status());
  std::printf("%s\n", title);
  for (const reco::Ranking::Entry& entry : ranking->entries) {
    std::printf("  %-12s %.3f\n", entry.id.c_str(), entry.score);
  }
  return reco::Status::Ok();
}

reco::Status Run(const char* folder) {
  const auto db = reco::Database::Open({.path = folder});
  RECO_RETURN_IF_ERROR(db.status());
  reco::Database& shop = **db;
  reco::CollectionOptions options;
  options.dim = 8;
  RECO_RETURN_IF_ERROR(shop.Create("shop", options).status());
  RECO_RETURN_IF_ERROR(AddPurchases(shop));
  RECO_RETURN_IF_ERROR(Train(shop));
  RECO_RETURN_IF_ERROR(
      PrintRanking("shopper-0 may like", shop.TopK("shop", "shopper-0", {.count = 3})));

  // A write is in the next answer: the item is no longer offered and the ranking has moved.
  const std::string token = "click";
  const auto click = shop.Add("shop", {.user = "shopper-0", .item = "toaster", .token = token});
  RECO_RETURN_IF_ERROR(click.status());
  return PrintRanking("and after a look at the toaster",
                      shop.TopK("shop", "shopper-0", {.count = 3}));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: embedded FOLDER\n");
    return 2;
  }
  const reco::Status status = Run(argv[1]);
  if (!status.ok()) {
    std::fprintf(stderr, "%s\n", status.ToString().c_str());
    return 1;
  }
  return 0;
}
