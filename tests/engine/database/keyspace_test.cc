#include "engine/database/keyspace.h"

#include <algorithm>
#include <limits>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace reco::engine {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

constexpr std::int64_t kNow = 1'000'000;

// Stands for a collection: the key space never looks inside.
std::shared_ptr<Collection> FakeCollection() {
  const auto owner = std::make_shared<int>();
  return {owner, static_cast<Collection*>(static_cast<void*>(owner.get()))};
}

KeyEntry String(std::string value, std::int64_t expire_at_ms = 0) {
  return {.value = std::move(value), .collection = nullptr, .expire_at_ms = expire_at_ms};
}

// SetOptions with the named fields set.
SetOptions KeepTtl() {
  SetOptions options;
  options.keep_ttl = true;
  return options;
}

SetOptions WithGet(SetOptions options = {}) {
  options.get = true;
  return options;
}

SetOptions When(SetOptions::Condition condition) {
  SetOptions options;
  options.condition = condition;
  return options;
}

SetOptions ExpireAt(std::int64_t at_ms) {
  SetOptions options;
  options.expire_at_ms = at_ms;
  return options;
}

class KeyspaceTest : public testing::Test {
 protected:
  // The visible value, or "(nil)".
  std::string Get(KeyRef key, std::int64_t now_ms = kNow) {
    const KeyEntry* entry = keys_.Find(key, now_ms);
    return entry == nullptr ? "(nil)" : entry->value;
  }
  std::int64_t Expiry(KeyRef key) {
    const KeyEntry* entry = keys_.Find(key, kNow);
    return entry == nullptr ? -2 : entry->expire_at_ms;
  }
  Keyspace::SetResult Set(KeyRef key, std::string_view value, const SetOptions& options = {}) {
    Result<Keyspace::SetResult> result = keys_.SetString(key, value, options, kNow);
    EXPECT_TRUE(result.ok());
    return result.ok() ? std::move(*result) : Keyspace::SetResult{};
  }

  Keyspace keys_{4};
};

TEST_F(KeyspaceTest, PutFindErase) {
  EXPECT_EQ(Get("a"), "(nil)");
  EXPECT_EQ(keys_.Put("a", String("1")), std::nullopt);
  EXPECT_EQ(Get("a"), "1");
  const std::optional<KeyEntry> replaced = keys_.Put("a", String("2"));
  ASSERT_TRUE(replaced.has_value());
  EXPECT_EQ(replaced->value, "1");
  const std::optional<KeyEntry> erased = keys_.Erase("a");
  ASSERT_TRUE(erased.has_value());
  EXPECT_EQ(erased->value, "2");
  EXPECT_EQ(keys_.Erase("a"), std::nullopt);
  EXPECT_EQ(Get("a"), "(nil)");
}

TEST_F(KeyspaceTest, NamesAreAnyBytes) {
  const std::string zero("\0", 1);
  keys_.Put(zero, String("zero"));
  keys_.Put("", String("empty"));
  EXPECT_EQ(Get(zero), "zero");
  EXPECT_EQ(Get(""), "empty");
}

TEST_F(KeyspaceTest, DatabasesAreSeparate) {
  keys_.Put({"a", 0}, String("0"));
  keys_.Put({"a", 3}, String("3"));
  EXPECT_EQ(Get({"a", 3}), "3");
  EXPECT_EQ(Get({"a", 1}), "(nil)");
  EXPECT_THAT(keys_.Flush(0), IsEmpty());
  EXPECT_EQ(Get({"a", 0}), "(nil)");
  EXPECT_EQ(Get({"a", 3}), "3");
}

TEST_F(KeyspaceTest, CollectionsAreCountedAndHandedBack) {
  const std::shared_ptr<Collection> shop = FakeCollection();
  keys_.Put("shop", {.value = "", .collection = shop, .expire_at_ms = 0});
  EXPECT_EQ(keys_.collections(), 1U);
  EXPECT_EQ(keys_.Find("shop", kNow)->kind(), KeyKind::kCollection);
  EXPECT_EQ(Set("shop", "text").replaced->collection, shop);
  EXPECT_EQ(keys_.collections(), 0U);
  EXPECT_EQ(keys_.Find("shop", kNow)->kind(), KeyKind::kString);

  keys_.Put({"other", 2}, {.value = "", .collection = shop, .expire_at_ms = kNow - 1});
  EXPECT_EQ(keys_.collections(), 1U);
  EXPECT_THAT(keys_.Flush(2), ElementsAre(shop));
  EXPECT_EQ(keys_.collections(), 0U);
  EXPECT_EQ(shop.use_count(), 1);
}

