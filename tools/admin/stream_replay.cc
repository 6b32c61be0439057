#include "tools/admin/stream_replay.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "tools/admin/job_watch.h"

namespace reco::admin {
namespace {

using client::Value;

constexpr std::size_t kLoadPipeline = 1'000;
// How much one part counts when it is asked for without the other: the server's default.
constexpr std::string_view kAlone = "1.5";
constexpr std::string_view kJobWaitMs = "200";  // an interrupt is noticed as soon as that

// Returns the rank of the item in the list, counted from 1; 0: not there.
std::size_t RankOf(const std::string& item, const Value& list) {
  for (std::size_t i = 0; i < list.elements.size(); ++i) {
    if (list.elements[i].text == item) {
      return i + 1;
    }
  }
  return 0;
}

// Appends what has the parts of the score count as `neighbours` says.
void AppendBlend(std::string_view neighbours, std::vector<std::string_view>* words) {
  if (neighbours.empty() || neighbours == "auto") {
    return;
  }
  const bool sessions = neighbours == "sessions";
  const bool ridge = neighbours == "ridge";
  words->insert(words->end(), {"BLEND", "V", sessions ? kAlone : "0", "R", ridge ? kAlone : "0"});
}

}  // namespace

StreamReplay::StreamReplay(Session& session, const StreamLog& log, const StreamPlan& plan,
                           const StreamReplayOptions& options, StreamObserver observer)
    : session_(session),
      log_(log),
      plan_(plan),
      options_(options),
      observer_(std::move(observer)),
      count_(std::to_string(*std::max_element(options.cutoffs.begin(), options.cutoffs.end()))),
      scores_(options.variants.size(), StreamScore(options.cutoffs)) {}

Result<std::vector<StreamScore>> StreamReplay::Run() {
  Status status = Load();
  if (status.ok()) {
    status = Train("training");
  }
  if (status.ok()) {
    status = Replay();
  }
  if (!status.ok()) {
    // The connection is used on for the deletion, which must not read replies that are not its own.
    if (status.code() != StatusCode::kUnavailable) {
      DropReplies();
    }
    return status;
  }
  return std::move(scores_);
}

Status StreamReplay::Load() {
  phase_ = "loading";
  for (std::size_t event = 0; event < plan_.training; ++event) {
    RECO_RETURN_IF_ERROR(Tell(event));
  }
  return Drain(0);
}

Status StreamReplay::Train(const std::string& phase) {
  RECO_ASSIGN_OR_RETURN(const Value started, session_.Call({"RECO.RETRAIN", options_.key}));
  const std::string id = started.ToText();
  while (true) {
    RECO_ASSIGN_OR_RETURN(const Value map, session_.Call({"RECO.JOB", "WAIT", id, kJobWaitMs}));
    const JobView job = ToJobView(map);
    if (job.finished()) {
      return job.state == "done" ? Status::Ok()
                                 : Status::FailedPrecondition("the training of " + options_.key +
                                                              ' ' + job.state + ": " + job.error);
    }
    if (Status stop = observer_(told_, phase); !stop.ok()) {
      // Otherwise it would go on training a collection that is about to be deleted.
      session_.Call({"RECO.JOB", "CANCEL", id})
          .status()
          .IgnoreError("a training that has just finished need not be cancelled");
      return stop;
    }
  }
}

Status StreamReplay::Replay() {
  phase_ = "replaying";
  std::size_t question = 0;
  for (std::size_t event = plan_.training; event < log_.events.size(); ++event) {
    const std::size_t replayed = event - plan_.training;
    if (options_.retrain_every > 0 && replayed > 0 && replayed % options_.retrain_every == 0) {
      // All events before are acknowledged, so the training contains them.
      RECO_RETURN_IF_ERROR(Drain(0));
      RECO_RETURN_IF_ERROR(Train("training again"));
    }
    if (question < plan_.questions.size() && plan_.questions[question].event == event) {
      RECO_RETURN_IF_ERROR(Ask(question++));
    }
    RECO_RETURN_IF_ERROR(Tell(event));
  }
  return Drain(0);
}

Status StreamReplay::Ask(std::size_t question) {
  const std::size_t event = plan_.questions[question].event;
  const std::string& user = log_.users[log_.events[event].user];
  // Asked as of the event, not as of the replay.
  const std::string now = std::to_string(log_.events[event].time_ms);
  std::vector<std::string_view> words;
  for (std::size_t v = 0; v < options_.variants.size(); ++v) {
    const StreamVariant& variant = options_.variants[v];
    words = {"RECO.TOPK", options_.key, user, "COUNT", count_};
    if (log_.has_time) {
      words.insert(words.end(), {"NOW", now});
    }
    if (!variant.recency.empty()) {
      words.insert(words.end(), {"RECENCY", variant.recency});
    }
    AppendBlend(variant.neighbours, &words);
    RECO_RETURN_IF_ERROR(Send(words, {event, question, v}, options_.pipeline));
  }
  return Status::Ok();
}

Status StreamReplay::Tell(std::size_t position) {
  const StreamEvent& event = log_.events[position];
  std::vector<std::string_view> words = {"RECO.ADD", options_.key, log_.users[event.user],
                                         log_.items[event.item]};
  if (!event.weight.empty()) {
    words.push_back(event.weight);
  }
  if (event.type != 0) {
    words.insert(words.end(), {"TYPE", log_.types[event.type]});
  }
  const std::string time = std::to_string(event.time_ms);
  if (log_.has_time) {
    words.insert(words.end(), {"TS", time});
  }
  return Send(
      words, {position, kTold, 0},
      // While loading all replies are short, so more of them may be unread.
      position < plan_.training ? std::max(kLoadPipeline, options_.pipeline) : options_.pipeline);
}

// Sends one command. Half of what may be under way is sent while the other half is being answered.
Status StreamReplay::Send(const std::vector<std::string_view>& words, const Sent& sent,
                          std::size_t in_flight_max) {
  RECO_RETURN_IF_ERROR(session_.connection().Queue(client::Arguments(words)));
  unread_.push_back(sent);
  return unread_.size() < in_flight_max ? Status::Ok() : Drain(in_flight_max / 2);
}

Status StreamReplay::Drain(std::size_t unread_max) {
  RECO_RETURN_IF_ERROR(session_.connection().Flush());
  while (unread_.size() > unread_max) {
    RECO_ASSIGN_OR_RETURN(const Value reply, session_.connection().Read());
    const Sent sent = unread_.front();
    unread_.pop_front();
    RECO_RETURN_IF_ERROR(HandleReply(sent, reply));
  }
  return observer_(told_, phase_);
}

Status StreamReplay::HandleReply(const Sent& sent, const Value& reply) {
  const StreamEvent& event = log_.events[sent.event];
  if (sent.question == kTold) {
    ++told_;
    return reply.is_error()
               ? Status::FailedPrecondition(reply.text + " (the event of line " +
                                            std::to_string(event.line) + " of the file)")
               : Status::Ok();
  }
  if (reply.is_error()) {
    const StreamVariant& variant = options_.variants[sent.variant];
    const bool plain = variant.recency.empty() && variant.neighbours.empty();
    return Status::FailedPrecondition(
        reply.text +
        (plain ? " (RECO.TOPK)"
               : " (RECO.TOPK as --recency " + variant.recency + " and --neighbours " +
                     variant.neighbours + " say; a server that does not know them wants neither)"));
  }
  scores_[sent.variant].Add(plan_.questions[sent.question], RankOf(log_.items[event.item], reply));
  return Status::Ok();
}

void StreamReplay::DropReplies() {
  while (!unread_.empty() && session_.connection().Read().ok()) {
    unread_.pop_front();
  }
}

}  // namespace reco::admin
