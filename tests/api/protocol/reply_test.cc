#include "api/protocol/reply.h"

#include <cmath>
#include <limits>
#include <string>

#include <gtest/gtest.h>

#include "base/function_ref.h"

namespace reco::api {
namespace {

std::string Written(int protocol, FunctionRef<void(Reply&)> write) {
  std::string out;
  Reply reply(&out, protocol);
  write(reply);
  return out;
}

TEST(Reply, WritesEachTypeInBothProtocols) {
  const struct {
    void (*write)(Reply&);
    std::string resp2;
    std::string resp3;
  } kCases[] = {
      {[](Reply& r) { r.Ok(); }, "+OK\r\n", "+OK\r\n"},
      {[](Reply& r) { r.Integer(-42); }, ":-42\r\n", ":-42\r\n"},
      {[](Reply& r) { r.Integer(std::numeric_limits<std::int64_t>::min()); },
       ":-9223372036854775808\r\n", ":-9223372036854775808\r\n"},
      {[](Reply& r) {
         r.Bulk({"a\r\n\0b", 5});
       },
       std::string("$5\r\na\r\n\0b\r\n", 11), std::string("$5\r\na\r\n\0b\r\n", 11)},
      {[](Reply& r) { r.Bulk(""); }, "$0\r\n\r\n", "$0\r\n\r\n"},
      {[](Reply& r) { r.Double(0.1); }, "$3\r\n0.1\r\n", ",0.1\r\n"},
      {[](Reply& r) { r.Float32(0.1F); }, "$3\r\n0.1\r\n", ",0.1\r\n"},
      {[](Reply& r) { r.Boolean(true); }, ":1\r\n", "#t\r\n"},
      {[](Reply& r) { r.Boolean(false); }, ":0\r\n", "#f\r\n"},
      {[](Reply& r) { r.Verbatim("text"); }, "$4\r\ntext\r\n", "=8\r\ntxt:text\r\n"},
      {[](Reply& r) { r.Null(); }, "$-1\r\n", "_\r\n"},
      {[](Reply& r) { r.NullArray(); }, "*-1\r\n", "_\r\n"},
      {[](Reply& r) { r.Array(2); }, "*2\r\n", "*2\r\n"},
      {[](Reply& r) { r.Map(2); }, "*4\r\n", "%2\r\n"},
      {[](Reply& r) { r.Set(2); }, "*2\r\n", "~2\r\n"},
      {[](Reply& r) { r.Push(2); }, "*2\r\n", ">2\r\n"},
  };
  for (const auto& test : kCases) {
    EXPECT_EQ(Written(2, test.write), test.resp2);
    EXPECT_EQ(Written(3, test.write), test.resp3);
  }
}

TEST(Reply, ErrorIsOneLine) {
  std::string out;
  Reply reply(&out, 2);
  EXPECT_FALSE(reply.failed());
  reply.Error("ERR a\r\nb");
  EXPECT_TRUE(reply.failed());
  EXPECT_EQ(out, "-ERR a  b\r\n");
}

TEST(Reply, FailureMapsEachCode) {
  const struct {
    Status status;
    std::string wire;
  } kCases[] = {
      {Status::WrongType(), "-WRONGTYPE Operation against a key holding the wrong kind of value"},
      {Status::IoError("disk full"), "-MISCONF Errors writing to the log: disk full"},
      {Status::ResourceExhausted("memory limit reached"),
       "-OOM command not allowed when used memory > 'maxmemory'."},
      {Status::ResourceExhausted("too many collections"), "-ERR too many collections"},
      {Status::NotFound("no such key"), "-ERR no such key"},
      {Status::InvalidArgument("dim must be 1 to 512"), "-ERR dim must be 1 to 512"},
      {Status::Unavailable("closing"), "-ERR closing"},
  };
  for (const auto& test : kCases) {
    EXPECT_EQ(Written(2, [&](Reply& reply) { reply.Failure(test.status); }), test.wire + "\r\n");
  }
}

TEST(FormatDouble, IsTheShortestTextThatReadsBack) {
  const struct {
    double value;
    std::string text;
  } kCases[] = {
      {0, "0"},
      {-0.0, "-0"},
      {1, "1"},
      {-3, "-3"},
      {100000, "100000"},
      {1e15, "1000000000000000"},
      {9007199254740992.0, "9007199254740992"},
      {1e20, "1e+20"},
      {0.1, "0.1"},
      {1.0 / 3, "0.3333333333333333"},
      {1e-7, "1e-07"},
      {std::numeric_limits<double>::infinity(), "inf"},
      {-std::numeric_limits<double>::infinity(), "-inf"},
      {std::numeric_limits<double>::quiet_NaN(), "nan"},
  };
  for (const auto& test : kCases) {
    EXPECT_EQ(FormatDouble(test.value), test.text);
    if (std::isfinite(test.value)) {
      EXPECT_EQ(std::stod(FormatDouble(test.value)), test.value);
    }
  }
}

}  // namespace
}  // namespace reco::api
