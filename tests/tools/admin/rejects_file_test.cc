#include "tools/admin/rejects_file.h"

#include <gtest/gtest.h>

namespace reco::admin {
namespace {

// What is in the file, and that no other is written over: importer_test.cc.
TEST(WithoutRejectsEnding, TakesAwayWhatWasPutBehind) {
  EXPECT_EQ(WithoutRejectsEnding("a.tsv.rejects"), "a.tsv");
  EXPECT_EQ(WithoutRejectsEnding("a.tsv.rejects.12"), "a.tsv");
  EXPECT_EQ(WithoutRejectsEnding("a.tsv.rejects.rejects.2"), "a.tsv");
  EXPECT_EQ(WithoutRejectsEnding("a.tsv"), "a.tsv");
  EXPECT_EQ(WithoutRejectsEnding("a.rejects.csv"), "a.rejects.csv");
  EXPECT_EQ(WithoutRejectsEnding("a.rejects."), "a.rejects.");
  EXPECT_EQ(WithoutRejectsEnding(""), "");
}

TEST(RejectsFile, IsNotMadeWithoutALostLine) {
  RejectsFile file("/no/such/folder/clicks.csv", ".csv", "user,item");
  EXPECT_TRUE(file.Flush().ok());
  EXPECT_EQ(file.path(), "");
  EXPECT_FALSE(file.Add(7, "bad", "x").ok());
  EXPECT_FALSE(file.Flush().ok());
}

}  // namespace
}  // namespace reco::admin
