#include "filter/filter.h"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "filter/attribute_columns.h"
#include "filter/syntax_error.h"

namespace reco::filter {
namespace {

std::shared_ptr<const Filter> MustCompile(std::string_view text) {
  auto filter = Filter::Compile(text);
  EXPECT_TRUE(filter.ok()) << text << ": " << filter.status().ToString();
  return filter.ok() ? filter.value() : nullptr;
}

std::string Error(std::string_view text) {
  const auto filter = Filter::Compile(text);
  if (filter.ok()) {
    return "compiles";
  }
  EXPECT_EQ(filter.status().code(), StatusCode::kInvalidArgument);
  return std::string(filter.status().message());
}

bool Matches(std::string_view expression, std::string_view json) {
  AttributeColumns columns;
  const auto filter = MustCompile(expression);
  if (filter == nullptr) {
    return false;
  }
  const auto record = [&](std::uint32_t ordinal) {
    return ordinal == 3 ? json : std::string_view();
  };
  const BoundFilter bound = columns.Bind(filter, {4, record});
  EXPECT_EQ(bound.match_count(), bound.Matches(3) ? 1U : 0U);
  EXPECT_FALSE(bound.Matches(2));
  return bound.Matches(3);
}

struct Case {
  const char* expression;
  const char* json;
  bool match;
};

void Check(const std::vector<Case>& cases) {
  for (const Case& c : cases) {
    EXPECT_EQ(Matches(c.expression, c.json), c.match) << c.expression << " on " << c.json;
  }
}

constexpr const char* kFilm =
    R"({"year":1994,"genre":"noir","title":"Night Train","tags":["rain","city",7],"colour":false,)"
    R"("rating":8.5,"director":null,"released":"1994-10-21","id":123456789012345679,)"
    R"("running time":97,"nested":{"a":1}})";

TEST(FilterTest, EvaluatesTheExamplesOfTheManual) {
  Check({
      {R"(.year > 1990 and .genre in ["noir","drama"])", kFilm, true},
      {R"(.year > 1990 && .genre in ['comedy'])", kFilm, false},
      {"(.year - 1900) % 10 == 4", kFilm, true},
      {".rating ** 2 >= 72.25", kFilm, true},
      {".colour == false", kFilm, true},
      {"not .colour", kFilm, true},
      {"!.colour || .year < 1950", kFilm, true},
      {R"("rain" in .tags)", kFilm, true},
      {R"("rai" in .tags)", kFilm, false},
      {"7 in .tags", kFilm, true},
      {R"("Train" in .title)", kFilm, true},
      {R"("train" in .title)", kFilm, false},
      {".director == null", kFilm, true},
      {"not (.genre in ['noir'])", kFilm, false},
      {R"(.released >= "1994-01-01" and .released < "1995-01-01")", kFilm, true},
      {".id == 123456789012345679", kFilm, true},
      {".id == 123456789012345678", kFilm, false},
      {R"(.["running time"] < 100)", kFilm, true},
      {R"(.year == "1994")", kFilm, false},
      {R"(.year != "1994")", kFilm, true},
      {R"(.released > 1990)", kFilm, false},
  });
}

TEST(FilterTest, RecordWithoutAFieldOrWithAnUnusableValueNeverMatches) {
  Check({
      {".missing == 1", kFilm, false},
      {".missing != 1", kFilm, false},
      {"not .missing", kFilm, false},
      {".year == 1994 or .missing == 1", kFilm, false},
      {".missing == .missing", kFilm, false},
      {".missing == null", kFilm, false},
      {".nested != 1", kFilm, false},
      {"not .nested", kFilm, false},
      {"1", kFilm, true},
      {"1 == 1", "{}", true},
      {"0", kFilm, false},
      {".a", R"({"a":1e999})", false},
      {".a != 1", R"({"a":[1,[2]]})", false},
      {".a == 2", R"({"a":1,"a":2})", true},
  });
}

TEST(FilterTest, OperatorsBindAndGroupAsTheGrammarSays) {
  Check({
      {"1 + 2 * 3 == 7", "{}", true},
      {"2 * 3 ** 2 == 18", "{}", true},
      {"2 ** 3 ** 2 == 512", "{}", true},
      {"(2 ** 3) ** 2 == 64", "{}", true},
      {"-2 ** 2 == 4", "{}", true},
      {"2 ** -1 == 0.5", "{}", true},
      {"10 - 4 - 3 == 3", "{}", true},
      {"100 / 10 / 5 == 2", "{}", true},
      {"7 % 4 * 2 == 6", "{}", true},
      {"5 -3 == 2", "{}", true},
      {"(5)-3 == 2", "{}", true},
      {"5 - -3 == 8", "{}", true},
      {"3 > 2 > 1", "{}", false},  // (3 > 2) > 1
      {"3 > 2 == 1", "{}", true},
      {"1 or 0 and 0", "{}", true},
      {"(1 or 0) and 0", "{}", false},
      {"not 0 and 0", "{}", false},
      {"not 1 == 2", "{}", false},  // (not 1) == 2
      {"not (1 == 2)", "{}", true},
      {"not not 5 == 1", "{}", true},
      {"!0 ** 0 == 1", "{}", true},
      {"1 + 1 in [2]", "{}", true},
      {"1>0and 2<3or(0)", "{}", true},
      {"\t1\n==\r1 ", "{}", true},
      {".a-b == 1", R"({"a-b":1})", true},
      {".a_1 == 1", R"({"a_1":1})", true},
      {".5 == 1", R"({"5":1})", true},
      {".gr\xc3\xb6\xc3\x9f"
       "e == 1",
       "{\"gr\\u00f6\xc3\x9f"
       "e\":1}",
       true},
      {"1e3 == 1000 and 1.5e-1 == 0.15 and 2. == 2", "{}", true},
  });
}

TEST(FilterTest, ValuesOfDifferentTypesAreNeitherEqualNorInOrder) {
  Check({
      {".a == 10", R"({"a":"10"})", false},
      {".a != 10", R"({"a":"10"})", true},
      {".a == '10'", R"({"a":10})", false},
      {".a != '10'", R"({"a":10})", true},
      {".a == '10'", R"({"a":"10"})", true},
      {"'10' == 10", "{}", false},
      {".a == .b", R"({"a":10,"b":"10"})", false},
      {".a == 0", R"({"a":"noir"})", false},
      {".a != 0", R"({"a":"noir"})", true},
      {".a == 0", R"({"a":""})", false},
      {".a == 1", R"({"a":"true"})", false},
      {".a == true", R"({"a":"1"})", false},
      {".a == false", R"({"a":"noir"})", false},
      {".a == true", R"({"a":1})", true},
      {".a == false", R"({"a":0})", true},
      {".a < 11", R"({"a":"10"})", false},
      {".a <= 10", R"({"a":"10"})", false},
      {".a > 9", R"({"a":"10"})", false},
      {".a >= 10", R"({"a":"10"})", false},
      {"9 < .a", R"({"a":"10"})", false},
      {"10 >= .a", R"({"a":"10"})", false},
      {".a < .b or .a >= .b", R"({"a":10,"b":"10"})", false},
      {".a < null or .a >= null", R"({"a":"10"})", false},
      {".a < 1 or .a >= 1", R"({"a":null})", false},
      {".a <= null", R"({"a":null})", false},
      {".a < 1 or .a >= 1", R"({"a":[5]})", false},
      {".a <= .a", R"({"a":[5]})", false},
      {"not (.a < 11)", R"({"a":"10"})", true},
  });
}

TEST(FilterTest, StringsAreNumbersInArithmeticAlone) {
  Check({
      {".a + 0 == 10", R"({"a":"10"})", true},
      {".a + 0 > 9", R"({"a":"10"})", true},
      {".a * 2 == -3", R"({"a":"-15e-1"})", true},
      {".a + .a == 2", R"({"a":"+1"})", true},
      {".a + 0 == 0", R"({"a":"noir"})", true},
      {".a + 0 == 0", R"({"a":" 1"})", true},
      {".a + 0 == 0", R"({"a":"0x10"})", true},
      {".a + 0 == 0", R"({"a":"inf"})", true},
      {".a + 1 == 2", R"({"a":true})", true},
      {".a == 0", R"({"a":null})", false},
      {".a == ''", R"({"a":null})", false},
      {".a + 1 == 1", R"({"a":null})", true},
      {".a + 1 == 1", R"({"a":[5]})", true},
      {".a == 0", R"({"a":[5]})", false},
      {".a != 0", R"({"a":[5]})", true},
      {".a == .a", R"({"a":[5]})", false},
      {".a == .b", R"({"a":"x","b":"x"})", true},
      {".a == .b", R"({"a":"x","b":"y"})", false},
      {"1 / 0 > 1e308", "{}", true},
      {"0 / 0 == 0 / 0", "{}", false},
      {"0 / 0", "{}", true},  // NaN is not 0
      {"5 % 0 != 5 % 0", "{}", true},
  });
}

TEST(FilterTest, TwoStringsAreOrderedByTheirBytes) {
  Check({
      {".a < 'b'", R"({"a":"a"})", true},
      {".a > '9'", R"({"a":"10"})", false},
      {".a < '9'", R"({"a":"10"})", true},
      {".a >= '2024-01-31'", R"({"a":"2024-02-01"})", true},
      {".a >= '2024-01-31'", R"({"a":"2024-01-30T23:59:59Z"})", false},
      {".a >= '2024-01-31' and .a < '2024-02-01'", R"({"a":"2024-01-31T12:00:00Z"})", true},
      {".a <= 'x'", R"({"a":"x"})", true},
      {".a < 'x'", R"({"a":"x"})", false},
      {".a < 'xa'", R"({"a":"x"})", true},
      {".a > ''", R"({"a":"x"})", true},
      {".a > 'Z'", R"({"a":"a"})", true},
      {".a > 'z'", R"({"a":"\u00e9"})", true},  // bytes from 0x80 on are behind ASCII
      {".a < .b", R"({"a":"a\u0000a","b":"a\u0000b"})", true},
      {".a < .b", R"({"a":"a","b":"b"})", true},
  });
}

TEST(FilterTest, IntegersOf64BitsAreExact) {
  constexpr const char* kId = R"({"id":123456789012345679,"ids":[1,123456789012345679,"x"]})";
  Check({
      {".id == 123456789012345678", kId, false},
      {".id == 123456789012345679", kId, true},
      {".id == 123456789012345680", kId, false},
      {".id != 123456789012345678", kId, true},
      {".id != 123456789012345679", kId, false},
      {".id > 123456789012345678", kId, true},
      {".id > 123456789012345679", kId, false},
      {".id >= 123456789012345679", kId, true},
      {".id >= 123456789012345680", kId, false},
      {".id < 123456789012345680", kId, true},
      {".id < 123456789012345679", kId, false},
      {".id <= 123456789012345679", kId, true},
      {".id <= 123456789012345678", kId, false},
      {"123456789012345678 < .id", kId, true},
      {".id in [1, 123456789012345679]", kId, true},
      {".id in [1, 123456789012345678, 123456789012345680]", kId, false},
      {".id in .ids", kId, true},
      {"123456789012345678 in .ids", kId, false},
      {"123456789012345679 in .ids", kId, true},
      {".id == '123456789012345679'", kId, false},
      {".id", kId, true},
      {".id and not .id == 0", kId, true},
      // A double of the same size is compared by its own value.
      {".id == 123456789012345680.0", kId, false},
      {".id < 123456789012345680.0", kId, true},
      {".id > 123456789012345664.0", kId, true},
      {".id > 1e17 and .id < 2e17 and .id > 0.5", kId, true},
      {".id == .other", R"({"id":123456789012345679,"other":123456789012345679.0})", false},
      {".id == 12345678901234568e1", R"({"id":123456789012345680})", true},
      // Arithmetic is in doubles.
      {".id + 0 == 123456789012345680", kId, true},
      {".id - 123456789012345678 == 0", kId, true},
      // The bounds.
      {".a == -9007199254740993 and .a < -9007199254740992", R"({"a":-9007199254740993})", true},
      {".a == 9223372036854775807", R"({"a":9223372036854775807})", true},
      {".a == 9223372036854775806", R"({"a":9223372036854775807})", false},
      {".a < 9223372036854775808", R"({"a":9223372036854775807})", true},
      {".a == -9223372036854775808", R"({"a":-9223372036854775808})", true},
      {".a > -9223372036854775808", R"({"a":-9223372036854775807})", true},
      // Beyond them the nearest double.
      {".a == 9223372036854775809", R"({"a":9223372036854775808})", true},
      {".a == 18446744073709551615", R"({"a":18446744073709551616})", true},
      {".a == 123456789012345678901", R"({"a":123456789012345678902})", true},
  });
}

TEST(FilterTest, NamesThatAreNoWordsStandInBracketsAndQuotes) {
  Check({
      {R"(.["unit price"] < 5)", R"({"unit price":4})", true},
      {"5 > .['unit price']", R"({"unit price":4})", true},
      {R"(.["unit price"] < 5)", R"({"unit":4,"price":4})", false},
      {".[ \t'a' ] == 1", R"({"a":1})", true},
      {".['a.b'] == 1", R"({"a.b":1,"a":{"b":2}})", true},
      {".['']", R"({"":1})", true},
      {R"(.["\u00e9\"\\\n"])", R"({"\u00e9\"\\\n":1})", true},
      {R"(.['it\'s'])", R"({"it's":1})", true},
      {".[']'] == 1", R"({"]":1})", true},
      {".['a']-1 == 0", R"({"a":1})", true},
      {"'x' in .['my tags']", R"({"my tags":["x"]})", true},
      {"not .['on sale']", R"({"on sale":false})", true},
      {".['no such']", "{}", false},
  });
  const auto filter = MustCompile(R"(.["a"] == .a and .['b c'] or .["b c"])");
  ASSERT_NE(filter, nullptr);
  EXPECT_EQ(std::vector<std::string>(filter->fields().begin(), filter->fields().end()),
            (std::vector<std::string>{"a", "b c"}));
}

TEST(FilterTest, TruthIsNotZeroNotEmptyNotNull) {
  Check({
      {".a", R"({"a":0})", false},
      {".a", R"({"a":-0.0})", false},
      {".a", R"({"a":0.1})", true},
      {".a", R"({"a":false})", false},
      {".a", R"({"a":true})", true},
      {".a", R"({"a":""})", false},
      {".a", R"({"a":"0"})", true},
      {".a", R"({"a":null})", false},
      {".a", R"({"a":[]})", true},
      {"[]", "{}", true},
      {"null", "{}", false},
      {"not []", "{}", false},
      {"'x' and 2", "{}", true},
      {"('x' and 2) == 1", "{}", true},
      {"('' or 5) == 1", "{}", true},
  });
}

TEST(FilterTest, InLooksForAnElementOrForAPartOfAString) {
  Check({
      {".a in []", R"({"a":1})", false},
      {".a in [1, 'x', null]", R"({"a":null})", true},
      {".a in [1, 'x']", R"({"a":null})", false},
      {".a in [true]", R"({"a":1})", true},
      {".a in [-1, -2]", R"({"a":-2})", true},
      {".a in ['5']", R"({"a":5})", false},  // as with ==
      {".a in [5]", R"({"a":"5"})", false},
      {".a in ['5', 5]", R"({"a":5})", true},
      {".a in [0]", R"({"a":"noir"})", false},
      {".a in ['7',7,6,5,4,3,2,1,0,-1]", R"({"a":"6"})", false},
      {"'7' in .a", R"({"a":[7]})", false},
      {"0 in .a", R"({"a":["noir"]})", false},
      {".a in [0]", R"({"a":[0]})", false},
      {".a in .b", R"({"a":2,"b":[1,2]})", true},
      {".a in .b", R"({"a":"2","b":[1,2]})", false},
      {".a in .b", R"({"a":2,"b":["2"]})", false},
      {".a in .b", R"({"a":"x","b":["y","x"]})", true},
      {".a in .b", R"({"a":null,"b":[null]})", true},
      {".a in .b", R"({"a":"x","b":"axb"})", true},
      {"'' in .b", R"({"b":""})", true},
      {"'ab' in .b", R"({"b":"a"})", false},
      {"1 in .b", R"({"b":"1"})", false},
      {"1 in .b", R"({"b":1})", false},
      {"null in .b", R"({"b":null})", false},
      {"0/0 in [1,2,3,4,5,6,7,8,9,10]", "{}", false},
      {".a in [9,8,7,6,5,4,3,2,1,0]", R"({"a":3})", true},
      {".a in ['9','8','g','6','5','4','c','2','1','0']", R"({"a":"c"})", true},
      {".a in ['9','8','g','6','5','4','c','2','1','0']", R"({"a":"d"})", false},
  });
}

TEST(FilterTest, StringsHaveTheEscapesOfJsonAndBothQuotes) {
  Check({
      {R"(.a == 'it\'s')", R"({"a":"it's"})", true},
      {R"(.a == "it's")", R"({"a":"it's"})", true},
      {R"(.a == "\"\\\/\b\f\n\r\t")", R"({"a":"\"\\\/\b\f\n\r\t"})", true},
      {R"(.a == "\u00e9\ud83d\ude00\u0000\u20ac")", R"({"a":"\u00e9\ud83d\ude00\u0000\u20ac"})",
       true},
      {"'\\u0000' in .a", R"({"a":"x\u0000y"})", true},
      {".a == 'x'", R"({"a":"x\u0000"})", false},
  });
}

TEST(FilterTest, ErrorsSayWhatWasExpectedAndWhere) {
  const std::vector<std::pair<std::string_view, std::string_view>> cases = {
      {"", "expected a value at byte 1: ^"},
      {"  ", "expected a value at byte 3:   ^"},
      {".year > 1990 and )", "expected a value at byte 18: .year > 1990 and ^)"},
      {".year >", "expected a value at byte 8: .year >^"},
      {".year 1990", "expected an operator at byte 7: .year ^1990"},
      {"(.a == 1", "unclosed '(' at byte 1: ^(.a == 1"},
      {"(.a 1)", "expected an operator or ')' at byte 5: (.a ^1)"},
      {".a == 1)", "no '(' for this ')' at byte 8: .a == 1^)"},
      {".a in [1, 2", "unclosed '[' at byte 7: .a in ^[1, 2"},
      {".a in [1,", "unclosed '[' at byte 7: .a in ^[1,"},
      {".a in [1 2]", "expected ',' or ']' at byte 10: .a in [1 ^2]"},
      {".a in [,]", "expected a value at byte 8: .a in [^,]"},
      {".a in [1,]", "expected a value at byte 10: .a in [1,^]"},
      {".a in [[1]]",
       "expected a literal (arrays hold numbers, strings, true, false, null) at byte 8: "
       ".a in [^[1]]"},
      {".a in [.b]",
       "expected a literal (arrays hold numbers, strings, true, false, null) at byte 8: "
       ".a in [^.b]"},
      {".a = 1", "unknown sign (equality is ==) at byte 4: .a ^= 1"},
      {".a & 1", "unknown sign at byte 4: .a ^& 1"},
      {"year > 1",
       "unknown word (a field begins with a dot, a string with a quote) at byte 1: ^year > 1"},
      {".a AND 1",
       "unknown word (a field begins with a dot, a string with a quote) at byte 4: .a ^AND 1"},
      {"notx", "unknown word (a field begins with a dot, a string with a quote) at byte 1: ^notx"},
      {".a not in [1]", "expected an operator at byte 4: .a ^not in [1]"},
      {". a", "expected the name of a field at byte 2: .^ a"},
      {".a.b", "expected an operator at byte 3: .a^.b"},
      {".a['b']", "expected an operator at byte 3: .a^['b']"},
      {".['a'].b", "expected an operator at byte 7: .['a']^.b"},
      {". ['a']", "expected the name of a field at byte 2: .^ ['a']"},
      {".[a]", "expected the name of a field in quotes at byte 3: .[^a]"},
      {".[1]", "expected the name of a field in quotes at byte 3: .[^1]"},
      {".[", "expected the name of a field in quotes at byte 3: .[^"},
      {".['a b' 1]", "expected ']' at byte 9: .['a b' ^1]"},
      {"1 + .['a b' ", "unclosed '[' at byte 6: 1 + .^['a b' "},
      {".['a b]", "unclosed string at byte 3: .[^'a b]"},
      {R"(.['\x'])", R"(unknown escape at byte 4: .['^\\x'])"},
      {".['a'] in [.['b']]",
       "expected a literal (arrays hold numbers, strings, true, false, null) at byte 12: "
       ".['a'] in [^.['b']]"},
      {".['a'] ['b']", "expected an operator at byte 8: .['a'] ^['b']"},
      {"'abc", "unclosed string at byte 1: ^'abc"},
      {"'a\\'", "unclosed string at byte 1: ^'a\\\\'"},
      {R"('a\x')", R"(unknown escape at byte 3: 'a^\\x')"},
      {R"('\ud800')", R"(unknown escape at byte 2: '^\\ud800')"},
      {R"('\ud800\u0041')", R"(unknown escape at byte 2: '^\\ud800\\u0041')"},
      {R"('\udc00')", R"(unknown escape at byte 2: '^\\udc00')"},
      {R"('\u12')", R"(unknown escape at byte 2: '^\\u12')"},
      {"'\\", "unknown escape at byte 2: '^\\\\"},
      {"1e", "expected a digit of the exponent at byte 3: 1e^"},
      {"1 < 1e999", "number beyond the range of a double at byte 5: 1 < ^1e999"},
      {"- 5", "expected a value at byte 1: ^- 5"},
      {"-.a", "expected a value at byte 1: ^-.a"},
      {"5-3", "compiles"},
      {"1.2.3", "expected an operator at byte 4: 1.2^.3"},
      {"12abc",
       "unknown word (a field begins with a dot, a string with a quote) at byte 3: 12^abc"},
      {"1 ~ 2", "unknown sign at byte 3: 1 ^~ 2"},
  };
  for (const auto& [text, want] : cases) {
    const std::string prefix = want == "compiles" ? "" : "filter: ";
    EXPECT_EQ(Error(text), prefix + std::string(want)) << text;
  }
}

TEST(FilterTest, ErrorsAreOneLineOfPrintableAsciiAndCutLongTexts) {
  using namespace std::string_view_literals;
  EXPECT_EQ(Error("\r\n1\r\n2\x00\xff"sv),
            "filter: unknown sign at byte 7: \\x0d\\x0a1\\x0d\\x0a2^\\x00\\xff");
  const std::string text = std::string(100, '(') + "1";
  EXPECT_EQ(Error(text.substr(37)),
            "filter: unclosed '(' at byte 63: ..." + std::string(40, '(') + "^(1");
  EXPECT_EQ(Error("(1 1" + std::string(50, ')')),
            "filter: expected an operator or ')' at byte 4: (1 ^1" + std::string(23, ')') + "...");
  for (int byte = 0; byte < 256; ++byte) {
    const std::string message = Error(std::string("1 1") + static_cast<char>(byte));
    for (const char c : message) {
      EXPECT_TRUE(c >= 0x20 && c < 0x7f) << byte;
    }
  }
}

TEST(FilterTest, BoundsAreExact) {
  EXPECT_EQ(Error(std::string(kFilterBytesMax - 1, ' ') + "1"), "compiles");
  EXPECT_EQ(Error(std::string(kFilterBytesMax, ' ') + "1"), "filter: 4097 bytes, at most 4096");

  const auto repeat = [](std::string_view text, std::size_t times) {
    std::string all;
    for (std::size_t i = 0; i < times; ++i) {
      all += text;
    }
    return all;
  };
  const std::size_t deep = kFilterNestingMax;
  for (const auto& [open, close] : std::vector<std::pair<const char*, const char*>>{
           {"(", ")"}, {"!", ""}, {"not ", ""}, {"2 ** ", ""}, {"1+(", ")"}}) {
    EXPECT_EQ(Error(repeat(open, deep) + "1" + repeat(close, deep)), "compiles") << open;
    EXPECT_NE(Error(repeat(open, deep + 1) + "1" + repeat(close, deep + 1))
                  .find("nested more than 64 deep at byte"),
              std::string::npos)
        << open;
  }
  // Every precedence waits for its right side at every level.
  const std::string level = "1 or 1 and 1 == 1 + 1 * (";
  const std::string full = repeat(level, deep) + "1" + repeat(")", deep);
  EXPECT_EQ(Error(full), "compiles");
  EXPECT_TRUE(Matches(full, "{}"));

  // 1 + 2 n tokens.
  EXPECT_EQ(Error("1" + repeat("+1", (kFilterTokensMax - 1) / 2)), "compiles");
  const std::string tokens = "1" + repeat("+1", (kFilterTokensMax - 1) / 2);  // 1023
  EXPECT_EQ(Error("!" + tokens), "compiles");
  EXPECT_NE(Error("!!" + tokens).find("more than 1024 tokens at byte"), std::string::npos);
  // [ and ] and 511 elements with their commas.
  EXPECT_EQ(Error("1 in [" + repeat("1,", 509) + "1]"), "compiles");
  EXPECT_NE(Error("1 in [" + repeat("1,", 510) + "1]").find("more than 1024 tokens"),
            std::string::npos);

  std::string fields = ".f0";
  for (std::size_t i = 1; i < kFilterFieldsMax; ++i) {
    fields += " or .f" + std::to_string(i);
  }
  EXPECT_EQ(Error(fields + " or .f0"), "compiles");
  EXPECT_NE(Error(fields + " or .g").find("more than 64 fields at byte"), std::string::npos);
}

TEST(FilterTest, FieldsAreNamedOnce) {
  const auto filter = MustCompile(".b > .a and .b < 5");
  ASSERT_NE(filter, nullptr);
  EXPECT_EQ(std::vector<std::string>(filter->fields().begin(), filter->fields().end()),
            (std::vector<std::string>{"b", "a"}));
  EXPECT_EQ(filter->text(), ".b > .a and .b < 5");
}

}  // namespace
}  // namespace reco::filter
