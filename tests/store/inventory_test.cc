#include "store/inventory.h"

#include <string>

#include <gtest/gtest.h>
#include <rocksdb/env.h>

#include "testing/temp_dir.h"

namespace reco::store {
namespace {

const Inventory kSample = {
    .manifest = 5, .manifest_bytes = 1234, .log_bytes = {{12, 45678}, {15, 0}}};

TEST(Inventory, IsTextAndStaysAsItWasReleased) {
  EXPECT_EQ(EncodeInventory(kSample),
            "reco-inventory 1\n"
            "manifest 5 1234\n"
            "log 12 45678\n"
            "log 15 0\n"
            "crc32c a7bda702\n");
}

TEST(Inventory, ComesBack) {
  for (const Inventory& inventory : {kSample, Inventory{}}) {
    const Result<Inventory> read = DecodeInventory(EncodeInventory(inventory));
    ASSERT_TRUE(read.ok()) << read.status().ToString();
    EXPECT_EQ(*read, inventory);
  }
}

TEST(Inventory, EveryOtherByteAndEveryCutIsCorruption) {
  const std::string text = EncodeInventory(kSample);
  for (std::size_t at = 0; at < text.size(); ++at) {
    std::string damaged = text;
    damaged[at] = static_cast<char>(damaged[at] ^ 1);
    EXPECT_EQ(DecodeInventory(damaged).status().code(), StatusCode::kCorruption) << at;
    EXPECT_EQ(DecodeInventory(text.substr(0, at)).status().code(), StatusCode::kCorruption) << at;
  }
  EXPECT_EQ(DecodeInventory(text + "x").status().code(), StatusCode::kCorruption);
}

TEST(Inventory, IsReplacedInAFolder) {
  const testing::TempDir dir;
  rocksdb::Env& env = *rocksdb::Env::Default();
  ASSERT_TRUE(env.CreateDirIfMissing(dir / "db").ok());
  EXPECT_EQ(ReadInventory(env, dir / "db").status().code(), StatusCode::kNotFound);
  for (const Inventory& inventory : {kSample, Inventory{}}) {
    ASSERT_TRUE(WriteInventory(env, dir / "db", inventory).ok());
    const Result<Inventory> read = ReadInventory(env, dir / "db");
    ASSERT_TRUE(read.ok()) << read.status().ToString();
    EXPECT_EQ(*read, inventory);
  }
}

}  // namespace
}  // namespace reco::store
