#include "api/commands/arguments.h"

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "reco/types.h"

namespace reco::api {
namespace {

using Words = std::vector<std::string_view>;

// The error as it is sent, without '-' and CRLF; empty when there is none.
std::string ErrorOf(const Arguments& words) {
  std::string out;
  Reply reply(&out, 2);
  if (!words.Reject(reply)) {
    EXPECT_EQ(out, "");
    return {};
  }
  return out.substr(1, out.size() - 3);
}

TEST(Arguments, ReadsWordsInOrderBehindTheCommandsName) {
  const Words words = {"cmd", "key", "5", "1.5", "17"};
  Arguments arguments(words);
  EXPECT_EQ(arguments.Word(), "key");
  EXPECT_EQ(arguments.Peek(), "5");
  EXPECT_EQ(arguments.Integer("COUNT", 1, 10), 5);
  EXPECT_EQ(arguments.Double("weight", -2, 2), 1.5);
  EXPECT_EQ(arguments.left(), 1U);
  EXPECT_EQ(arguments.Cursor(), 17U);
  EXPECT_EQ(arguments.left(), 0U);
  EXPECT_EQ(ErrorOf(arguments), "");
}

TEST(Arguments, AMissingWordIsASyntaxError) {
  const Words words = {"cmd"};
  Arguments arguments(words);
  EXPECT_EQ(arguments.Word(), "");
  EXPECT_TRUE(arguments.failed());
  EXPECT_EQ(ErrorOf(arguments), "ERR syntax error");
}

TEST(Arguments, AnIdHasOneTo512Bytes) {
  const std::string longest(kIdBytesMax, 'x');
  const std::string too_long(kIdBytesMax + 1, 'x');
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"a", ""},
      {longest, ""},
      {"", "ERR user id must be 1 to 512 bytes long, got 0"},
      {too_long, "ERR user id must be 1 to 512 bytes long, got 513"},
  };
  for (const auto& [id, error] : cases) {
    const Words words = {"cmd", id};
    Arguments arguments(words);
    EXPECT_EQ(arguments.Id("user id"), id);
    EXPECT_EQ(ErrorOf(arguments), error) << id.size();
  }
}

TEST(Arguments, ANumberOutOfRangeNamesItselfAndTheRange) {
  const std::pair<std::string_view, std::string_view> integers[] = {
      {"1", ""},
      {"10", ""},
      {"0", "ERR COUNT must be between 1 and 10"},
      {"11", "ERR COUNT must be between 1 and 10"},
      {"-1", "ERR COUNT must be between 1 and 10"},
      {"1.0", "ERR value is not an integer or out of range"},
      {"99999999999999999999", "ERR value is not an integer or out of range"},
  };
  for (const auto& [word, error] : integers) {
    const Words words = {"cmd", word};
    Arguments arguments(words);
    arguments.Integer("COUNT", 1, 10);
    EXPECT_EQ(ErrorOf(arguments), error) << word;
  }
  const std::pair<std::string_view, std::string_view> doubles[] = {
      {"1000000", ""},
      {"-1e6", ""},
      {"1000001", "ERR weight must be between -1000000 and 1000000"},
      {"nan", "ERR value is not a valid float"},
      {"1e400", "ERR value is not a valid float"},
  };
  for (const auto& [word, error] : doubles) {
    const Words words = {"cmd", word};
    Arguments arguments(words);
    arguments.Double("weight", -kWeightMax, kWeightMax);
    EXPECT_EQ(ErrorOf(arguments), error) << word;
  }
}

TEST(Arguments, AKeywordIsTakenInAnyCase) {
  const Words words = {"cmd", "count", "WithScores"};
  Arguments arguments(words);
  EXPECT_FALSE(arguments.Keyword("OFFSET"));
  EXPECT_TRUE(arguments.Keyword("COUNT"));
  EXPECT_FALSE(arguments.Keyword("WITHSCORE"));
  EXPECT_TRUE(arguments.Keyword("WITHSCORES"));
  EXPECT_FALSE(arguments.Keyword(""));
  EXPECT_EQ(ErrorOf(arguments), "");
}

TEST(Arguments, ARepeatedOptionIsASyntaxErrorAndARepeatedKeywordIsNot) {
  const Words words = {"cmd", "TYPE", "type", "BY", "by"};
  Arguments arguments(words);
  EXPECT_TRUE(arguments.Keyword("TYPE"));
  EXPECT_TRUE(arguments.Keyword("TYPE"));
  EXPECT_TRUE(arguments.Option("BY"));
  EXPECT_EQ(ErrorOf(arguments), "");
  EXPECT_TRUE(arguments.Option("BY"));
  EXPECT_EQ(ErrorOf(arguments), "ERR syntax error");
}