TEST_F(KeyspaceTest, CollectionsAreFoundAmongOtherKeys) {
  const std::shared_ptr<Collection> shop = FakeCollection();
  const auto named = [&](std::uint32_t wanted) {
    std::vector<std::string> names;
    keys_.ForEachCollection([&](std::uint32_t db, std::string_view name, const KeyEntry& entry) {
      EXPECT_EQ(entry.collection, shop);
      if (db == wanted) {
        names.emplace_back(name);
      }
    });
    return names;
  };
  const auto hold = [&](std::int64_t expire_at_ms) {
    return KeyEntry{.value = "", .collection = shop, .expire_at_ms = expire_at_ms};
  };
  keys_.Put("a", String("1"));
  keys_.Put("b", hold(0));
  keys_.Put({"c", 2}, hold(kNow - 1));
  EXPECT_THAT(named(0), ElementsAre("b"));
  EXPECT_THAT(named(2), ElementsAre("c"));
  EXPECT_TRUE(keys_.Rename("b", "a", kNow).ok());
  EXPECT_THAT(named(0), ElementsAre("a"));
  EXPECT_TRUE(keys_.ExpireAt("a", kNow + 5, ExpireCondition::kAlways, kNow).set);
  EXPECT_THAT(named(0), ElementsAre("a"));
  keys_.Put("a", String("1"));
  EXPECT_THAT(named(0), IsEmpty());
  EXPECT_EQ(keys_.CollectExpired(kNow, 10).size(), 1U);
  EXPECT_THAT(named(2), IsEmpty());
}

TEST_F(KeyspaceTest, AKeyIsInvisibleFromTheMillisecondOfItsExpiryOn) {
  keys_.Put("a", String("1", kNow + 10));
  EXPECT_EQ(Get("a", kNow + 9), "1");
  EXPECT_EQ(Get("a", kNow + 10), "(nil)");
  EXPECT_EQ(keys_.Size(0, kNow + 9), 1U);
  EXPECT_EQ(keys_.Size(0, kNow + 10), 0U);
  EXPECT_THAT(keys_.Keys(0, "*", kNow + 10), IsEmpty());
  EXPECT_THAT(keys_.Scan(0, 0, 10, {}, kNow + 10).names, IsEmpty());
}

TEST_F(KeyspaceTest, AnExpiredEntryIsHandedOutByWhateverReplacesIt) {
  keys_.Put("a", String("old", kNow - 1));
  const Keyspace::SetResult set = Set("a", "new", WithGet(KeepTtl()));
  EXPECT_EQ(set.outcome.old, std::nullopt);
  ASSERT_TRUE(set.replaced.has_value());
  EXPECT_EQ(set.replaced->value, "old");
  EXPECT_TRUE(set.replaced->ExpiredAt(kNow));
  EXPECT_EQ(Expiry("a"), 0);
}

TEST_F(KeyspaceTest, SetClearsTheExpiryUnlessToldToKeepIt) {
  keys_.Put("a", String("1", kNow + 50));
  Set("a", "2", KeepTtl());
  EXPECT_EQ(Get("a"), "2");
  EXPECT_EQ(Expiry("a"), kNow + 50);
  Set("a", "3");
  EXPECT_EQ(Expiry("a"), 0);
  Set("a", "4", ExpireAt(kNow + 1));
  EXPECT_EQ(Expiry("a"), kNow + 1);
}

TEST_F(KeyspaceTest, SetConditionsLookAtVisibleKeys) {
  using Condition = SetOptions::Condition;
  EXPECT_FALSE(Set("a", "1", When(Condition::kIfPresent)).outcome.written);
  EXPECT_EQ(Get("a"), "(nil)");
  EXPECT_TRUE(Set("a", "1", When(Condition::kIfAbsent)).outcome.written);
  const Keyspace::SetResult refused = Set("a", "2", When(Condition::kIfAbsent));
  EXPECT_FALSE(refused.outcome.written);
  EXPECT_EQ(refused.replaced, std::nullopt);
  EXPECT_EQ(Get("a"), "1");
  EXPECT_TRUE(Set("a", "2", When(Condition::kIfPresent)).outcome.written);

  keys_.Put("late", String("1", kNow));
  EXPECT_FALSE(Set("late", "2", When(Condition::kIfPresent)).outcome.written);
  EXPECT_TRUE(Set("late", "2", When(Condition::kIfAbsent)).outcome.written);
}

