#include "filter/dictionary.h"

#include <cstdint>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace reco::filter {
namespace {

TEST(Dictionary, AStringHasOneIdAndKeepsIt) {
  Dictionary dictionary;
  std::vector<std::uint32_t> ids;
  for (int i = 0; i < 1'000; ++i) {
    ids.push_back(dictionary.Intern("s" + std::to_string(i)));
  }
  EXPECT_EQ(dictionary.Intern("s7"), ids[7]);
  EXPECT_EQ(dictionary.size(), 1'000U);
  EXPECT_EQ(dictionary.entry(ids[999]).text, "s999");
  EXPECT_EQ(dictionary.entry(ids[7]).uses, 2U);
}

TEST(Dictionary, EntriesKnowTheNumberThatTheirTextIs) {
  Dictionary dictionary;
  EXPECT_EQ(dictionary.entry(dictionary.Intern("1.5")).number, 1.5);
  EXPECT_EQ(dictionary.entry(dictionary.Intern("x")).number, 0);
}

TEST(Dictionary, UnusedStringsAreCountedAndComeBackUnderTheirId) {
  Dictionary dictionary;
  const std::uint32_t id = dictionary.Intern("a");
  dictionary.Intern("a");
  dictionary.Release(id);
  EXPECT_EQ(dictionary.unused(), 0U);
  dictionary.Release(id);
  EXPECT_EQ(dictionary.unused(), 1U);
  EXPECT_EQ(dictionary.Intern("a"), id);
  EXPECT_EQ(dictionary.unused(), 0U);
  EXPECT_EQ(dictionary.entry(id).uses, 1U);
}

TEST(Dictionary, LongTextsCountTowardsItsMemory) {
  Dictionary dictionary;
  dictionary.Intern("a");
  const std::size_t before = dictionary.memory_bytes();
  EXPECT_GT(before, 0U);
  dictionary.Intern("a");
  EXPECT_EQ(dictionary.memory_bytes(), before);
  dictionary.Intern(std::string(5'000, 'b'));
  EXPECT_GT(dictionary.memory_bytes(), before + 5'000);
}

}  // namespace
}  // namespace reco::filter
