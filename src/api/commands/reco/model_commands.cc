// Models and jobs: RECO.RETRAIN, EVAL, JOB, MODEL.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/commands/answers.h"
#include "api/commands/arguments.h"
#include "api/commands/command.h"
#include "api/commands/help.h"
#include "api/commands/reco/groups.h"

namespace reco::api {
namespace {

constexpr std::int64_t kJobIdMax = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t kWaitMsMax = 31'536'000'000;  // a year

// Returns true iff the job has succeeded; otherwise the error is answered.
bool AnswersSuccess(CommandContext& context, const Result<JobInfo>& job) {
  if (!job.ok()) {
    context.reply.Failure(job.status());
    return false;
  }
  if (job->state == JobState::kDone) {
    return true;
  }
  const std::string name = "ERR job " + std::to_string(job->id);
  context.reply.Error(job->state == JobState::kCancelled ? name + " was cancelled"
                      : job->state == JobState::kInterrupted
                          ? name + " was interrupted: " + job->error
                          : name + " failed: " + job->error);
  return false;
}

void AnswerTrained(CommandContext& context, const Result<JobInfo>& job) {
  if (AnswersSuccess(context, job)) {
    context.reply.Integer(static_cast<std::int64_t>(job->id));
  }
}

void Retrain(CommandContext& context) {
  Arguments words(context.args);
  const KeyRef key = context.Key(words.Word());
  bool sync = false;
  ParameterList parameters;
  while (words.left() > 0) {
    if (words.Option("SYNC")) {
      sync = true;
    } else {
      words.Parameter(&parameters);
    }
  }
  if (words.Reject(context.reply) || RejectMissing(context, key)) {
    return;
  }
  // Takes no kDeferred: the job commits by itself.
  const Result<std::uint64_t> id = context.database.Retrain(key, parameters);
  if (id.ok() && sync) {
    context.wait = {.job = *id, .answer = AnswerTrained};
    return;
  }
  AnswerInteger(context.reply, id);
}

bool LooksLikeNumber(std::string_view word) {
  // Also what is no number in the end, such as -x, so that the error is about AT.
  return !word.empty() && (word[0] == '-' || word[0] == '+' || (word[0] >= '0' && word[0] <= '9'));
}

// Reads one number or more; they end at the first word that is none, because parameters begin with
// a letter.
std::vector<std::uint32_t> ReadCutoffs(Arguments& words) {
  std::vector<std::uint32_t> cutoffs;
  do {
    cutoffs.push_back(static_cast<std::uint32_t>(words.Integer("AT", 1, kCutoffMax)));
  } while (LooksLikeNumber(words.Peek()));
  if (cutoffs.size() > kCutoffsMax) {
    words.Fail("AT takes at most " + std::to_string(kCutoffsMax) + " cut-offs");
  }
  return cutoffs;
}

EvaluationOptions ReadEvaluationOptions(Arguments& words) {
  EvaluationOptions options;
  while (words.left() > 0) {
    if (words.Option("HOLDOUT")) {
      if (!words.Keyword("LAST")) {
        words.FailSyntax();
      }
      options.holdout_last =
          static_cast<std::uint32_t>(words.Integer("HOLDOUT LAST", 1, kHoldoutLastMax));
    } else if (words.Option("AT")) {
      options.at = ReadCutoffs(words);
    } else if (words.Option("TIES")) {
      options.shuffle_ties = words.Keyword("SHUFFLED");
      if (!options.shuffle_ties && !words.Keyword("STORED")) {
        words.FailSyntax();
      }
    } else {
      words.Parameter(&options.parameters);
    }
  }
  return options;
}

using Figures = std::span<const std::pair<std::string, double>>;

// Returns the figure named `name`; null when there is none.
const double* FindFigure(Figures figures, std::string_view name) {
  const auto found =
      std::ranges::find_if(figures, [name](const auto& figure) { return figure.first == name; });
  return found == figures.end() ? nullptr : &found->second;
}

// Answers the measures of one scorer as a map of metric to [value, half-width].
void AnswerScorer(Reply& reply, std::string_view scorer, std::span<const Measure> measures) {
  const auto is_of = [scorer](const Measure& measure) { return measure.scorer == scorer; };
  reply.Bulk(scorer);
  reply.Map(static_cast<std::size_t>(std::ranges::count_if(measures, is_of)));
  for (const Measure& measure : measures) {
    if (!is_of(measure)) {
      continue;
    }
    reply.Bulk(measure.metric);
    reply.Array(2);
    reply.Double(measure.value);
    if (measure.half_width) {
      reply.Double(*measure.half_width);
    } else {
      reply.Null();
    }
  }
}

void AnswerEvaluation(Reply& reply, const JobInfo& job) {
  // An evaluation is of lists or, for ratings, of predictions; the result tells which.
  constexpr std::string_view kListScorers[] = {"model", "vectors", "ridge", "popularity", "cosine"};
  constexpr std::string_view kRatingScorers[] = {"model", "biases", "mean"};
  constexpr std::size_t kOtherPairs = 3;
  const bool rated = FindFigure(job.result, "ratings") != nullptr;
  const std::string_view counted = rated ? "ratings" : "users";
  const double* count = FindFigure(job.result, counted);
  const double* seconds = FindFigure(job.result, "seconds");
  const std::span<const std::string_view> scorers =
      rated ? std::span<const std::string_view>(kRatingScorers) : kListScorers;
  reply.Map(kOtherPairs + scorers.size());
  reply.Bulk("job");
  reply.Integer(static_cast<std::int64_t>(job.id));
  reply.Bulk(counted);
  reply.Integer(count == nullptr ? 0 : static_cast<std::int64_t>(*count));
  reply.Bulk("seconds");
  reply.Double(seconds == nullptr ? 0 : *seconds);
  const std::vector<Measure> measures = Measures(job);
  for (const std::string_view scorer : scorers) {
    AnswerScorer(reply, scorer, measures);
  }
}

void AnswerEvaluated(CommandContext& context, const Result<JobInfo>& job) {
  if (AnswersSuccess(context, job)) {
    AnswerEvaluation(context.reply, *job);
  }
}

void Evaluate(CommandContext& context) {
  Arguments words(context.args);
  const KeyRef key = context.Key(words.Word());
  const EvaluationOptions options = ReadEvaluationOptions(words);
  if (words.Reject(context.reply) || RejectMissing(context, key)) {
    return;
  }
  const Result<std::uint64_t> id = context.database.Evaluate(key, options);
  if (!id.ok()) {
    context.reply.Failure(id.status());
    return;
  }
  context.wait = {.job = *id, .answer = AnswerEvaluated};
}

void JobList(CommandContext& context) {
  AnswerJobs(context.reply, context.database.Jobs());
}

std::uint64_t ReadJobId(Arguments& words) {
  return static_cast<std::uint64_t>(words.Integer("the job id", 1, kJobIdMax));
}

void AnswerJobResult(CommandContext& context, const Result<JobInfo>& job) {
  if (job.ok()) {
    AnswerJob(context.reply, *job);
  } else {
    context.reply.Failure(job.status());
  }
}

void JobDetails(CommandContext& context) {
  Arguments words(context.args, 2);
  const std::uint64_t id = ReadJobId(words);
  if (words.Reject(context.reply)) {
    return;
  }
  AnswerJobResult(context, context.database.Job(id));
}

void JobCancel(CommandContext& context) {
  Arguments words(context.args, 2);
  const std::uint64_t id = ReadJobId(words);
  if (words.Reject(context.reply)) {
    return;
  }
  AnswerStatus(context.reply, context.database.CancelJob(id));
}

void AwaitJob(CommandContext& context) {
  Arguments words(context.args, 2);
  const std::uint64_t id = ReadJobId(words);
  const std::int64_t timeout_ms = words.Integer("timeout-ms", 0, kWaitMsMax);
  if (words.Reject(context.reply)) {
    return;
  }
  // A timeout is no error: the job is answered as it stands.
  context.wait = {.job = id, .timeout_ms = timeout_ms, .answer = AnswerJobResult};
}

void AnswerModel(Reply& reply, const ModelInfo& model) {
  constexpr std::size_t kPairs = 8;
  reply.Map(kPairs);
  reply.Bulk("id");
  reply.Integer(model.id);
  reply.Bulk("active");
  reply.Boolean(model.active);
  reply.Bulk("kept");
  reply.Boolean(model.kept);
  reply.Bulk("trained-at-seq");
  reply.Integer(static_cast<std::int64_t>(model.trained_at_seq));
  reply.Bulk("trained-at-ms");
  reply.Integer(model.trained_at_ms);
  reply.Bulk("dim");
  reply.Integer(model.dim);
  reply.Bulk("parameters");
  AnswerFigures(reply, model.parameters);
  reply.Bulk("metrics");
  AnswerFigures(reply, model.metrics);
}

void ModelList(CommandContext& context) {
  const KeyRef key = context.Key(context.args[2]);
  if (RejectMissing(context, key)) {
    return;
  }
  const Result<std::vector<ModelInfo>> models = context.database.Models(key);
  if (!models.ok()) {
    context.reply.Failure(models.status());
    return;
  }
  context.reply.Array(models->size());
  for (const ModelInfo& model : *models) {
    AnswerModel(context.reply, model);
  }
}

constexpr ArgumentSpec kParameterArguments[] = {{.name = "param", .type = "string"},
                                                {.name = "value", .type = "string"}};
constexpr ArgumentSpec kParametersArgument = {.name = "parameter",
                                              .type = "block",
                                              .optional = true,
                                              .multiple = true,
                                              .arguments = kParameterArguments};
constexpr ArgumentSpec kRetrainArguments[] = {
    {.name = "key", .type = "key"},
    {.name = "sync", .type = "pure-token", .token = "SYNC", .optional = true},
    kParametersArgument,
};
constexpr ArgumentSpec kHoldouts[] = {{.name = "n", .type = "integer", .token = "LAST"}};
constexpr ArgumentSpec kTies[] = {
    {.name = "shuffled", .type = "pure-token", .token = "SHUFFLED"},
    {.name = "stored", .type = "pure-token", .token = "STORED"},
};
constexpr ArgumentSpec kEvaluateArguments[] = {
    {.name = "key", .type = "key"},
    {.name = "holdout",
     .type = "oneof",
     .token = "HOLDOUT",
     .optional = true,
     .arguments = kHoldouts},
    {.name = "k", .type = "integer", .token = "AT", .optional = true, .multiple = true},
    {.name = "ties", .type = "oneof", .token = "TIES", .optional = true, .arguments = kTies},
    kParametersArgument,
};
constexpr ArgumentSpec kJobArguments[] = {{.name = "id", .type = "integer"}};
constexpr ArgumentSpec kJobWaitArguments[] = {{.name = "id", .type = "integer"},
                                              {.name = "timeout-ms", .type = "integer"}};
constexpr ArgumentSpec kKeyArguments[] = {{.name = "key", .type = "key"}};

// A subcommand of RECO.JOB: jobs are the server's, so it has no key.
constexpr CommandSpec JobRow(std::string_view name, std::int32_t arity, std::uint32_t flags,
                             std::string_view summary, std::span<const ArgumentSpec> arguments,
                             CommandHandler handler) {
  return {.name = name,
          .arity = arity,
          .flags = flags,
          .keys = kNoKeys,
          .summary = summary,
          .complexity = "O(1)",
          .arguments = arguments,
          .handler = handler};
}

constexpr CommandSpec kJobRows[] = {
    JobRow("list", 2, kReadonly,
           "Returns an array of maps, one for each job remembered, oldest first", {}, JobList),
    JobRow(
        "info", 3, kReadonly | kFast,
        "Returns a map of the job's kind, key, state (queued, running, done, failed, cancelled, or "
        "interrupted by a kill of the server), progress, error and result",
        kJobArguments, JobDetails),
    JobRow("cancel", 3, kNoScript, "Asks a job to stop", kJobArguments, JobCancel),
    JobRow("wait", 4, kReadonly | kBlocking | kNoScript,
           "Waits for a job to finish, at most the timeout, 0 without end. Returns the map of "
           "RECO.JOB INFO as it stands then",
           kJobWaitArguments, AwaitJob),
    kHelpRow,
};

constexpr CommandSpec kModelRows[] = {
    {.name = "list",
     .arity = 3,
     .flags = kReadonly | kSlowWorker,  // looks into the family of vectors
     .keys = {2, 2, 1},
     .summary = "Returns an array of maps, one for each model of the collection; kept says whether "
                "the option MODEL of a list may name it",
     .complexity = "O(N) where N is the number of models",
     .arguments = kKeyArguments,
     .handler = ModelList},
    kHelpRow,
};

constexpr CommandSpec kRows[] = {
    {.name = "reco.retrain",
     .arity = -2,
     .flags = kWrite | kDenyOom | kNoScript,
     .summary = "Starts a training on all data in the background. Returns the job id; with SYNC "
                "once the new model is active",
     .complexity = "O(I*(P*D + N*D)) where I is the number of iterations, P of interactions, N of "
                   "users and items, and D the dimension",
     .arguments = kRetrainArguments,
     .handler = Retrain},
    {.name = "reco.eval",
     .arity = -2,
     .flags = kReadonly | kNoScript,
     .summary =
         "Trains on all but the newest interactions of every user and scores the rest over the "
         "full catalogue. Returns a map of job, users, seconds and, for model, popularity and "
         "cosine, a map of metric@k to its value and the half-width of its 95% confidence interval",
     .complexity = "That of RECO.RETRAIN and O(U*N*D) where U is the number of users held out, N "
                   "of items, and D the dimension",
     .arguments = kEvaluateArguments,
     .handler = Evaluate},
    {.name = "reco.job",
     .arity = -2,
     .flags = 0,
     .keys = kNoKeys,
     .summary = "A container for commands on background jobs",
     .complexity = "Depends on subcommand.",
     .subcommands = kJobRows},
    {.name = "reco.model",
     .arity = -2,
     .flags = 0,
     .keys = kNoKeys,
     .summary = "A container for commands on trained models",
     .complexity = "Depends on subcommand.",
     .subcommands = kModelRows},
};

}  // namespace

std::span<const CommandSpec> ModelCommands() {
  return kRows;
}

}  // namespace reco::api
