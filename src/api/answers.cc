#include "api/answers.h"

#include <string_view>

namespace reco::api {
namespace {

constexpr std::size_t kEchoedBytesMax = 128;  // of a caller's word in an error text
constexpr int kResp3 = 3;

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

void StartRows(Reply& reply, std::size_t rows, std::size_t columns) {
  reply.Array(reply.protocol() == kResp3 ? rows : rows * columns);
}

void StartRow(Reply& reply, std::size_t columns) {
  if (columns > 1 && reply.protocol() == kResp3) {
    reply.Array(columns);
  }
}

bool RejectMissing(CommandContext& context, KeyRef key) {
  if (context.database.Kind(key) != KeyKind::kNone) {
    return false;
  }
  context.reply.Error(std::string("ERR no such collection '")
                          .append(key.name.substr(0, kEchoedBytesMax))
                          .append("'; create it with RECO.CREATE or RECO.ADD"));
  return true;
}

}  // namespace reco::api
