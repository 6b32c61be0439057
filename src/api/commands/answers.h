// Reply shapes that commands of several groups share. All answer exactly once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "reco/result.h"
#include "reco/types.h"

#include "api/commands/command.h"
#include "api/protocol/reply.h"

namespace reco::api {

// Every write of the wire API: applied at once, committed by the connection before it answers.
inline constexpr WriteOptions kDeferred{.defer_commit = true};

void AnswerStatus(Reply& reply, const Status& status);  // +OK
void AnswerInteger(Reply& reply, const Result<std::uint64_t>& result);
void AnswerBoolean(Reply& reply, const Result<bool>& result);
// Answers an array; what has no value is null.
void AnswerScores(Reply& reply, const Result<std::vector<std::optional<double>>>& result);
// Answers SCAN's array of the cursor and the names.
void AnswerScanPage(Reply& reply, const ScanPage& page);

// Answers a map of names to figures, or to the texts of parameters.
void AnswerFigures(Reply& reply, std::span<const std::pair<std::string, double>> figures);
void AnswerParameters(Reply& reply, Parameters parameters);

// Answers a map: id, kind, key, state, percent, phase, eta-seconds, started-ms, finished-ms, error,
// result.
void AnswerJob(Reply& reply, const JobInfo& job);
void AnswerJobs(Reply& reply, std::span<const JobInfo> jobs);

// Begins a list of `rows` rows of `columns` values: RESP3 nests each row, RESP2 writes them one
// after the other. StartRows is called once, StartRow before each row's values.
void StartRows(Reply& reply, std::size_t rows, std::size_t columns);
void StartRow(Reply& reply, std::size_t columns);

// Returns true when there is no key of that name; the error is then answered. For commands that
// need the collection.
bool RejectMissing(CommandContext& context, KeyRef key);

}  // namespace reco::api
