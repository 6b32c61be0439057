// reco-admin: the command line of an administrator. Speaks to a running server; see --help.
#include <cstdlib>
#include <functional>
#include <string>

#include <CLI/CLI.hpp>

#include "reco/types.h"

#include "base/standard_streams.h"
#include "tools/admin/import_commands.h"
#include "tools/admin/item_commands.h"
#include "tools/admin/model_commands.h"
#include "tools/admin/session.h"
#include "tools/admin/stream_commands.h"

namespace reco::admin {
namespace {

constexpr const char* kFooter = R"(
Exit codes: 0 done, 1 the server refused or the job failed, 2 wrong usage or unreadable file,
            3 no connection, 4 more lines lost than --allow-errors.

Examples:
  reco-admin import shop clicks.csv.gz --user customer --item sku --time ts
  reco-admin import-items shop items.csv --item sku
  reco-admin retrain shop --wait iterations=15
  reco-admin eval shop --at 10,20
  reco-admin topk shop ann --title title)";

constexpr const char* kImportFooter = R"(
Run the same command again, and only what is new is sent: an import that was interrupted goes on, a
file that has grown sends its new lines, and one that was imported before sends nothing, whatever
its name or packing. What was sent is compared by a checksum before anything is passed over: a
changed version of an imported file is told as such, and --again or --resume-anyway says what to do
with it. The progress belongs to the collection: after DEL all of a file is imported anew. It is
kept in the server for 30 days, under reco:import:<collection id>:<fingerprint>.

Lost lines, which cannot be read or which the server refuses, are counted, and the import goes on to
the end. They are in FILE.rejects (for standard input reco-rejects-TIME.csv in the working folder),
each behind its reason: mend them and import that file. The exit code is 4 when there are more than
--allow-errors.

Resuming relies on the server's window of idempotency tokens (option idempotency-window, at least
50,000), since up to 20,000 records may be sent twice. Columns of JSON lines, one object a line, are
paths such as user.id. A time that looks like another unit than the first one is a lost line; so is
a record of more than 64 KiB or 100 lines.
Empty weight or type cells mean the default.)";

constexpr const char* kItemsFooter = R"(
Each line changes the attributes that its cells name and leaves the others; an empty cell changes
nothing. With --replace an item has what its line says and nothing else (hidden and expiry stay).

A column has one type: number when every cell is a number that reads back as it is written (42,
2.5, but not 1.10, 12E5, 00123 or +5, nor a whole number beyond 64 bits); boolean when all are true
or false, in one of the spellings true, True, TRUE; text otherwise. JSON says itself what a number
is. All of a file decides, of standard input the first 10,000 lines. The collection keeps the types
(RECO.CONFIG KEY GET attribute-types), and they hold for later files; --types changes them. A number
that --types asks for may be written in any way, such as 1.10. A line with a cell that does not fit
is lost.

Lost lines are in FILE.rejects, each behind its reason, and the import goes on to the end of the
file; the exit code is 4 when there were more than --allow-errors. Repeating an import is harmless.

Examples:
  reco-admin import-items shop prices.csv --item sku --types price:number
  reco-admin import-items shop catalogue.csv --item sku --replace --columns title,genre)";

constexpr const char* kStreamFooter = R"(
The events are sorted by time. The first share of them is loaded and trained on; then, for every
later event, the server is asked for its user's list (RECO.TOPK), and told the event afterwards
(RECO.ADD). Counted are events of a positive weight whose user did not have the item yet, since
lists leave out what a user has; the others are told only. An item nobody has used before counts
as a miss.

KEY is never written. The replay goes into scratch collections of its own on the server,
KEY:stream-eval:<random>:<mode>, created with the parameters of KEY when KEY exists (but for its
rules for retraining), else with the server's defaults, and with those given by --param. They are
deleted at the end, after errors and on Ctrl-C too. The server needs memory for one at a time.

Every mode and every rhythm of training is a replay; recencies and neighbours are asked for
within one replay.

