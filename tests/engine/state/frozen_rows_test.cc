// A checkpoint's copy is that of the moment it began, whatever is written while it is made.
#include "engine/state/frozen_rows.h"

#include <cstdint>
#include <random>
#include <string>
#include <tuple>
#include <vector>

#include <gtest/gtest.h>

#include "engine/persist/checkpointer.h"
#include "testing/catalogue.h"
#include "testing/freeze.h"

namespace reco::engine {
namespace {

// All that a checkpoint writes of it, in an order that comparisons can use.
std::vector<std::string> Described(const FrozenRows& frozen) {
  std::vector<std::string> lines;
  for (std::size_t i = 0; i < frozen.entities.size(); ++i) {
    const FrozenRows::FrozenEntity& entity = frozen.entities[i];
    std::string line = std::string(entity.side == Side::kUser ? "user " : "item ") +
                       std::to_string(entity.ordinal) + (entity.live ? " " : " deleted ") +
                       format::EncodeEntity(entity.record);
    for (std::uint32_t k = 0; k < frozen.dim && !frozen.vectors.empty(); ++k) {
      line += " " + std::to_string(frozen.vectors[i * frozen.dim + k]);
    }
    lines.push_back(std::move(line));
  }
  for (const FrozenRows::FrozenPair& pair : frozen.pairs) {
    std::string value = "removed";
    if (pair.pair) {
      format::EncodePair(*pair.pair, &value);
    }
    lines.push_back(std::to_string(pair.user) + " " + std::to_string(pair.item) + " " + value);
  }
  lines.push_back(format::EncodeCheckpoint(frozen.checkpoint));
  return lines;
}

// One of everything that a client can change, the same for the same seed.
void WriteSomething(testing::Catalogue& catalogue, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  const std::string user = "u" + std::to_string(random() % 12);
  const std::string item = "i" + std::to_string(random() % 9);
  SharedState& shared = catalogue.shared();
  switch (random() % 10) {
    case 0: {
      const std::string_view items[] = {item};
      ASSERT_TRUE(writer::Remove(shared, user, items).ok());
      break;
    }
    case 1: {
      RecordUpdate update;
      const std::string json = R"({"n":)" + std::to_string(random() % 100) + "}";
      update.attributes = json;
      update.hidden = random() % 2 == 0;
      ASSERT_TRUE(writer::SetRecord(shared, Side::kItem, item, update).ok());
      break;
    }
    case 2:
      ASSERT_TRUE(writer::DeleteRecord(shared, Side::kUser, user).ok());
      break;
    case 3:
      ASSERT_TRUE(writer::DeleteRecord(shared, Side::kItem, item).ok());
      break;
    default:
      catalogue.Add(user, item, 1 + static_cast<double>(random() % 4));
  }
}

class FrozenRowsTest : public ::testing::TestWithParam<bool> {};

INSTANTIATE_TEST_SUITE_P(WithAndWithoutAModel, FrozenRowsTest, ::testing::Bool());

TEST_P(FrozenRowsTest, TheCopyIsThatOfOneMoment) {
  testing::Catalogue in_steps;
  testing::Catalogue at_once;
  for (testing::Catalogue* catalogue : {&in_steps, &at_once}) {
    catalogue->Fill(12, 9);
    if (GetParam()) {
      catalogue->Train();
    }
    ASSERT_TRUE(catalogue->collection->checkpointer().Checkpoint().ok());
  }
  std::uint64_t seed = 0;
  const auto write_both = [&] {
    for (testing::Catalogue* catalogue : {&in_steps, &at_once}) {
      WriteSomething(*catalogue, seed);
    }
    ++seed;
  };
  std::size_t kept = 0;
  for (int round = 0; round < 30; ++round) {
    for (int i = 0; i < 20; ++i) {
      write_both();
    }
    FrozenRows stepped;
    FrozenRows whole;
    {
      WriteView view(in_steps.shared());
      stepped = view.state().BeginFreeze();
    }
    {
      WriteView view(at_once.shared());
      whole = testing::Freeze(view.state());
    }
    SortUnique(&stepped.changed_pairs);
    bool more = true;
    while (more) {
      write_both();
      ++kept;
      ReadView view(in_steps.shared());
      more = view.state().CopyFrozen(3, &stepped);
    }
    {
      WriteView view(in_steps.shared());
      static_cast<void>(view.state().EndFreeze(&stepped));
    }
    ASSERT_EQ(Described(stepped), Described(whole)) << "round " << round;
    for (testing::Catalogue* catalogue : {&in_steps, &at_once}) {
      wal::EventLog& log = *catalogue->storage.log;
      ASSERT_TRUE(log.Commit(log.last_staged()).ok());
      ASSERT_TRUE(persist::WriteFrozen(catalogue->shared(), stepped, log.last_staged(),
                                       [](const FrozenRows&, store::DerivedGroup&) {})
                      .ok());
      WriteView view(catalogue->shared());
      view.state().SetDurable(stepped.generation);
      while (view.state().ForgetErased()) {
      }
    }
  }
  EXPECT_GT(kept, 100U);
}

// The checkpoint began before the deletion, and knows nothing of it.
TEST_P(FrozenRowsTest, TheCopyIsThatOfBeforeADeletionInParts) {
  testing::Catalogue in_steps;
  testing::Catalogue at_once;
  for (testing::Catalogue* catalogue : {&in_steps, &at_once}) {
    catalogue->Fill(12, 9);
    if (GetParam()) {
      catalogue->Train();
    }
    for (int user = 0; user < 1'300; ++user) {
      catalogue->Add("n" + std::to_string(user), "i1");
    }
  }
  FrozenRows whole;
  {
    WriteView view(at_once.shared());
    whole = testing::Freeze(view.state());
  }
  WriteView view(in_steps.shared());
  CollectionState& state = view.state();
  FrozenRows stepped = state.BeginFreeze();
  SortUnique(&stepped.changed_pairs);
  const std::uint32_t item = *state.items().ids.Find("i1");
  std::vector<RowPair> scratch;
  const auto pairs = *state.items().rows.Read(item, &scratch);
  state.BeginDelete(state.last_seq() + 1, Side::kItem, item, {pairs.begin(), pairs.end()});
  bool more = true;
  while (more) {
    static_cast<void>(state.Continue());
    more = state.CopyFrozen(700, &stepped);
  }
  static_cast<void>(state.EndFreeze(&stepped));
  EXPECT_EQ(Described(stepped), Described(whole));
}

}  // namespace
}  // namespace reco::engine
