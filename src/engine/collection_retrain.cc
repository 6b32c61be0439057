// Retraining of a Collection, beside live traffic.
//
//   checkpoint at S, snapshot -> load -> train -> catch up with the writes since S -> write all
//   vectors under the new model's number -> catch up again -> under the lock: the last rows, swap,
//   freeze -> one atomic batch makes the new model the active one
//
// Until that batch is written the folder knows only the old model, so a crash anywhere leaves it.
#include <algorithm>
#include <cstdio>
#include <utility>

#include "engine/collection.h"
#include "engine/training_run.h"
#include "format/keys.h"
#include "model/rating_trainer.h"

namespace reco::engine {
namespace {

constexpr std::size_t kFinalRows = 256;  // rows that the swap may solve under the lock: about 2 ms
constexpr int kCatchUpRoundsMax = 20;    // then the swap takes what is left
constexpr std::size_t kVectorsPerBatch = 4'096;
constexpr std::size_t kModelsListed = 16;

std::vector<std::uint32_t> Distinct(std::vector<std::uint32_t> values) {
  std::sort(values.begin(), values.end());
  values.erase(std::unique(values.begin(), values.end()), values.end());
  return values;
}

std::vector<double> Unpad(const model::Gram& gram) {
  std::vector<double> values;
  for (std::uint32_t i = 0; i < gram.dim(); ++i) {
    const double* row = gram.values() + std::size_t{i} * gram.stride();
    values.insert(values.end(), row, row + gram.dim());
  }
  return values;
}

}  // namespace

void Collection::BeginRun(TrainingRun& run) {
  run.seq = state_.last_seq();
  run.users = state_.users().ids.end();
  run.items = state_.items().ids.end();
  run.pairs = state_.interactions();
  run.model_id = state_.model().id + 1;
  // The newest event counts in full, so that a log of last year trains like one of today.
  run.signal = {run.parameters.weighting, rules_.halflife_ms, state_.newest_ms()};
  if (run.catch_up) {
    state_.CollectTouched(true);
  }
}

// Pairs as of the snapshot, in rows by user.
Status Collection::LoadInteractions(TrainingRun& run, RunningJob& job) const {
  model::InteractionMatrix& matrix = run.data.matrix;
  matrix.columns_count = run.items;
  matrix.columns.reserve(run.pairs);
  matrix.weights.reserve(run.pairs);
  run.data.time_ms.reserve(run.pairs);
  const std::string prefix = format::CollectionPrefix(cid_);
  const auto rows =
      context_.storage.store->Scan(store::Family::kByUser, prefix, run.snapshot.get());
  std::uint32_t user = 0;
  for (; rows->Valid(); rows->Next()) {
    RECO_ASSIGN_OR_RETURN(const format::Pair pair, format::DecodePair(rows->value()));
    const std::string_view key = rows->key().substr(prefix.size());
    const std::uint32_t owner = key.size() == 2 * sizeof(std::uint32_t)
                                    ? format::TrailingOrdinal(key.substr(0, sizeof(std::uint32_t)))
                                    : run.users;
    const std::uint32_t item = format::TrailingOrdinal(key);
    if (owner >= run.users || item >= run.items) {
      return Status::Corruption("family by_user: a pair of an unknown user or item");
    }
    for (; user < owner; ++user) {
      matrix.offsets.push_back(matrix.columns.size());
    }
    matrix.columns.push_back(item);
    matrix.weights.push_back(run.signal.WeightOf(pair));
    // An interaction is known from its first event on, a rating from its newest.
    run.data.time_ms.push_back(explicit_feedback() ? pair.last_ms : pair.first_ms);
    if (matrix.columns.size() % 65'536 == 0) {
      if (job.cancelled()) {
        return Status::Unavailable("cancelled");
      }
      job.SetProgress(0.1 * static_cast<double>(matrix.columns.size()) /
                      static_cast<double>(std::max<std::uint64_t>(run.pairs, 1)));
    }
  }
  for (; user < run.users; ++user) {
    matrix.offsets.push_back(matrix.columns.size());
  }
  return rows->status();
}

// The live vectors of the first `rows` ordinals, some at a time.
model::FactorTable Collection::CopyFactors(Side side, std::uint32_t rows) const {
  constexpr std::uint32_t kStep = 1'024;
  model::FactorTable copy(dim_);
  copy.Grow(rows);
  for (std::uint32_t from = 0; from < rows; from += kStep) {
    ReaderLock lock(mutex_);
    const model::FactorTable& live = *state_.side(side).factors;
    for (std::uint32_t row = from; row < std::min(rows, from + kStep); ++row) {
      std::copy_n(live.row(row), live.stride(), copy.mutable_row(row));
    }
  }
  return copy;
}

// The two kinds of training fill the same fields of the run.
Status Collection::TrainFactors(TrainingRun& run, const model::InteractionMatrix& by_item,
                                const model::TrainingControl& control) const {
  model::TrainingParams params = TrainingParamsOf(run.parameters, context_.options);
  std::optional<model::FactorTable> warm[2];
  if (run.parameters.warm_start) {
    warm[0] = CopyFactors(Side::kUser, run.users);
    warm[1] = CopyFactors(Side::kItem, run.items);
    params.warm_users = &*warm[0];
    params.warm_items = &*warm[1];
  }
  RECO_ASSIGN_OR_RETURN(model::TrainedModel trained,
                        model::Train(run.data.matrix, by_item, params, control));
  run.solve = trained.solve;
  run.objective = trained.objective;
  run.objectives = std::move(trained.objectives);
  run.seconds_per_iteration = trained.seconds_per_iteration;
  run.user_gram = std::move(trained.user_gram);
  run.item_gram = std::move(trained.item_gram);
  run.user_factors = std::make_unique<model::FactorTable>(std::move(trained.users));
  run.item_factors = std::make_unique<model::FactorTable>(std::move(trained.items));
  return Status::Ok();
}

Status Collection::TrainRatedFactors(TrainingRun& run, const model::InteractionMatrix& by_item,
                                     const model::TrainingControl& control) const {
  const model::TrainingParams params = TrainingParamsOf(run.parameters, context_.options);
  RECO_ASSIGN_OR_RETURN(model::RatingModel trained,
                        model::TrainRatings(run.data.matrix, by_item, params, control));
  run.solve = params.solve;
  run.mean = trained.mean;
  run.objective = trained.objectives.back();
  run.objectives = std::move(trained.objectives);
  run.seconds_per_iteration = trained.seconds_per_iteration;
  run.user_gram = model::GramOf(trained.users);
  run.item_gram = model::GramOf(trained.items);
  run.user_factors = std::make_unique<model::FactorTable>(std::move(trained.users));
  run.item_factors = std::make_unique<model::FactorTable>(std::move(trained.items));
  return Status::Ok();
}

Status Collection::Train(TrainingRun& run, RunningJob& job) {
  model::TrainingControl control;
  control.cancel = job.cancel();
  control.progress = [&job](const model::TrainingProgress& progress) {
    job.SetProgress(0.1 + 0.8 * progress.fraction);
    if (progress.objective > 0) {
      char phase[96];
      std::snprintf(phase, sizeof(phase), "training, iteration %u of at most %u, objective %.6g",
                    progress.iteration + 1, progress.iterations, progress.objective);
      job.SetPhase(phase);
    }
  };
  const model::InteractionMatrix by_item = model::Transpose(run.data.matrix);
  RECO_RETURN_IF_ERROR(explicit_feedback() ? TrainRatedFactors(run, by_item, control)
                                           : TrainFactors(run, by_item, control));
  RECO_ASSIGN_OR_RETURN(run.cold, LearnAttributes(run.parameters, by_item,
                                                  {*run.user_factors, *run.user_gram, run.solve,
                                                   *run.item_factors, *run.item_gram},
                                                  job.cancel()));
  run.solver = std::make_unique<RowFolder>(dim_, feedback_);
  std::vector<bool> present(run.items);
  {
    ReaderLock lock(mutex_);
    for (std::uint32_t item = 0; item < run.items; ++item) {
      present[item] = !state_.items().ids.id(item).empty();
    }
  }
  run.index = std::make_unique<index::ItemIndex>(*run.item_factors);
  run.index->Build(run.items, [&present](std::uint32_t item) { return present[item]; });
  return Status::Ok();
}

// One row by the new model; its Gram and the item index follow.
void Collection::SolveTouched(TrainingRun& run, const TouchedRow& row) const {
  const bool is_user = row.side == Side::kUser;
  model::FactorTable& own = is_user ? *run.user_factors : *run.item_factors;
  const model::FactorTable& partners = is_user ? *run.item_factors : *run.user_factors;
  model::Gram& gram = is_user ? *run.user_gram : *run.item_gram;
  const model::Gram& partner_gram = is_user ? *run.item_gram : *run.user_gram;
  std::vector<model::Neighbor> neighbors;
  neighbors.reserve(row.pairs.size());
  for (const RowPair& pair : row.pairs) {
    if (pair.other < partners.rows()) {  // else a partner younger than this round: it has no vector
      neighbors.push_back({partners.row(pair.other), run.signal.WeightOf(pair.pair)});
    }
  }
  float* x = own.mutable_row(row.ordinal);
  const std::vector<float> before(x, x + own.stride());
  model::AlignedVector<float> prior(own.stride());
  const bool drawn =
      !is_user && run.cold != nullptr &&
      run.cold->Prior({row.ordinal, neighbors.size(), row.attributes}, {prior.data(), dim_});
  run.solver->Solve({row.side, partner_gram, run.solve, run.mean, drawn ? prior.data() : nullptr},
                    neighbors, x);
  gram.Update(before.data(), x);
  if (!is_user && row.live) {
    run.index->Refresh(row.ordinal);
  } else if (!is_user) {
    run.index->Remove(row.ordinal);
  }
}

Status Collection::CatchUpRows(TrainingRun& run, Side side,
                               std::span<const std::uint32_t> ordinals) {
  std::vector<RowPair> pairs;
  std::vector<RowPair> scratch;
  for (const std::uint32_t ordinal : ordinals) {
    bool live = false;
    std::string attributes;
    {
      ReaderLock lock(mutex_);
      RECO_ASSIGN_OR_RETURN(const auto row, state_.side(side).rows.Read(ordinal, &scratch));
      pairs.assign(row.begin(), row.end());
      live = !state_.side(side).ids.id(ordinal).empty();
      if (side == Side::kItem) {
        attributes = state_.AttributesOf(ordinal);
      }
    }
    SolveTouched(run, {side, ordinal, pairs, attributes, live});
  }
  return Status::Ok();
}

// Rounds of: take the rows touched so far, solve them. Ends when few enough are left for the swap.
Status Collection::CatchUp(TrainingRun& run) {
  for (int round = 0; round < kCatchUpRoundsMax; ++round) {
    std::vector<std::uint32_t> touched[2];
    {
      WriterLock lock(mutex_);
      if (dropped_) {
        return Status::NotFound("the collection was deleted");
      }
      if (state_.users().touched.size() + state_.items().touched.size() <= kFinalRows) {
        return Status::Ok();
      }
      touched[0].swap(state_.users().touched);
      touched[1].swap(state_.items().touched);
      run.user_factors->Grow(state_.users().ids.end());
      run.item_factors->Grow(state_.items().ids.end());
    }
    for (const Side side : {Side::kUser, Side::kItem}) {
      const std::vector<std::uint32_t> ordinals =
          Distinct(std::move(touched[static_cast<std::size_t>(side)]));
      RECO_RETURN_IF_ERROR(CatchUpRows(run, side, ordinals));
      auto& rewritten = side == Side::kUser ? run.rewritten_users : run.rewritten_items;
      rewritten.insert(rewritten.end(), ordinals.begin(), ordinals.end());
    }
  }
  return Status::Ok();
}

// All vectors under the new number, in batches nobody reads yet. A crash leaves them to be deleted
// by the next training, which starts with the range.
Status Collection::WriteVectors(const TrainingRun& run) const {
  store::Batch batch;
  const std::string prefix = format::VectorModelPrefix(cid_, run.model_id);
  batch.DeleteRange(store::Family::kVectors, prefix, format::PrefixEnd(prefix));
  RECO_RETURN_IF_ERROR(WriteSideVectors(run, Side::kUser, &batch));
  RECO_RETURN_IF_ERROR(WriteSideVectors(run, Side::kItem, &batch));
  return context_.storage.store->Write(batch, false);
}

Status Collection::WriteSideVectors(const TrainingRun& run, Side side, store::Batch* batch) const {
  const model::FactorTable& factors = side == Side::kUser ? *run.user_factors : *run.item_factors;
  std::string value;
  for (std::uint32_t ordinal = 0; ordinal < factors.rows(); ++ordinal) {
    format::EncodeVector(factors.values(ordinal), &value);
    batch->Put(store::Family::kVectors, format::VectorKey(cid_, run.model_id, side, ordinal),
               value);
    if (batch->count() >= kVectorsPerBatch) {
      RECO_RETURN_IF_ERROR(context_.storage.store->Write(*batch, false));
      batch->Clear();
    }
  }
  return Status::Ok();
}

// The last rows, under the lock; and what was solved since the vectors were written is to be
// written with the swap.
Status Collection::SolveLastRows(TrainingRun& run) {
  run.user_factors->Grow(state_.users().ids.end());
  run.item_factors->Grow(state_.items().ids.end());
  for (const Side side : {Side::kUser, Side::kItem}) {
    SideState& own = state_.side(side);
    for (const std::uint32_t ordinal : Distinct(own.touched)) {
      if (explicit_feedback() && own.entities[ordinal].pairs > CollectionState::kRatedRowMax) {
        run.put_off.emplace_back(side, ordinal);  // too long for the lock
        continue;
      }
      std::vector<RowPair> scratch;
      RECO_ASSIGN_OR_RETURN(const auto pairs, own.rows.Read(ordinal, &scratch));
      SolveTouched(run,
                   {side, ordinal, pairs, side == Side::kItem ? state_.AttributesOf(ordinal) : "",
                    !own.ids.id(ordinal).empty()});
      state_.MarkChanged(side, ordinal);
    }
    for (const std::uint32_t ordinal :
         Distinct(side == Side::kUser ? run.rewritten_users : run.rewritten_items)) {
      state_.MarkChanged(side, ordinal);
    }
  }
  return Status::Ok();
}

// Item vectors of the newest replaced models stay, to rank by; users' are solved on read.
void Collection::DeleteReplacedVectors(std::uint32_t old_model, std::uint32_t new_model,
                                       store::Batch* batch) const {
  const std::string users = format::VectorPrefix(cid_, old_model, Side::kUser);
  batch->DeleteRange(store::Family::kVectors, users, format::PrefixEnd(users));
  batch->DeleteRange(
      store::Family::kVectors, format::VectorModelPrefix(cid_, 0),
      format::VectorModelPrefix(cid_, FirstModelKept(new_model, context_.options.models_kept)));
}

Status Collection::SwapModel(TrainingRun& run) {
  MutexLock checkpoint(checkpoint_mutex_);
  FrozenRows frozen;
  format::ModelRecord record;
  std::uint64_t ticket = 0;
  std::uint32_t old_model = 0;
  {
    WriterLock lock(mutex_);
    if (dropped_) {
      return Status::NotFound("the collection was deleted");
    }
    RECO_RETURN_IF_ERROR(SolveLastRows(run));
    state_.CollectTouched(false);
    old_model = state_.model().id;
    CollectionState::NewModel model{
        {run.model_id, run.seq, run.solve, run.signal, run.mean, run.cold},
        std::move(run.user_factors),
        std::move(run.item_factors),
        std::move(*run.user_gram),
        std::move(*run.item_gram),
        std::move(run.index)};
    state_.Activate(std::move(model));
    for (const auto& [side, ordinal] : run.put_off) {
      state_.side(side).pending.push_back(ordinal);
    }
    trained_at_ms_ = context_.clock.NowMs();
    record = DescribeModel(run);
    frozen = state_.Freeze();
    ticket = context_.storage.log->last_staged();
    events_since_freeze_ = 0;
  }
  RECO_RETURN_IF_ERROR(context_.storage.log->Commit(ticket));
  store::Batch batch;
  PutFrozen(frozen, cid_, &batch);
  batch.Put(store::Family::kModels, format::ModelKey(cid_, record.id), format::EncodeModel(record));
  DeleteReplacedVectors(old_model, record.id, &batch);
  if (record.id > kModelsListed) {
    batch.DeleteRange(store::Family::kModels, format::ModelKey(cid_, 0),
                      format::ModelKey(cid_, record.id - kModelsListed + 1));
  }
  RECO_RETURN_IF_ERROR(context_.storage.store->Write(batch, true));
  checkpoint_seq_ = frozen.checkpoint.seq;
  WriterLock lock(mutex_);
  state_.SetDurable(frozen.generation);
  return Status::Ok();
}

// What was learned from attributes.
void Collection::AppendAttributeFigures(const TrainingRun& run, Figures* figures) {
  if (run.cold != nullptr) {
    const auto add = [figures](const char* name, double value) {
      figures->emplace_back(name, value);
    };
    add("attribute-columns", static_cast<double>(run.cold->features.columns().size()));
    add("attribute-ridge", run.cold->map.ridge);
    add("attribute-explained", run.cold->map.explained);
    add("attribute-prior", run.cold->prior_pairs);
  }
}

// What is kept of the model beside its vectors. Called when the model has just become active.
format::ModelRecord Collection::DescribeModel(const TrainingRun& run) const {
  format::ModelRecord record;
  record.id = run.model_id;
  record.dim = dim_;
  record.trained_at_seq = run.seq;
  record.trained_at_ms = trained_at_ms_;
  record.alpha = run.solve.alpha;
  record.reg = run.solve.reg;
  record.regn = run.solve.regn;
  record.unobserved = run.solve.unobserved;
  record.iterations = static_cast<std::uint32_t>(run.objectives.size());
  record.seed = run.parameters.seed;
  record.metrics = {{"objective", run.objective},
                    {"pairs", static_cast<double>(run.pairs)},
                    {"seconds-per-iteration", run.seconds_per_iteration}};
  AppendAttributeFigures(run, &record.metrics);
  record.attributes = ToRecord(run.cold.get());
  record.weighting = run.signal.weighting;
  record.reference_ms = run.signal.reference_ms;
  record.mean = run.mean;
  record.user_gram = Unpad(state_.users().gram);
  record.item_gram = Unpad(state_.items().gram);
  return record;
}

Status Collection::Retrain(const CollectionOptions& parameters, RunningJob& job,
                           std::vector<std::pair<std::string, double>>* result) {
  TrainingRun run;
  run.parameters = parameters;
  const auto steps = [&]() -> Status {
    job.SetPhase("loading");
    RECO_RETURN_IF_ERROR(StartRun(run));
    RECO_RETURN_IF_ERROR(LoadInteractions(run, job));
    run.snapshot.reset();
    if (run.data.matrix.pairs() == 0) {
      return Status::FailedPrecondition("nothing to train on: the collection has no interactions");
    }
    job.SetPhase("training");
    RECO_RETURN_IF_ERROR(Train(run, job));
    job.SetPhase("catching up");
    RECO_RETURN_IF_ERROR(CatchUp(run));
    job.SetPhase("writing");
    job.SetProgress(0.92);
    run.rewritten_users.clear();
    run.rewritten_items.clear();
    RECO_RETURN_IF_ERROR(WriteVectors(run));
    RECO_RETURN_IF_ERROR(CatchUp(run));
    return job.cancelled() ? Status::Unavailable("cancelled") : SwapModel(run);
  };
  Status done = steps();
  if (!done.ok()) {
    WriterLock lock(mutex_);
    state_.CollectTouched(false);
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

Status Collection::StartRun(TrainingRun& run) {
  MutexLock checkpoint(checkpoint_mutex_);
  RECO_RETURN_IF_ERROR(CheckpointLocked(&run));
  run.snapshot = context_.storage.store->TakeSnapshot();
  return Status::Ok();
}

}  // namespace reco::engine
