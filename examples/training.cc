// Training: events go in, a job makes a model of them, another job says what the model is worth,
// and a recommendation is explained by the items it comes from.
// usage: training FOLDER
#include <cstdint>
#include <cstdio>
#include <string>

#include "reco/engine.h"

// 40 viewers see five of the eight films of their taste, one a day; every 11th is of another.
reco::Status AddViews(reco::Database& db) {
  const std::string tastes[] = {"western-", "comedy-", "musical-"};
  for (int n = 0; n < 200; ++n) {
    const int who = n % 40;
    const int day = n / 40;
    const std::string user = "viewer-" + std::to_string(who);
    const std::string item = tastes[(who + n % 11 / 10) % 3] + std::to_string((who / 3 + day) % 6);
    // Without time_ms an event is of now. A retry with the same token changes nothing.
    const std::string token = user + "/" + std::to_string(day);
    RECO_RETURN_IF_ERROR(
        db.Add("films", {.user = user, .item = item, .time_ms = n + 1, .token = token}).status());
  }
  return reco::Status::Ok();
}

// Tells on stderr how far a job is until it ends; it runs whether anybody looks or not.
reco::Result<reco::JobInfo> Watch(const reco::Database& db, std::uint64_t id) {
  auto job = db.WaitJob(id, 1);
  for (; job.ok() && job->finished_ms == 0; job = db.WaitJob(id, 1)) {
    std::fprintf(stderr, "%3.0f%% %s\n", job->percent, job->phase.c_str());
  }
  const bool failed = job.ok() && job->state != reco::JobState::kDone;
  return failed ? reco::Status::Unavailable("no result: " + job->error) : job;
}

reco::Status Run(const char* folder) {
  RECO_ASSIGN_OR_RETURN(const auto db, reco::Database::Open({.path = folder}));
  const std::string_view old[] = {"films"};
  RECO_RETURN_IF_ERROR(db->Delete(0, old).status());  // every run starts anew
  reco::CollectionOptions options;
  options.dim = 3;  // as many as there are tastes
  // These events carry no times: pairs count alike, and no neighbours are told by sessions.
  options.recency = 1;
  options.neighbours = reco::Neighbours::kOff;
  RECO_RETURN_IF_ERROR(db->Create("films", options).status());
  RECO_RETURN_IF_ERROR(AddViews(*db));
  RECO_ASSIGN_OR_RETURN(const auto training, db->Retrain("films", {}));
  RECO_RETURN_IF_ERROR(Watch(*db, training).status());

  // Trains without everybody's newest film and looks for it among the first two of a list.
  RECO_ASSIGN_OR_RETURN(const auto evaluation, db->Evaluate("films", {.at = {2}}));
  RECO_ASSIGN_OR_RETURN(const reco::JobInfo evaluated, Watch(*db, evaluation));
  for (const auto& [name, value] : evaluated.result) {
    if (name.ends_with("recall@2")) {
      std::printf("%s %.3f\n", name.c_str(), value);
    }
  }
  RECO_ASSIGN_OR_RETURN(const auto list, db->TopK("films", "viewer-1", {.count = 1}));
  for (const auto& entry : list.entries) {
    std::printf("%s %.3f from", entry.id.c_str(), entry.score);
    RECO_ASSIGN_OR_RETURN(const auto why, db->Explain("films", "viewer-1", entry.id, 9));
    double sum = why.remainder;  // what the shares leave: here nothing
    for (const auto& share : why.shares) {
      std::printf(" %s %.3f", share.item.c_str(), share.share);
      sum += share.share;
    }
    std::printf("\n  together %.3f\n", sum);
  }
  return reco::Status::Ok();
}

int main(int argc, char** argv) {
  const auto status = argc == 2 ? Run(argv[1]) : reco::Status::InvalidArgument("name a folder");
  std::fprintf(stderr, "training: %s\n", status.ToString().c_str());
  return status.ok() ? 0 : 1;
}

// Output:
//   model.recall@2 0.900
//   vectors.recall@2 0.900
//   ridge.recall@2 0.000
//   popularity.recall@2 0.100
//   cosine.recall@2 0.875
//   comedy-5 0.183 from comedy-0 0.040 comedy-1 0.040 comedy-2 0.039 comedy-3 0.033 comedy-4 0.031
//     together 0.183
