#include "tools/admin/stream_commands.h"

#include <algorithm>
#include <cmath>
#include <csignal>
#include <cstdio>
#include <set>
#include <utility>

#include "tools/admin/stream_plan.h"
#include "tools/admin/stream_replay.h"
#include "tools/admin/stream_report.h"
#include "tools/admin/stream_scratch.h"
#include "tools/terminal/progress.h"

namespace reco::admin {
namespace {

constexpr const char* kFoldIn = "foldin";
constexpr const char* kRecency = "recency";
constexpr const char* kNeighbours = "neighbours";

// A handler can reach nothing else. The signal that came, or 0.
volatile std::sig_atomic_t signal_raised = 0;

extern "C" void RememberSignal(int signal) {
  signal_raised = signal;
}

// Has the first signal only remembered, so that there is time to clean up; a second one ends the
// process.
void CatchSignals() {
  struct sigaction action {};
  action.sa_handler = RememberSignal;
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  sigemptyset(&action.sa_mask);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    sigaction(signal, &action, nullptr);
  }
}

// One scratch collection to replay into.
struct Run {
  std::string mode;  // "": as the collection has it
  std::uint64_t retrain_every = 0;
};

// Returns every mode with every rhythm of training.
std::vector<Run> RunsOf(const StreamEvalRequest& request) {
  std::vector<Run> runs;
  const std::vector<std::string> modes =
      request.modes.empty() ? std::vector<std::string>{""} : request.modes;
  for (const std::string& mode : modes) {
    for (const std::uint64_t every : request.retrain_every) {
      runs.push_back({mode, every});
    }
  }
  return runs;
}

// Returns every recency with every kind of neighbours.
std::vector<StreamVariant> VariantsOf(const StreamEvalRequest& request) {
  std::vector<StreamVariant> variants;
  const std::vector<std::string> unset = {""};
  for (const std::string& recency : request.recencies.empty() ? unset : request.recencies) {
    for (const std::string& one : request.neighbours.empty() ? unset : request.neighbours) {
      variants.push_back({recency, one});
    }
  }
  return variants;
}

// Returns the first of the two that is not empty, or "default".
std::string Either(const std::string& first, const std::string& second) {
  return !first.empty() ? first : !second.empty() ? second : "default";
}

Status CheckRequest(const StreamEvalRequest& request) {
  const bool timed = !request.log.columns.time.empty();
  if (!timed && !request.keep_order) {
    return Status::InvalidArgument(
        "the log is replayed in time order: name its column with --time, or say with --keep-order "
        "that the file is in order");
  }
  if (!timed && request.next_basket) {
    return Status::InvalidArgument(
        "--next-basket tells baskets apart by their times: name the column with --time");
  }
  return Status::Ok();
}

// One evaluation. Confined to one call of StreamEval.
class Evaluation {
 public:
  Evaluation(Session& session, const StreamEvalRequest& request)
      : session_(session),
        request_(request),
        cutoffs_(request.cutoffs.begin(), request.cutoffs.end()),
        meter_("replaying " + request.path, "events",
               terminal::StyleFor(stderr, !session.settings().json && !session.settings().quiet),
               stderr) {}

  Result<StreamReport> Perform() {
    RECO_RETURN_IF_ERROR(CheckRequest(request_));
    RECO_RETURN_IF_ERROR(ReadLog());
    RECO_ASSIGN_OR_RETURN(const StreamParameters inherited, ReadParameters(session_, request_.key));
    RECO_ASSIGN_OR_RETURN(parameters_, MergeParameters(inherited, request_.parameters));
    RECO_RETURN_IF_ERROR(MakePlan());
    runs_ = RunsOf(request_);
    for (const Run& run : runs_) {
      RECO_RETURN_IF_ERROR(PerformRun(run));
      ++runs_done_;
    }
    meter_.Finish({static_cast<std::int64_t>(runs_done_ * log_.events.size()), 1, -1, {}});
    return std::move(report_);
  }

 private:
  Status ReadLog() {
    RECO_ASSIGN_OR_RETURN(Input input, OpenInput(request_.path));
    RECO_ASSIGN_OR_RETURN(log_, ReadStreamLog(std::move(input), request_.log));
    OrderEvents(request_.seed, request_.keep_order, &log_.events);
    return Status::Ok();
  }