Example:
  reco-admin stream-eval shop clicks.csv.gz --user customer --item sku --time ts \
    --modes off,users,both --retrain-every 0,5000)";

// The command line in parts; `run` is set by the subcommand that was given.
struct CommandLine {
  Settings settings;
  std::string key;
  std::string path;
  std::string delimiter;
  bool check = false;
  bool no_header = false;
  bool quotes = false;
  bool no_quotes = false;
  std::string format = "auto";
  std::string time_unit = "auto";
  std::string no_time;
  TopkRequest topk;
  RetrainRequest retrain;
  EvalRequest eval;
  CallRequest call;
  ImportOptions import;
  ImportItemsRequest items;
  StreamEvalRequest stream;
  std::function<int(Session&)> run;
  std::function<int()> run_alone;  // without a server
};

Result<ReaderOptions> MakeReaderOptions(const CommandLine& line) {
  ReaderOptions reader;
  reader.format = line.format == "csv"     ? Format::kCsv
                  : line.format == "tsv"   ? Format::kTsv
                  : line.format == "jsonl" ? Format::kJsonLines
                                           : Format::kAuto;
  if (!line.delimiter.empty()) {
    RECO_ASSIGN_OR_RETURN(reader.delimiter, ParseDelimiter(line.delimiter));
  }
  if (line.quotes || line.no_quotes) {
    reader.quotes = line.quotes;
  }
  return reader;
}

// CLI11 has checked the names.
TimeUnit UnitOf(const CommandLine& line) {
  return UnitOfName(line.time_unit).value_or(TimeUnit::kAuto);
}

NoTime NoTimeOf(const CommandLine& line) {
  return line.no_time == "now"    ? NoTime::kNow
         : line.no_time == "skip" ? NoTime::kSkip
                                  : NoTime::kLost;
}

// Completes line.import by what was given.
Status SetUpImport(CommandLine& line) {
  RECO_ASSIGN_OR_RETURN(line.import.reader, MakeReaderOptions(line));
  line.import.key = line.key;
  line.import.has_header = !line.no_header;
  line.import.columns.time_unit = UnitOf(line);
  line.import.columns.no_time = NoTimeOf(line);
  return Status::Ok();
}

int RunImport(Session& session, CommandLine& line) {
  const Status ready = SetUpImport(line);
  return ready.ok() ? Import(session, line.path, line.import) : Report(ready, line.settings);
}

int RunImportCheck(CommandLine& line) {
  const Status ready = SetUpImport(line);
  return ready.ok() ? CheckImport(line.settings, line.path, line.import)
                    : Report(ready, line.settings);
}

int RunImportItems(Session& session, CommandLine& line) {
  auto reader = MakeReaderOptions(line);
  if (!reader.ok()) {
    return Report(reader.status(), line.settings);
  }
  line.items.key = line.key;
  line.items.path = line.path;
  line.items.reader = *reader;
  line.items.has_header = !line.no_header;
  return ImportItems(session, line.items);
}

int RunStreamEval(Session& session, CommandLine& line) {
  auto reader = MakeReaderOptions(line);
  if (!reader.ok()) {
    return Report(reader.status(), line.settings);
  }
  line.stream.key = line.key;
  line.stream.path = line.path;
  line.stream.log.reader = *reader;
  line.stream.log.has_header = !line.no_header;
  line.stream.log.columns.time_unit = UnitOf(line);
  return StreamEval(session, line.stream);
}

CLI::Option* AddKey(CLI::App* command, CommandLine& line) {
  return command->add_option("KEY", line.key, "The collection")->required();
}

