#include "api/commands/command_syntax.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/all_commands.h"
#include "api/commands/command_table.h"

namespace reco::api {
namespace {

using ::testing::ElementsAre;

TEST(CommandSyntax, ShowsOptionsAndChoices) {
  const CommandTable table(AllCommands());
  EXPECT_EQ(CommandSyntax(*table.Find("ping")), "PING [message]");
  EXPECT_EQ(CommandSyntax(*table.FindFullName("config|set")),
            "CONFIG SET parameter value [parameter value ...]");
  EXPECT_EQ(CommandSyntax(*table.Find("hello")),
            "HELLO [protover [AUTH username password] [SETNAME clientname]]");
  EXPECT_EQ(CommandSyntax(*table.FindFullName("client|no-evict")), "CLIENT NO-EVICT <ON|OFF>");
}

TEST(ArgumentSyntax, EachTypeIsShownInItsOwnWay) {
  constexpr ArgumentSpec kChoices[] = {{.name = "on", .type = "pure-token", .token = "ON"},
                                       {.name = "off", .type = "pure-token", .token = "OFF"}};
  constexpr ArgumentSpec kBlock[] = {{.name = "name", .type = "string"},
                                     {.name = "weight", .type = "double"}};
  struct Case {
    ArgumentSpec argument;
    std::string syntax;
  };
  const Case cases[] = {
      {{.name = "key", .type = "key"}, "key"},
      {{.name = "key", .type = "key", .optional = true}, "[key]"},
      {{.name = "key", .type = "key", .multiple = true}, "key [key ...]"},
      {{.name = "count", .type = "integer", .token = "COUNT", .optional = true}, "[COUNT count]"},
      {{.name = "id", .type = "string", .token = "IDS", .multiple = true}, "IDS id [id ...]"},
      {{.name = "now", .type = "pure-token", .token = "NOW", .optional = true}, "[NOW]"},
      {{.name = "state", .type = "oneof", .arguments = kChoices}, "<ON|OFF>"},
      {{.name = "state", .type = "oneof", .optional = true, .arguments = kChoices}, "[ON|OFF]"},
      {{.name = "type", .type = "block", .token = "TYPE", .arguments = kBlock}, "TYPE name weight"},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(ArgumentSyntax({&c.argument, 1}), c.syntax);
  }
  EXPECT_EQ(ArgumentSyntax(kBlock), "name weight");
  EXPECT_EQ(ArgumentSyntax({}), "");
}

TEST(HelpLines, HaveASubcommandAndWhatItDoesAndHelpAtTheEnd) {
  const CommandTable table(AllCommands());
  EXPECT_THAT(HelpLines(*table.Find("reco.vector")),
              ElementsAre("RECO.VECTOR <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
                          "GET key <USER|ITEM> id", ::testing::StartsWith("    "), "HELP",
                          "    Prints this help."));
}

}  // namespace
}  // namespace reco::api