TEST_F(KeyspaceTest, SetWithGetAnswersTheOldValueWrittenOrNot) {
  EXPECT_EQ(Set("a", "1", WithGet()).outcome.old, std::nullopt);
  EXPECT_EQ(Set("a", "2", WithGet()).outcome.old, "1");
  const SetOutcome refused = Set("a", "3", WithGet(When(SetOptions::Condition::kIfAbsent))).outcome;
  EXPECT_FALSE(refused.written);
  EXPECT_EQ(refused.old, "2");
}

TEST_F(KeyspaceTest, SetWithGetOfACollectionIsTheWrongType) {
  keys_.Put("shop", {.value = "", .collection = FakeCollection(), .expire_at_ms = 0});
  EXPECT_EQ(keys_.SetString("shop", "1", WithGet(), kNow).status().code(), StatusCode::kWrongType);
  EXPECT_EQ(keys_.Find("shop", kNow)->kind(), KeyKind::kCollection);
}

TEST_F(KeyspaceTest, SetWithAPastExpiryDeletes) {
  keys_.Put("a", String("1"));
  const Keyspace::SetResult set = Set("a", "2", ExpireAt(kNow));
  EXPECT_TRUE(set.outcome.written);
  EXPECT_TRUE(set.erased);
  EXPECT_EQ(set.replaced->value, "1");
  EXPECT_EQ(Get("a"), "(nil)");
  EXPECT_EQ(keys_.Expiries(0, 0).keys, 0U);
}

TEST_F(KeyspaceTest, ExpireConditions) {
  struct Case {
    ExpireCondition condition;
    std::int64_t current_ms;  // 0: none
    std::int64_t at_ms;
    bool set;
  };
  constexpr std::int64_t kSoon = kNow + 10;
  constexpr std::int64_t kLater = kNow + 20;
  const std::vector<Case> cases = {
      {ExpireCondition::kAlways, 0, kSoon, true},
      {ExpireCondition::kAlways, kLater, kSoon, true},
      {ExpireCondition::kNoExpiry, 0, kSoon, true},
      {ExpireCondition::kNoExpiry, kLater, kSoon, false},
      {ExpireCondition::kHasExpiry, 0, kSoon, false},
      {ExpireCondition::kHasExpiry, kLater, kSoon, true},
      {ExpireCondition::kGreater, kSoon, kLater, true},
      {ExpireCondition::kGreater, kSoon, kSoon, false},
      {ExpireCondition::kGreater, kLater, kSoon, false},
      {ExpireCondition::kGreater, 0, kLater, false},
      {ExpireCondition::kLess, kSoon, kLater, false},
      {ExpireCondition::kLess, kSoon, kSoon, false},
      {ExpireCondition::kLess, kLater, kSoon, true},
      {ExpireCondition::kLess, 0, kLater, true},
  };
  for (std::size_t i = 0; i < cases.size(); ++i) {
    SCOPED_TRACE(i);
    const Case& c = cases[i];
    keys_.Put("a", String("1", c.current_ms));
    const Keyspace::ExpireResult result = keys_.ExpireAt("a", c.at_ms, c.condition, kNow);
    EXPECT_EQ(result.set, c.set);
    EXPECT_EQ(result.erased, std::nullopt);
    EXPECT_EQ(Expiry("a"), c.set ? c.at_ms : c.current_ms);
  }
}

TEST_F(KeyspaceTest, ExpiringInThePastDeletesWhereTheConditionHolds) {
  keys_.Put("a", String("1", kNow + 10));
  EXPECT_FALSE(keys_.ExpireAt("a", kNow - 5, ExpireCondition::kGreater, kNow).set);
  EXPECT_EQ(Get("a"), "1");
  for (const std::int64_t at_ms : {kNow, std::int64_t{0}, std::int64_t{-1}}) {
    keys_.Put("a", String("1", kNow + 10));
    const Keyspace::ExpireResult result = keys_.ExpireAt("a", at_ms, ExpireCondition::kLess, kNow);
    EXPECT_TRUE(result.set);
    ASSERT_TRUE(result.erased.has_value());
    EXPECT_EQ(result.erased->value, "1");
    EXPECT_EQ(Get("a"), "(nil)");
  }
  EXPECT_EQ(keys_.NextExpiryMs(), std::nullopt);
}