void AddFileOptions(CLI::App* command, CommandLine& line, std::size_t* pipeline) {
  AddKey(command, line);
  command
      ->add_option("FILE", line.path,
                   "CSV, TSV or JSON lines in UTF-8 or UTF-16; plain, gzip, zstd or bzip2; - is "
                   "standard input")
      ->required();
  command
      ->add_option("--format", line.format,
                   "auto (default: by .csv, .tsv, .jsonl or .ndjson, else by the first character), "
                   "csv, tsv or jsonl")
      ->check(CLI::IsMember({"auto", "csv", "tsv", "jsonl"}));
  command->add_option("--delimiter", line.delimiter,
                      "1 to 16 characters, or tab (default: a comma, of TSV a tab)");
  command->add_flag("--no-header", line.no_header,
                    "The first line is data; columns are given by 1-based number");
  CLI::Option* quotes = command->add_flag(
      "--quotes", line.quotes, "Quotes enclose fields (default, but not with tabs or ::)");
  command->add_flag("--no-quotes", line.no_quotes, "A quote is a character like any other")
      ->excludes(quotes);
  command
      ->add_option(
          "--pipeline", *pipeline,
          "Commands sent ahead of their answers (default " + std::to_string(*pipeline) + ')')
      ->check(CLI::Range(std::size_t{1}, kPipelineMax));
}

void AddLostLines(CLI::App* command, std::uint64_t* allow_errors, std::uint64_t* stop_after) {
  command->add_option("--allow-errors", *allow_errors,
                      "Lost lines with which the import still counts as done (default 0)");
  command
      ->add_option("--stop-after", *stop_after,
                   "Stop when so many lines are lost (default: go on to the end)")
      ->check(CLI::PositiveNumber);
}

// Adds the options that name columns. Returns that of the weight.
CLI::Option* AddEventColumns(CLI::App* command, CommandLine& line, ColumnNames& columns) {
  command->add_option("--user", columns.user, "Column of the user id")->required();
  command->add_option("--item", columns.item, "Column of the item id")->required();
  CLI::Option* weight = command->add_option("--weight", columns.weight, "Column of the weight");
  command->add_option("--time", columns.time, "Column of the time");
  command
      ->add_option("--time-unit", line.time_unit,
                   "Unit of the time since 1970: s, ms, us or ns; iso: dates of ISO 8601; auto "
                   "(default): what the first time looks like")
      ->check(CLI::IsMember({"auto", "s", "ms", "us", "ns", "iso"}));
  command->add_option("--type", columns.type, "Column of the feedback type");
  return weight;
}

// Adds `import`. No variable may be called so: clang-format takes a line that begins so for a
// module's.
void AddImport(CLI::App& app, CommandLine& line) {
  CLI::App* command = app.add_subcommand("import", "Import interactions from a file; resumable");
  AddFileOptions(command, line, &line.import.pipeline);
  AddLostLines(command, &line.import.allow_errors, &line.import.stop_after);
  CLI::Option* weight = AddEventColumns(command, line, line.import.columns);
  command
      ->add_flag("--set", line.import.replace,
                 "Replace the pair's preference (RECO.SET) instead of adding to it")
      ->needs(weight);
  command
      ->add_option("--no-time", line.no_time,
                   "Lines whose time is missing: now (sent without one) or skip (default: bad)")
      ->check(CLI::IsMember({"now", "skip"}));
  command->add_flag("--again", line.import.again,
                    "Import all of the file although it, or a version of it, was imported before");
  command->add_flag("--resume-anyway", line.import.resume_anyway,
                    "Of a changed file send what is behind as many lines as were imported before");
  command->add_flag("--check", line.check,
                    "Read all of the file and tell what would be sent; needs no server");
  command->footer(kImportFooter);
  command->callback([&line] {
    if (line.check) {
      line.run_alone = [&line] { return RunImportCheck(line); };
    } else {
      line.run = [&line](Session& session) { return RunImport(session, line); };
    }
  });
}

