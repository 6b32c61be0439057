#include "engine/training/retrain.h"

#include <cstdint>
#include <span>
#include <string>

#include "engine/training/catch_up.h"
#include "engine/training/neighbours.h"
#include "engine/training/swap.h"
#include "engine/training/train.h"

namespace reco::engine::training {

Status Retrain(SharedState& shared, persist::Checkpointer& checkpointer,
               const CollectionOptions& parameters, RunningJob& job, Figures* result) {
  TrainingRun run;
  run.parameters = parameters;
  const auto steps = [&]() -> Status {
    // Before the run begins: events that set rows are none that the model lacks.
    RECO_RETURN_IF_ERROR(SolveAllRows(shared, job));
    job.SetPhase("loading");
    RECO_RETURN_IF_ERROR(Begin(checkpointer, run));
    RECO_RETURN_IF_ERROR(LoadInteractions(shared, run, job));
    RECO_RETURN_IF_ERROR(ReadNeighbours(shared, run, job));
    // While there is a snapshot RocksDB keeps all that is overwritten; the training takes long.
    run.snapshot.reset();
    if (run.data.matrix.pairs() == 0) {
      return Status::FailedPrecondition("nothing to train on: the collection has no interactions");
    }
    job.SetPhase("training");
    RECO_RETURN_IF_ERROR(Train(shared, run, job));
    ScaleParts(shared, run);
    job.SetPhase("catching up");
    // All are written behind it.
    RECO_RETURN_IF_ERROR(
        CatchUp(shared, run, [](Side, std::span<const std::uint32_t>) { return Status::Ok(); }));
    job.SetPhase("writing");
    job.SetProgress(0.92);
    RECO_RETURN_IF_ERROR(WriteVectors(shared, run));
    // And what is solved from here on once more.
    RECO_RETURN_IF_ERROR(
        CatchUp(shared, run, [&](Side side, std::span<const std::uint32_t> ordinals) {
          return WriteVectorsOf(shared, run, side, ordinals);
        }));
    // The last look: behind it the swap is written, and the model is the new one.
    return job.cancelled() ? Status::Unavailable("cancelled")
                           : SwapModel(shared, checkpointer, run);
  };
  Status done = steps();
  if (!done.ok()) {
    WriteView view(shared, Holder::kTrain);
    // Nobody would empty the lists again.
    view.state().CollectTouched(false);
    view.state().neighbours().EndRead(nullptr);
    return done;
  }
  *result = {{"model-id", run.model_id},
             {"pairs", static_cast<double>(run.pairs)},
             {"objective", run.objective},
             {"iterations", static_cast<double>(run.objectives.size())},
             {"unobserved", run.solve.unobserved},
             {"seconds-per-iteration", run.seconds_per_iteration}};
  AppendAttributeFigures(run, result);
  for (std::size_t i = 0; i < run.objectives.size(); ++i) {
    result->emplace_back("objective." + std::to_string(i + 1), run.objectives[i]);
  }
  return done;
}

}  // namespace reco::engine::training