TEST_F(KeyspaceTest, ExpiryOfAnAbsentOrExpiredKeyDoesNothing) {
  keys_.Put("late", String("1", kNow));
  for (const char* name : {"late", "never"}) {
    EXPECT_FALSE(keys_.ExpireAt(name, kNow + 9, ExpireCondition::kAlways, kNow).set);
    EXPECT_FALSE(keys_.Persist(name, kNow));
    EXPECT_EQ(Get(name), "(nil)");
  }
}

TEST_F(KeyspaceTest, PersistTakesTheExpiryAway) {
  keys_.Put("a", String("1", kNow + 10));
  EXPECT_TRUE(keys_.Persist("a", kNow));
  EXPECT_FALSE(keys_.Persist("a", kNow));
  EXPECT_EQ(Get("a", kNow + 100), "1");
  EXPECT_EQ(keys_.NextExpiryMs(), std::nullopt);
}

TEST_F(KeyspaceTest, RenameMovesTheExpiryAndReplacesTheTarget) {
  keys_.Put({"a", 1}, String("1", kNow + 10));
  keys_.Put({"b", 1}, String("2", kNow + 99));
  const Result<std::optional<KeyEntry>> replaced = keys_.Rename({"a", 1}, {"b", 1}, kNow);
  ASSERT_TRUE(replaced.ok());
  ASSERT_TRUE(replaced->has_value());
  EXPECT_EQ((*replaced)->value, "2");
  EXPECT_EQ(Get({"a", 1}), "(nil)");
  EXPECT_EQ(Get({"b", 1}), "1");
  EXPECT_EQ(Expiry({"b", 1}), kNow + 10);

  // A target without expiry does not keep that either, and one with loses it.
  keys_.Put({"c", 1}, String("3"));
  ASSERT_TRUE(keys_.Rename({"c", 1}, {"b", 1}, kNow).ok());
  EXPECT_EQ(Expiry({"b", 1}), 0);
  EXPECT_EQ(keys_.Size(1, kNow), 1U);
}

TEST_F(KeyspaceTest, RenameNeedsAVisibleSource) {
  keys_.Put("late", String("1", kNow));
  keys_.Put("b", String("2"));
  for (const char* name : {"late", "never"}) {
    const Result<std::optional<KeyEntry>> renamed = keys_.Rename(name, "b", kNow);
    EXPECT_EQ(renamed.status().code(), StatusCode::kNotFound);
    EXPECT_EQ(renamed.status().message(), "no such key");
  }
  EXPECT_EQ(keys_.Rename("never", "never", kNow).status().code(), StatusCode::kNotFound);
  EXPECT_EQ(Get("b"), "2");
}

TEST_F(KeyspaceTest, RenameToItselfChangesNothing) {
  keys_.Put("a", String("1", kNow + 10));
  const Result<std::optional<KeyEntry>> renamed = keys_.Rename("a", "a", kNow);
  ASSERT_TRUE(renamed.ok());
  EXPECT_EQ(*renamed, std::nullopt);
  EXPECT_EQ(Get("a"), "1");
  EXPECT_EQ(Expiry("a"), kNow + 10);
}

TEST_F(KeyspaceTest, KeysAndScanFilterByGlobAndKind) {
  keys_.Put("user:1", String("1"));
  keys_.Put("user:2", String("2", kNow - 1));
  keys_.Put("shop", {.value = "", .collection = FakeCollection(), .expire_at_ms = 0});
  EXPECT_THAT(keys_.Keys(0, "*", kNow), UnorderedElementsAre("user:1", "shop"));
  EXPECT_THAT(keys_.Keys(0, "user:?", kNow), ElementsAre("user:1"));
  EXPECT_THAT(keys_.Scan(0, 0, 10, {.kind = KeyKind::kCollection}, kNow).names,
              ElementsAre("shop"));
  EXPECT_THAT(keys_.Scan(0, 0, 10, {.pattern = "s*", .kind = KeyKind::kString}, kNow).names,
              IsEmpty());
  EXPECT_EQ(keys_.Scan(0, 0, 10, {}, kNow).cursor, 0U);
}

