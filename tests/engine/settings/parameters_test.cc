#include "engine/settings/parameters.h"

#include <functional>
#include <set>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace reco::engine {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

// The value that `name` shows.
std::string ValueOf(const CollectionOptions& options, std::string_view name) {
  for (const auto& [shown, value] : GetParameters(options)) {
    if (shown == name) {
      return value;
    }
  }
  return "(none)";
}

std::string Message(const Status& status) {
  EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
  return std::string(status.message());
}

TEST(Parameters, ShowsTheDefaults) {
  EXPECT_THAT(
      GetParameters(CollectionOptions()),
      ElementsAre(Pair("dim", "64"), Pair("alpha", "1"), Pair("reg", "0.1"), Pair("regn", "0.05"),
                  Pair("unobserved", "auto"), Pair("iterations", "12"), Pair("tolerance", "0"),
                  Pair("warm-start", "no"), Pair("seed", "42"), Pair("recency", "age"),
                  Pair("halflife", "0"), Pair("weighting", "linear"), Pair("feedback", "implicit"),
                  Pair("foldin", "both"), Pair("neighbours", "auto"), Pair("retrain-every", "0"),
                  Pair("retrain-interval", "0"), Pair("attrfeatures", ""),
                  Pair("attribute-types", "")));
}

TEST(Parameters, SetsEachFieldByName) {
  struct Case {
    std::string_view name, value;
    std::function<double(const CollectionOptions&)> field;
    double expected;
  };
  using O = CollectionOptions;
  const std::vector<Case> cases = {
      {"dim", "128", [](const O& o) { return o.dim; }, 128},
      {"ALPHA", "2.5", [](const O& o) { return o.alpha; }, 2.5},
      {"reg", "1e-3", [](const O& o) { return o.reg; }, 0.001},
      {"regn", "0", [](const O& o) { return o.regn; }, 0},
      {"unobserved", ".5", [](const O& o) { return *o.unobserved; }, 0.5},
      {"iterations", "1000", [](const O& o) { return o.iterations; }, 1000},
      {"seed", "9007199254740992", [](const O& o) { return static_cast<double>(o.seed); },
       9007199254740992.0},
      {"Retrain-Every", "5000", [](const O& o) { return static_cast<double>(o.retrain_every); },
       5000},
      {"retrain-interval", "86400",
       [](const O& o) { return static_cast<double>(o.retrain_interval_s); }, 86400},
      {"type.view", "-0.1", [](const O& o) { return o.types.at(0).weight; }, -0.1},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    CollectionOptions options;
    const Status status = SetParameter(&options, c.name, c.value);
    ASSERT_TRUE(status.ok()) << status.ToString();
    EXPECT_EQ(c.field(options), c.expected);
    EXPECT_TRUE(options.Validate().ok());
  }
}

TEST(Parameters, RefusesWhatIsNotAPlainNumberInRange) {
  struct Case {
    std::string_view name;
    std::vector<std::string_view> values;
  };
  const std::vector<Case> cases = {
      {"dim", {"", "0", "513", "-1", "+1", "1.5", "64x", " 64", "64 ", "0x40", "1e2", "auto"}},
      {"alpha",
       {"", "0", "-1", "1000001", "nan", "inf", "-inf", "1e400", "1e-400", "1,5", "1 ", "0x1p3",
        "+2", std::string_view("1\0", 2)}},
      {"unobserved", {"0", "automatic", "", "nan"}},
      {"seed", {"9007199254740993", "18446744073709551616", "-1"}},
      {"retrain-interval", {"1000000001", "never"}},
      {"type.view", {"1e7", "nan", "", "one"}},
  };
  for (const Case& c : cases) {
    for (const std::string_view value : c.values) {
      SCOPED_TRACE(std::string(c.name) + "=" + std::string(value));
      CollectionOptions options;
      const std::string message = Message(SetParameter(&options, c.name, value));
      EXPECT_THAT(message, HasSubstr(std::string(c.name) + " must be "));
      EXPECT_EQ(GetParameters(options), GetParameters(CollectionOptions()));
    }
  }
}