TEST(Arguments, CountedIdsTakesExactlySoMany) {
  const Words words = {"cmd", "2", "a", "b", "c"};
  Arguments arguments(words);
  EXPECT_EQ(arguments.CountedIds("INCLUDE"), (Words{"a", "b"}));
  EXPECT_EQ(arguments.Peek(), "c");
  EXPECT_EQ(ErrorOf(arguments), "");
}

TEST(Arguments, CountedIdsRefusesACountThatDoesNotFit) {
  const std::pair<Words, std::string_view> cases[] = {
      {{"cmd", "2", "a"}, "ERR syntax error"},
      {{"cmd", "0"}, "ERR INCLUDE must be between 1 and 10000"},
      {{"cmd", "10001", "a"}, "ERR INCLUDE must be between 1 and 10000"},
      {{"cmd", "x", "a"}, "ERR value is not an integer or out of range"},
      {{"cmd", "2", "a", ""}, "ERR item id must be 1 to 512 bytes long, got 0"},
      {{"cmd"}, "ERR syntax error"},
  };
  for (const auto& [words, error] : cases) {
    Arguments arguments(words);
    arguments.CountedIds("INCLUDE");
    EXPECT_EQ(ErrorOf(arguments), error) << words.size();
  }
}

TEST(Arguments, AListOfIdsNamesItsIdsAndItsBound) {
  const Arguments::IdList users = {.count = "the number of users", .id = "user id", .ids_max = 2};
  const std::pair<Words, std::string_view> counted[] = {
      {{"cmd", "2", "a", "b"}, ""},
      {{"cmd", "3", "a", "b", "c"}, "ERR the number of users must be between 1 and 2"},
      {{"cmd", "0"}, "ERR the number of users must be between 1 and 2"},
      {{"cmd", "2", "a", ""}, "ERR user id must be 1 to 512 bytes long, got 0"},
  };
  for (const auto& [words, error] : counted) {
    Arguments arguments(words);
    arguments.CountedIds(users);
    EXPECT_EQ(ErrorOf(arguments), error) << words.size();
  }
  const std::pair<Words, std::string_view> remaining[] = {
      {{"cmd", "a", "b"}, ""},
      {{"cmd", "a", "b", "c"}, "ERR the number of users must be between 1 and 2"},
      {{"cmd", "a", ""}, "ERR user id must be 1 to 512 bytes long, got 0"},
  };
  for (const auto& [words, error] : remaining) {
    Arguments arguments(words);
    arguments.RemainingIds(users);
    EXPECT_EQ(ErrorOf(arguments), error) << words.size();
  }
}

TEST(Arguments, AParameterHasItsNameInLowerCaseUpToTheDot) {
  const Words words = {"cmd", "Reg", "0.1", "TYPE.Buy", "2", "type.buy", "3"};
  Arguments arguments(words);
  ParameterList parameters;
  while (arguments.left() > 0) {
    arguments.Parameter(&parameters);
  }
  EXPECT_EQ(parameters, (ParameterList{{"reg", "0.1"}, {"type.Buy", "2"}, {"type.buy", "3"}}));
  EXPECT_EQ(ErrorOf(arguments), "");
}

TEST(Arguments, AParameterTwiceOrWithoutValueIsASyntaxError) {
  for (const Words& words : {Words{"cmd", "reg", "1", "REG", "2"}, Words{"cmd", "reg"}}) {
    Arguments arguments(words);
    ParameterList parameters;
    while (arguments.left() > 0) {
      arguments.Parameter(&parameters);
    }
    EXPECT_EQ(ErrorOf(arguments), "ERR syntax error");
  }
}

TEST(Arguments, TheFirstErrorIsAnsweredAndNothingIsReadBehindIt) {
  const Words words = {"cmd", "x", "", "k"};
  Arguments arguments(words);
  arguments.Integer("COUNT", 1, 10);
  EXPECT_EQ(arguments.left(), 0U);
  EXPECT_EQ(arguments.Peek(), "");
  arguments.Id("user id");
  EXPECT_EQ(arguments.RemainingIds("item id"), Words{});
  EXPECT_FALSE(arguments.Keyword("K"));
  EXPECT_EQ(ErrorOf(arguments), "ERR value is not an integer or out of range");
}

}  // namespace
}  // namespace reco::api
