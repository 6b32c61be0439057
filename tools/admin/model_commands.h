// The commands of reco-admin that ask about or change what the server knows: ping, info, topk,
// jobs, retrain, eval, call. Each answers an exit code.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tools/admin/session.h"

namespace reco::admin {

struct TopkRequest {
  std::string key;
  std::string user;
  std::uint32_t count = 10;
  std::string title;  // item attribute to show beside the id; empty: none
};

struct RetrainRequest {
  std::string key;
  bool wait = false;
  std::vector<std::string> parameters;  // "name=value"
};

struct EvalRequest {
  std::string key;
  std::uint32_t holdout_last = 1;
  std::vector<std::string> at;  // cut-offs
  std::string ties;             // empty: the server's default
  std::vector<std::string> parameters;
};

struct CallRequest {
  std::vector<std::string> words;  // the command and its arguments
  std::string title;               // as of TopkRequest
};

int Ping(Session& session);
int Info(Session& session, const std::string& key);  // empty key: the server and its collections
int Topk(Session& session, const TopkRequest& request);
int Jobs(Session& session);
int Retrain(Session& session, const RetrainRequest& request);
int Eval(Session& session, const EvalRequest& request);
// Runs any command; with a title, its answer (or the shares in it) is read as a ranking.
int Call(Session& session, const CallRequest& request);

// Splits "name=value" into two arguments each. kInvalidArgument without a '=' or a name.
Result<std::vector<std::string>> SplitParameters(const std::vector<std::string>& parameters);

}  // namespace reco::admin
