#include "tools/admin/model_commands.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <initializer_list>
#include <span>
#include <string_view>
#include <utility>

#include "base/clock.h"
#include "tools/admin/job_watch.h"
#include "tools/admin/reply_text.h"
#include "tools/admin/titles.h"
#include "tools/terminal/json.h"
#include "tools/terminal/numbers.h"
#include "tools/terminal/progress.h"
#include "tools/terminal/text_table.h"

namespace reco::admin {
namespace {

using client::Value;
using terminal::Align;
using terminal::TextTable;

constexpr int kEvalPollMs = 200;

void Print(const std::string& text) {
  std::fputs(text.c_str(), stdout);
}

std::vector<std::string_view> Views(const std::vector<std::string>& words) {
  return {words.begin(), words.end()};
}

terminal::ProgressMeter JobMeter(const Session& session, const std::string& title) {
  const Settings& settings = session.settings();
  return {title, "", terminal::StyleFor(stderr, !settings.json && !settings.quiet), stderr};
}

// Returns the value of "name:value" in the text that INFO answers.
std::string InfoField(std::string_view info, const std::string& name) {
  // With the line feed in front, so that no longer name ends like it.
  const std::size_t at = info.find("\r\n" + name + ':');
  if (at == std::string_view::npos) {
    return "-";
  }
  const std::size_t first = at + name.size() + 3;
  return std::string(info.substr(first, info.find("\r\n", first) - first));
}

Result<std::vector<std::string>> CollectionKeys(Session& session) {
  std::vector<std::string> keys;
  std::string cursor = "0";
  do {
    RECO_ASSIGN_OR_RETURN(const Value page,
                          session.Call({"SCAN", cursor, "TYPE", "reco", "COUNT", "1000"}));
    if (page.elements.size() != 2) {
      return Status::FailedPrecondition("SCAN answered something unexpected");
    }
    cursor = page.elements[0].text;
    for (const Value& key : page.elements[1].elements) {
      keys.push_back(key.text);
    }
  } while (cursor != "0");
  std::sort(keys.begin(), keys.end());
  // SCAN may return a key more than once.
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
  return keys;
}

// The figures of a collection that the overview shows, under RECO.INFO's names.
constexpr std::array<const char*, 6> kOverviewFigures = {"users",  "items",    "interactions",
                                                         "events", "model-id", "model-seq"};

Result<int> PrintServer(Session& session) {
  RECO_ASSIGN_OR_RETURN(const Value info, session.Call({"INFO"}));
  RECO_ASSIGN_OR_RETURN(const std::vector<std::string> keys, CollectionKeys(session));
  TextTable table({Align::kLeft, Align::kRight, Align::kRight, Align::kRight, Align::kRight,
                   Align::kRight, Align::kRight});
  table.AddRow(
      {"collection", "users", "items", "interactions", "events", "model", "since trained"});
  std::string json;
  for (const std::string& key : keys) {
    RECO_ASSIGN_OR_RETURN(const Value details, session.Call({"RECO.INFO", key}));
    std::vector<std::string> row = {terminal::Printable(key)};
    for (const char* figure : kOverviewFigures) {
      const Value* value = details.Find(figure);
      row.push_back(value == nullptr ? "-" : ValueToText(figure, *value));
    }
    table.AddRow(std::move(row));
    terminal::AppendMember(&json, key, ToJson(details));
  }
  if (session.json()) {
    Print("{\"version\": " + terminal::JsonString(InfoField(info.text, "reco_version")) +
          ", \"uptime-s\": " + terminal::JsonScalar(InfoField(info.text, "uptime_in_seconds")) +
          ", \"used-memory-bytes\": " + terminal::JsonScalar(InfoField(info.text, "used_memory")) +
          ", \"collections\": {" + json + "}}\n");
    return kExitDone;
  }
  Print("version " + InfoField(info.text, "reco_version") + ", up " +
        InfoField(info.text, "uptime_in_seconds") + " s, memory " +
        InfoField(info.text, "used_memory_human") + ", clients " +
        InfoField(info.text, "connected_clients") + '\n');
  Print(keys.empty() ? "no collections yet\n" : table.ToText());
  return kExitDone;
}

// Takes out what other commands show better: jobs, and the half-widths of the quality figures.
void LeaveOutDetails(Value* details) {
  std::vector<Value> kept;
  for (std::size_t i = 0; i + 1 < details->elements.size(); i += 2) {
    const std::string& name = details->elements[i].text;
    const bool half_width = name.size() > 3 && name.substr(name.size() - 3) == ".ci";
    if (name == "jobs" || half_width) {
      continue;
    }
    if (name == "quality") {
      LeaveOutDetails(&details->elements[i + 1]);
    }
    kept.push_back(details->elements[i]);
    kept.push_back(details->elements[i + 1]);
  }
  details->elements = std::move(kept);
}

Result<int> PrintCollection(Session& session, const std::string& key) {
  RECO_ASSIGN_OR_RETURN(Value details, session.Call({"RECO.INFO", key}));
  if (!session.json()) {
    LeaveOutDetails(&details);
  }
  Print(session.json() ? ToJson(details) + '\n' : MapToText(details));
  return kExitDone;
}

// Prints a ranking that came as rows of `columns` values, the first of which is an id.
Result<int> PrintRows(Session& session, const std::string& key, const Value& rows,
                      std::size_t columns, const std::string& title) {
  TextTable table({Align::kRight, Align::kLeft, Align::kRight, Align::kLeft, Align::kLeft});
  std::string json;
  for (std::size_t i = 0; i + columns <= rows.elements.size(); i += columns) {
    const std::string& id = rows.elements[i].text;
    const Value* score = columns > 1 ? &rows.elements[i + 1] : nullptr;
    const std::string source = columns > 2 ? rows.elements[i + 2].ToText() : "";
    std::string label;
    if (!title.empty()) {
      RECO_ASSIGN_OR_RETURN(label, ItemTitle(session, key, id, title));
    }
    const std::string rank = std::to_string(i / columns + 1);
    table.AddRow({rank, terminal::Printable(id),
                  score == nullptr ? "" : terminal::FormatFixed(score->ToDouble(), 4), source,
                  label});
    std::string entry;
    terminal::AppendMember(&entry, "id", terminal::JsonString(id));
    if (score != nullptr) {
      terminal::AppendMember(&entry, "score", terminal::JsonScalar(score->ToText()));
    }
    if (!source.empty()) {
      terminal::AppendMember(&entry, "source", terminal::JsonString(source));
    }
    if (!title.empty()) {
      terminal::AppendMember(&entry, title, terminal::JsonString(label));
    }
    terminal::AppendElement(&json, terminal::Braced(entry));
  }
  if (session.json()) {
    std::printf("[%s]\n", json.c_str());
  } else {
    Print(table.empty() ? "nothing to show\n" : table.ToText());
  }
  return kExitDone;
}

Result<int> PrintTopk(Session& session, const TopkRequest& request) {
  RECO_ASSIGN_OR_RETURN(const Value rows,
                        session.Call({"RECO.TOPK", request.key, request.user, "COUNT",
                                      std::to_string(request.count), "WITHSCORES", "WITHSOURCE"}));
  return PrintRows(session, request.key, rows, 3, request.title);
}

Result<int> PrintJobs(Session& session) {
  RECO_ASSIGN_OR_RETURN(const Value list, session.Call({"RECO.JOB", "LIST"}));
  if (session.json()) {
    Print(ToJson(list) + '\n');
    return kExitDone;
  }
  TextTable table({Align::kRight, Align::kLeft, Align::kLeft, Align::kLeft, Align::kRight,
                   Align::kLeft, Align::kRight, Align::kLeft});
  table.AddRow({"id", "kind", "collection", "state", "done", "started", "took", "detail"});
  for (const Value& map : list.elements) {
    const JobView job = ToJobView(map);
    const bool known = job.started_ms > 0 && job.finished_ms >= job.started_ms;
    table.AddRow({job.id, job.kind, terminal::Printable(job.key), job.state,
                  terminal::FormatFixed(job.percent, 0) + '%', FormatTime(job.started_ms),
                  known ? terminal::FormatDuration(
                              static_cast<double>(job.finished_ms - job.started_ms) / 1e3)
                        : "-",
                  job.error.empty() ? job.phase : terminal::Printable(job.error)});
  }
  Print(list.elements.empty() ? "no jobs yet\n" : table.ToText());
  return kExitDone;
}

Result<int> RunRetrain(Session& session, const RetrainRequest& request) {
  RECO_ASSIGN_OR_RETURN(const std::vector<std::string> parameters,
                        SplitParameters(request.parameters));
  std::vector<std::string> words = {"RECO.RETRAIN", request.key};
  words.insert(words.end(), parameters.begin(), parameters.end());
  RECO_ASSIGN_OR_RETURN(const Value started, session.Call(Views(words)));
  const std::string id = started.ToText();
  if (!request.wait) {
    Print(session.json()
              ? "{\"job\": " + id + "}\n"
              : "job " + id + " trains in the background; follow it with: reco-admin jobs\n");
    return kExitDone;
  }
  terminal::ProgressMeter meter = JobMeter(session, "training " + request.key);
  RECO_ASSIGN_OR_RETURN(const JobView job, WatchJob(session, id, meter));
  Print(session.json() ? "{\"job\": " + id + ", \"result\": " + ToJson(job.result) + "}\n"
                       : MapToText(job.result));
  return kExitDone;
}

// A scorer as the server names it, and its title.
struct Scorer {
  const char* name;
  const char* title;
};
// The model, what it is made of, and its baselines: of lists, and of predicted ratings.
constexpr Scorer kListScorers[] = {{"model", "model"},
                                   {"vectors", "vectors alone"},
                                   {"ridge", "ridge alone"},
                                   {"cosine", "item cosine"},
                                   {"popularity", "popularity"}};
constexpr Scorer kRatingScorers[] = {{"model", "model"}, {"biases", "biases"}, {"mean", "mean"}};

// Returns "0.2080 +-0.0120" of a metric's value and half-width; "-" without a value.
std::string MetricText(const Value* metric) {
  if (metric == nullptr || metric->elements.size() != 2) {
    return "-";
  }
  const Value& half_width = metric->elements[1];
  std::string text = terminal::FormatFixed(metric->elements[0].ToDouble(), 4);
  if (half_width.kind != Value::Kind::kNull) {
    text.append(" +-").append(terminal::FormatFixed(half_width.ToDouble(), 4));
  }
  return text;
}

// Prints one row a metric, one column a scorer, and the model's ratio to the last baseline.
void PrintEvaluation(const Value& report, double seconds) {
  const bool rated = report.Find(kRatingScorers[1].name) != nullptr;
  const std::span<const Scorer> shown =
      rated ? std::span<const Scorer>(kRatingScorers) : std::span<const Scorer>(kListScorers);
  std::vector<const Value*> scorers;
  for (const Scorer& scorer : shown) {
    scorers.push_back(report.Find(scorer.name));
  }
  // A report that is not known here is shown as it came.
  if (scorers[0] == nullptr) {
    Print(MapToText(report));
    return;
  }
  std::vector<Align> columns(shown.size() + 2, Align::kRight);
  columns.front() = Align::kLeft;
  TextTable table(std::move(columns));
  std::vector<std::string> header = {"metric"};
  for (const Scorer& scorer : shown) {
    header.emplace_back(scorer.title);
  }
  header.push_back(std::string(shown.front().title) + " / " + shown.back().title);
  table.AddRow(std::move(header));
  for (std::size_t i = 0; i + 1 < scorers[0]->elements.size(); i += 2) {
    const std::string& metric = scorers[0]->elements[i].text;
    std::vector<std::string> row = {metric};
    std::vector<const Value*> values;
    for (const Value* scorer : scorers) {
      values.push_back(scorer == nullptr ? nullptr : scorer->Find(metric));
      row.push_back(MetricText(values.back()));
    }
    const Value* baseline = values.back();
    const bool known = baseline != nullptr && !baseline->elements.empty() &&
                       baseline->elements[0].ToDouble() > 0 && !values[0]->elements.empty();
    row.push_back(known ? terminal::FormatFixed(
                              values[0]->elements[0].ToDouble() / baseline->elements[0].ToDouble(),
                              rated ? 2 : 1) +
                              "x"
                        : "-");
    table.AddRow(std::move(row));
  }
  const std::string counted = rated ? "ratings" : "users";
  const Value* count = report.Find(counted);
  Print("scored " + (count == nullptr ? "-" : ValueToText(counted, *count)) + " " + counted +
        " in " + terminal::FormatDuration(seconds) + "; +- is the 95% confidence interval\n" +
        table.ToText());
}

Result<int> RunEval(Session& session, const EvalRequest& request) {
  RECO_ASSIGN_OR_RETURN(const std::vector<std::string> parameters,
                        SplitParameters(request.parameters));
  std::vector<std::string> words = {"RECO.EVAL", request.key, "HOLDOUT", "LAST",
                                    std::to_string(request.holdout_last)};
  if (!request.at.empty()) {
    words.emplace_back("AT");
    words.insert(words.end(), request.at.begin(), request.at.end());
  }
  if (!request.ties.empty()) {
    words.emplace_back("TIES");
    words.push_back(request.ties);
  }
  words.insert(words.end(), parameters.begin(), parameters.end());
  // The reply comes when the evaluation is done; a second connection asks how far it is.
  RECO_ASSIGN_OR_RETURN(Session observer, Session::Open(session.settings()));
  terminal::ProgressMeter meter = JobMeter(session, "evaluating " + request.key);
  RECO_RETURN_IF_ERROR(session.connection().Queue(Views(words)));
  while (true) {
    RECO_ASSIGN_OR_RETURN(const bool answered, session.connection().WaitReadable(kEvalPollMs));
    if (answered) {
      break;
    }
    RECO_ASSIGN_OR_RETURN(const JobView job, FindRunningJob(observer, request.key));
    meter.Update(ToProgress(job));
  }
  RECO_ASSIGN_OR_RETURN(const Value report, session.connection().Read());
  if (report.is_error()) {
    return Status::FailedPrecondition(report.text);
  }
  meter.Finish({0, 1, -1, {}});
  if (session.json()) {
    Print(ToJson(report) + '\n');
  } else {
    PrintEvaluation(report, meter.elapsed_s());
  }
  return kExitDone;
}

// Returns true iff one of the words is `upper` in any case.
bool HasWord(const std::vector<std::string>& words, std::string_view upper) {
  return std::any_of(words.begin(), words.end(), [upper](const std::string& word) {
    return std::equal(word.begin(), word.end(), upper.begin(), upper.end(),
                      [](char a, char b) { return (a >= 'a' && a <= 'z' ? a - 32 : a) == b; });
  });
}

void PrintReply(const Value& reply) {
  if (LooksLikeMap(reply)) {
    Print(MapToText(reply));
  } else if (reply.is_array()) {
    for (const Value& element : reply.elements) {
      Print(ValueToText("", element) + '\n');
    }
  } else {
    Print((reply.kind == Value::Kind::kNull ? "(nil)" : reply.ToText()) + '\n');
  }
}

// Warns of times of records and rules before 2001, which are likely given in seconds.
void WarnOfSeconds(const std::vector<std::string>& words) {
  constexpr std::int64_t k2001Ms = 978'307'200'000;
  const auto is_any = [](std::string_view word, std::initializer_list<std::string_view> names) {
    return std::any_of(names.begin(), names.end(), [word](std::string_view name) {
      return HasWord({std::string(word)}, name);
    });
  };
  if (!is_any(words.front(), {"RECO.ITEM", "RECO.USER", "RECO.RULE"})) {
    return;
  }
  for (std::size_t i = 1; i + 1 < words.size(); ++i) {
    const std::string& number = words[i + 1];
    std::int64_t time_ms = 0;
    const auto [end, error] =
        std::from_chars(number.data(), number.data() + number.size(), time_ms);
    if (is_any(words[i], {"EXPIREAT", "FROM", "UNTIL"}) && error == std::errc() &&
        end == number.data() + number.size() && time_ms > 0 && time_ms < k2001Ms) {
      std::fprintf(stderr,
                   "reco-admin: warning: %s %s is before 2001: times are in milliseconds, not "
                   "seconds\n",
                   words[i].c_str(), number.c_str());
    }
  }
}

Result<int> RunCall(Session& session, const CallRequest& request) {
  WarnOfSeconds(request.words);
  RECO_ASSIGN_OR_RETURN(const Value reply, session.Call(Views(request.words)));
  // RECO.EXPLAIN answers a map that holds its rows.
  const Value* shares = reply.Find("shares");
  if (!request.title.empty() && reply.is_array() && request.words.size() > 1) {
    if (shares != nullptr && !session.json()) {
      Print("score " + ValueToText("score", *reply.Find("score")) + ", of which\n");
    }
    // Rows of RESP2 come one after the other, so the request must tell how wide they are.
    const bool pairs = shares != nullptr || HasWord(request.words, "WITHSCORES");
    return PrintRows(session, request.words[1], shares == nullptr ? reply : *shares, pairs ? 2 : 1,
                     request.title);
  }
  if (session.json()) {
    Print(ToJson(reply) + '\n');
  } else {
    PrintReply(reply);
  }
  return kExitDone;
}

int Conclude(Session& session, const Result<int>& result) {
  return result.ok() ? *result : Report(result.status(), session.settings());
}

}  // namespace

Result<std::vector<std::string>> SplitParameters(const std::vector<std::string>& parameters) {
  std::vector<std::string> words;
  for (const std::string& parameter : parameters) {
    const std::size_t equals = parameter.find('=');
    if (equals == std::string::npos || equals == 0) {
      return Status::InvalidArgument("a parameter is written name=value, not '" + parameter + '\'');
    }
    words.push_back(parameter.substr(0, equals));
    words.push_back(parameter.substr(equals + 1));
  }
  return words;
}

int Ping(Session& session) {
  const std::int64_t start_us = SystemClock().MonotonicUs();
  const auto reply = session.Call({"PING"});
  if (!reply.ok()) {
    return Report(reply.status(), session.settings());
  }
  const auto took_us = static_cast<double>(SystemClock().MonotonicUs() - start_us);
  Print(session.json() ? "{\"reply\": " + terminal::JsonString(reply->text) +
                             ", \"microseconds\": " + terminal::FormatFixed(took_us, 0) + "}\n"
                       : reply->text + " in " + terminal::FormatDuration(took_us / 1e6) + '\n');
  return kExitDone;
}

int Info(Session& session, const std::string& key) {
  return Conclude(session, key.empty() ? PrintServer(session) : PrintCollection(session, key));
}

int Topk(Session& session, const TopkRequest& request) {
  return Conclude(session, PrintTopk(session, request));
}

int Jobs(Session& session) {
  return Conclude(session, PrintJobs(session));
}

int Retrain(Session& session, const RetrainRequest& request) {
  return Conclude(session, RunRetrain(session, request));
}

int Eval(Session& session, const EvalRequest& request) {
  return Conclude(session, RunEval(session, request));
}

int Call(Session& session, const CallRequest& request) {
  return Conclude(session, RunCall(session, request));
}

}  // namespace reco::admin
