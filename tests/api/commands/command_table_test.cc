#include "api/commands/command_table.h"

#include <cctype>
#include <cstdlib>
#include <set>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/all_commands.h"
#include "api/protocol/words.h"

namespace reco::api {
namespace {

using ::testing::ElementsAre;
using Args = std::vector<std::string_view>;

// The fewest words the arguments stand for.
std::int32_t FewestWords(std::span<const ArgumentSpec> arguments) {
  std::int32_t words = 0;
  for (const ArgumentSpec& argument : arguments) {
    if (argument.optional) {
      continue;
    }
    words += argument.token.empty() || argument.type == "pure-token" ? 0 : 1;
    if (argument.type == "oneof") {
      std::int32_t fewest = 1'000;
      for (const ArgumentSpec& choice : argument.arguments) {
        fewest = std::min(fewest, FewestWords({&choice, 1}));
      }
      words += fewest;
    } else if (argument.type == "block") {
      words += FewestWords(argument.arguments);
    } else {
      words += 1;
    }
  }
  return words;
}

bool HasVariableLength(std::span<const ArgumentSpec> arguments) {
  for (const ArgumentSpec& argument : arguments) {
    if (argument.optional || argument.multiple || HasVariableLength(argument.arguments)) {
      return true;
    }
  }
  return false;
}

TEST(CommandTable, EveryRowIsComplete) {
  const CommandTable table(AllCommands());
  static const std::set<std::string_view> kGroups = {"connection", "server", "generic",
                                                     "string",     "reco",   "cluster"};
  std::set<std::string> names;
  for (const CommandEntry& entry : table.entries()) {
    SCOPED_TRACE(entry.full_name);
    const CommandSpec& spec = *entry.spec;
    EXPECT_TRUE(names.insert(entry.full_name).second);
    for (const char c : entry.full_name) {
      EXPECT_FALSE(std::isupper(static_cast<unsigned char>(c)));
    }
    EXPECT_FALSE(spec.summary.empty());
    EXPECT_FALSE(spec.complexity.empty());
    EXPECT_TRUE(kGroups.contains(spec.group)) << spec.group;
    EXPECT_TRUE(spec.handler != nullptr || !spec.subcommands.empty());
    EXPECT_NE(spec.arity, 0);
    EXPECT_FALSE((spec.flags & kWrite) != 0 && (spec.flags & kReadonly) != 0);
  }
}

TEST(CommandTable, ArityFitsTheArguments) {
  const CommandTable table(AllCommands());
  for (const CommandEntry& entry : table.entries()) {
    SCOPED_TRACE(entry.full_name);
    const CommandSpec& spec = *entry.spec;
    if (spec.handler == nullptr) {
      continue;
    }
    const std::int32_t own_words = entry.parent == nullptr ? 1 : 2;
    EXPECT_LE(FewestWords(spec.arguments) + own_words, std::abs(spec.arity));
    if (spec.arity > 0) {
      EXPECT_FALSE(HasVariableLength(spec.arguments));
    }
  }
}

TEST(CommandTable, KeysAreArguments) {
  const CommandTable table(AllCommands());
  for (const CommandEntry& entry : table.entries()) {
    SCOPED_TRACE(entry.full_name);
    const CommandSpec& spec = *entry.spec;
    bool has_key = false;
    for (const ArgumentSpec& argument : spec.arguments) {
      has_key |= argument.type == "key";
    }
    EXPECT_EQ(spec.keys.first > 0, has_key);
    EXPECT_EQ(spec.keys.first > 0, spec.keys.step > 0);
  }
}

// Only what may grow is refused at `maxmemory`: each command that is, by name, and where the verb
// decides, both kinds.
TEST(CommandTable, OnlyWhatMayGrowIsRefusedAtTheMemoryLimit) {
  const CommandTable table(AllCommands());
  std::set<std::string> refused;
  for (const CommandEntry& entry : table.entries()) {
    const CommandSpec& spec = *entry.spec;
    EXPECT_TRUE(spec.grows == nullptr || (spec.flags & kDenyOom) != 0) << entry.full_name;
    if ((spec.flags & kDenyOom) != 0) {
      EXPECT_NE(spec.flags & kWrite, 0U) << entry.full_name;
      refused.insert(entry.full_name + (spec.grows != nullptr ? " SET" : ""));
    }
  }
  EXPECT_THAT(refused, ::testing::UnorderedElementsAre(
                           "set", "reco.add", "reco.config SET", "reco.create", "reco.item|merge",
                           "reco.item|set", "reco.madd", "reco.retrain", "reco.rule SET",
                           "reco.set", "reco.user|merge", "reco.user|set"));
  for (const std::string_view name : {"reco.rule", "reco.config"}) {
    const CommandSpec& spec = *table.Find(name)->spec;
    for (const std::string_view verb : {"LIST", "DEL", "GET", "nosuch"}) {
      EXPECT_FALSE(spec.grows(Args{name, "shop", verb, "x"})) << name << ' ' << verb;
    }
    EXPECT_TRUE(spec.grows(Args{name, "shop", "set", "x"})) << name;
    EXPECT_FALSE(spec.grows(Args{name, "shop"})) << name;
  }
}

TEST(CommandTable, FindsCommandsInAnyCase) {
  const CommandTable table(AllCommands());
  EXPECT_EQ(table.Resolve(Args{"pInG"})->full_name, "ping");
  EXPECT_EQ(table.Resolve(Args{"CONFIG", "Get", "x"})->full_name, "config|get");
  EXPECT_EQ(table.Resolve(Args{"CONFIG"})->full_name, "config");
  EXPECT_EQ(table.Resolve(Args{"CONFIG", "nosuch"}), nullptr);
  EXPECT_EQ(table.Resolve(Args{"nosuch"}), nullptr);
  EXPECT_EQ(table.Resolve(Args{""}), nullptr);
  EXPECT_EQ(table.FindFullName("client|ID")->full_name, "client|id");
  EXPECT_EQ(table.FindFullName("client|nosuch"), nullptr);
  for (const CommandEntry* entry : table.commands()) {
    EXPECT_EQ(table.Find(UpperCase(entry->spec->name)), entry);
  }
}

TEST(CommandTable, CategoriesFollowFromFlags) {
  const CommandTable table(AllCommands());
  EXPECT_THAT(CategoryNames(*table.Find("dbsize")->spec),
              ElementsAre("@keyspace", "@read", "@fast"));
  EXPECT_THAT(CategoryNames(*table.FindFullName("client|kill")->spec),
              ElementsAre("@admin", "@slow", "@dangerous", "@connection"));
}

TEST(KeyPositions, FollowTheRange) {
  CommandSpec spec{};
  spec.keys.first = 1;
  spec.keys.step = 1;
  spec.keys.last = 1;
  EXPECT_THAT(KeyPositions(spec, 4), ElementsAre(1));
  spec.keys.last = -1;
  EXPECT_THAT(KeyPositions(spec, 4), ElementsAre(1, 2, 3));
  spec.keys.step = 2;
  EXPECT_THAT(KeyPositions(spec, 5), ElementsAre(1, 3));
  spec.keys.first = 0;
  EXPECT_THAT(KeyPositions(spec, 5), ElementsAre());
}

}  // namespace
}  // namespace reco::api
