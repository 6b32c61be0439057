#include "api/config/cache_sizes.h"

#include <cstdint>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace reco::api {
namespace {

constexpr std::uint64_t kMiB = 1ULL << 20U;
constexpr std::uint64_t kGiB = 1ULL << 30U;

TEST(ChooseCaches, AutoIsAShareWithinBounds) {
  const struct {
    std::uint64_t memory;
    std::uint64_t rows;
    std::uint64_t blocks;
  } kCases[] = {
      {0, 16 * kMiB, 4 * kMiB},         {63 * kMiB, 16 * kMiB, 4 * kMiB},
      {64 * kMiB, 16 * kMiB, 4 * kMiB}, {kGiB, 256 * kMiB, 64 * kMiB},
      {16 * kGiB, 4 * kGiB, kGiB},      {1024 * kGiB, 4 * kGiB, kGiB},
  };
  for (const auto& test : kCases) {
    SCOPED_TRACE(test.memory);
    const Options options = DefaultOptions().EngineOptions({.bytes = test.memory});
    EXPECT_EQ(options.row_cache_bytes, test.rows);
    EXPECT_EQ(options.block_cache_bytes, test.blocks);
  }
}

TEST(ChooseCaches, NumbersStayAsTheyAre) {
  ServerOptions options = DefaultOptions();
  options.row_cache_bytes = 5'000'000;
  CacheSizes sizes = ChooseCaches(options, {.bytes = kGiB});
  EXPECT_EQ(sizes.row_bytes, 5'000'000U);
  EXPECT_EQ(sizes.block_bytes, 64 * kMiB);
  options.block_cache_bytes = static_cast<std::int64_t>(8 * kGiB);
  sizes = ChooseCaches(options, {.bytes = kGiB});
  EXPECT_EQ(sizes.block_bytes, 8 * kGiB);
}

TEST(ChooseCaches, MaxmemoryIsAllTheMemoryThereIs) {
  ServerOptions options = DefaultOptions();
  options.maxmemory_bytes = static_cast<std::int64_t>(kGiB);
  EXPECT_EQ(ChooseCaches(options, {.bytes = 24 * kGiB}).row_bytes, 256 * kMiB);
  EXPECT_EQ(ChooseCaches(options, {.bytes = 512 * kMiB}).row_bytes, 128 * kMiB);
}

TEST(DescribeCaches, SaysWhyASizeWasChosen) {
  ServerOptions options = DefaultOptions();
  EXPECT_EQ(DescribeCaches(options, {.bytes = 8 * kGiB}),
            (std::vector<std::string>{
                "Row cache 2.0 GiB (auto: a quarter of the machine's 8.0 GiB)",
                "Block cache 512.0 MiB (auto: a sixteenth of the machine's 8.0 GiB)"}));
  EXPECT_EQ(
      DescribeCaches(options, {24 * kGiB, AvailableMemory::Bound::kCgroup}),
      (std::vector<std::string>{
          "Row cache 4.0 GiB (auto: a quarter of the cgroup's 24.0 GiB, at most 4.0 GiB)",
          "Block cache 1.0 GiB (auto: a sixteenth of the cgroup's 24.0 GiB, at most 1.0 GiB)"}));
  options.maxmemory_bytes = static_cast<std::int64_t>(32 * kMiB);
  options.block_cache_bytes = 1'000'000;
  EXPECT_EQ(DescribeCaches(options, {.bytes = 8 * kGiB}),
            (std::vector<std::string>{
                "Row cache 16.0 MiB (auto: a quarter of maxmemory, 32.0 MiB, at least 16.0 MiB)",
                "Block cache 976.6 KiB (as configured)"}));
}

}  // namespace
}  // namespace reco::api
