// Merchandising rules: RECO.RULE key SET, LIST, DEL.
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "api/commands/answers.h"
#include "api/commands/arguments.h"
#include "api/commands/command.h"
#include "api/commands/grammar.h"
#include "api/commands/reco/argument_specs.h"
#include "api/commands/reco/groups.h"

namespace reco::api {
namespace {

constexpr std::size_t kVerbWords = 3;  // RECO.RULE key SET
constexpr double kBoostMax = 1'000;

// A rule as it is read, and how many actions were named.
struct RuleRequest : Rule {
  int actions = 0;
};
using RuleOptions = OptionsOf<RuleRequest>;
using RuleOption = Option<RuleRequest>;

// Bits of Option::commands: SET has all; these are documented together.
constexpr std::uint32_t kSets = 1;
constexpr std::uint32_t kActs = 2;
constexpr std::uint32_t kTimes = 4;

constexpr RuleOption kFilterOption =
    RuleOptions::Custom(
        {.name = "expression", .type = "string", .token = "FILTER"},
        "the items that it holds for (doc/filters.md)",
        [](const RuleOption&, Arguments& words, RuleRequest* rule) { rule->filter = words.Word(); })
        .For(kSets)
        .Required();
constexpr std::array kRuleOptions = {
    kFilterOption,
    RuleOptions::Custom({.name = "factor", .type = "double", .token = "BOOST"},
                        "multiplies their scores; 0 takes them out",
                        [](const RuleOption&, Arguments& words, RuleRequest* rule) {
                          rule->action = Rule::Action::kBoost;
                          rule->value = words.Double("BOOST", 0, kBoostMax);
                          ++rule->actions;
                        })
        .For(kSets | kActs)
        .Required(),
    RuleOptions::Custom({.name = "bury", .type = "pure-token", .token = "BURY"},
                        "puts them behind all others",
                        [](const RuleOption&, Arguments&, RuleRequest* rule) {
                          rule->action = Rule::Action::kBury;
                          ++rule->actions;
                        })
        .For(kSets | kActs)
        .Required(),
    RuleOptions::Custom({.name = "position", .type = "integer", .token = "PIN"},
                        "puts the best of them in this place, counted from 1",
                        [](const RuleOption&, Arguments& words, RuleRequest* rule) {
                          rule->action = Rule::Action::kPin;
                          rule->value = static_cast<double>(words.Integer("PIN", 1, kCountMax));
                          ++rule->actions;
                        })
        .For(kSets | kActs)
        .Required(),
    RuleOptions::Integer<&RuleRequest::from_ms>({"FROM", "from-ms", "in force from then on"}, 0,
                                                kTimeMsMax)
        .For(kSets | kTimes),
    RuleOptions::Integer<&RuleRequest::until_ms>({"UNTIL", "until-ms", "in force before then"}, 1,
                                                 kTimeMsMax)
        .For(kSets | kTimes),
};

void SetRule(CommandContext& context) {
  Arguments words(context.args, kVerbWords);
  const KeyRef key = context.Key(context.args[1]);
  RuleRequest rule;
  rule.name = words.Text("rule name", kRuleNameBytesMax);
  ReadOptions<RuleRequest>(kRuleOptions, kSets, words, &rule);
  // The table lets each option stand once, but cannot say that one of three must.
  if (rule.actions != 1) {
    words.Fail("a rule needs one of BOOST factor, BURY and PIN position");
  }
  if (rule.filter.empty()) {
    words.Fail("a rule needs FILTER expression");
  }
  if (!words.Reject(context.reply)) {
    AnswerBoolean(context.reply, context.database.SetRule(key, rule, kDeferred));
  }
}

std::string_view ActionName(Rule::Action action) {
  switch (action) {
    case Rule::Action::kBoost:
      return "boost";
    case Rule::Action::kBury:
      return "bury";
    case Rule::Action::kPin:
      return "pin";
  }
  return "unknown";
}

void ListRules(CommandContext& context) {
  constexpr std::size_t kPairs = 6;
  Arguments words(context.args, kVerbWords);
  const KeyRef key = context.Key(context.args[1]);
  if (words.left() > 0) {
    words.FailSyntax();
  }
  if (words.Reject(context.reply)) {
    return;
  }
  Reply& reply = context.reply;
  const Result<std::vector<Rule>> rules = context.database.Rules(key);
  if (!rules.ok()) {
    reply.Failure(rules.status());
    return;
  }
  reply.Array(rules->size());
  for (const Rule& rule : *rules) {
    reply.Map(kPairs);
    reply.Bulk("name");
    reply.Bulk(rule.name);
    reply.Bulk("filter");
    reply.Bulk(rule.filter);
    reply.Bulk("action");
    reply.Bulk(ActionName(rule.action));
    reply.Bulk("value");
    // BURY has no value.
    if (rule.action == Rule::Action::kBury) {
      reply.Null();
    } else {
      reply.Double(rule.value);
    }
    reply.Bulk("from-ms");
    reply.Integer(rule.from_ms);
    reply.Bulk("until-ms");
    reply.Integer(rule.until_ms);
  }
}

void DeleteRule(CommandContext& context) {
  Arguments words(context.args, kVerbWords);
  const KeyRef key = context.Key(context.args[1]);
  const std::string_view name = words.Text("rule name", kRuleNameBytesMax);
  if (words.left() > 0) {
    words.FailSyntax();
  }
  if (!words.Reject(context.reply)) {
    AnswerBoolean(context.reply, context.database.DeleteRule(key, name, kDeferred));
  }
}

// Runs RECO.RULE key VERB. The verb stands behind the key, so it is no subcommand of the table.
void RunRule(CommandContext& context) {
  const std::string_view verb = context.args[2];
  if (EqualsIgnoreCase(verb, "SET")) {
    SetRule(context);
  } else if (EqualsIgnoreCase(verb, "LIST")) {
    ListRules(context);
  } else if (EqualsIgnoreCase(verb, "DEL")) {
    DeleteRule(context);
  } else {
    context.reply.Error("ERR syntax error");
  }
}

constexpr auto kActions = ArgumentsOf<kActs, kNoArguments, kRuleOptions>();
constexpr ArgumentSpec kSetFront[] = {{.name = "name", .type = "string"},
                                      kFilterOption.argument,
                                      {.name = "action", .type = "oneof", .arguments = kActions}};
constexpr auto kSetArguments = ArgumentsOf<kTimes, kSetFront, kRuleOptions>();
constexpr ArgumentSpec kVerbs[] = {
    {.name = "set", .type = "block", .token = "SET", .arguments = kSetArguments},
    {.name = "list", .type = "pure-token", .token = "LIST"},
    {.name = "name", .type = "string", .token = "DEL"},
};
constexpr ArgumentSpec kRuleArguments[] = {kKeyArgument,
                                           {.name = "verb", .type = "oneof", .arguments = kVerbs}};

constexpr CommandSpec kRows[] = {
    // One row for all verbs: LIST counts as a write, too. Only SET is refused at `maxmemory`.
    {.name = "reco.rule",
     .arity = -3,
     .flags = kWrite | kDenyOom,
     .summary =
         "SET adds or replaces a rule about the items that an expression holds for, in force at "
         "once on every list of items but RECO.SURPRISING, which shows what is known: BOOST "
         "multiplies their scores (0 takes them out), BURY puts "
         "them behind all others, PIN puts the best of them in a place counted from 1. FROM and "
         "UNTIL are the time in milliseconds from which on and before which it is in force. LIST "
         "returns an array of maps, one for each rule, by name. DEL removes a rule. Rules work "
         "together in this order: every BOOST that holds for an item multiplies its score, or "
         "divides a negative one, and a single 0 takes the item out, also where a PIN holds for "
         "it; the list is sorted by these scores; items that any BURY holds for go behind the "
         "others, in the order of their scores; last, PIN by PIN in ascending places, the best "
         "item not pinned yet, buried or not, is moved to the place, and what stood from there on "
         "moves back by one. Of two PINs with one place that with the greater name chooses first "
         "and ends up behind the other",
     .complexity = "O(N) where N is the number of rules",
     .arguments = kRuleArguments,
     .handler = RunRule,
     .grows = SetsSomething},
};

}  // namespace

std::span<const CommandSpec> RuleCommands() {
  return kRows;
}

}  // namespace reco::api