TEST(Parameters, MessagesShowTheRangeAndTheValueInPrintableBytes) {
  CollectionOptions options;
  EXPECT_EQ(Message(SetParameter(&options, "dim", "1\r\n2")),
            "dim must be an integer from 1 to 512, not '1??2'");
  EXPECT_EQ(Message(SetParameter(&options, "unobserved", std::string(70, 'x'))),
            "unobserved must be auto or a number from 1e-9 to 1e6, not '" + std::string(64, 'x') +
                "...'");
}

TEST(Parameters, AChoiceIsOneOfItsWords) {
  CollectionOptions options;
  ASSERT_TRUE(SetParameter(&options, "weighting", "LOG").ok());
  ASSERT_TRUE(SetParameter(&options, "foldin", "users").ok());
  ASSERT_TRUE(SetParameter(&options, "warm-start", "yes").ok());
  EXPECT_EQ(options.weighting, Weighting::kLog);
  EXPECT_EQ(options.fold_in, FoldIn::kUsers);
  EXPECT_TRUE(options.warm_start);
  EXPECT_EQ(ValueOf(options, "foldin"), "users");
  EXPECT_EQ(Message(SetParameter(&options, "weighting", "1")),
            "weighting must be linear or log, not '1'");
  EXPECT_EQ(Message(SetParameter(&options, "foldin", "")),
            "foldin must be both, users or off, not ''");
  options.feedback = static_cast<Feedback>(2);
  EXPECT_FALSE(CheckParameters(options).ok());
}

TEST(Parameters, FixedOnesAreComparedWithBothValues) {
  CollectionOptions existing;
  CollectionOptions requested;
  requested.fold_in = FoldIn::kOff;
  EXPECT_EQ(Message(CheckSameFixed(existing, requested)),
            "foldin is both and cannot change to off");
}

TEST(Parameters, AnUnknownNameListsTheKnownOnes) {
  CollectionOptions options;
  EXPECT_EQ(Message(SetParameter(&options, "dims", "1")),
            "unknown parameter 'dims', known are dim, alpha, reg, regn, unobserved, iterations, "
            "tolerance, warm-start, seed, recency, halflife, weighting, feedback, foldin, "
            "neighbours, retrain-every, retrain-interval, attrfeatures, attribute-types, type.*");
  EXPECT_EQ(FindParameter("dims"), nullptr);
  EXPECT_EQ(FindParameter(""), nullptr);
}

TEST(Parameters, AutoIsTheAbsenceOfAWeightForUnobservedPairs) {
  CollectionOptions options;
  ASSERT_TRUE(SetParameter(&options, "unobserved", "0.25").ok());
  EXPECT_EQ(ValueOf(options, "unobserved"), "0.25");
  ASSERT_TRUE(SetParameter(&options, "unobserved", "AUTO").ok());
  EXPECT_EQ(options.unobserved, std::nullopt);
}

TEST(Parameters, ShownValuesReadBackExactly) {
  for (const double value : {0.1, 1.0 / 3, 1e-9, 1e6, 123456.789, 2e-5}) {
    CollectionOptions options;
    options.alpha = value;
    CollectionOptions read;
    ASSERT_TRUE(SetParameter(&read, "alpha", ValueOf(options, "alpha")).ok());
    EXPECT_EQ(read.alpha, value);
  }
}

TEST(Parameters, ANegativeZeroIsZero) {
  CollectionOptions options;
  ASSERT_TRUE(SetParameter(&options, "regn", "-0.0").ok());
  EXPECT_EQ(ValueOf(options, "regn"), "0");
}

TEST(Parameters, EachFeedbackTypeIsAParameter) {
  CollectionOptions options;
  ASSERT_TRUE(SetParameter(&options, "type.view", "0.1").ok());
  ASSERT_TRUE(SetParameter(&options, "TYPE.Purchase", "3").ok());
  ASSERT_TRUE(SetParameter(&options, "type.view", "0.2").ok());
  EXPECT_THAT(GetParameters(options, "type.*"),
              ElementsAre(Pair("type.view", "0.2"), Pair("type.Purchase", "3")));
  EXPECT_THAT(Message(SetParameter(&options, "type.", "1")), HasSubstr("1 to 64 bytes"));
  EXPECT_THAT(Message(SetParameter(&options, "type.a b", "1")), HasSubstr("not 'a b'"));
  EXPECT_THAT(Message(SetParameter(&options, "type.a=b", "1")), HasSubstr("not 'a=b'"));
  EXPECT_EQ(options.types.size(), 2U);
}

