// StreamReplay: feeds a log to one scratch collection, and asks before it tells.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <vector>

#include "reco/result.h"
#include "reco/status.h"

#include "tools/admin/session.h"
#include "tools/admin/stream_log.h"
#include "tools/admin/stream_plan.h"
#include "tools/admin/stream_score.h"

namespace reco::admin {

// How a question is asked. "": without the option.
struct StreamVariant {
  std::string recency;     // RECENCY g
  std::string neighbours;  // BLEND: off, sessions, ridge; auto: without
};

struct StreamReplayOptions {
  std::string key;
  std::vector<StreamVariant> variants = {{}};  // each question is asked once with each
  std::vector<std::size_t> cutoffs = {10, 20};
  std::uint64_t retrain_every = 0;  // replayed events; 0: never
  std::size_t pipeline = 64;        // commands sent before the oldest is answered
};

// Is told how far it is: events told of this collection, and what is being done. Not Ok: stop.
using StreamObserver = std::function<Status(std::size_t told, const std::string& phase)>;

// All commands go over one connection, which the server answers in order, each command seeing all
// earlier ones: so the reply to a question knows every event before it and none behind, however
// many are under way. Confined to one thread.
class StreamReplay {
 public:
  // `session` and `log` and `plan` and `options` are borrowed. The collection must be empty.
  StreamReplay(Session& session, const StreamLog& log, const StreamPlan& plan,
               const StreamReplayOptions& options, StreamObserver observer);

  // Replays the log. Returns one score per variant, in their order. kFailedPrecondition: the server
  // refused a command, with its text. Unless the connection is lost, every reply has been read when
  // this returns.
  Result<std::vector<StreamScore>> Run();

 private:
  struct Sent {
    std::size_t event = 0;
    std::size_t question = kTold;  // position in the plan, or kTold
    std::size_t variant = 0;
  };
  static constexpr std::size_t kTold = SIZE_MAX;

  Status Load();
  Status Train(const std::string& phase);
  Status Replay();
  Status Ask(std::size_t question);
  Status Tell(std::size_t event);
  // Sends `words`, and reads answers when as many as `in_flight_max` are missing.
  Status Send(const std::vector<std::string_view>& words, const Sent& sent,
              std::size_t in_flight_max);
  Status Drain(std::size_t unread_max);
  Status HandleReply(const Sent& sent, const client::Value& reply);
  // Reads what is still to come, after an error.
  void DropReplies();

  Session& session_;
  const StreamLog& log_;
  const StreamPlan& plan_;
  const StreamReplayOptions& options_;
  const StreamObserver observer_;
  const std::string count_;  // COUNT of a question
  std::string phase_;
  std::size_t told_ = 0;  // acknowledged
  std::deque<Sent> unread_;
  std::vector<StreamScore> scores_;
};

}  // namespace reco::admin
