#include "tools/admin/importer.h"

#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "testing/temp_dir.h"
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

// A stream when `name` is empty.
Input InputOf(const std::string& text, const std::string& name) {
  Input input;
  input.source = MemorySource(text, 1 << 16);
  input.is_stream = name.empty();
  input.path = name.empty() ? "-" : name;
  return input;
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

// Where a test's files of lost lines lie.
class Importer : public ::testing::Test {
 protected:
  Result<ImportSummary> Run(const FakeServer& server, const ImportOptions& options,
                            const std::string& text, const std::string& name) {
    auto connection = client::Connection::Open({"127.0.0.1", server.port(), {}});
    if (!connection.ok()) {
      return connection.status();
    }
    terminal::ProgressMeter meter("", "", terminal::ProgressStyle::kSilent, stderr);
    const std::string path = name.empty() ? "" : folder_.path() + "/" + name;
    const auto open = [&]() -> Result<Input> { return InputOf(text, path); };
    return admin::Importer(*connection, options, meter, open).Run(InputOf(text, path));
  }
  // Imports a file called clicks.csv, unless told another name; "": a stream.
  ImportSummary Import(const FakeServer& server, const ImportOptions& options,
                       const std::string& text, const std::string& name = "clicks.csv") {
    auto summary = Run(server, options, text, name);
    EXPECT_TRUE(summary.ok()) << summary.status().ToString();
    return summary.ok() ? std::move(summary).value() : ImportSummary();
  }
  static std::string TextOf(const std::string& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  const reco::testing::TempDir folder_;
};

TEST_F(Importer, SendsEveryRecordOnce) {
  FakeServer server;
  const ImportSummary summary = Import(server, Options(), "user,item\nann,lamp\nbob,rug\n");
  EXPECT_EQ(summary.end, End::kDone);
  EXPECT_EQ(summary.records, 2U);
  EXPECT_EQ(summary.sent, 2U);
  EXPECT_THAT(server.events(), ElementsAre("ann lamp", "bob rug"));
}

TEST_F(Importer, SendsWhatTheColumnsSay) {
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

TEST_F(Importer, SetReplacesAndNeedsNoToken) {
  FakeServer server;
  ImportOptions options = Options();
  options.columns.weight = "w";
  options.replace = true;
  const ImportSummary summary = Import(server, options, "user,item,w\nann,lamp,4\nbob,rug,\n");
  EXPECT_THAT(server.event_commands(),
              ElementsAre(ElementsAre("RECO.SET", "shop", "ann", "lamp", "4")));
  EXPECT_EQ(summary.lost, 1U);
}

TEST_F(Importer, ReadsJsonLines) {
  FakeServer server;
  ImportOptions options = Options();
  options.columns.user = "u.id";
  options.columns.time = "t";
  options.reader.format = Format::kJsonLines;
  const ImportSummary summary = Import(server, options,
                                       "{\"u\":{\"id\":\"ann\"},\"item\":7,\"t\":978300760}\n"
                                       "{\"item\":8}\nnone\n");
  EXPECT_EQ(summary.records, 3U);
  EXPECT_EQ(summary.lost, 2U);
  EXPECT_EQ(summary.times.unit, TimeUnit::kSeconds);
  EXPECT_THAT(server.events(), ElementsAre("ann 7"));
}

TEST_F(Importer, CountsWhatItPassesOver) {
  FakeServer server;
  ImportOptions options = Options();
  options.columns.time = "t";
  options.columns.no_time = NoTime::kSkip;
  const ImportSummary summary =
      Import(server, options, "user,item,t\na,b,978300760\nuser,item,t\na,c,\na,d,978300761\n");
  EXPECT_EQ(summary.records, 3U);
  EXPECT_EQ(summary.sent, 2U);
  EXPECT_EQ(summary.skipped, 1U);
  EXPECT_EQ(summary.lost, 0U);
  EXPECT_EQ(summary.repeated_headers, 1U);
  EXPECT_EQ(summary.times.first_ms, 978'300'760'000);
  EXPECT_EQ(summary.times.last_ms, 978'300'761'000);
  EXPECT_THAT(server.events(), ElementsAre("a b", "a d"));
}

TEST_F(Importer, CountsAndShowsLostLines) {
  FakeServer server;
  server.Refuse("bomb", "ERR weight is out of range");
  const ImportSummary summary =
      Import(server, Options(), "user,item\nann\n,lamp\n\"x\"y,z\nann,bomb\nann,rug\n");
  EXPECT_EQ(summary.end, End::kDone);
  EXPECT_EQ(summary.lost, 4U);
  EXPECT_THAT(server.events(), ElementsAre("ann rug"));
  ASSERT_THAT(summary.lost_lines, SizeIs(4));
  EXPECT_EQ(summary.lost_lines[0].line, 2U);
  EXPECT_EQ(summary.lost_lines[2].line, 4U);
  EXPECT_EQ(summary.lost_lines[3].line, 5U);
  EXPECT_THAT(summary.lost_lines[3].message, HasSubstr("out of range"));
}

TEST_F(Importer, LostLinesCanBeMendedAndImportedByThemselves) {
  FakeServer server;
  server.Refuse("bomb", "ERR no type is called\n'buy'");
  const std::string text = "user,item\nann,lamp\nann\nann,bomb\nbob,rug\n";
  const ImportSummary first = Import(server, Options(), text);
  EXPECT_EQ(first.rejects_path, folder_.path() + "/clicks.csv.rejects");
  EXPECT_EQ(TextOf(first.rejects_path),
            "user,item\n#reco: line 3: 1 fields instead of 2\nann\n"
            "#reco: line 4: ERR no type is called?'buy'\nann,bomb\n");
  server.Refuse("bomb", "");
  const ImportSummary second = Import(
      server, Options(), "user,item\n#reco: line 3: 1 fields\nann,desk\n#reco: x\nann,bomb\n",
      "clicks.csv.rejects");
  EXPECT_EQ(second.end, End::kDone);
  EXPECT_EQ(second.lost, 0U);
  EXPECT_EQ(second.rejects_path, "");
  EXPECT_THAT(server.events(), ElementsAre("ann lamp", "bob rug", "ann desk", "ann bomb"));
}

TEST_F(Importer, NoOlderFileOfLostLinesIsWrittenOver) {
  FakeServer server;
  ImportOptions again = Options();
  again.again = true;
  for (const std::string ending : {".rejects", ".rejects.2", ".rejects.3"}) {
    EXPECT_EQ(Import(server, again, "user,item\nann\n").rejects_path,
              folder_.path() + "/clicks.csv" + ending);
  }
}

TEST_F(Importer, AnImportWhoseLostLinesCannotBeKeptStops) {
  FakeServer server;
  const std::string text = "user,item\nann\nann,lamp\n";
  const ImportSummary first = Import(server, Options(), text, "no/such/folder.csv");
  EXPECT_EQ(first.end, End::kNoRejects);
  EXPECT_EQ(first.rejects_path, "");
  EXPECT_THAT(first.rejects_failure, HasSubstr("No such file"));
  // The next one meets them again.
  const ImportSummary second = Import(server, Options(), text);
  EXPECT_EQ(second.end, End::kDone);
  EXPECT_EQ(second.lost_before, 0U);
  EXPECT_EQ(second.rejects_path, folder_.path() + "/clicks.csv.rejects");
  EXPECT_THAT(server.events(), ElementsAre("ann lamp"));
}

TEST_F(Importer, AllLinesMayBeLost) {
  FakeServer server;
  std::string text = "user,item\n";
  for (int i = 0; i < 50; ++i) {
    text += "u" + std::to_string(i) + "\n";
  }
  const ImportSummary first = Import(server, Options(), text);
  EXPECT_EQ(first.end, End::kDone);
  EXPECT_EQ(first.lost, 50U);
  const ImportSummary second = Import(server, Options(), text);
  EXPECT_EQ(second.end, End::kAlreadyDone);
  EXPECT_EQ(second.lost, 50U);
  EXPECT_EQ(second.lost_before, 50U);
  EXPECT_EQ(second.rejects_path, "");
  EXPECT_THAT(server.events(), IsEmpty());
}

TEST_F(Importer, StopsAfterSoManyLostLinesAndGoesOnLater) {
  FakeServer server;
  ImportOptions options = Options();
  options.stop_after = 3;
  const std::string text = "user,item\na\nb\nc\nann,rug\n";
  const ImportSummary first = Import(server, options, text);
  EXPECT_EQ(first.end, End::kStopped);
  EXPECT_EQ(first.lost, 3U);
  const ImportSummary second = Import(server, options, text);
  EXPECT_EQ(second.end, End::kDone);
  EXPECT_EQ(second.lost_before, 3U);
  EXPECT_EQ(second.rejects_path, "");
  EXPECT_THAT(server.events(), ElementsAre("ann rug"));
}

TEST_F(Importer, ProgressFollowsTheAcknowledgements) {
  FakeServer server;
  server.CutAfter(kProgressEvery + 3'000);
  ImportOptions options = Options();
  options.pipeline = 100;
  const ImportSummary summary = Import(server, options, Lines(30'000));
  EXPECT_EQ(summary.end, End::kLost);
  ASSERT_THAT(server.strings(), SizeIs(2));  // by its first record, and by its name
  for (const auto& [key, value] : server.strings()) {
    EXPECT_THAT(key, StartsWith("reco:import:1:"));
    EXPECT_THAT(value, HasSubstr(" 8191 0 "));  // 1, 3, 7, ..., then each 10,000
  }
  EXPECT_LE(summary.sent, kProgressEvery + 3'000);
}

TEST_F(Importer, ResumesAfterACutConnectionWithoutCountingTwice) {
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

TEST_F(Importer, SurvivesManyCuts) {
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

TEST_F(Importer, ResumesPastRefusedRecords) {
  FakeServer server;
  server.Refuse("i5", "OOM command not allowed when used memory > 'maxmemory'.");
  const ImportSummary first = Import(server, Options(), Lines(12'000));
  EXPECT_EQ(first.end, End::kRefused);
  EXPECT_THAT(first.refusal, StartsWith("OOM"));
  // The record that was refused is not taken for done, whatever went through behind it.
  for (const auto& [key, value] : server.strings()) {
    EXPECT_THAT(value, HasSubstr(" 3 0 "));
  }
  server.Refuse("i5", "");
  EXPECT_EQ(Import(server, Options(), Lines(12'000)).end, End::kDone);
  EXPECT_EQ(server.events().size(), 12'000U);
}

TEST_F(Importer, AFinishedFileIsNotImportedTwice) {
  FakeServer server;
  Import(server, Options(), Lines(10));
  EXPECT_THAT(server.last_set(), ElementsAre("SET", StartsWith("reco:import:1:"),
                                             HasSubstr(" done "), "EX", "2592000"));
  const ImportSummary second = Import(server, Options(), Lines(10));
  EXPECT_EQ(second.end, End::kAlreadyDone);
  EXPECT_EQ(second.records, 10U);
  EXPECT_EQ(server.events().size(), 10U);
}

// What counts is what would be sent.
TEST_F(Importer, TheSameContentUnderAnotherNameOrSpellingIsKnown) {
  FakeServer server;
  Import(server, Options(), "user,item\nann,lamp\nbob,rug\n");
  for (const std::string text :
       {"user,item\nann,lamp\nbob,rug", "user,item\r\nann,lamp\r\nbob,rug\r\n",
        "user,item\n\"ann\",lamp\n\nbob,\"rug\"\n", "item,user,x\nlamp,ann,1\nrug,bob,2\n"}) {
    EXPECT_EQ(Import(server, Options(), text, "copy.csv").end, End::kAlreadyDone) << text;
    EXPECT_EQ(Import(server, Options(), text, "").end, End::kAlreadyDone) << text;
  }
  EXPECT_EQ(server.events().size(), 2U);
}

TEST_F(Importer, OfAFileThatHasGrownTheNewLinesAreSent) {
  FakeServer server;
  Import(server, Options(), Lines(12'000));
  const ImportSummary grown = Import(server, Options(), Lines(25'000));
  EXPECT_EQ(grown.end, End::kDone);
  EXPECT_EQ(grown.resumed, 12'000U);
  EXPECT_EQ(grown.sent, 13'000U);
  EXPECT_EQ(Import(server, Options(), Lines(25'001), "").sent, 1U);
  EXPECT_EQ(server.events().size(), 25'001U);
  EXPECT_EQ(server.repeated_tokens(), 0U);
}

TEST_F(Importer, OfAChangedFileNothingIsSentUntilItIsSaidWhat) {
  std::string mended = Lines(100);
  mended.replace(mended.find("u7,i7\n"), 6, "u7,lamp\n");
  std::string first_mended = Lines(100);
  first_mended.replace(first_mended.find("u1,i1\n"), 6, "u1,lamp\n");
  std::string shorter = Lines(100);
  shorter.erase(shorter.find("u50,i50\n"), 8);
  for (const std::string& text : {mended, first_mended, shorter}) {
    FakeServer server;
    Import(server, Options(), Lines(100));
    const ImportSummary changed = Import(server, Options(), text);
    EXPECT_EQ(changed.end, End::kChanged);
    ASSERT_TRUE(changed.earlier);
    EXPECT_EQ(changed.earlier->records, 100U);
    EXPECT_EQ(server.events().size(), 100U);
    ImportOptions anyway = Options();
    anyway.resume_anyway = true;
    const ImportSummary resumed = Import(server, anyway, text + "new,rug\n");
    EXPECT_EQ(resumed.end, text == shorter ? End::kAlreadyDone : End::kDone);
    EXPECT_EQ(resumed.records, text == shorter ? 100U : 101U);
    EXPECT_EQ(server.events().size(), text == shorter ? 100U : 101U);
    // Which is what the server knows of it from then on.
    EXPECT_EQ(Import(server, Options(), text + "new,rug\n").end, End::kAlreadyDone);
    ImportOptions again = Options();
    again.again = true;
    EXPECT_EQ(Import(server, again, text).sent, text == shorter ? 99U : 100U);
  }
}

TEST_F(Importer, AnotherFileUnderTheSameNameIsImported) {
  FakeServer server;
  Import(server, Options(), "user,item\nann,lamp\nbob,rug\n");
  EXPECT_EQ(Import(server, Options(), "user,item\ncyd,desk\neve,sofa\n").sent, 2U);
  // Also one that begins with the same record.
  EXPECT_EQ(Import(server, Options(), "user,item\nann,lamp\nx,1\nx,2\nx,3\n", "other.csv").end,
            End::kChanged);  // half of two records: too little to tell
  EXPECT_EQ(Import(server, Options(), Lines(40), "a.csv").sent, 40U);
  std::string other = "user,item\nu1,i1\n";
  for (int i = 0; i < 40; ++i) {
    other += "v" + std::to_string(i) + ",lamp\n";
  }
  EXPECT_EQ(Import(server, Options(), other, "b.csv").sent, 41U);
}

// Nor does it take anything that begins alike for its own.
TEST_F(Importer, AStreamThatBrokeOffTakesNothingFromTheNext) {
  FakeServer server;
  server.CutAfter(5'000);
  EXPECT_EQ(Import(server, Options(), Lines(8'000), "").end, End::kLost);
  const std::size_t before = server.events().size();
  std::string other = Lines(100);
  for (int i = 0; i < 3'000; ++i) {
    other += "v" + std::to_string(i) + ",lamp\n";
  }
  EXPECT_EQ(Import(server, Options(), other, "").end, End::kDone);
  EXPECT_EQ(server.events().size(), before + 3'100);
  // One that has most of it asks.
  EXPECT_EQ(Import(server, Options(), other.substr(0, other.size() - 20) + "x,y\n", "").end,
            End::kChanged);
}

TEST_F(Importer, AStreamIsReadASecondTimeFromWhereItBrokeOff) {
  FakeServer server;
  server.CutAfter(15'000);
  EXPECT_EQ(Import(server, Options(), Lines(30'000), "").end, End::kLost);
  const ImportSummary second = Import(server, Options(), Lines(30'000), "");
  EXPECT_EQ(second.end, End::kDone);
  EXPECT_GE(second.resumed, 5'000U);
  EXPECT_EQ(server.events().size(), 30'000U);
}

TEST_F(Importer, AgainImportsItOnceMore) {
  FakeServer server;
  Import(server, Options(), Lines(10));
  ImportOptions options = Options();
  options.again = true;
  EXPECT_EQ(Import(server, options, Lines(10)).end, End::kDone);
  EXPECT_EQ(server.events().size(), 20U);
  EXPECT_EQ(server.repeated_tokens(), 0U);
}

// What is known is never written back to less, or what lies behind would be sent again.
TEST_F(Importer, ProgressNeverGoesBack) {
  FakeServer server;
  Import(server, Options(), Lines(60'000));
  const auto before = server.strings();
  server.CutAfter(1);
  EXPECT_EQ(Import(server, Options(), Lines(60'001)).end, End::kLost);
  EXPECT_EQ(server.strings(), before);
  EXPECT_EQ(Import(server, Options(), Lines(60'001)).end, End::kDone);
  EXPECT_EQ(server.events().size(), 60'001U);
}

TEST_F(Importer, AFileAndALongerOneThatBeginsWithItAreBothKnown) {
  FakeServer server;
  Import(server, Options(), Lines(100), "monday.csv");
  EXPECT_EQ(Import(server, Options(), Lines(700), "tuesday.csv").sent, 600U);
  for (const std::string name : {"monday.csv", "copy.csv", "monday.csv"}) {
    const End expected = name == "copy.csv" ? End::kChanged : End::kAlreadyDone;
    EXPECT_EQ(Import(server, Options(), Lines(100), name).end, expected) << name;
    EXPECT_EQ(Import(server, Options(), Lines(700), "third.csv").end, End::kAlreadyDone);
  }
  EXPECT_EQ(server.events().size(), 700U);
}

TEST_F(Importer, AFileThatWasCutOffIsAChangedOne) {
  FakeServer server;
  Import(server, Options(), Lines(20'000));
  for (const int count : {1, 10, 1'000, 19'999}) {
    EXPECT_EQ(Import(server, Options(), Lines(count)).end, End::kChanged) << count;
    EXPECT_EQ(Import(server, Options(), Lines(count), "head.csv").end, End::kChanged) << count;
  }
  EXPECT_EQ(server.events().size(), 20'000U);
}

// Whatever made it another collection: DEL, UNLINK, RENAME, FLUSHALL, expiry.
TEST_F(Importer, AnotherCollectionUnderTheKeyIsImportedAnew) {
  FakeServer server;
  Import(server, Options(), Lines(10));
  server.ReplaceCollections();
  EXPECT_EQ(Import(server, Options(), Lines(10)).end, End::kDone);
  EXPECT_EQ(server.events().size(), 20U);
}

// Whoever resumes with less than was finished takes nothing away from what is known.
TEST_F(Importer, AShorterFileResumedAnywayLeavesTheProgress) {
  FakeServer server;
  Import(server, Options(), Lines(1'000));
  const auto before = server.strings();
  ImportOptions anyway = Options();
  anyway.resume_anyway = true;
  EXPECT_EQ(Import(server, anyway, Lines(500)).end, End::kAlreadyDone);
  EXPECT_EQ(server.strings(), before);
  EXPECT_EQ(Import(server, Options(), Lines(1'000)).end, End::kAlreadyDone);
}

// What went into the first one is noted for it, and nothing of what came later.
TEST_F(Importer, ACollectionRenamedMeanwhileCanBeCompleted) {
  FakeServer server;
  server.ReplaceCollectionsAfter(15'000);
  EXPECT_EQ(Import(server, Options(), Lines(40'000)).end, End::kReplaced);
  std::uint64_t most = 0;
  for (const auto& [key, value] : server.strings()) {
    const auto noted = Decode(value);
    ASSERT_TRUE(noted.ok());
    most = std::max(most, noted->records);
  }
  EXPECT_GE(most, 8'000U);
  EXPECT_LE(most, 15'000U);
}

TEST_F(Importer, ACollectionDeletedMeanwhileIsSaid) {
  FakeServer server;
  server.ReplaceCollectionsAfter(5'000);
  EXPECT_EQ(Import(server, Options(), Lines(10'000)).end, End::kReplaced);
  EXPECT_EQ(Import(server, Options(), Lines(10'000)).sent, 10'000U);
}

TEST_F(Importer, OtherColumnsAreAnotherImport) {
  FakeServer server;
  Import(server, Options(), Lines(10));
  ImportOptions swapped = Options();
  std::swap(swapped.columns.user, swapped.columns.item);
  EXPECT_EQ(Import(server, swapped, Lines(10)).end, End::kDone);
  // Speed and tolerance change nothing about what is imported.
  ImportOptions faster = Options();
  faster.pipeline = 7;
  faster.allow_errors = 5;
  EXPECT_EQ(Import(server, faster, Lines(10)).end, End::kAlreadyDone);
}

TEST_F(Importer, AForeignValueUnderTheProgressKeyIsAnError) {
  FakeServer server;
  Import(server, Options(), Lines(1));
  auto connection = client::Connection::Open({"127.0.0.1", server.port(), {}});
  ASSERT_TRUE(connection.ok());
  for (const auto& [key, value] : server.strings()) {
    ASSERT_TRUE(connection->Call({"SET", key, "hello"}).ok());
  }
  EXPECT_EQ(Run(server, Options(), Lines(1), "clicks.csv").status().code(),
            StatusCode::kInvalidArgument);
}

TEST_F(Importer, EmptyInputIsAnError) {
  FakeServer server;
  EXPECT_EQ(Run(server, Options(), "", "clicks.csv").status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(Import(server, Options(), "user,item\n").records, 0U);
}

TEST_F(Importer, PasswordIsSent) {
  FakeServer server;
  server.RequirePassword("sesame");
  EXPECT_TRUE(client::Connection::Open({"127.0.0.1", server.port(), "sesame"}).ok());
  EXPECT_EQ(client::Connection::Open({"127.0.0.1", server.port(), "wrong"}).status().code(),
            StatusCode::kFailedPrecondition);
  const ImportSummary summary = Import(server, Options(), Lines(1));
  EXPECT_EQ(summary.end, End::kRefused);
  EXPECT_THAT(summary.refusal, StartsWith("NOAUTH"));
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
