#include "tools/admin/importer.h"

#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tools/fake_server.h"

namespace reco::admin {
namespace {

using End = ImportSummary::End;
using reco::testing::FakeServer;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::StartsWith;

Input FileOf(const std::string& text) {
  return {MemorySource(text, 1 << 16), "file:" + std::to_string(text.size()), false};
}

ImportOptions Options() {
  ImportOptions options;
  options.key = "shop";
  options.columns.user = "user";
  options.columns.item = "item";
  return options;
}

std::string Lines(int count) {
  std::string text = "user,item\n";
  for (int i = 1; i <= count; ++i) {
    text += "u" + std::to_string(i) + ",i" + std::to_string(i) + "\n";
  }
  return text;
}

Result<ImportSummary> RunImport(const FakeServer& server, const ImportOptions& options,
                                Input input) {
  auto connection = client::Connection::Open({"127.0.0.1", server.port(), {}});
  if (!connection.ok()) {
    return connection.status();
  }
  terminal::ProgressMeter meter("", "", terminal::ProgressStyle::kSilent, stderr);
  return Importer(*connection, options, meter).Run(std::move(input));
}

ImportSummary Import(const FakeServer& server, const ImportOptions& options,
                     const std::string& text) {
  auto summary = RunImport(server, options, FileOf(text));
  EXPECT_TRUE(summary.ok()) << summary.status().ToString();
  return summary.ok() ? std::move(summary).value() : ImportSummary();
}

TEST(Importer, SendsEveryRecordOnce) {
  FakeServer server;
  const ImportSummary summary = Import(server, Options(), "user,item\nann,lamp\nbob,rug\n");
  EXPECT_EQ(summary.end, End::kDone);
  EXPECT_EQ(summary.records, 2U);
  EXPECT_EQ(summary.sent, 2U);
  EXPECT_THAT(server.events(), ElementsAre("ann lamp", "bob rug"));
}

TEST(Importer, SendsWhatTheColumnsSay) {
  FakeServer server;
  ImportOptions options = Options();
  options.columns.weight = "w";
  options.columns.time = "t";
  options.columns.time_unit = TimeUnit::kSeconds;
  options.columns.type = "k";
  Import(server, options, "user,item,w,t,k\nann,lamp,2.5,10,view\nbob,rug,,11,\n");
  const auto commands = server.event_commands();
  ASSERT_THAT(commands, SizeIs(2));
  EXPECT_THAT(commands[0], ElementsAre("RECO.ADD", "shop", "ann", "lamp", "2.5", "TYPE", "view",
                                       "TS", "10000", "ID", StartsWith("imp:")));
  EXPECT_THAT(commands[1], ElementsAre("RECO.ADD", "shop", "bob", "rug", "TS", "11000", "ID",
                                       StartsWith("imp:")));
}

TEST(Importer, SetReplacesAndNeedsNoToken) {
  FakeServer server;
  ImportOptions options = Options();
  options.columns.weight = "w";
  options.replace = true;
  const ImportSummary summary = Import(server, options, "user,item,w\nann,lamp,4\nbob,rug,\n");
  EXPECT_THAT(server.event_commands(),
              ElementsAre(ElementsAre("RECO.SET", "shop", "ann", "lamp", "4")));
  EXPECT_EQ(summary.bad, 1U);
}

TEST(Importer, ReadsJsonLines) {
  FakeServer server;
  ImportOptions options = Options();
  options.columns.user = "u.id";
  options.columns.time = "t";
  options.reader.format = Format::kJsonLines;
  const ImportSummary summary = Import(server, options,
                                       "{\"u\":{\"id\":\"ann\"},\"item\":7,\"t\":978300760}\n"
                                       "{\"item\":8}\nnone\n");
  EXPECT_EQ(summary.records, 3U);
  EXPECT_EQ(summary.bad, 2U);
  EXPECT_EQ(summary.times.unit, TimeUnit::kSeconds);
  EXPECT_THAT(server.events(), ElementsAre("ann 7"));
}

TEST(Importer, CountsWhatItPassesOver) {
  FakeServer server;
  ImportOptions options = Options();
  options.columns.time = "t";
  options.columns.no_time = NoTime::kSkip;
  const ImportSummary summary =
      Import(server, options, "user,item,t\na,b,978300760\nuser,item,t\na,c,\na,d,978300761\n");
  EXPECT_EQ(summary.records, 3U);
  EXPECT_EQ(summary.sent, 2U);
  EXPECT_EQ(summary.skipped, 1U);
  EXPECT_EQ(summary.bad, 0U);
  EXPECT_EQ(summary.repeated_headers, 1U);
  EXPECT_EQ(summary.times.first_ms, 978'300'760'000);
  EXPECT_EQ(summary.times.last_ms, 978'300'761'000);
  EXPECT_THAT(server.events(), ElementsAre("a b", "a d"));
}

TEST(Importer, CountsAndShowsBadLines) {
  FakeServer server;
  server.Refuse("bomb", "ERR weight is out of range");
  const ImportSummary summary =
      Import(server, Options(), "user,item\nann\n,lamp\n\"x\"y,z\nann,bomb\nann,rug\n");
  EXPECT_EQ(summary.end, End::kDone);
  EXPECT_EQ(summary.bad, 4U);
  EXPECT_THAT(server.events(), ElementsAre("ann rug"));
  ASSERT_THAT(summary.bad_lines, SizeIs(4));
  EXPECT_EQ(summary.bad_lines[0].line, 2U);
  EXPECT_EQ(summary.bad_lines[2].line, 4U);
  EXPECT_EQ(summary.bad_lines[3].line, 5U);
  EXPECT_THAT(summary.bad_lines[3].message, HasSubstr("out of range"));
}

TEST(Importer, StopsWhenThereAreTooManyBadLines) {
  FakeServer server;
  ImportOptions options = Options();
  options.errors_max = 2;
  const ImportSummary summary = Import(server, options, "user,item\na\nb\nc\nann,rug\n");
  EXPECT_EQ(summary.end, End::kTooManyErrors);
  EXPECT_EQ(summary.bad, 3U);
  EXPECT_THAT(server.events(), IsEmpty());
}

TEST(Importer, ProgressFollowsTheAcknowledgements) {
  FakeServer server;
  server.CutAfter(kProgressEvery + 3'000);
  ImportOptions options = Options();
  options.pipeline = 100;
  const ImportSummary summary = Import(server, options, Lines(30'000));
  EXPECT_EQ(summary.end, End::kLost);
  ASSERT_THAT(server.strings(), SizeIs(1));
  const auto [key, value] = *server.strings().begin();
  EXPECT_THAT(key, StartsWith("reco:import:"));
  EXPECT_THAT(value, HasSubstr(" " + std::to_string(kProgressEvery)));
  EXPECT_LE(summary.sent, kProgressEvery + 3'000);
}

TEST(Importer, ResumesAfterACutConnectionWithoutCountingTwice) {
  const std::string text = Lines(25'000);
  for (const std::uint64_t cut : {1ULL, 10'000ULL, 10'001ULL, 24'999ULL}) {
    FakeServer server;
    server.CutAfter(cut);
    const ImportSummary first = Import(server, Options(), text);
    EXPECT_EQ(first.end, End::kLost) << cut;
    EXPECT_GE(server.events().size(), first.sent) << cut;
    const ImportSummary second = Import(server, Options(), text);
    EXPECT_EQ(second.end, End::kDone) << cut;
    EXPECT_EQ(second.records, 25'000U) << cut;
    // Progress is kept in steps, so most of what went through is not sent again.
    EXPECT_LE(cut - std::min(cut, second.resumed), kProgressEvery + Options().pipeline) << cut;
    const auto events = server.events();
    ASSERT_EQ(events.size(), 25'000U) << cut;
    for (std::size_t i = 0; i < events.size(); i += 777) {
      EXPECT_EQ(events[i], "u" + std::to_string(i + 1) + " i" + std::to_string(i + 1)) << cut;
    }
  }
}

TEST(Importer, SurvivesManyCuts) {
  FakeServer server;
  const std::string text = Lines(20'000);
  int runs = 0;
  End end = End::kLost;
  while (end == End::kLost && runs < 20) {
    server.CutAfter(3'001);
    end = Import(server, Options(), text).end;
    ++runs;
  }
  EXPECT_EQ(end, End::kDone);
  EXPECT_EQ(runs, 7);
  EXPECT_EQ(server.events().size(), 20'000U);
}

TEST(Importer, ResumesPastRefusedRecords) {
  FakeServer server;
  server.Refuse("i5", "OOM command not allowed when used memory > 'maxmemory'.");
  const ImportSummary first = Import(server, Options(), Lines(12'000));
  EXPECT_EQ(first.end, End::kRefused);
  EXPECT_THAT(first.refusal, StartsWith("OOM"));
  // The record that was refused is not taken for done, whatever went through behind it.
  for (const auto& [key, value] : server.strings()) {
    EXPECT_THAT(value, ::testing::EndsWith(" 0"));
  }
  server.Refuse("i5", "");
  EXPECT_EQ(Import(server, Options(), Lines(12'000)).end, End::kDone);
  EXPECT_EQ(server.events().size(), 12'000U);
}

TEST(Importer, AFinishedFileIsNotImportedTwice) {
  FakeServer server;
  Import(server, Options(), Lines(10));
  EXPECT_THAT(server.last_set(), ElementsAre("SET", StartsWith("reco:import:"),
                                             ::testing::EndsWith(" 10 done"), "EX", "86400"));
  const ImportSummary second = Import(server, Options(), Lines(10));
  EXPECT_EQ(second.end, End::kAlreadyDone);
  EXPECT_EQ(server.events().size(), 10U);
}

TEST(Importer, AgainImportsItOnceMore) {
  FakeServer server;
  Import(server, Options(), Lines(10));
  ImportOptions options = Options();
  options.again = true;
  EXPECT_EQ(Import(server, options, Lines(10)).end, End::kDone);
  EXPECT_EQ(server.events().size(), 20U);
  EXPECT_EQ(server.repeated_tokens(), 0U);
}

TEST(Importer, AFinishedStreamIsForgotten) {
  FakeServer server;
  Input input = FileOf(Lines(10));
  input.is_stream = true;
  ASSERT_TRUE(RunImport(server, Options(), std::move(input)).ok());
  EXPECT_THAT(server.strings(), IsEmpty());
}

TEST(Importer, OtherColumnsAreAnotherImport) {
  FakeServer server;
  Import(server, Options(), Lines(10));
  ImportOptions swapped = Options();
  std::swap(swapped.columns.user, swapped.columns.item);
  EXPECT_EQ(Import(server, swapped, Lines(10)).end, End::kDone);
  ImportOptions other_key = Options();
  other_key.key = "other";
  EXPECT_EQ(Import(server, other_key, Lines(10)).end, End::kDone);
  // Speed and tolerance change nothing about what is imported.
  ImportOptions faster = Options();
  faster.pipeline = 7;
  faster.errors_max = 0;
  EXPECT_EQ(Import(server, faster, Lines(10)).end, End::kAlreadyDone);
}

TEST(Importer, AForeignValueUnderTheProgressKeyIsAnError) {
  FakeServer server;
  Import(server, Options(), Lines(1));
  const std::string key = server.strings().begin()->first;
  auto connection = client::Connection::Open({"127.0.0.1", server.port(), {}});
  ASSERT_TRUE(connection.ok());
  ASSERT_TRUE(connection->Call({"SET", key, "hello"}).ok());
  const auto summary = RunImport(server, Options(), FileOf(Lines(1)));
  EXPECT_EQ(summary.status().code(), StatusCode::kInvalidArgument);
}

TEST(Importer, EmptyInputIsAnError) {
  FakeServer server;
  EXPECT_EQ(RunImport(server, Options(), FileOf("")).status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(Import(server, Options(), "user,item\n").records, 0U);
}

TEST(Connection, PasswordIsSent) {
  FakeServer server;
  server.RequirePassword("sesame");
  EXPECT_TRUE(client::Connection::Open({"127.0.0.1", server.port(), "sesame"}).ok());
  EXPECT_EQ(client::Connection::Open({"127.0.0.1", server.port(), "wrong"}).status().code(),
            StatusCode::kFailedPrecondition);
  const auto summary = RunImport(server, Options(), FileOf(Lines(1)));
  ASSERT_TRUE(summary.ok());
  EXPECT_EQ(summary->end, End::kRefused);
  EXPECT_THAT(summary->refusal, StartsWith("NOAUTH"));
}

TEST(RefusesAllWrites, TellsTheServersStateFromTheRecords) {
  EXPECT_TRUE(RefusesAllWrites("MISCONF Errors writing to the log: no space"));
  EXPECT_TRUE(RefusesAllWrites("WRONGTYPE Operation against a key"));
  EXPECT_TRUE(RefusesAllWrites("ERR unknown command 'RECO.ADD', with args"));
  EXPECT_FALSE(RefusesAllWrites("ERR weight is out of range"));
  EXPECT_FALSE(RefusesAllWrites("OOMPH"));
}

}  // namespace
}  // namespace reco::admin