  Status MakePlan() {
    RECO_ASSIGN_OR_RETURN(const auto types, TypeWeights(parameters_));
    RECO_ASSIGN_OR_RETURN(const std::vector<double> weights, ResolveWeights(log_, types));
    const auto gap_ms = static_cast<std::int64_t>(std::llround(request_.basket_gap_s * 1000));
    plan_ =
        MakeStreamPlan(log_.events, weights, {request_.train_share, request_.next_basket, gap_ms});
    if (plan_.training == 0 || plan_.questions.empty()) {
      return Status::InvalidArgument(
          "too few events: of " + std::to_string(log_.events.size()) + ", --train leaves " +
          std::to_string(plan_.training) + " to learn from and, behind them, " +
          std::to_string(plan_.questions.size()) +
          " that are a user's first with an item; give a longer log or another --train");
    }
    report_ = {.key = request_.key,
               .path = request_.path,
               .seed = request_.seed,
               .keep_order = request_.keep_order,
               .train_share = request_.train_share,
               .next_basket = request_.next_basket,
               .basket_gap_ms = gap_ms,
               .users = log_.users.size(),
               .items = log_.items.size(),
               .events = log_.events.size(),
               .bad = log_.bad,
               .plan = plan_,
               .rows = {}};
    return Status::Ok();
  }

  Status PerformRun(const Run& run) {
    StreamParameters parameters = parameters_;
    if (!run.mode.empty()) {
      RECO_ASSIGN_OR_RETURN(parameters, MergeParameters(parameters, {kFoldIn + ('=' + run.mode)}));
    }
    std::string label = run.mode.empty() ? "default" : run.mode;
    if (run.retrain_every > 0) {
      label += "-retrain-" + std::to_string(run.retrain_every);
    }
    RECO_ASSIGN_OR_RETURN(const std::string name,
                          CreateScratch(session_, request_.key, label, parameters));
    // From here on the collection is deleted however the replay ends, interrupts included.
    const Status replayed = ReplayInto(name, run);
    Status deleted = DeleteScratch(session_, name, replayed.code() == StatusCode::kUnavailable);
    if (!deleted.ok()) {
      std::fprintf(stderr,
                   "reco-admin: scratch collection %s is left over (%s); remove it with "
                   "reco-admin call DEL\n",
                   name.c_str(), std::string(deleted.message()).c_str());
    }
    // The replay's error is the cause, also where the deletion failed as well.
    RECO_RETURN_IF_ERROR(replayed);
    return deleted;
  }

  Status ReplayInto(const std::string& name, const Run& run) {
    StreamReplayOptions options{.key = name,
                                .variants = VariantsOf(request_),
                                .cutoffs = {cutoffs_.begin(), cutoffs_.end()},
                                .retrain_every = run.retrain_every,
                                .pipeline = request_.pipeline};
    // Asked of the scratch collection, which also has what nobody set.
    RECO_ASSIGN_OR_RETURN(const StreamParameters parameters, ReadParameters(session_, name));
    const std::string mode = Either(run.mode, FindParameterValue(parameters, kFoldIn));
    const double started_s = meter_.elapsed_s();
    StreamReplay replay(session_, log_, plan_, options,
                        [&](std::size_t told, const std::string& phase) {
                          return Show(told, mode + ", " + phase);
                        });
    RECO_ASSIGN_OR_RETURN(const std::vector<StreamScore> scores, replay.Run());
    for (std::size_t v = 0; v < scores.size(); ++v) {
      const StreamVariant& asked = options.variants[v];
      report_.rows.push_back(
          {.mode = mode,
           .recency = Either(asked.recency, FindParameterValue(parameters, kRecency)),
           .neighbours = Either(asked.neighbours, FindParameterValue(parameters, kNeighbours)),
           .retrain_every = run.retrain_every,
           .seconds = meter_.elapsed_s() - started_s,
           .parameters = parameters,
           .score = scores[v],
           .base = report_.rows.size() - v});
    }
    return Status::Ok();
  }

  Status Show(std::size_t told, const std::string& phase) {
    if (signal_raised != 0) {
      // An error like others, so that the way out passes the deletion.
      return Status::FailedPrecondition("interrupted");
    }
    const std::size_t done = runs_done_ * log_.events.size() + told;
    meter_.Update(
        {static_cast<std::int64_t>(done),
         static_cast<double>(done) / static_cast<double>(runs_.size() * log_.events.size()), -1,
         phase});
    return Status::Ok();
  }

  Session& session_;
  const StreamEvalRequest& request_;
  const std::set<std::size_t> cutoffs_;
  terminal::ProgressMeter meter_;
  StreamLog log_;
  StreamParameters parameters_;
  StreamPlan plan_;
  std::vector<Run> runs_;
  std::size_t runs_done_ = 0;
  StreamReport report_;
};

}  // namespace

int StreamEval(Session& session, const StreamEvalRequest& request) {
  CatchSignals();
  const auto report = Evaluation(session, request).Perform();
  if (signal_raised != 0) {
    std::fprintf(stderr, "reco-admin: interrupted\n");
    // Ends by the signal itself, so that the shell knows why.
    std::signal(signal_raised, SIG_DFL);
    std::raise(signal_raised);
  }
  if (!report.ok()) {
    return Report(report.status(), session.settings());
  }
  const std::string text = session.json() ? ToJson(*report) : ToText(*report);
  std::fputs(text.c_str(), stdout);
  return kExitDone;
}

}  // namespace reco::admin
