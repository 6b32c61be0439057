// Collections: RECO.CREATE, RECO.CONFIG, RECO.INFO.
#include <algorithm>
#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/commands/answers.h"
#include "api/commands/arguments.h"
#include "api/commands/command.h"
#include "api/commands/reco/argument_specs.h"
#include "api/commands/reco/groups.h"
#include "engine/settings/parameters.h"

namespace reco::api {
namespace {

// Parameters of this name and more are also written in two words: RETRAIN EVERY n.
constexpr std::string_view kRetrain = "retrain-";
constexpr std::string_view kTypes = "type.*";  // the parameters of types: TYPE name weight

// Reads one of them, behind the keyword RETRAIN.
void ReadRetrain(Arguments& words, ParameterList* parameters) {
  for (const engine::Parameter& parameter : engine::CollectionParameters()) {
    if (parameter.name.starts_with(kRetrain) &&
        words.Keyword(parameter.name.substr(kRetrain.size()))) {
      words.Parameter(std::string(parameter.name), parameters);
      return;
    }
  }
  words.FailSyntax();
}

// Reads the options up to the end of the words. Values stay texts: the engine knows their ranges.
ParameterList ReadCreateOptions(Arguments& words) {
  ParameterList parameters;
  while (words.left() > 0) {
    if (words.Keyword("TYPE")) {
      words.Parameter(std::string("type.").append(words.Word()), &parameters);
    } else if (words.Keyword("RETRAIN")) {
      ReadRetrain(words, &parameters);
    } else if (engine::FindParameter(words.Peek()) != nullptr) {
      words.Parameter(&parameters);
    } else {
      words.FailSyntax();
    }
  }
  return parameters;
}

// Creates a collection. Answers true when it did, false when one with equal options was there
// already.
void Create(CommandContext& context) {
  Arguments words(context.args);
  const KeyRef key = context.Key(words.Word());
  const ParameterList parameters = ReadCreateOptions(words);
  if (words.Reject(context.reply)) {
    return;
  }
  CollectionOptions options;
  // FEEDBACK decides on the defaults of the others, so it is looked for before any of them is set,
  // wherever it stands.
  const bool rated = std::any_of(parameters.begin(), parameters.end(), [](const auto& parameter) {
    return EqualsIgnoreCase(parameter.first, "feedback") &&
           EqualsIgnoreCase(parameter.second, "explicit");
  });
  if (rated) {
    options = CollectionOptions::ForRatings();
  }
  for (const auto& [name, value] : parameters) {
    if (const Status status = engine::SetParameter(&options, name, value); !status.ok()) {
      context.reply.Failure(status);
      return;
    }
  }
  AnswerBoolean(context.reply, context.database.Create(key, options, kDeferred));
}

void ConfigGet(CommandContext& context) {
  const KeyRef key = context.Key(context.args[1]);
  // Arity cannot tell GET, which takes one pattern, from SET.
  if (context.args.size() != 4) {
    context.reply.Error("ERR syntax error");
    return;
  }
  if (RejectMissing(context, key)) {
    return;
  }
  const Result<ParameterList> parameters = context.database.GetConfig(key, context.args[3]);
  if (!parameters.ok()) {
    context.reply.Failure(parameters.status());
    return;
  }
  AnswerParameters(context.reply, *parameters);
}

void ConfigSet(CommandContext& context) {
  // A pair that lacks its value fails while it is read, before anything is set.
  Arguments words(context.args, 3);
  const KeyRef key = context.Key(context.args[1]);
  ParameterList parameters;
  while (words.left() > 0) {
    words.Parameter(&parameters);
  }
  if (words.Reject(context.reply) || RejectMissing(context, key)) {
    return;
  }
  const Result<bool> needs_training = context.database.SetConfig(key, parameters, kDeferred);
  if (!needs_training.ok()) {
    context.reply.Failure(needs_training.status());
    return;
  }
  context.reply.Simple(*needs_training ? "OK, takes effect at the next RECO.RETRAIN" : "OK");
}

void Config(CommandContext& context) {
  if (EqualsIgnoreCase(context.args[2], "GET")) {
    ConfigGet(context);
  } else if (EqualsIgnoreCase(context.args[2], "SET")) {
    ConfigSet(context);
  } else {
    context.reply.Error("ERR syntax error");
  }
}

// Returns the jobs that were started for the key of this name, oldest first.
std::vector<JobInfo> JobsOf(const Database& database, std::string_view key) {
  std::vector<JobInfo> jobs = database.Jobs();
  std::erase_if(jobs, [key](const JobInfo& job) { return job.key != key; });
  return jobs;
}

void AnswerDetails(Reply& reply, const CollectionInfo& info, const std::vector<JobInfo>& jobs) {
  const std::pair<std::string_view, std::uint64_t> counts[] = {
      {"collection-id", info.id},
      {"users", info.users},
      {"items", info.items},
      {"interactions", info.interactions},
      {"events", info.events},
      {"last-seq", info.last_seq},
      {"checkpoint-seq", info.checkpoint_seq},
      {"dim", info.dim},
      {"model-id", info.model_id},
      {"model-seq", info.model_seq},
      {"rows-pending", info.rows_pending},
  };
  constexpr std::size_t kOtherPairs = 8;
  reply.Map(std::size(counts) + kOtherPairs);
  for (const auto& [name, count] : counts) {
    reply.Bulk(name);
    reply.Integer(static_cast<std::int64_t>(count));
  }
  reply.Bulk("gram-drift");
  reply.Double(info.gram_drift);
  // Whether RECENCY AGE has times to go by.
  reply.Bulk("event-times");
  reply.Bulk(info.times_usable ? "usable" : "unusable");
  reply.Bulk("parameters");
  AnswerParameters(reply, info.parameters);
  reply.Bulk("quality");
  AnswerFigures(reply, info.quality);
  reply.Bulk("approximate");
  AnswerFigures(reply, info.approximate);
  reply.Bulk("neighbours");
  AnswerFigures(reply, info.neighbours);
  reply.Bulk("memory");
  reply.Map(info.memory_bytes.size());
  for (const auto& [part, bytes] : info.memory_bytes) {
    reply.Bulk(part);
    reply.Integer(static_cast<std::int64_t>(bytes));
  }
  reply.Bulk("jobs");
  AnswerJobs(reply, jobs);
}

void Info(CommandContext& context) {
  const KeyRef key = context.Key(context.args[1]);
  if (RejectMissing(context, key)) {
    return;
  }
  const Result<CollectionInfo> info = context.database.CollectionDetails(key);
  if (!info.ok()) {
    context.reply.Failure(info.status());
    return;
  }
  AnswerDetails(context.reply, *info, JobsOf(context.database, key.name));
}

// The arguments of RECO.CREATE, from the table of parameters. Owns the words it shows.
class CreateArguments {
 public:
  CreateArguments() : all_{kKeyArgument} {
    std::vector<ArgumentSpec> retrain;
    for (const engine::Parameter& parameter : engine::CollectionParameters()) {
      if (parameter.name == kTypes) {
        all_.push_back({.name = "type",
                        .type = "block",
                        .token = "TYPE",
                        .optional = true,
                        .multiple = true,
                        .arguments = kTypeArguments});
      } else if (parameter.name.starts_with(kRetrain)) {
        const std::string_view rule = parameter.name.substr(kRetrain.size());
        retrain.push_back({.name = rule, .type = "integer", .token = Upper(rule)});
      } else {
        all_.push_back(Of(parameter));
      }
    }
    all_.push_back({.name = "retrain",
                    .type = "oneof",
                    .token = "RETRAIN",
                    .optional = true,
                    .multiple = true,
                    .arguments = choices_.emplace_back(std::move(retrain))});
  }