TEST(Parameters, AttributeFeaturesAreAListOfNames) {
  CollectionOptions options;
  ASSERT_TRUE(SetParameter(&options, "AttrFeatures", "genre,Brand").ok());
  EXPECT_THAT(options.attribute_features, ElementsAre("genre", "Brand"));
  EXPECT_THAT(GetParameters(options, "attrf*"), ElementsAre(Pair("attrfeatures", "genre,Brand")));
  const std::string longest(64, 'x');
  std::string many = "f0";
  for (int i = 1; i < 16; ++i) {
    many += ",f" + std::to_string(i);
  }
  for (const std::string& bad : {std::string(","), std::string("a,"), std::string(",a"),
                                 std::string("a,,b"), std::string("a b"), std::string("a=b"),
                                 std::string("a,b,a"), longest + "x", many + ",f16"}) {
    EXPECT_THAT(Message(SetParameter(&options, "attrfeatures", bad)),
                HasSubstr("attrfeatures must be names of at most 16"))
        << bad;
  }
  EXPECT_THAT(options.attribute_features, ElementsAre("genre", "Brand"));
  EXPECT_TRUE(SetParameter(&options, "attrfeatures", longest).ok());
  EXPECT_TRUE(SetTrainingParameters(&options, ParameterList{{"attrfeatures", many}}).ok());
  EXPECT_EQ(options.attribute_features.size(), 16U);
  EXPECT_TRUE(options.Validate().ok());
  EXPECT_TRUE(SetParameter(&options, "attrfeatures", "").ok());
  EXPECT_THAT(options.attribute_features, ElementsAre());
}

TEST(Parameters, AttributeTypesAreKeptAsTheShortestText) {
  CollectionOptions options;
  const std::string text = R"(price:number,"a, b":text,"sold":boolean,"":text)";
  ASSERT_TRUE(SetParameter(&options, "Attribute-Types", text).ok());
  EXPECT_THAT(
      GetParameters(options, "attribute-*"),
      ElementsAre(Pair("attribute-types", R"(price:number,"a, b":text,sold:boolean,"":text)")));
  EXPECT_TRUE(options.Validate().ok());
  const std::string longest = std::string((8 << 10) - std::string(":text").size(), 'x') + ":text";
  for (const std::string& bad :
       {std::string("price"), std::string("price:"), std::string("price:float"),
        std::string("price:Number"), std::string(":text"), std::string("price:number,"),
        std::string("a b:text"), std::string("a:text,\"a\":number"), "x" + longest}) {
    EXPECT_THAT(Message(SetParameter(&options, "attribute-types", bad)),
                HasSubstr("attribute-types must be name:type pairs"))
        << bad;
  }
  EXPECT_TRUE(SetParameter(&options, "attribute-types", longest).ok());
  EXPECT_TRUE(options.Validate().ok());
  options.attribute_types = "price:float";
  EXPECT_FALSE(options.Validate().ok());
  const auto changed = ChangeParameters(&options, ParameterList{{"attribute-types", ""}});
  ASSERT_TRUE(changed.ok());
  EXPECT_FALSE(*changed);  // nothing to train
  EXPECT_EQ(options.attribute_types, "");
  EXPECT_FALSE(SetTrainingParameters(&options, ParameterList{{"attribute-types", ""}}).ok());
}

TEST(Parameters, The65thFeedbackTypeIsRefused) {
  CollectionOptions options;
  for (int i = 0; i < 64; ++i) {
    ASSERT_TRUE(SetParameter(&options, "type." + std::to_string(i), "1").ok());
  }
  EXPECT_THAT(Message(SetParameter(&options, "type.more", "1")), HasSubstr("at most 64"));
  EXPECT_TRUE(SetParameter(&options, "type.0", "2").ok());
}

TEST(Parameters, GetMatchesAGlobInAnyCase) {
  const CollectionOptions options;
  EXPECT_THAT(GetParameters(options, "REG*"),
              ElementsAre(Pair("reg", "0.1"), Pair("regn", "0.05")));
  EXPECT_THAT(GetParameters(options, "retrain-?very"), ElementsAre(Pair("retrain-every", "0")));
  EXPECT_THAT(GetParameters(options, "x*"), IsEmpty());
}