TEST_F(KeyspaceTest, AScanReturnsWhatStaysExactlyOnceWhileKeysComeAndGo) {
  std::map<std::string, int> seen;
  for (int i = 0; i < 1'000; ++i) {
    const std::string name = "stays:" + std::to_string(i);
    keys_.Put(name, String("1"));
    seen[name] = 0;
  }
  std::mt19937 random(8);
  int next = 0;
  std::uint64_t cursor = 0;
  do {
    const ScanPage page = keys_.Scan(0, cursor, 20, {.pattern = "stays:*"}, kNow);
    cursor = page.cursor;
    for (const std::string& name : page.names) {
      ++seen[name];
    }
    for (int i = 0; i < 30; ++i) {
      keys_.Put("goes:" + std::to_string(next++), String("1"));
      keys_.Erase("goes:" + std::to_string(random() % static_cast<unsigned>(next)));
    }
  } while (cursor != 0);
  EXPECT_EQ(seen.size(), 1'000U);
  for (const auto& [name, times] : seen) {
    EXPECT_EQ(times, 1) << name;
  }
}

TEST_F(KeyspaceTest, CollectsExpiredKeysLongestExpiredFirstAndAtMostMax) {
  keys_.Put({"a", 0}, String("a", kNow - 1));
  keys_.Put({"b", 0}, String("b", kNow - 3));
  keys_.Put({"c", 2}, String("c", kNow));
  keys_.Put({"d", 2}, String("d", kNow + 1));
  EXPECT_EQ(keys_.NextExpiryMs(), kNow - 3);
  EXPECT_THAT(keys_.CollectExpired(kNow, 0), IsEmpty());
  const std::vector<Keyspace::NamedEntry> first = keys_.CollectExpired(kNow, 2);
  ASSERT_EQ(first.size(), 2U);
  EXPECT_EQ(first[0].name, "b");
  EXPECT_EQ(first[0].entry.value, "b");
  EXPECT_EQ(first[1].name, "a");
  const std::vector<Keyspace::NamedEntry> second = keys_.CollectExpired(kNow, 10);
  ASSERT_EQ(second.size(), 1U);
  EXPECT_EQ(second[0].db, 2U);
  EXPECT_EQ(second[0].name, "c");
  EXPECT_EQ(keys_.NextExpiryMs(), kNow + 1);
  EXPECT_EQ(Get({"d", 2}), "d");
}

TEST_F(KeyspaceTest, ExpiryStatisticsAreOfVisibleKeys) {
  keys_.Put("never", String("1"));
  keys_.Put("gone", String("1", kNow - 1'000));
  keys_.Put("a", String("1", kNow + 100));
  keys_.Put("b", String("1", kNow + 300));
  EXPECT_EQ(keys_.Expiries(0, kNow).keys, 2U);
  EXPECT_EQ(keys_.Expiries(0, kNow).average_ttl_ms, 200);
  EXPECT_EQ(keys_.Expiries(1, kNow).keys, 0U);
  EXPECT_EQ(keys_.Expiries(1, kNow).average_ttl_ms, 0);
}

TEST_F(KeyspaceTest, TheLargestExpiriesDoNotOverflow) {
  constexpr std::int64_t kLargest = std::numeric_limits<std::int64_t>::max();
  for (const char* name : {"a", "b", "c"}) {
    keys_.Put(name, String("1", kLargest));
  }
  EXPECT_EQ(keys_.Expiries(0, kNow).average_ttl_ms, kLargest - kNow);
}

TEST_F(KeyspaceTest, MemoryFollowsTheValues) {
  const std::uint64_t before = keys_.memory_bytes();
  keys_.Put("a", String(std::string(100'000, 'x'), kNow + 1));
  EXPECT_GE(keys_.memory_bytes(), before + 100'000);
  EXPECT_LE(keys_.memory_bytes(), before + 101'000);
  keys_.Put("a", String("small"));
  EXPECT_LE(keys_.memory_bytes(), before + 1'000);
  keys_.Flush(0);
  EXPECT_EQ(keys_.memory_bytes(), before);
}

// A plain model of one database: what is physically there.
struct Reference {
  struct Value {
    std::string value;
    std::int64_t expire_at_ms = 0;
  };
  std::map<std::string, Value> values;

  Value* Visible(const std::string& name, std::int64_t now_ms) {
    const auto found = values.find(name);
    const bool visible = found != values.end() &&
                         (found->second.expire_at_ms == 0 || found->second.expire_at_ms > now_ms);
    return visible ? &found->second : nullptr;
  }
};

void ExpectEqual(const Keyspace& keys, Reference& reference, std::int64_t now_ms) {
  std::vector<std::string> visible;
  std::uint64_t volatile_keys = 0;
  for (const auto& [name, value] : reference.values) {
    if (reference.Visible(name, now_ms) != nullptr) {
      visible.push_back(name);
      volatile_keys += value.expire_at_ms != 0 ? 1 : 0;
      const KeyEntry* entry = keys.Find(name, now_ms);
      ASSERT_NE(entry, nullptr) << name;
      ASSERT_EQ(entry->value, value.value);
      ASSERT_EQ(entry->expire_at_ms, value.expire_at_ms);
    }
  }
  std::vector<std::string> found = keys.Keys(0, "*", now_ms);
  std::sort(found.begin(), found.end());
  ASSERT_EQ(found, visible);
  ASSERT_EQ(keys.Size(0, now_ms), visible.size());
  ASSERT_EQ(keys.Expiries(0, now_ms).keys, volatile_keys);
}

// Runs one random command on both and compares the answers.
class RandomCommands {
 public:
  RandomCommands(Keyspace* keys, Reference* reference)
      : keys_(keys), reference_(reference), values_(reference->values) {}

  void Step(std::int64_t now_ms) {
    const std::string name = RandomName();
    Reference::Value* visible = reference_->Visible(name, now_ms);
    switch (random_() % 7) {
      case 0:
      case 1:
        return Set(name, visible, now_ms);
      case 2:
        ASSERT_EQ(keys_->Erase(name).has_value(), values_.erase(name) == 1);
        return;
      case 3:
        return Expire(name, visible, now_ms);
      case 4:
        ASSERT_EQ(keys_->Persist(name, now_ms), visible != nullptr && visible->expire_at_ms != 0);
        if (visible != nullptr) {
          visible->expire_at_ms = 0;
        }
        return;
      case 5:
        return Rename(name, visible, now_ms);
      default:
        return Collect(now_ms);
    }
  }

 private:
  std::string RandomName() { return "k" + std::to_string(random_() % 300); }

  void Set(const std::string& name, const Reference::Value* visible, std::int64_t now_ms) {
    const bool keep_ttl = random_() % 2 == 0;
    const std::string value = std::to_string(random_());
    const std::int64_t kept = keep_ttl && visible != nullptr ? visible->expire_at_ms : 0;
    const auto set = keys_->SetString(name, value, keep_ttl ? KeepTtl() : SetOptions(), now_ms);
    ASSERT_EQ(set->replaced.has_value(), values_.count(name) != 0);
    values_[name] = {value, kept};
  }

  void Expire(const std::string& name, Reference::Value* visible, std::int64_t now_ms) {
    const std::int64_t at_ms = now_ms - 20 + static_cast<std::int64_t>(random_() % 400);
    const Keyspace::ExpireResult result =
        keys_->ExpireAt(name, at_ms, ExpireCondition::kAlways, now_ms);
    ASSERT_EQ(result.set, visible != nullptr);
    ASSERT_EQ(result.erased.has_value(), visible != nullptr && at_ms <= now_ms);
    if (result.erased.has_value()) {
      values_.erase(name);
    } else if (visible != nullptr) {
      visible->expire_at_ms = at_ms;
    }
  }

  void Rename(const std::string& name, const Reference::Value* visible, std::int64_t now_ms) {
    const std::string other = RandomName();
    ASSERT_EQ(keys_->Rename(name, other, now_ms).ok(), visible != nullptr);
    if (visible != nullptr && name != other) {
      values_[other] = *visible;
      values_.erase(name);
    }
  }

  void Collect(std::int64_t now_ms) {
    for (const Keyspace::NamedEntry& expired : keys_->CollectExpired(now_ms, random_() % 3)) {
      const auto found = values_.find(expired.name);
      ASSERT_NE(found, values_.end());
      ASSERT_LE(found->second.expire_at_ms, now_ms);
      values_.erase(found);
    }
  }

  Keyspace* keys_;
  Reference* reference_;
  std::map<std::string, Reference::Value>& values_;
  std::mt19937 random_{9};
};

TEST_F(KeyspaceTest, AgreesWithAMapUnderRandomCommands) {
  Reference reference;
  RandomCommands commands(&keys_, &reference);
  for (int step = 0; step < 20'000; ++step) {
    commands.Step(kNow + step);
    ASSERT_FALSE(HasFatalFailure()) << step;
    if (step % 500 == 0) {
      ExpectEqual(keys_, reference, kNow + step);
    }
  }
}

}  // namespace
}  // namespace reco::engine
