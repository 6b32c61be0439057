#include "tools/benchmark/prepare.h"

#include <cstdio>
#include <string>
#include <vector>

#include "reco/result.h"

#include "tools/benchmark/event_stream.h"
#include "tools/terminal/progress.h"

namespace reco::benchmark {
namespace {

using client::Connection;
using client::Value;

constexpr std::uint64_t kTripleCount = 100;  // of one RECO.MADD
constexpr std::size_t kUnreadMax = 16;

// Turns an error reply into a Status.
Result<Value> Checked(Result<Value> reply) {
  if (reply.ok() && reply->is_error()) {
    return Status::FailedPrecondition(reply->text);
  }
  return reply;
}

// Reads until at most `unread_max` replies are missing.
Status ReadReplies(Connection& connection, std::size_t* unread, std::size_t unread_max) {
  for (; *unread > unread_max; --*unread) {
    RECO_RETURN_IF_ERROR(Checked(connection.Read()).status());
  }
  return Status::Ok();
}

Status SendEvents(Connection& connection, const WorkloadOptions& workload,
                  const PrepareOptions& options) {
  terminal::ProgressMeter meter("preparing " + workload.key, "events",
                                terminal::StyleFor(stderr, true), stderr);
  Random random(workload.seed);
  std::vector<std::string> words;
  std::size_t unread = 0;
  // Each item first gets an event, so that a model has a vector for all of them.
  const std::uint64_t events = std::max(options.events, workload.items);
  for (std::uint64_t sent = 0; sent < events;) {
    words = {"RECO.MADD", workload.key};
    for (std::uint64_t i = 0; i < kTripleCount && sent < events; ++i, ++sent) {
      const std::uint64_t user = random.Next() % workload.users;
      const std::uint64_t item =
          sent < workload.items ? sent : ChooseItem(random, user, workload.items);
      words.push_back(NumberedId(kUserPrefix, user));
      words.push_back(NumberedId(kItemPrefix, item));
      words.emplace_back("1");
    }
    const std::vector<std::string_view> views(words.begin(), words.end());
    RECO_RETURN_IF_ERROR(connection.Queue(views));
    RECO_RETURN_IF_ERROR(connection.Flush());
    ++unread;
    RECO_RETURN_IF_ERROR(ReadReplies(connection, &unread, sent < events ? kUnreadMax : 0));
    meter.Update({static_cast<std::int64_t>(sent),
                  static_cast<double>(sent) / static_cast<double>(events),
                  -1,
                  {}});
  }
  meter.Finish({static_cast<std::int64_t>(events), 1, -1, {}});
  return Status::Ok();
}

}  // namespace

Status Prepare(const client::Endpoint& endpoint, const WorkloadOptions& workload,
               const PrepareOptions& options) {
  RECO_ASSIGN_OR_RETURN(Connection connection, Connection::Open(endpoint));
  RECO_ASSIGN_OR_RETURN(const Value exists, Checked(connection.Call({"EXISTS", workload.key})));
  // Made-up events must not end up in somebody's collection.
  if (exists.integer != 0) {
    return Status::FailedPrecondition("the key '" + workload.key +
                                      "' exists: delete it, or choose another with --key");
  }
  RECO_RETURN_IF_ERROR(
      Checked(connection.Call({"RECO.CREATE", workload.key, "DIM", std::to_string(options.dim)}))
          .status());
  // Made-up sessions would say nothing, and what is measured are lists by vectors. A server that
  // has no such parameter has no such lists.
  connection.Call({"RECO.CONFIG", workload.key, "SET", "neighbours", "off"})
      .status()
      .IgnoreError("the training tells when the connection is lost");
  RECO_RETURN_IF_ERROR(SendEvents(connection, workload, options));
  std::fprintf(stderr, "training\n");
  return Checked(connection.Call({"RECO.RETRAIN", workload.key, "SYNC", "ITERATIONS",
                                  std::to_string(options.iterations)}))
      .status();
}

}  // namespace reco::benchmark