TEST(Parameters, ChangeIsAllOrNothing) {
  CollectionOptions options;
  EXPECT_FALSE(ChangeParameters(&options, ParameterList{{"alpha", "2"}, {"reg", "x"}}).ok());
  EXPECT_FALSE(ChangeParameters(&options, ParameterList{{"type.view", "2"}, {"nope", "1"}}).ok());
  EXPECT_EQ(GetParameters(options), GetParameters(CollectionOptions()));
}

TEST(Parameters, ChangeSaysWhetherTheNextTrainingIsNeeded) {
  struct Case {
    ParameterList parameters;
    bool needs_training;
  };
  const std::vector<Case> cases = {
      {{}, false},
      {{{"retrain-every", "100"}, {"type.view", "2"}}, false},
      {{{"alpha", "2"}}, true},
      {{{"alpha", "1.0"}, {"dim", "64"}}, false},
      {{{"unobserved", "1"}}, true},
      {{{"attrfeatures", "genre"}}, true},
      {{{"attrfeatures", ""}}, false},
      {{{"retrain-every", "1"}, {"seed", "1"}}, true},
  };
  for (std::size_t i = 0; i < cases.size(); ++i) {
    CollectionOptions options;
    const Result<bool> changed = ChangeParameters(&options, cases[i].parameters);
    ASSERT_TRUE(changed.ok()) << i;
    EXPECT_EQ(*changed, cases[i].needs_training) << i;
  }
}

TEST(Parameters, AFixedParameterCannotChange) {
  CollectionOptions options;
  EXPECT_EQ(Message(ChangeParameters(&options, ParameterList{{"dim", "32"}}).status()),
            "dim is 64 and cannot change to 32");
  EXPECT_TRUE(ChangeParameters(&options, ParameterList{{"dim", "64"}}).ok());

  CollectionOptions other;
  other.alpha = 2;
  EXPECT_TRUE(CheckSameFixed(options, other).ok());
  other.dim = 128;
  EXPECT_EQ(Message(CheckSameFixed(options, other)), "dim is 64 and cannot change to 128");
}

TEST(Parameters, ANameMayComeOnlyOnce) {
  CollectionOptions options;
  EXPECT_EQ(Message(ChangeParameters(&options, ParameterList{{"reg", "1"}, {"REG", "2"}}).status()),
            "parameter 'REG' is given twice");
  EXPECT_FALSE(ChangeParameters(&options, ParameterList{{"type.a", "1"}, {"TYPE.a", "2"}}).ok());
  EXPECT_TRUE(ChangeParameters(&options, ParameterList{{"type.a", "1"}, {"type.A", "2"}}).ok());
}

TEST(Parameters, ATrainingTakesOnlyWhatItUses) {
  CollectionOptions options;
  EXPECT_TRUE(SetTrainingParameters(&options, ParameterList{{"reg", "1"}, {"seed", "7"}}).ok());
  EXPECT_EQ(options.reg, 1);
  EXPECT_EQ(options.seed, 7U);
  for (const std::string name : {"dim", "retrain-every", "type.view"}) {
    const Status status = SetTrainingParameters(&options, ParameterList{{"reg", "2"}, {name, "1"}});
    EXPECT_THAT(Message(status), HasSubstr("is not one of a training"));
    EXPECT_EQ(options.reg, 1);
  }
}

TEST(Parameters, TheTableIsConsistent) {
  std::set<std::string_view> names;
  for (const Parameter& parameter : CollectionParameters()) {
    SCOPED_TRACE(parameter.name);
    EXPECT_TRUE(names.insert(parameter.name).second);
    EXPECT_EQ(FindParameter(parameter.name), &parameter);
    if (parameter.choices.empty() && parameter.name != "attrfeatures" &&
        parameter.name != "attribute-types") {
      EXPECT_LT(parameter.min, parameter.max);
    }
    EXPECT_FALSE(parameter.range.empty());
    EXPECT_TRUE(parameter.doc.ends_with("."));
    EXPECT_EQ(parameter.get == nullptr, parameter.set == nullptr);
    EXPECT_EQ(parameter.integer, parameter.range.find("integer") != std::string_view::npos);
    EXPECT_TRUE(parameter.word.empty() ||
                parameter.range.starts_with(std::string(parameter.word) + " or "));
  }
}

}  // namespace
}  // namespace reco::engine
