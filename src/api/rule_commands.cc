// Merchandising rules: RECO.RULE SET, LIST, DEL.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "api/answers.h"
#include "api/arguments.h"
#include "api/command.h"
#include "api/ranking_request.h"

namespace reco::api {
namespace {

constexpr std::size_t kSubcommandWords = 2;
constexpr double kBoostMax = 1'000;

// "BOOST factor", "BURY" or "PIN position". False: the next word is none of them.
bool ReadAction(Arguments& words, Rule* rule) {
  if (words.Option("BOOST")) {
    rule->action = Rule::Action::kBoost;
    rule->value = words.Double("BOOST", 0, kBoostMax);
  } else if (words.Option("BURY")) {
    rule->action = Rule::Action::kBury;
  } else if (words.Option("PIN")) {
    rule->action = Rule::Action::kPin;
    rule->value = static_cast<double>(words.Integer("PIN", 1, kCountMax));
  } else {
    return false;
  }
  return true;
}

void SetRule(CommandContext& context) {
  Arguments words(context.args, kSubcommandWords);
  const KeyRef key = context.Key(words.Word());
  Rule rule;
  rule.name = words.Text("rule name", kRuleNameBytesMax);
  int actions = 0;
  while (words.left() > 0) {
    if (words.Option("FILTER")) {
      rule.filter = words.Word();
    } else if (words.Option("FROM")) {
      rule.from_ms = words.Integer("FROM", 0, kTimeMsMax);
    } else if (words.Option("UNTIL")) {
      rule.until_ms = words.Integer("UNTIL", 1, kTimeMsMax);
    } else if (ReadAction(words, &rule)) {
      ++actions;
    } else {
      words.FailSyntax();
    }
  }
  if (actions != 1) {
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
  Arguments words(context.args, kSubcommandWords);
  const KeyRef key = context.Key(words.Word());
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
  Arguments words(context.args, kSubcommandWords);
  const KeyRef key = context.Key(words.Word());
  const std::string_view name = words.Text("rule name", kRuleNameBytesMax);
  if (!words.Reject(context.reply)) {
    AnswerBoolean(context.reply, context.database.DeleteRule(key, name, kDeferred));
  }
}

constexpr ArgumentSpec kNameArgument = {.name = "name", .type = "string"};
constexpr ArgumentSpec kActions[] = {
    {.name = "factor", .type = "double", .token = "BOOST"},
    {.name = "bury", .type = "pure-token", .token = "BURY"},
    {.name = "position", .type = "integer", .token = "PIN"},
};
constexpr ArgumentSpec kSetArguments[] = {
    kKeyArgument,
    kNameArgument,
    {.name = "expression", .type = "string", .token = "FILTER"},
    {.name = "action", .type = "oneof", .arguments = kActions},
    {.name = "from", .type = "integer", .token = "FROM", .optional = true},
    {.name = "until", .type = "integer", .token = "UNTIL", .optional = true},
};
constexpr ArgumentSpec kListArguments[] = {kKeyArgument};
constexpr ArgumentSpec kDeleteArguments[] = {kKeyArgument, kNameArgument};

constexpr CommandSpec kRuleRows[] = {
    {.name = "set",
     .arity = -7,
     .flags = kWrite | kDenyOom,
     .first_key = 2,
     .last_key = 2,
     .key_step = 1,
     .categories = "@reco",
     .group = "reco",
     .summary =
         "Adds or replaces a rule about the items that an expression holds for, effective at once "
         "on every list of items: BOOST multiplies their scores (0 takes them out), BURY puts them "
         "behind all others, PIN puts the best of them in a place counted from 1",
     .complexity = "O(N) where N is the number of rules",
     .arguments = kSetArguments,
     .handler = SetRule},
    {.name = "list",
     .arity = 3,
     .flags = kReadonly,
     .first_key = 2,
     .last_key = 2,
     .key_step = 1,
     .categories = "@reco",
     .group = "reco",
     .summary = "Returns an array of maps, one for each rule, by name",
     .complexity = "O(N) where N is the number of rules",
     .arguments = kListArguments,
     .handler = ListRules},
    {.name = "del",
     .arity = 4,
     .flags = kWrite | kFast,
     .first_key = 2,
     .last_key = 2,
     .key_step = 1,
     .categories = "@reco",
     .group = "reco",
     .summary = "Removes a rule",
     .complexity = "O(N) where N is the number of rules",
     .arguments = kDeleteArguments,
     .handler = DeleteRule},
};

constexpr CommandSpec kRows[] = {
    {.name = "reco.rule",
     .arity = -2,
     .flags = 0,
     .first_key = 0,
     .last_key = 0,
     .key_step = 0,
     .categories = "@reco",
     .group = "reco",
     .summary = "A container for commands on merchandising rules",
     .complexity = "Depends on subcommand.",
     .arguments = {},
     .handler = nullptr,
     .subcommands = kRuleRows},
};

}  // namespace

std::span<const CommandSpec> RuleCommands() {
  return kRows;
}

}  // namespace reco::api
