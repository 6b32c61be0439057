// RecoDB inside a program: open a folder, add interactions, train, ask. No server, no sockets.
// usage: embedded FOLDER
#include <cstdint>
#include <cstdio>
#include <string>

#include "reco/engine.h"

// Who bought what, in this order: some drink tea, some eat bread, one does both.
constexpr const char* kPurchases[][2] = {
    {"ann", "teapot"}, {"ann", "cups"},    {"bob", "teapot"}, {"bob", "cups"},  {"bob", "sugar"},
    {"cy", "cups"},    {"cy", "sugar"},    {"dee", "teapot"}, {"dee", "sugar"}, {"eve", "toaster"},
    {"eve", "knife"},  {"fay", "toaster"}, {"fay", "knife"},  {"fay", "board"}, {"gil", "teapot"},
    {"gil", "board"},  {"hal", "toaster"}, {"hal", "board"},  {"hal", "knife"}, {"ida", "toaster"},
};

reco::Status AddPurchases(reco::Database& db) {
  std::int64_t time_ms = 1;
  for (const auto& [user, item] : kPurchases) {
    RECO_RETURN_IF_ERROR(
        db.Add("shop", {.user = user, .item = item, .time_ms = time_ms++}).status());
  }
  return reco::Status::Ok();
}

reco::Status PrintList(const reco::Database& db) {
  RECO_ASSIGN_OR_RETURN(const auto list, db.TopK("shop", "ann", {}));
  for (const auto& entry : list.entries) {
    std::printf("  %s %.3f\n", entry.id.c_str(), entry.score);
  }
  return reco::Status::Ok();
}

reco::Status Run(const char* folder) {
  RECO_ASSIGN_OR_RETURN(const auto db, reco::Database::Open({.path = folder}));
  const std::string_view old[] = {"shop"};
  RECO_RETURN_IF_ERROR(db->Delete(0, old).status());  // every run starts anew
  reco::CollectionOptions options;
  options.dim = 2;
  RECO_RETURN_IF_ERROR(db->Create("shop", options).status());
  RECO_RETURN_IF_ERROR(AddPurchases(*db));
  RECO_ASSIGN_OR_RETURN(const auto job, db->Retrain("shop", {}));
  RECO_ASSIGN_OR_RETURN(const auto trained, db->WaitJob(job, 0));
  if (trained.state != reco::JobState::kDone) {
    return reco::Status::Unavailable(trained.error);
  }
  std::printf("ann may like\n");
  RECO_RETURN_IF_ERROR(PrintList(*db));

  // A write is in the next answer: the item is no longer offered and the list has moved.
  RECO_RETURN_IF_ERROR(db->Add("shop", {.user = "ann", .item = "toaster"}).status());
  std::printf("and after a look at the toaster\n");
  return PrintList(*db);
}

int main(int argc, char** argv) {
  const auto status = argc == 2 ? Run(argv[1]) : reco::Status::InvalidArgument("name a folder");
  std::fprintf(stderr, "embedded: %s\n", status.ToString().c_str());
  return status.ok() ? 0 : 1;
}

// Output:
//   ann may like
//     sugar 0.157
//     board 0.032
//     knife -0.006
//     toaster -0.009
//   and after a look at the toaster
//     sugar 0.147
//     board 0.108
//     knife 0.081
