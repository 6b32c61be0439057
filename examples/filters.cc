// Filters: items have attributes, a list asks for some of them by an expression, and an item that
// nobody has bought yet is placed by what it has in common with others.
// usage: filters FOLDER
#include <cstdio>
#include <string>

#include "reco/engine.h"

constexpr const char* kBooks[][2] = {
    {"comet", R"({"genre": "space", "price": 8, "tags": ["classic"]})"},
    {"orbit", R"({"genre": "space", "price": 19, "tags": ["signed", "new"]})"},
    {"lander", R"({"genre": "space", "price": 12, "tags": []})"},
    {"nebula", R"({"genre": "space", "price": 25, "tags": ["signed"]})"},
    {"roses", R"({"genre": "garden", "price": 14, "tags": ["new"]})"},
    {"hedges", R"({"genre": "garden", "price": 9, "tags": ["classic"]})"},
    {"ponds", R"({"genre": "garden", "price": 22, "tags": ["signed"]})"},
    {"moss", R"({"genre": "garden", "price": 11, "tags": []})"},
};

// Ten readers buy two books on space each, ten others two on gardens; every 7th is a present.
reco::Status AddBooks(reco::Database& db) {
  for (const auto& [id, attributes] : kBooks) {
    RECO_RETURN_IF_ERROR(
        db.SetRecord("books", reco::Side::kItem, id, {.attributes = attributes}).status());
  }
  for (int n = 0; n < 40; ++n) {
    const std::string user = "reader-" + std::to_string(n / 2);
    const int genre = (n / 20 + n % 7 / 6) % 2;
    const char* const item = kBooks[genre * 4 + (n / 2 + n % 2) % 4][0];
    RECO_RETURN_IF_ERROR(db.Add("books", {.user = user, .item = item, .time_ms = n + 1}).status());
  }
  return reco::Status::Ok();
}

reco::Status Print(const reco::Database& db, const std::string& expr) {
  RECO_ASSIGN_OR_RETURN(auto top, db.TopK("books", "reader-0", {.count = 2, .filter = expr}));
  std::printf("%s:", expr.c_str());
  for (const auto& entry : top.entries) {
    std::printf(" %s %.3f", entry.id.c_str(), entry.score);
  }
  std::printf("\n");
  return reco::Status::Ok();
}

reco::Status Run(const char* folder) {
  RECO_ASSIGN_OR_RETURN(const auto db, reco::Database::Open({.path = folder}));
  const std::string_view old[] = {"books"};
  RECO_RETURN_IF_ERROR(db->Delete(0, old).status());  // every run starts anew
  reco::CollectionOptions options;
  options.dim = 2;
  options.attribute_features = {"genre"};  // what a new item's vector is predicted from
  RECO_RETURN_IF_ERROR(db->Create("books", options).status());
  RECO_RETURN_IF_ERROR(AddBooks(*db));
  RECO_ASSIGN_OR_RETURN(const auto job, db->Retrain("books", {}));
  RECO_ASSIGN_OR_RETURN(const auto trained, db->WaitJob(job, 0));
  if (trained.state != reco::JobState::kDone) {
    return reco::Status::Unavailable(trained.error);
  }
  RECO_RETURN_IF_ERROR(Print(*db, ".price < 15"));
  RECO_RETURN_IF_ERROR(Print(*db, ".genre == 'space' and not ('signed' in .tags)"));
  // A mistake is an error that shows where it is, not an empty list.
  std::printf("%s\n", Print(*db, ".price < 15 and )").ToString().c_str());
  // Nobody has bought this one and no training has seen it: its genre alone places it.
  const char* const quasar = R"({"genre": "space", "price": 17, "tags": ["new"]})";
  RECO_RETURN_IF_ERROR(
      db->SetRecord("books", reco::Side::kItem, "quasar", {.attributes = quasar}).status());
  return Print(*db, "'new' in .tags");
}

int main(int argc, char** argv) {
  const auto status = argc == 2 ? Run(argv[1]) : reco::Status::InvalidArgument("name a folder");
  std::fprintf(stderr, "filters: %s\n", status.ToString().c_str());
  return status.ok() ? 0 : 1;
}

// Output:
//   .price < 15: lander 0.145 moss -0.006
//   .genre == 'space' and not ('signed' in .tags): lander 0.145
//   invalid-argument: filter: expected a value at byte 17: .price < 15 and ^)
//   'new' in .tags: quasar 0.080 roses -0.034
