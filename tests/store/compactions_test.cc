// Compactions give way to commands (D42).
#include <chrono>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <string_view>

#include <gtest/gtest.h>
#include <sys/resource.h>

#include "store/store.h"
#include "testing/temp_dir.h"

namespace reco::store {
namespace {

// The nice values of this process's threads of a name.
std::set<int> NiceOfThreads(std::string_view name) {
  std::set<int> values;
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
    std::string comm;
    std::ifstream file(task.path() / "comm");
    std::getline(file, comm);
    if (comm == name) {
      values.insert(getpriority(PRIO_PROCESS, std::stoi(task.path().filename())));
    }
  }
  return values;
}

TEST(Compactions, GiveWayWhereFlushesDoNot) {
  const testing::TempDir dir;
  StoreOptions options;
  options.path = dir / "db";
  auto opened = Store::Open(options);
  ASSERT_TRUE(opened.ok()) << opened.status().ToString();
  Store& store = **opened;
  const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!NiceOfThreads("rocksdb:low").contains(10) && std::chrono::steady_clock::now() < limit) {
    Batch batch;
    batch.Put(Family::kKeys, "a", "1");  // each file overlaps the others
    ASSERT_TRUE(store.Write(batch, false).ok());
    ASSERT_TRUE(store.Flush().ok());
  }
  EXPECT_TRUE(NiceOfThreads("rocksdb:low").contains(10));
  EXPECT_EQ(NiceOfThreads("rocksdb:high"), std::set<int>{0});
}

}  // namespace
}  // namespace reco::store
