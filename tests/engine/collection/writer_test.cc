// Writes: what is refused without a trace, and what a call plans before it stages.
#include "engine/collection/writer.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "engine/collection/reads.h"
#include "model/factor_table.h"
#include "model/fold_in.h"
#include "testing/catalogue.h"

namespace reco::engine::writer {
namespace {

class WriterTest : public ::testing::Test {
 protected:
  SharedState& shared() { return catalogue_.shared(); }
  std::uint64_t last_seq() {
    ReadView view(shared());
    return view.state().last_seq();
  }
  std::optional<double> Preference(std::string_view user, std::string_view item) {
    return (*reads::Preferences(shared(), user, {&item, 1}))[0];
  }

  testing::Catalogue catalogue_;
};

TEST_F(WriterTest, ABadInteractionAnywhereInACallChangesNothing) {
  const std::string long_id(kIdBytesMax + 1, 'x');
  const std::string long_token(kTokenBytesMax + 1, 'x');
  const Interaction bad[] = {
      {.user = "", .item = "i"},
      {.user = "u", .item = ""},
      {.user = long_id, .item = "i"},
      {.user = "u", .item = "i", .weight = NAN},
      {.user = "u", .item = "i", .weight = 1'000'001.0},
      {.user = "u", .item = "i", .type = "unknown"},
      {.user = "u", .item = "i", .time_ms = -1},
      {.user = "u", .item = "i", .time_ms = 253'402'300'800'000},
      {.user = "u", .item = "i", .token = long_token},
  };
  for (const Interaction& interaction : bad) {
    const std::vector<Interaction> call = {{.user = "ann", .item = "lamp"}, interaction};
    EXPECT_EQ(Add(shared(), call, false).status().code(), StatusCode::kInvalidArgument);
    EXPECT_FALSE(CheckInteractions({}, call).ok());
  }
  EXPECT_FALSE(Add(shared(), {}, false).ok());
  EXPECT_EQ(last_seq(), 0U);
  EXPECT_EQ(reads::CountRecords(shared(), Side::kUser), 0U);
}

// D36: each user by the items' vectors of before the call, then each item by the users' new ones,
// by all pairs of the call.
TEST_F(WriterTest, AddsOfOneCallAreFoldedInTogether) {
  catalogue_.Fill(9, 12);
  catalogue_.Train();
  const auto vectors = [](const View& view, Side side) {
    const model::FactorTable& now = *view.state().side(side).factors;
    auto copy = std::make_unique<model::FactorTable>(now.dim());
    copy->Grow(now.rows());
    for (std::size_t i = 0; i < now.rows(); ++i) {
      std::copy_n(now.row(i), now.stride(), copy->mutable_row(i));
    }
    return copy;
  };
  const auto items_before = vectors(ReadView(shared()), Side::kItem);
  const std::vector<Interaction> call = {{.user = "u1", .item = "i3"},
                                         {.user = "u2", .item = "i3", .weight = 5},
                                         {.user = "u1", .item = "i5", .weight = -1},
                                         {.user = "u1", .item = "i3", .weight = 2}};
  ASSERT_TRUE(Add(shared(), call, false).ok());

  ReadView view(shared());
  const auto expect_solved = [&](Side side, const char* id, const model::FactorTable& partners) {
    const SideState& own = view.state().side(side);
    const std::uint32_t ordinal = *own.ids.Find(id);
    std::vector<model::Neighbor> neighbors;
    PackedPairs::Reader reader(own.rows.Find(ordinal)->pairs);
    for (RowPair pair; reader.Next(&pair);) {
      neighbors.push_back(
          {partners.row(pair.other), view.state().model().signal.WeightOf(pair.pair)});
    }
    // Between two calls the Gram is that of all vectors (I8).
    RowFolder folder(view.state().dim(), Feedback::kImplicit);
    const model::Gram gram = model::GramOf(partners);
    FoldInTerms terms = {side, gram, view.state().model().solve, view.state().model().mean};
    model::AlignedVector<float> x(partners.stride());
    folder.Solve(terms, neighbors, x.data());
    double error = 0;
    double size = 0;
    for (std::size_t k = 0; k < x.size(); ++k) {
      const double e = x[k] - own.factors->row(ordinal)[k];
      error += e * e;
      size += static_cast<double>(x[k]) * x[k];
    }
    EXPECT_LE(std::sqrt(error), 1e-3 * std::sqrt(size)) << id;
  };
  expect_solved(Side::kUser, "u1", *items_before);
  expect_solved(Side::kUser, "u2", *items_before);
  const auto users = vectors(view, Side::kUser);
  expect_solved(Side::kItem, "i3", *users);
  expect_solved(Side::kItem, "i5", *users);
  EXPECT_LE(view.state().users().gram.RelativeDistance(model::GramOf(*users)), 1e-9);
}

TEST_F(WriterTest, ATokenGivenTwiceWritesOnceInOneCallOrTwo) {
  const std::vector<Interaction> call = {{.user = "u", .item = "i", .token = "a"},
                                         {.user = "u", .item = "i", .token = "b"},
                                         {.user = "u", .item = "i", .token = "a"}};
  EXPECT_EQ(*Add(shared(), call, false), 1U);  // the number that the last one had
  EXPECT_EQ(last_seq(), 2U);
  EXPECT_EQ(Preference("u", "i"), 2);
  const Interaction again = {.user = "other", .item = "i", .token = "b"};
  EXPECT_EQ(*Add(shared(), {&again, 1}, false), 2U);
  EXPECT_EQ(last_seq(), 2U);
  EXPECT_EQ(reads::CountRecords(shared(), Side::kUser), 1U);
}

TEST_F(WriterTest, NewIdsGetTheirOrdinalsInTheOrderOfTheCall) {
  const std::vector<Interaction> call = {
      {.user = "b", .item = "x"}, {.user = "a", .item = "y"}, {.user = "b", .item = "y"}};
  EXPECT_EQ(*Add(shared(), call, false), 3U);
  ReadView view(shared());
  EXPECT_EQ(view.state().users().ids.Find("b"), 0U);
  EXPECT_EQ(view.state().users().ids.Find("a"), 1U);
  EXPECT_EQ(view.state().items().ids.Find("y"), 1U);
}

TEST_F(WriterTest, SetReplacesWithinACallToo) {
  const std::vector<Interaction> call = {{.user = "u", .item = "i", .weight = 5.0},
                                         {.user = "u", .item = "i", .weight = 2.0}};
  ASSERT_TRUE(Add(shared(), call, true).ok());
  EXPECT_EQ(Preference("u", "i"), 2);
}

TEST_F(WriterTest, RemoveCountsWhatWasPreferred) {
  catalogue_.Add("u", "a");
  catalogue_.Add("u", "b");
  catalogue_.Add("v", "c");
  const std::vector<std::string_view> items = {"a", "c", "unknown", "a"};
  EXPECT_EQ(*Remove(shared(), "u", items), 1U);
  EXPECT_EQ(*Remove(shared(), "nobody", items), 0U);
  EXPECT_EQ(Preference("u", "a"), std::nullopt);
  EXPECT_EQ(Preference("u", "b"), 1);
  EXPECT_EQ(last_seq(), 4U);
}

TEST_F(WriterTest, RecordsAreCheckedAndKnowWhetherTheyAreNew) {
  const std::string long_text = "{\"a\": \"" + std::string(kAttributesBytesMax, 'x') + "\"}";
  for (const std::string_view attributes : {std::string_view("[]"), std::string_view("{"),
                                            std::string_view(""), std::string_view(long_text)}) {
    EXPECT_FALSE(SetRecord(shared(), Side::kItem, "i", {.attributes = attributes}).ok());
  }
  EXPECT_FALSE(SetRecord(shared(), Side::kItem, "", {}).ok());
  EXPECT_FALSE(SetRecord(shared(), Side::kItem, "i", {.expire_at_ms = -1}).ok());
  EXPECT_EQ(last_seq(), 0U);
  EXPECT_TRUE(*SetRecord(shared(), Side::kItem, "i", {.attributes = "{}"}));
  EXPECT_FALSE(*SetRecord(shared(), Side::kItem, "i", {.hidden = true}));
  EXPECT_TRUE(*SetRecord(shared(), Side::kUser, "i", {}));  // sides are apart
}

TEST_F(WriterTest, AMergeKeepsWhatThePatchDoesNotName) {
  const auto attributes = [&](Side side) {
    return reads::GetRecord(shared(), side, "i")->attributes;
  };
  for (const Side side : {Side::kItem, Side::kUser}) {
    EXPECT_TRUE(
        *SetRecord(shared(), side, "i", {.attributes = R"({"a":1,"b":null})", .merge = true}));
    EXPECT_EQ(attributes(side), R"({"a":1})");
    EXPECT_FALSE(*SetRecord(shared(), side, "i",
                            {.attributes = R"({"c":[2]})", .hidden = true, .expire_at_ms = 5}));
    EXPECT_FALSE(*SetRecord(shared(), side, "i", {.attributes = R"({"a":1.50})", .merge = true}));
    EXPECT_EQ(attributes(side), R"({"c":[2],"a":1.50})");
    const auto record = reads::GetRecord(shared(), side, "i");
    EXPECT_TRUE(record->hidden);
    EXPECT_EQ(record->expire_at_ms, 5);
    // A merge of no attributes is a plain change of the rest.
    EXPECT_FALSE(*SetRecord(shared(), side, "i", {.hidden = false, .merge = true}));
    EXPECT_EQ(attributes(side), R"({"c":[2],"a":1.50})");
  }
}

TEST_F(WriterTest, AMergeIsBoundedByItsResult) {
  const std::string half = "\"" + std::string(kAttributesBytesMax / 2, 'x') + "\"";
  const std::string first = "{\"a\":" + half + "}";
  const std::string other = "{\"b\":" + half + "}";
  ASSERT_TRUE(SetRecord(shared(), Side::kItem, "i", {.attributes = first}).ok());
  const std::uint64_t before = last_seq();
  EXPECT_EQ(
      SetRecord(shared(), Side::kItem, "i", {.attributes = other, .merge = true}).status().code(),
      StatusCode::kInvalidArgument);
  EXPECT_FALSE(SetRecord(shared(), Side::kItem, "i", {.attributes = "[]", .merge = true}).ok());
  EXPECT_EQ(last_seq(), before);
  EXPECT_TRUE(SetRecord(shared(), Side::kItem, "i", {.attributes = first, .merge = true}).ok());
}

TEST_F(WriterTest, DeletedIdIsGoneAndComesBackAsANewOne) {
  catalogue_.Add("u", "i");
  EXPECT_TRUE(*DeleteRecord(shared(), Side::kItem, "i"));
  EXPECT_FALSE(*DeleteRecord(shared(), Side::kItem, "i"));
  EXPECT_EQ(Preference("u", "i"), std::nullopt);
  catalogue_.Add("u", "i", 7);
  EXPECT_EQ(Preference("u", "i"), 7);
  ReadView view(shared());
  EXPECT_EQ(view.state().items().ids.Find("i"), 1U);
}

TEST_F(WriterTest, ADeletedCollectionTakesNoWrite) {
  catalogue_.Add("u", "i");
  catalogue_.collection->Drop();
  const Interaction interaction = {.user = "u", .item = "i"};
  const std::string_view item = "i";
  EXPECT_EQ(Add(shared(), {&interaction, 1}, false).status().code(), StatusCode::kNotFound);
  EXPECT_EQ(Remove(shared(), "u", {&item, 1}).status().code(), StatusCode::kNotFound);
  EXPECT_EQ(SetRecord(shared(), Side::kItem, "i", {}).status().code(), StatusCode::kNotFound);
  EXPECT_EQ(DeleteRecord(shared(), Side::kItem, "i").status().code(), StatusCode::kNotFound);
  EXPECT_EQ(last_seq(), 1U);
}

}  // namespace
}  // namespace reco::engine::writer
