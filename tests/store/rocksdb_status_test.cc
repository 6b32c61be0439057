#include "store/rocksdb_status.h"

#include <string>

#include <gtest/gtest.h>

namespace reco::store {
namespace {

using Foreign = rocksdb::Status;

TEST(ToStatus, CodesAreOurs) {
  struct Case {
    Foreign status;
    StatusCode code;
  };
  const Case cases[] = {
      {Foreign::OK(), StatusCode::kOk},
      {Foreign::NotFound("x"), StatusCode::kNotFound},
      {Foreign::ColumnFamilyDropped("x"), StatusCode::kNotFound},
      {Foreign::Corruption("x"), StatusCode::kCorruption},
      {Foreign::NotSupported("x"), StatusCode::kFailedPrecondition},
      {Foreign::InvalidArgument("x"), StatusCode::kFailedPrecondition},
      {Foreign::IOError("x"), StatusCode::kIoError},
      {Foreign::NoSpace("x"), StatusCode::kIoError},
      {Foreign::MemoryLimit("x"), StatusCode::kResourceExhausted},
      {Foreign::Busy("x"), StatusCode::kUnavailable},
      {Foreign::TimedOut("x"), StatusCode::kUnavailable},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(ToStatus(c.status, "here").code(), c.code) << c.status.ToString();
  }
}

TEST(ToStatus, MessageSaysWhereAndWhatInLowerCase) {
  EXPECT_EQ(ToStatus(Foreign::IOError("While open a file", "a.sst"), "family users").message(),
            "family users: while open a file: a.sst");
  EXPECT_EQ(ToStatus(Foreign::Corruption("CURRENT file is empty"), "").message(),
            "CURRENT file is empty");
  EXPECT_EQ(ToStatus(Foreign::NoSpace("Write"), "db").message(),
            "db: no space left on device: write");
  EXPECT_EQ(ToStatus(Foreign::OK(), "db").message(), "");
}

}  // namespace
}  // namespace reco::store
