#include "tools/admin/rejects_file.h"

#include <gtest/gtest.h>

namespace reco::admin {
namespace {

// What is in the file, and that no other is written over: importer_test.cc.
TEST(WithoutRejectsEnding, TakesAwayWhatWasPutBehind) {
  EXPECT_EQ(WithoutRejectsEnding("a.tsv.rejects"), "a.tsv");
  EXPECT_EQ(WithoutRejectsEnding("a.tsv.rejects.12"), "a.tsv");
  EXPECT_EQ(WithoutRejectsEnding("a.tsv"), "a.tsv");
  EXPECT_EQ(WithoutRejectsEnding("a.rejects.csv"), "a.rejects.csv");
  EXPECT_EQ(WithoutRejectsEnding("a.rejects."), "a.rejects.");
  EXPECT_EQ(WithoutRejectsEnding(""), "");
}

TEST(RejectsFile, IsNotMadeWithoutALostLine) {
  RejectsFile file("/no/such/folder/clicks.csv", "user,item");
  EXPECT_TRUE(file.Close().ok());
  EXPECT_EQ(file.path(), "");
  EXPECT_FALSE(file.Add(7, "bad", "x").ok());
}

}  // namespace
}  // namespace reco::admin
