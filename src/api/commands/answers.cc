#include "api/commands/answers.h"

#include <string_view>

namespace reco::api {
namespace {

constexpr std::size_t kEchoedBytesMax = 128;  // of a caller's word in an error text
constexpr int kResp3 = 3;

std::string_view JobKindName(JobKind kind) {
  // No default, here and below: the compiler names a value that is missing.
  switch (kind) {
    case JobKind::kRetrain:
      return "retrain";
    case JobKind::kEvaluate:
      return "evaluate";
  }
  return "unknown";
}

std::string_view JobStateName(JobState state) {
  switch (state) {
    case JobState::kQueued:
      return "queued";
    case JobState::kRunning:
      return "running";
    case JobState::kDone:
      return "done";
    case JobState::kFailed:
      return "failed";
    case JobState::kInterrupted:
      return "interrupted";
    case JobState::kCancelled:
      return "cancelled";
  }
  return "unknown";
}

}  // namespace

void AnswerStatus(Reply& reply, const Status& status) {
  if (status.ok()) {
    reply.Ok();
  } else {
    reply.Failure(status);
  }
}

void AnswerInteger(Reply& reply, const Result<std::uint64_t>& result) {
  if (result.ok()) {
    reply.Integer(static_cast<std::int64_t>(*result));
  } else {
    reply.Failure(result.status());
  }
}

void AnswerBoolean(Reply& reply, const Result<bool>& result) {
  if (result.ok()) {
    reply.Boolean(*result);
  } else {
    reply.Failure(result.status());
  }
}

void AnswerScores(Reply& reply, const Result<std::vector<std::optional<double>>>& result) {
  if (!result.ok()) {
    reply.Failure(result.status());
    return;
  }
  reply.Array(result->size());
  for (const std::optional<double>& score : *result) {
    if (score.has_value()) {
      reply.Double(*score);
    } else {
      reply.Null();
    }
  }
}

void AnswerScanPage(Reply& reply, const ScanPage& page) {
  reply.Array(2);
  // A string, as in Redis.
  reply.Bulk(std::to_string(page.cursor));
  reply.Array(page.names.size());
  for (const std::string& name : page.names) {
    reply.Bulk(name);
  }
}

void AnswerFigures(Reply& reply, std::span<const std::pair<std::string, double>> figures) {
  reply.Map(figures.size());
  for (const auto& [name, value] : figures) {
    reply.Bulk(name);
    reply.Double(value);
  }
}

void AnswerParameters(Reply& reply, Parameters parameters) {
  reply.Map(parameters.size());
  for (const auto& [name, value] : parameters) {
    reply.Bulk(name);
    reply.Bulk(value);
  }
}

void AnswerJob(Reply& reply, const JobInfo& job) {
  constexpr std::size_t kPairs = 11;
  reply.Map(kPairs);
  reply.Bulk("id");
  reply.Integer(static_cast<std::int64_t>(job.id));
  reply.Bulk("kind");
  reply.Bulk(JobKindName(job.kind));
  reply.Bulk("key");
  reply.Bulk(job.key);
  reply.Bulk("state");
  reply.Bulk(JobStateName(job.state));
  reply.Bulk("percent");
  reply.Double(job.percent);
  reply.Bulk("phase");
  reply.Bulk(job.phase);
  reply.Bulk("eta-seconds");
  reply.Double(job.eta_s);
  reply.Bulk("started-ms");
  reply.Integer(job.started_ms);
  reply.Bulk("finished-ms");
  reply.Integer(job.finished_ms);
  reply.Bulk("error");
  reply.Bulk(job.error);
  reply.Bulk("result");
  AnswerFigures(reply, job.result);
}

void AnswerJobs(Reply& reply, std::span<const JobInfo> jobs) {
  reply.Array(jobs.size());
  for (const JobInfo& job : jobs) {
    AnswerJob(reply, job);
  }
}

void StartRows(Reply& reply, std::size_t rows, std::size_t columns) {
  // As Redis answers HRANDFIELD WITHVALUES.
  reply.Array(reply.protocol() == kResp3 ? rows : rows * columns);
}

void StartRow(Reply& reply, std::size_t columns) {
  // A row of one value is the value itself, in both protocols.
  if (columns > 1 && reply.protocol() == kResp3) {
    reply.Array(columns);
  }
}

bool RejectMissing(CommandContext& context, KeyRef key) {
  // A key of another kind is for the engine to refuse, with WRONGTYPE.
  if (context.database.Kind(key) != KeyKind::kNone) {
    return false;
  }
  context.reply.Error(std::string("ERR no such collection '")
                          .append(key.name.substr(0, kEchoedBytesMax))
                          .append("'; create it with RECO.CREATE or RECO.ADD"));
  return true;
}

}  // namespace reco::api
