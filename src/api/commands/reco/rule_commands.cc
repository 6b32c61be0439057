// Merchandising rules: RECO.RULE key SET, LIST, DEL.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "api/commands/answers.h"
#include "api/commands/arguments.h"
#include "api/commands/command.h"
#include "api/commands/reco/groups.h"
#include "api/commands/reco/ranking_request.h"

namespace reco::api {
namespace {

constexpr std::size_t kVerbWords = 3;  // RECO.RULE key SET
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
  Arguments words(context.args, kVerbWords);
  const KeyRef key = context.Key(context.args[1]);
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

constexpr ArgumentSpec kActions[] = {
    {.name = "factor", .type = "double", .token = "BOOST"},
    {.name = "bury", .type = "pure-token", .token = "BURY"},
    {.name = "position", .type = "integer", .token = "PIN"},
};
constexpr ArgumentSpec kSetArguments[] = {
    {.name = "name", .type = "string"},
    {.name = "expression", .type = "string", .token = "FILTER"},
    {.name = "action", .type = "oneof", .arguments = kActions},
    {.name = "from-ms", .type = "integer", .token = "FROM", .optional = true},
    {.name = "until-ms", .type = "integer", .token = "UNTIL", .optional = true},
};
constexpr ArgumentSpec kVerbs[] = {
    {.name = "set", .type = "block", .token = "SET", .arguments = kSetArguments},
    {.name = "list", .type = "pure-token", .token = "LIST"},
    {.name = "name", .type = "string", .token = "DEL"},
};
constexpr ArgumentSpec kRuleArguments[] = {kKeyArgument,
                                           {.name = "verb", .type = "oneof", .arguments = kVerbs}};

constexpr CommandSpec kRows[] = {
    {.name = "reco.rule",
     .arity = -3,
     .flags = kWrite | kDenyOom,
     .summary =
         "SET adds or replaces a rule about the items that an expression holds for, in force at "
         "once on every list of items: BOOST multiplies their scores (0 takes them out), BURY puts "
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
     .handler = RunRule},
};

}  // namespace

std::span<const CommandSpec> RuleCommands() {
  return kRows;
}

}  // namespace reco::api
