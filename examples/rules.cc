// Rules: a shop pins, buries, boosts and excludes what an expression holds for, on every list of
// items at once, and asks where an item stands and which rules have put it there.
// usage: rules FOLDER
#include <cstdio>
#include <string>

#include "reco/engine.h"

using reco::Rule;

constexpr const char* kSnacks[][2] = {
    {"nuts", R"({"brand": "other", "stock": 1})"},   {"crisps", R"({"brand": "own", "stock": 7})"},
    {"figs", R"({"brand": "other", "stock": 0})"},   {"oats", R"({"brand": "own", "stock": 5})"},
    {"olives", R"({"brand": "other", "stock": 6})"}, {"dates", R"({"brand": "guest", "stock": 8})"},
};

// Six customers buy nuts, five of them crisps as well, four figs, and so on.
reco::Status AddSnacks(reco::Database& db) {
  for (int n = 0; n < 6; ++n) {
    const auto& [id, attributes] = kSnacks[n];
    RECO_RETURN_IF_ERROR(
        db.SetRecord("snacks", reco::Side::kItem, id, {.attributes = attributes}).status());
    for (int customer = n; customer < 6; ++customer) {
      const std::string user = "customer-" + std::to_string(customer);
      RECO_RETURN_IF_ERROR(db.Add("snacks", {.user = user, .item = id}).status());
    }
  }
  return reco::Status::Ok();
}

// Where each snack stands for somebody new, whose list is the popular one, and by which rules.
reco::Status PrintPlaces(const reco::Database& db, const char* title) {
  std::printf("%s:", title);
  for (const auto& [id, attributes] : kSnacks) {
    RECO_ASSIGN_OR_RETURN(const reco::ItemPlace place, db.Why("snacks", "somebody", id));
    const bool ranked = place.state == reco::ItemPlace::State::kRanked;
    std::printf(" %s %s", id, ranked ? std::to_string(place.rank).c_str() : "out");
    for (const std::string& rule : place.rules) {
      std::printf(" (%s)", rule.c_str());
    }
  }
  std::printf("\n");
  return reco::Status::Ok();
}

reco::Status Run(const char* folder) {
  RECO_ASSIGN_OR_RETURN(const auto db, reco::Database::Open({.path = folder}));
  const std::string_view old[] = {"snacks"};
  RECO_RETURN_IF_ERROR(db->Delete(0, old).status());  // every run starts anew
  RECO_RETURN_IF_ERROR(AddSnacks(*db));
  RECO_RETURN_IF_ERROR(PrintPlaces(*db, "before"));
  const Rule rules[] = {
      {.name = "ours", .filter = ".brand == 'own'", .action = Rule::Action::kBoost, .value = 1.5},
      {.name = "gone", .filter = ".stock == 0", .action = Rule::Action::kBoost, .value = 0},
      {.name = "last", .filter = ".stock == 1", .action = Rule::Action::kBury},
      {.name = "guest", .filter = ".brand == 'guest'", .action = Rule::Action::kPin, .value = 2},
  };
  for (const Rule& rule : rules) {
    RECO_RETURN_IF_ERROR(db->SetRule("snacks", rule).status());
  }
  RECO_RETURN_IF_ERROR(PrintPlaces(*db, "after"));
  RECO_RETURN_IF_ERROR(db->DeleteRule("snacks", "guest").status());
  return PrintPlaces(*db, "no pin");
}

int main(int argc, char** argv) {
  const auto status = argc == 2 ? Run(argv[1]) : reco::Status::InvalidArgument("name a folder");
  std::fprintf(stderr, "rules: %s\n", status.ToString().c_str());
  return status.ok() ? 0 : 1;
}

// Output:
//   before: nuts 1 crisps 2 figs 3 oats 4 olives 5 dates 6
//   after: nuts 5 (last) crisps 1 (ours) figs out (gone) oats 3 (ours) olives 4 dates 2 (guest)
//   no pin: nuts 5 (last) crisps 1 (ours) figs out (gone) oats 2 (ours) olives 3 dates 4