void AddImportItems(CLI::App& app, CommandLine& line) {
  CLI::App* items = app.add_subcommand(
      "import-items", "Store the other columns of a file as the items' attributes");
  AddFileOptions(items, line, &line.items.pipeline);
  items->add_option("--item", line.items.item, "Column of the item id")->required();
  items->add_option("--columns", line.items.columns, "Attributes, comma-separated (default: all)")
      ->delimiter(',');
  items->add_option("--types", line.items.types,
                    "Types of columns, e.g. price:number,code:text,sold:boolean (default: as an "
                    "earlier import has them, else by the cells)");
  items->add_flag("--replace", line.items.replace,
                  "Replace all attributes of an item (RECO.ITEM SET) instead of merging");
  AddLostLines(items, &line.items.allow_errors, &line.items.stop_after);
  items->footer(kItemsFooter);
  items->callback(
      [&line] { line.run = [&line](Session& session) { return RunImportItems(session, line); }; });
}

void AddStreamEval(CLI::App& app, CommandLine& line) {
  CLI::App* eval = app.add_subcommand(
      "stream-eval", "Replay a log, asking before telling: how well is each next event predicted?");
  StreamEvalRequest& request = line.stream;
  AddFileOptions(eval, line, &request.pipeline);
  eval->add_option("--max-errors", request.log.errors_max,
                   "Bad lines that are tolerated (default 100)");
  AddEventColumns(eval, line, request.log.columns);
  eval->add_option("--train", request.train_share,
                   "Share of the events that is loaded and trained on first (default 0.5)")
      ->check(CLI::Range(0.0, 1.0));
  eval->add_option("--at", request.cutoffs, "Lengths of the lists (default 10,20)")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->check(CLI::Range(std::size_t{1}, kStreamCutoffMax));
  eval->add_option("--modes", request.modes,
                   "What a write changes at once: off, users, both; a list compares them (default: "
                   "as KEY has it)")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->check(CLI::IsMember({"off", "users", "both"}));
  eval->add_option("--recency", request.recencies,
                   "Ask with RECENCY age or g; a list asks with each (default: as KEY has it)")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->check(CLI::IsMember({"age"}) | CLI::Range(0.01, 1.0));
  eval->add_option("--neighbours", request.neighbours,
                   "Ask with parts of the score: off (vectors alone), sessions, ridge, auto (all, "
                   "as KEY blends them); a list asks with each (default: auto)")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->check(CLI::IsMember({"off", "sessions", "ridge", "auto"}));
  eval->add_option("--retrain-every", request.retrain_every,
                   "Train again after so many replayed events, 0: never (default); a list compares")
      ->delimiter(',')
      ->allow_extra_args(false);
  eval->add_option("--param", request.parameters,
                   "name=value: a parameter of the scratch collections; repeatable")
      ->allow_extra_args(false);
  eval->add_option("--seed", request.seed, "Of the order within one timestamp (default 42)");
  eval->add_flag("--keep-order", request.keep_order,
                 "Keep the file's order within one timestamp instead of a random one");
  CLI::Option* basket = eval->add_flag("--next-basket", request.next_basket,
                                       "Ask only for the first item of each new basket");
  eval->add_option("--basket-gap", request.basket_gap_s,
                   "Seconds between events of one basket at most (default 0: one timestamp)")
      ->check(CLI::NonNegativeNumber)
      ->needs(basket);
  eval->footer(kStreamFooter);
  eval->callback(
      [&line] { line.run = [&line](Session& session) { return RunStreamEval(session, line); }; });
}

