#include "api/config/available_memory.h"

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "testing/temp_dir.h"

namespace reco::api {
namespace {

using Bound = AvailableMemory::Bound;

constexpr std::uint64_t kMachine = 24ULL << 30U;

TEST(MemoryLimitFiles, AreThoseOfTheCgroupAndOfAllAroundIt) {
  const struct {
    std::string cgroups;
    std::vector<std::string> files;
  } kCases[] = {
      {"0::/system.slice/reco.service\n",
       {"/sys/fs/cgroup/system.slice/reco.service/memory.max",
        "/sys/fs/cgroup/system.slice/memory.max", "/sys/fs/cgroup/memory.max"}},
      {"0::/\n", {"/sys/fs/cgroup/memory.max"}},
      {"0::/", {"/sys/fs/cgroup/memory.max"}},
      {"0::/a:b/\n", {"/sys/fs/cgroup/a:b/memory.max", "/sys/fs/cgroup/memory.max"}},
      {"7:cpu,memory:/docker/1f\n3:cpuset:/docker/1f\n1:name=systemd:/docker/1f\n",
       {"/sys/fs/cgroup/memory/docker/1f/memory.limit_in_bytes",
        "/sys/fs/cgroup/memory/docker/memory.limit_in_bytes",
        "/sys/fs/cgroup/memory/memory.limit_in_bytes"}},
      {"4:memory:/\n0::/\n",
       {"/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory.max"}},
      // Seen from a namespace that does not hold it.
      {"0::/../../etc\n", {"/sys/fs/cgroup/memory.max"}},
      {"", {}},
      {"\n\n", {}},
      {"0::\n", {}},
      {"0:memory", {}},
      {"4:memory:relative\n", {}},
      {"4:memories:/a\n0:x:/a\n", {}},
  };
  for (const auto& test : kCases) {
    SCOPED_TRACE(test.cgroups);
    EXPECT_EQ(MemoryLimitFiles(test.cgroups), test.files);
  }
}

TEST(ParseMemoryLimit, IsANumberOrNone) {
  const struct {
    std::string text;
    std::optional<std::uint64_t> bytes;
  } kCases[] = {
      {"536870912\n", 536'870'912},
      {"0", 0},
      {"9223372036854771712\n", 9'223'372'036'854'771'712U},
      {"max\n", std::nullopt},
      {"", std::nullopt},
      {"\n", std::nullopt},
      {"-1\n", std::nullopt},
      {"12 bananas\n", std::nullopt},
      {"1gb\n", std::nullopt},
      {"99999999999999999999999\n", std::nullopt},
  };
  for (const auto& test : kCases) {
    SCOPED_TRACE(test.text);
    EXPECT_EQ(ParseMemoryLimit(test.text), test.bytes);
  }
}

// A root folder with the files of a machine.
class FindAvailableMemoryTest : public ::testing::Test {
 protected:
  void Write(const std::string& path, std::string_view text) const {
    const std::filesystem::path file = root_.path() + path;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file) << text;
  }
  void Expect(std::uint64_t bytes, Bound bound) const {
    const AvailableMemory memory = FindAvailableMemory(root_.path(), kMachine);
    EXPECT_EQ(memory.bytes, bytes);
    EXPECT_EQ(memory.bound, bound);
  }

  testing::TempDir root_;
};

TEST_F(FindAvailableMemoryTest, IsTheMachinesWithoutCgroups) {
  Expect(kMachine, Bound::kMachine);
  Write("/proc/self/cgroup", "no such line\n");
  Expect(kMachine, Bound::kMachine);
  Write("/proc/self/cgroup", "0::/gone\n4:memory:/gone\n");
  Expect(kMachine, Bound::kMachine);
}

TEST_F(FindAvailableMemoryTest, IsTheLowestLimitOfVersionTwo) {
  Write("/proc/self/cgroup", "0::/shop/reco\n");
  Write("/sys/fs/cgroup/shop/reco/memory.max", "max\n");
  Expect(kMachine, Bound::kMachine);
  Write("/sys/fs/cgroup/shop/memory.max", "2147483648\n");
  Expect(2'147'483'648, Bound::kCgroup);
  Write("/sys/fs/cgroup/shop/reco/memory.max", "1073741824\n");
  Expect(1'073'741'824, Bound::kCgroup);
  Write("/sys/fs/cgroup/memory.max", "536870912\n");
  Expect(536'870'912, Bound::kCgroup);
}

TEST_F(FindAvailableMemoryTest, IsTheLowestLimitOfVersionOne) {
  Write("/proc/self/cgroup", "5:memory:/docker/1f\n2:cpu:/docker/1f\n0::/docker/1f\n");
  // No limit, as version 1 writes it.
  Write("/sys/fs/cgroup/memory/docker/1f/memory.limit_in_bytes", "9223372036854771712\n");
  Expect(kMachine, Bound::kMachine);
  Write("/sys/fs/cgroup/memory/docker/memory.limit_in_bytes", "1073741824\n");
  Expect(1'073'741'824, Bound::kCgroup);
}

TEST_F(FindAvailableMemoryTest, ContainersSeeTheirLimitAtTheRoot) {
  Write("/proc/self/cgroup", "5:memory:/docker/1f\n");
  Write("/sys/fs/cgroup/memory/memory.limit_in_bytes", "268435456\n");
  Expect(268'435'456, Bound::kCgroup);
}

TEST_F(FindAvailableMemoryTest, DamagedFilesSetNoLimit) {
  Write("/proc/self/cgroup", "0::/shop\n");
  Write("/sys/fs/cgroup/shop/memory.max", "a lot\n");
  std::filesystem::create_directories(root_ / "sys/fs/cgroup/memory.max");
  Expect(kMachine, Bound::kMachine);
}

TEST(FindAvailableMemory, OfThisProcessIsSomething) {
  EXPECT_GT(FindAvailableMemory().bytes, 0U);
}

}  // namespace
}  // namespace reco::api
