#include "tools/benchmark/resp.h"

#include <string>

#include <gtest/gtest.h>

namespace reco::benchmark {
namespace {

TEST(AppendCommand, WritesBulkStrings) {
  std::string out;
  AppendCommand(&out, {"GET", std::string_view("a\0\r\n", 4)});
  AppendCommand(&out, {"PING"});
  const std::string with_nul("a\0\r\n", 4);
  EXPECT_EQ(out, "*2\r\n$3\r\nGET\r\n$4\r\n" + with_nul + "\r\n*1\r\n$4\r\nPING\r\n");
}

struct Case {
  std::string bytes;
  std::uint64_t replies;
  std::uint64_t errors;
  std::uint64_t empty;
};

const Case kCases[] = {
    {"+OK\r\n", 1, 0, 0},
    {":12\r\n:-3\r\n", 2, 0, 0},
    {"-ERR no\r\n+OK\r\n", 2, 1, 0},
    {"$5\r\nhello\r\n", 1, 0, 0},
    {"$0\r\n\r\n", 1, 0, 0},
    {"$4\r\n\r\n\r\n\r\n", 1, 0, 0},
    {"$-1\r\n*-1\r\n*0\r\n", 3, 0, 3},
    {"*2\r\n$1\r\na\r\n:1\r\n", 1, 0, 0},
    {"*2\r\n*2\r\n:1\r\n*0\r\n*1\r\n$-1\r\n+OK\r\n", 2, 0, 0},
    {"*1\r\n-ERR inside\r\n", 1, 0, 0},
    {"*2\r\n:1\r\n", 0, 0, 0},
    {"$5\r\nhel", 0, 0, 0},
    {"+O", 0, 0, 0},
};

TEST(ReplyScanner, CountsWholeRepliesHoweverTheyAreCut) {
  for (const Case& c : kCases) {
    for (const std::size_t chunk :
         {std::size_t{1}, std::size_t{2}, std::size_t{3}, std::size_t{99}}) {
      ReplyScanner scanner;
      ReplyScanner::Counts sum;
      for (std::size_t at = 0; at < c.bytes.size(); at += chunk) {
        const auto counts = scanner.Feed(std::string_view(c.bytes).substr(at, chunk));
        sum.replies += counts.replies;
        sum.errors += counts.errors;
        sum.empty += counts.empty;
        EXPECT_FALSE(counts.malformed) << c.bytes;
      }
      EXPECT_EQ(sum.replies, c.replies) << c.bytes;
      EXPECT_EQ(sum.errors, c.errors) << c.bytes;
      EXPECT_EQ(sum.empty, c.empty) << c.bytes;
    }
  }
}

TEST(ReplyScanner, KeepsTheFirstError) {
  ReplyScanner scanner;
  scanner.Feed("-ERR one\r\n-ERR two\r\n");
  EXPECT_EQ(scanner.first_error(), "ERR one");
}

TEST(ReplyScanner, OtherProtocolsAreMalformed) {
  for (const char* bytes : {"HTTP/1.1 400 Bad Request\r\n", "\r\n", "+OK\n", "$x\r\n", "*-2\r\n"}) {
    ReplyScanner scanner;
    EXPECT_TRUE(scanner.Feed(bytes).malformed) << bytes;
  }
  ReplyScanner scanner;
  EXPECT_TRUE(scanner.Feed(std::string(70'000, 'x')).malformed);
}

}  // namespace
}  // namespace reco::benchmark