void AddQuestions(CLI::App& app, CommandLine& line) {
  app.add_subcommand("ping", "Check that the server answers, and how fast")->callback([&line] {
    line.run = Ping;
  });
  CLI::App* info = app.add_subcommand("info", "Describe the server, or one collection");
  info->add_option("KEY", line.key, "The collection");
  info->callback(
      [&line] { line.run = [&line](Session& session) { return Info(session, line.key); }; });
  CLI::App* topk = app.add_subcommand("topk", "The best items of a user");
  AddKey(topk, line);
  topk->add_option("USER", line.topk.user, "The user")->required();
  topk->add_option("--count", line.topk.count, "How many (default 10)")
      ->check(CLI::Range(1, 10'000));
  topk->add_option("--title", line.topk.title, "Attribute to show beside each id");
  topk->callback([&line] {
    line.run = [&line](Session& session) {
      line.topk.key = line.key;
      return Topk(session, line.topk);
    };
  });
  app.add_subcommand("jobs", "Trainings and evaluations, running and finished")->callback([&line] {
    line.run = Jobs;
  });
  CLI::App* call = app.add_subcommand("call", "Send any command and show its answer");
  call->add_option("--title", line.call.title,
                   "Read the answer as a ranking, and show this attribute beside each id");
  call->add_option("COMMAND", line.call.words, "The command and its arguments")->required();
  call->positionals_at_end();
  call->callback(
      [&line] { line.run = [&line](Session& session) { return Call(session, line.call); }; });
}

void AddJobs(CLI::App& app, CommandLine& line) {
  CLI::App* retrain = app.add_subcommand("retrain", "Train a new model in the background");
  AddKey(retrain, line);
  retrain->add_flag("--wait", line.retrain.wait, "Show the progress until it is done");
  retrain->add_option("PARAMETER", line.retrain.parameters, "name=value, e.g. iterations=15");
  retrain->callback([&line] {
    line.run = [&line](Session& session) {
      line.retrain.key = line.key;
      return Retrain(session, line.retrain);
    };
  });
  CLI::App* eval = app.add_subcommand(
      "eval", "Train on the past, score on the newest interactions of every user");
  AddKey(eval, line);
  eval->add_option("--last", line.eval.holdout_last,
                   "Interactions held out of each user (default 1)")
      ->check(CLI::Range(std::uint32_t{1}, kHoldoutLastMax));
  eval->add_option("--at", line.eval.at, "Lengths of the lists, e.g. 10,20")
      ->delimiter(',')
      ->allow_extra_args(false);
  eval->add_option("--ties", line.eval.ties, "Order within the same time: shuffled or stored")
      ->check(CLI::IsMember({"shuffled", "stored"}));
  eval->add_option("PARAMETER", line.eval.parameters, "name=value, as of retrain");
  eval->callback([&line] {
    line.run = [&line](Session& session) {
      line.eval.key = line.key;
      return Eval(session, line.eval);
    };
  });
}

int Main(int argc, char** argv) {
  CommandLine line;
  CLI::App app("Administers a RecoDB server.", "reco-admin");
  // Without -h, which is the host, as of redis-cli.
  app.set_help_flag("--help", "Print this help and exit");
  app.set_version_flag("--version", "RecoDB " RECO_VERSION);
  app.require_subcommand(1);
  // Options such as --json may also stand behind the subcommand.
  app.fallthrough();
  app.footer(kFooter);
  client::Endpoint& endpoint = line.settings.endpoint;
  app.add_option("-h,--host", endpoint.host, "Host (default 127.0.0.1)");
  app.add_option("-p,--port", endpoint.port, "Port (default 6390)");
  app.add_option("-a,--password", endpoint.password,
                 "Password; better kept in the environment, so that ps does not show it")
      ->envname("RECO_PASSWORD");
  app.add_flag("--json", line.settings.json, "Print one JSON value");
  app.add_flag("--quiet", line.settings.quiet, "Show no progress");
  AddQuestions(app, line);
  AddJobs(app, line);
  AddImport(app, line);
  AddImportItems(app, line);
  AddStreamEval(app, line);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kExitDone : kExitUsage;
  }
  // Callbacks have only noted what to run: a wrong command line is refused before anything
  // connects.
  if (line.run_alone) {
    return line.run_alone();
  }
  auto session = Session::Open(line.settings);
  if (!session.ok()) {
    return Report(session.status(), line.settings);
  }
  return line.run(*session);
}

}  // namespace
}  // namespace reco::admin

int main(int argc, char** argv) {
  reco::OpenStandardStreams();
  return reco::admin::Main(argc, argv);
}
