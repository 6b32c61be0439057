#include "api/protocol/request_parser.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace reco::api {
namespace {

using Outcome = RequestParser::Outcome;
using Requests = std::vector<std::vector<std::string>>;
using Limits = RequestParser::Limits;

struct Parsed {
  Requests requests;
  std::string error;     // empty: the stream can go on
  std::size_t rest = 0;  // bytes that wait for more
};

// Parses a stream that arrives in `pieces`, moving the pending bytes to a new address each time.
Parsed ParsePieces(const std::vector<std::string>& pieces, const Limits& limits = {}) {
  RequestParser parser;
  Parsed parsed;
  std::string pending;
  for (const std::string& piece : pieces) {
    pending = std::string(pending).append(piece);
    Outcome outcome = parser.Parse(pending, limits);
    while (outcome == Outcome::kRequest || outcome == Outcome::kEmpty) {
      if (outcome == Outcome::kRequest) {
        parsed.requests.emplace_back(parser.arguments().begin(), parser.arguments().end());
      }
      pending.erase(0, parser.consumed());
      outcome = parser.Parse(pending, limits);
    }
    if (outcome == Outcome::kError) {
      parsed.error = parser.error();
      return parsed;
    }
  }
  parsed.rest = pending.size();
  return parsed;
}

std::string Bytes(std::string_view text) {
  return std::string(text);
}

struct RequestCase {
  std::string stream;
  Requests requests;
  std::size_t rest = 0;
};

const std::vector<RequestCase>& RequestCases() {
  static const std::vector<RequestCase> kCases = {
      {"*1\r\n$4\r\nPING\r\n", {{"PING"}}},
      {"*2\r\n$3\r\nGET\r\n$0\r\n\r\n", {{"GET", ""}}},
      {Bytes({"*2\r\n$3\r\nGET\r\n$4\r\n\r\n\0x\r\n", 23}), {{"GET", Bytes({"\r\n\0x", 4})}}},
      {"*1\r\n$4\r\nPING\r\n*1\r\n$4\r\nPONG\r\n", {{"PING"}, {"PONG"}}},
      // Only the place of LF is checked, and the two bytes behind a bulk are not looked at.
      {"*1\rX$4\r\nPING\r\n", {{"PING"}}},
      {"*1\r\n$4\r\nPINGxx*1\r\n$4\r\nPING\r\n", {{"PING"}, {"PING"}}},
      // Requests without arguments get no reply.
      {"*0\r\n*-1\r\n*-10\r\n\r\n\n   \r\nPING\r\n", {{"PING"}}},
      // Inline.
      {"PING\r\n", {{"PING"}}},
      {"PING\nPING\n", {{"PING"}, {"PING"}}},
      {"  set  a\tb \r\n", {{"set", "a", "b"}}},
      {"echo \"a b\" 'c d' \"\"\r\n", {{"echo", "a b", "c d", ""}}},
      {"echo \"\\x41\\n\\r\\t\\b\\a\\q\\\"\\xzz\"\r\n", {{"echo", "A\n\r\t\b\aq\"xzz"}}},
      {"echo 'it\\'s \\n'\r\n", {{"echo", "it's \\n"}}},
      {"echo ab\"c d\"\r\n", {{"echo", "abc d"}}},
      // Half a request waits.
      {"PING", {}, 4},
      {"*1", {}, 2},
      {"*1\r", {}, 3},
      {"*1\r\n$4\r\nPING\r", {}, 13},
      {"*1048576\r\n", {}, 10},
      {"*1\n", {}, 3},  // LF alone does not end a length
      {"*1\r\n$536870912\r\n", {}, 16},
  };
  return kCases;
}

TEST(RequestParser, ReadsRequests) {
  for (const RequestCase& test : RequestCases()) {
    SCOPED_TRACE(test.stream);
    const Parsed parsed = ParsePieces({test.stream});
    EXPECT_EQ(parsed.error, "");
    EXPECT_EQ(parsed.requests, test.requests);
    EXPECT_EQ(parsed.rest, test.rest);
  }
}

TEST(RequestParser, ReadsTheSameWhereverTheStreamIsSplit) {
  for (const RequestCase& test : RequestCases()) {
    SCOPED_TRACE(test.stream);
    std::vector<std::string> single_bytes;
    for (std::size_t split = 0; split < test.stream.size(); ++split) {
      single_bytes.push_back(test.stream.substr(split, 1));
      EXPECT_EQ(ParsePieces({test.stream.substr(0, split), test.stream.substr(split)}).requests,
                test.requests);
    }
    EXPECT_EQ(ParsePieces(single_bytes).requests, test.requests);
  }
}

struct ErrorCase {
  std::string stream;
  std::string error;
};

const std::vector<ErrorCase>& ErrorCases() {
  static const std::string kBadCount = "Protocol error: invalid multibulk length";
  static const std::string kBadBulk = "Protocol error: invalid bulk length";
  static const std::string kQuotes = "Protocol error: unbalanced quotes in request";
  static const std::vector<ErrorCase> kCases = {
      {"*+1\r\n", kBadCount},
      {"*01\r\n", kBadCount},
      {"* 1\r\n", kBadCount},
      {"*\r\n", kBadCount},
      {"*abc\r\n", kBadCount},
      {"*-0\r\n", kBadCount},
      {"*1 \r\n", kBadCount},
      {"*1\n$4\r\n", kBadCount},
      {"*1048577\r\n", kBadCount},
      {"*2147483648\r\n", kBadCount},
      {"*9223372036854775808\r\n", kBadCount},
      {"*1\r\n$-1\r\n", kBadBulk},
      {"*1\r\n$+4\r\n", kBadBulk},
      {"*1\r\n$04\r\n", kBadBulk},
      {"*1\r\n$\r\n", kBadBulk},
      {"*1\r\n$4x\r\n", kBadBulk},
      {"*1\r\n$536870913\r\n", kBadBulk},
      {"*2\r\n$3\r\nGET\r\nfoo\r\n", "Protocol error: expected '$', got 'f'"},
      {"*1\r\n\r\n", "Protocol error: expected '$', got '\r'"},
      {"echo \"abc\r\n", kQuotes},
      {"echo 'abc\r\n", kQuotes},
      {"echo \"abc\"d\r\n", kQuotes},
      {"echo 'abc'd\r\n", kQuotes},
      {"echo \"abc\\\r\n", kQuotes},
  };
  return kCases;
}

TEST(RequestParser, RefusesBrokenProtocol) {
  for (const ErrorCase& test : ErrorCases()) {
    SCOPED_TRACE(test.stream);
    EXPECT_EQ(ParsePieces({test.stream}).error, test.error);
    std::vector<std::string> single_bytes;
    for (const char c : test.stream) {
      single_bytes.emplace_back(1, c);
    }
    EXPECT_EQ(ParsePieces(single_bytes).error, test.error);
  }
}

TEST(RequestParser, StaysBrokenAfterAnError) {
  RequestParser parser;
  ASSERT_EQ(parser.Parse("*x\r\n", {}), Outcome::kError);
  EXPECT_EQ(parser.Parse("PING\r\n", {}), Outcome::kError);
  EXPECT_EQ(parser.error(), "Protocol error: invalid multibulk length");
}

TEST(RequestParser, LineWithoutEndIsRefusedPast64KiB) {
  const struct {
    std::string head;
    std::string error;
  } kCases[] = {
      {"", "Protocol error: too big inline request"},
      {"*", "Protocol error: too big mbulk count string"},
      {"*1\r\n$", "Protocol error: too big bulk count string"},
      // A NUL byte hides the end of the line, so a stream that lost step is not obeyed.
      {std::string(1, '\0') + "\r\n", "Protocol error: too big inline request"},
      {std::string("*\0\r\n", 4), "Protocol error: too big mbulk count string"},
      {std::string("*1\r\n$\0\r\n", 8), "Protocol error: too big bulk count string"},
  };
  for (const auto& test : kCases) {
    SCOPED_TRACE(test.error);
    const std::size_t start = test.head.starts_with("*1\r\n") ? 4 : 0;
    std::string stream = test.head;
    stream.resize(start + kLineBytesMax, 'x');
    EXPECT_EQ(ParsePieces({stream}).error, "");
    EXPECT_EQ(ParsePieces({stream + "x"}).error, test.error);
  }
}

TEST(RequestParser, LineWithAnEndMayBeLonger) {
  const std::string word(kLineBytesMax * 2, 'x');
  EXPECT_EQ(ParsePieces({word + "\r\n"}).requests, Requests({{word}}));
}

TEST(RequestParser, HoldsUnauthenticatedClientsToSmallRequests) {
  const Limits kUnauthenticated{.authenticated = false};
  EXPECT_EQ(ParsePieces({"*10\r\n"}, kUnauthenticated).error, "");
  EXPECT_EQ(ParsePieces({"*11\r\n"}, kUnauthenticated).error,
            "Protocol error: unauthenticated multibulk length");
  EXPECT_EQ(ParsePieces({"*1\r\n$16384\r\n"}, kUnauthenticated).error, "");
  EXPECT_EQ(ParsePieces({"*1\r\n$16385\r\n"}, kUnauthenticated).error,
            "Protocol error: unauthenticated bulk length");
}

TEST(RequestParser, HoldsArgumentsToTheConfiguredLength) {
  const Limits kSmall{.bulk_bytes_max = 4};
  EXPECT_EQ(ParsePieces({"*1\r\n$4\r\nPING\r\n"}, kSmall).requests, Requests({{"PING"}}));
  EXPECT_EQ(ParsePieces({"*1\r\n$5\r\n"}, kSmall).error, "Protocol error: invalid bulk length");
}

TEST(RequestParser, ReadsManyArguments) {
  constexpr std::size_t kCount = 100'000;
  std::string stream = "*" + std::to_string(kCount) + "\r\n";
  for (std::size_t i = 0; i < kCount; ++i) {
    stream += "$1\r\nx\r\n";
  }
  const Parsed parsed = ParsePieces({stream, "*1\r\n$4\r\nPING\r\n"});
  ASSERT_EQ(parsed.requests.size(), 2U);
  EXPECT_EQ(parsed.requests[0], std::vector<std::string>(kCount, "x"));
  EXPECT_EQ(parsed.requests[1], std::vector<std::string>({"PING"}));
}

}  // namespace
}  // namespace reco::api
