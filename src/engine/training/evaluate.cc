// An evaluation trains on what is not held out, by the code of a training, and ranks by these
// tables as lists are ranked; the live model is not asked and does not change.
#include "engine/training/evaluate.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "engine/jobs/measures.h"
#include "engine/training/served_lists.h"
#include "engine/training/train.h"
#include "index/index_lister.h"
#include "index/item_index.h"
#include "model/rating_evaluation.h"

namespace reco::engine::training {
namespace {

void AppendMetrics(std::string_view scorer, std::span<const model::CutOffMetrics> metrics,
                   Figures* result) {
  for (const model::CutOffMetrics& at : metrics) {
    const auto add = [&](std::string_view metric, double value,
                         std::optional<double> half_width = {}) {
      AppendMeasure({std::string(scorer), std::string(metric) + "@" + std::to_string(at.k), value,
                     half_width},
                    result);
    };
    add("recall", at.recall.mean, at.recall.half_width);
    add("precision", at.precision.mean, at.precision.half_width);
    add("ndcg", at.ndcg.mean, at.ndcg.half_width);
    add("map", at.map.mean, at.map.half_width);
    add("mrr", at.mrr.mean, at.mrr.half_width);
    add("hit-rate", at.hit_rate.mean, at.hit_rate.half_width);
    add("coverage", at.coverage);
    add("novelty", at.novelty);
  }
}

void AppendErrors(const std::string& predictor, const model::RatingErrors& errors,
                  Figures* result) {
  AppendMeasure({predictor, "rmse", errors.rmse.mean, errors.rmse.half_width}, result);
  AppendMeasure({predictor, "mae", errors.mae.mean, errors.mae.half_width}, result);
}

// Returns what lists are made from beside the vectors, once the collection has been trained.
ServedOptions ServedOptionsOf(const SharedState& shared, const CollectionOptions& parameters,
                              std::uint32_t threads, const RunningJob& job) {
  const ReadView view(shared, Holder::kTrain);
  const bool timed = view.state().times_usable();
  return {.recency = parameters.recency.by_age() && !timed ? kRecencyByPlace : parameters.recency,
          .sessions = timed && parameters.neighbours != Neighbours::kOff,
          .ridge = timed && parameters.neighbours == Neighbours::kAuto,
          .bytes_max = NeighbourTables::SessionBytesMax(shared.context().options.neighbours_bytes),
          .seed = parameters.seed,
          .threads = threads,
          .cancel = job.cancel()};
}

// Measures the ranking metrics of what is served, of its parts and of the baselines.
Status EvaluateLists(const SharedState& shared, const TrainingRun& run,
                     const EvaluationOptions& options, RunningJob& job, Figures* quality,
                     Figures* result) {
  // By a pair's first event (D6); ties in time are shuffled by the seed, as the order within one
  // timestamp says nothing.
  const model::HoldOut hold_out = model::LeaveLastOut(run.data, options.holdout_last,
                                                      options.shuffle_ties, run.parameters.seed);
  const auto users = static_cast<double>(std::count_if(
      hold_out.held.begin(), hold_out.held.end(), [](const auto& held) { return !held.empty(); }));
  if (users == 0) {
    return Status::FailedPrecondition("nothing to hold out: no user has more than " +
                                      std::to_string(options.holdout_last) + " liked items");
  }
  const model::InteractionMatrix by_item = model::Transpose(hold_out.train);
  model::TrainingControl control;
  control.cancel = job.cancel();
  control.progress = [&job](const model::TrainingProgress& progress) {
    // Loading takes the first tenth, the training up to 0.7, each lister a part of the rest.
    job.SetProgress(0.1 + 0.6 * progress.fraction);
  };
  job.SetPhase("training");
  const model::TrainingParams params = TrainingParamsOf(run.parameters, shared.context().options);
  RECO_ASSIGN_OR_RETURN(model::TrainedModel trained,
                        model::Train(hold_out.train, by_item, params, control));
  // It changes items' vectors in place; what was learned is not needed afterwards.
  RECO_RETURN_IF_ERROR(LearnAttributes(shared, run, by_item,
                                       {trained.users, trained.user_gram, trained.solve,
                                        trained.items, trained.item_gram},
                                       job.cancel())
                           .status());
  result->emplace_back("users", users);
  result->emplace_back("seconds-per-iteration", trained.seconds_per_iteration);
  index::ItemIndex items(trained.items);
  items.Build(hold_out.train.columns_count, [](std::uint32_t) { return true; });
  job.SetPhase("reading neighbours");
  ServedLists served(run.data, hold_out, trained, items,
                     ServedOptionsOf(shared, run.parameters, params.threads, job));
  const std::pair<std::string_view, model::UserLister> listers[] = {
      {"model", served.Served()},
      {"vectors", index::IndexLister(trained.users, items, hold_out.train)},
      {"ridge", served.RidgeAlone()},
      {"popularity", model::ScoredLister(hold_out.train, model::PopularityScorer(hold_out.train))},
      {"cosine",
       model::ScoredLister(hold_out.train, model::CosineScorer(hold_out.train, by_item))}};
  constexpr double kListerShare = 0.06;
  double done = 0.7;
  control.progress = [&job, &done](const model::TrainingProgress& progress) {
    job.SetProgress(done + kListerShare * progress.fraction);
  };
  for (const auto& [name, lister] : listers) {
    job.SetPhase(std::string("scoring ") + std::string(name));
    RECO_ASSIGN_OR_RETURN(const auto metrics, model::EvaluateRanking(hold_out, lister, options.at,
                                                                     params.threads, control));
    AppendMetrics(name, metrics, result);
    if (name == "model") {
      AppendMetrics(name, metrics, quality);
    }
    job.SetProgress(done += kListerShare);
  }
  return Status::Ok();
}

// Measures the errors of predicted ratings.
Status EvaluateErrors(const SharedState& shared, const TrainingRun& run,
                      const EvaluationOptions& options, RunningJob& job, Figures* quality,
                      Figures* result) {
  const model::RatingHoldOut hold_out = model::LeaveLastRatingsOut(
      run.data, options.holdout_last, options.shuffle_ties, run.parameters.seed);
  if (hold_out.held.empty()) {
    return Status::FailedPrecondition("nothing to hold out: no user has more than " +
                                      std::to_string(options.holdout_last) + " ratings");
  }
  model::TrainingControl control;
  control.cancel = job.cancel();
  control.progress = [&job](const model::TrainingProgress& progress) {
    job.SetProgress(0.1 + 0.6 * progress.fraction);
  };
  job.SetPhase("training");
  const model::TrainingParams params = TrainingParamsOf(run.parameters, shared.context().options);
  RECO_ASSIGN_OR_RETURN(
      const model::RatingModel trained,
      model::TrainRatings(hold_out.train, model::Transpose(hold_out.train), params, control));
  job.SetPhase("scoring");
  control.progress = nullptr;
  RECO_ASSIGN_OR_RETURN(const model::RatingComparison errors,
                        model::EvaluateRatings(hold_out, trained, params, control));
  result->emplace_back("ratings", static_cast<double>(errors.held));
  result->emplace_back("seconds-per-iteration", trained.seconds_per_iteration);
  const std::pair<std::string, const model::RatingErrors*> predictors[] = {
      {"model", &errors.model}, {"biases", &errors.biases}, {"mean", &errors.mean}};
  for (const auto& [name, of] : predictors) {
    AppendErrors(name, *of, result);
  }
  AppendErrors("model", errors.model, quality);
  return Status::Ok();
}

}  // namespace

Status Evaluate(SharedState& shared, persist::Checkpointer& checkpointer,
                const CollectionOptions& parameters, const EvaluationOptions& options,
                RunningJob& job, Figures* result) {
  TrainingRun run;
  run.parameters = parameters;
  run.catch_up = false;
  const std::int64_t started_us = shared.context().clock.MonotonicUs();
  job.SetPhase("loading");
  RECO_RETURN_IF_ERROR(Begin(checkpointer, run));
  RECO_RETURN_IF_ERROR(LoadInteractions(shared, run, job));
  // While there is a snapshot RocksDB keeps all that is overwritten; the training takes long.
  run.snapshot.reset();
  Figures quality;
  RECO_RETURN_IF_ERROR(shared.rated() ? EvaluateErrors(shared, run, options, job, &quality, result)
                                      : EvaluateLists(shared, run, options, job, &quality, result));
  result->emplace_back(
      "seconds", static_cast<double>(shared.context().clock.MonotonicUs() - started_us) / 1e6);
  // Kept with the next checkpoint; RECO.INFO shows it from now on.
  WriteView view(shared, Holder::kTrain);
  view.state().quality = std::move(quality);
  view.state().MarkDirtyOutsideLog();
  return Status::Ok();
}

}  // namespace reco::engine::training