  std::span<const ArgumentSpec> all() const { return all_; }

 private:
  std::string_view Upper(std::string_view name) { return words_.emplace_back(UpperCase(name)); }

  ArgumentSpec Of(const engine::Parameter& parameter) {
    const std::string_view number = parameter.integer ? "integer" : "double";
    ArgumentSpec argument{.name = parameter.name,
                          .type = parameter.get == nullptr ? "string" : number,
                          .token = Upper(parameter.name),
                          .optional = true};
    std::vector<ArgumentSpec> choices;
    if (!parameter.word.empty()) {
      choices.push_back({.name = parameter.name, .type = number});
      choices.push_back(
          {.name = parameter.word, .type = "pure-token", .token = Upper(parameter.word)});
    }
    for (const std::string_view choice : parameter.choices) {
      choices.push_back({.name = choice, .type = "pure-token", .token = Upper(choice)});
    }
    if (!choices.empty()) {
      argument.type = "oneof";
      argument.arguments = choices_.emplace_back(std::move(choices));
    }
    return argument;
  }

  static constexpr ArgumentSpec kTypeArguments[] = {{.name = "name", .type = "string"},
                                                    {.name = "weight", .type = "double"}};

  std::deque<std::string> words_;  // stay where they are
  std::deque<std::vector<ArgumentSpec>> choices_;
  std::vector<ArgumentSpec> all_;
};

constexpr ArgumentSpec kParameterArguments[] = {{.name = "param", .type = "string"},
                                                {.name = "value", .type = "string"}};
constexpr ArgumentSpec kConfigActions[] = {{.name = "pattern", .type = "pattern", .token = "GET"},
                                           {.name = "parameter",
                                            .type = "block",
                                            .token = "SET",
                                            .multiple = true,
                                            .arguments = kParameterArguments}};
constexpr ArgumentSpec kConfigArguments[] = {
    kKeyArgument, {.name = "action", .type = "oneof", .arguments = kConfigActions}};

}  // namespace

std::span<const CommandSpec> CollectionCommands() {
  // Made on first use: the table of parameters is the engine's, and its names are put into capitals
  // here.
  static const CreateArguments kCreate;
  static const CommandSpec kRows[] = {
      {.name = "reco.create",
       .arity = -2,
       .flags = kWrite | kDenyOom,
       .summary =
           "Creates a collection. Returns false when one with these options is there already",
       .complexity = "O(1)",
       .arguments = kCreate.all(),
       .handler = Create},
      // One row for both verbs: GET counts as a write, too. Only SET is refused at `maxmemory`.
      {.name = "reco.config",
       .arity = -4,
       .flags = kWrite | kDenyOom,
       .summary =
           "GET returns a map of the collection's parameters that match a pattern. SET changes "
           "all of the named ones or none, returns OK and says so when one takes effect only "
           "at the next training",
       .complexity = "O(N) where N is the number of parameters",
       .arguments = kConfigArguments,
       .handler = Config,
       .grows = SetsSomething},
      {.name = "reco.info",
       .arity = 2,
       .flags = kReadonly,
       .summary =
           "Returns a map of the collection's number, which no other of the folder ever gets, "
           "size, model, parameters, quality, memory, jobs and, where APPROX has built one, "
           "graph of neighbours",
       .complexity = "O(N) where N is the number of jobs remembered",
       .arguments = kKeyAlone,
       .handler = Info},
  };
  return kRows;
}

}  // namespace reco::api
