// A server over loopback sockets: what connections see.
#include "api/server/server.h"

#include <chrono>
#include <list>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "reco/engine.h"

#include "api/all_commands.h"
#include "api/config/config_file.h"
#include "api/server/running_server.h"

namespace reco::api {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

TEST_F(ServerTest, AnswersPipelinesInOrder) {
  StartServer();
  Peer peer = Connect();
  std::string requests;
  std::string replies;
  for (int i = 0; i < 20'000; ++i) {
    const std::string text = std::to_string(i);
    requests += "*2\r\n$4\r\nECHO\r\n$" + std::to_string(text.size()) + "\r\n" + text + "\r\n";
    replies += "$" + std::to_string(text.size()) + "\r\n" + text + "\r\n";
  }
  std::thread sender([&] { peer.Send(requests); });
  EXPECT_EQ(peer.Read(replies.size()), replies);
  sender.join();
}

// The first GET may as well have seen what another connection wrote in this turn.
TEST_F(ServerTest, NoReplyOfATurnWhoseCommitFailsShowsData) {
  StartServer("appendfsync always\n");
  Peer peer = Connect();
  EXPECT_EQ(peer.Ask("SET old 1\r\n"), "+OK\r\n");
  faults_.Arm({.nth = 1, .and_later = true});
  peer.Send("PING\r\nGET old\r\nSET new 2\r\nGET new\r\n");
  EXPECT_EQ(peer.ReadLine(), "+PONG\r\n");
  for (int reply = 0; reply < 3; ++reply) {
    EXPECT_EQ(peer.ReadLine().substr(0, 8), "-MISCONF") << reply;
  }
  // Later ones read what was there before.
  EXPECT_EQ(peer.Ask("EXISTS old new\r\n"), ":1\r\n");
  faults_.Disarm();
}

// The number of clients that wait for something, as `asker` is told.
int Blocked(Peer& asker) {
  asker.Send("INFO clients\r\n");
  const std::string text = asker.ReadBulk();
  const std::size_t at = text.find("blocked_clients:");
  return std::stoi(text.substr(at + std::string_view("blocked_clients:").size()));
}

// Who waits for a job takes no thread: with one worker, slow commands of others are answered.
TEST_F(ServerTest, WhoWaitsForAJobKeepsNobodyWaiting) {
  StartServer("worker-threads 1\n");
  Fill("one");
  Fill("two");
  Peer running = Connect();
  Peer queued = Connect();
  running.Send("RECO.RETRAIN one SYNC iterations 1000\r\nPING\r\n");
  while (database_->Jobs().empty()) {
    std::this_thread::yield();
  }
  queued.Send("RECO.EVAL two iterations 1000\r\n");
  std::vector<std::unique_ptr<Peer>> waiting;
  for (int i = 0; i < 50; ++i) {
    waiting.push_back(std::make_unique<Peer>(server_->port()));
    waiting.back()->Send("RECO.JOB WAIT 1 0\r\n");
  }
  Peer other = Connect();
  const auto blocked = [&other] { return Blocked(other); };
  while (blocked() < 52) {
    std::this_thread::yield();
  }
  EXPECT_EQ(other.Ask("RECO.MODEL LIST two\r\n"), "*0\r\n");  // a worker's
  EXPECT_FALSE(waiting[0]->HasAnswer());
  running.Send(
      "RECO.ADD shop ann lamp\r\n");  // waits in the input, behind which a read is under way
  // At the end of its time, the job as it stands.
  Peer short_wait = Connect();
  EXPECT_EQ(short_wait.Ask("RECO.JOB WAIT 2 20\r\n")[0], '*');
  // Those who go are forgotten.
  waiting.resize(10);
  while (blocked() > 12) {
    std::this_thread::yield();
  }
  EXPECT_EQ(database_->Job(1)->finished_ms, 0);
  EXPECT_FALSE(running.HasAnswer());
  EXPECT_EQ(other.Ask("RECO.JOB CANCEL 2\r\n"), "+OK\r\n");
  EXPECT_EQ(other.Ask("RECO.JOB CANCEL 1\r\n"), "+OK\r\n");
  EXPECT_EQ(running.ReadLine(), "-ERR job 1 was cancelled\r\n");
  EXPECT_EQ(running.ReadLine(), "+PONG\r\n");
  EXPECT_EQ(running.ReadLine(), ":1\r\n");
  EXPECT_EQ(running.Ask("RECO.ADD shop ann lamp\r\n"), ":2\r\n");
  EXPECT_EQ(queued.ReadLine(), "-ERR job 2 was cancelled\r\n");
  for (const auto& peer : waiting) {
    EXPECT_EQ(peer->ReadLine()[0], '*');
  }
  EXPECT_EQ(blocked(), 0);
}

// A write of many words is a worker's; what follows it on the connection waits for it, and its
// failed commit is told.
TEST_F(ServerTest, LongRequestsOfAPipelineKeepTheirPlace) {
  StartServer("appendfsync always\nworker-threads 1\n");
  std::string add = "RECO.MADD shop";
  for (int i = 0; i < 150; ++i) {
    add += " u" + std::to_string(i) + " lamp 1";
  }
  Peer peer = Connect();
  peer.Send("PING\r\n" + add + "\r\nRECO.USER COUNT shop\r\n" + add + "\r\nPING\r\n");
  for (const char* reply : {"+PONG\r\n", ":150\r\n", ":150\r\n", ":300\r\n", "+PONG\r\n"}) {
    EXPECT_EQ(peer.ReadLine(), reply);
  }
  faults_.Arm({.nth = 1, .and_later = true});
  EXPECT_EQ(peer.Ask(add + "\r\n").substr(0, 8), "-MISCONF");
  faults_.Disarm();
}

TEST_F(ServerTest, AShutdownTellsThoseWhoWaitForAJob) {
  StartServer();
  Fill("one");
  Peer peer = Connect();
  peer.Send("RECO.RETRAIN one SYNC iterations 1000\r\n");
  // The job is there before its client waits for it.
  Peer other = Connect();
  while (Blocked(other) == 0) {
    std::this_thread::yield();
  }
  server_->Stop();
  EXPECT_EQ(peer.ReadToEnd(), "-ERR job 1 was cancelled\r\n");
}

// While a sync takes its time only those wait for it who wrote, or read what it is to make durable;
// on both io threads.
TEST_F(ServerTest, OnlyWhoReadWhatIsNotCommittedWaitsForTheDisk) {
  StartServer("appendfsync always\n");
  Peer writers[] = {Connect(), Connect()};
  Peer readers[] = {Connect(), Connect()};
  Peer others[] = {Connect(), Connect()};
  EXPECT_EQ(writers[0].Ask("SET quiet 1\r\n"), "+OK\r\n");
  EXPECT_EQ(writers[0].Ask("RECO.ADD still ann lamp\r\n"), ":1\r\n");
  EXPECT_EQ(writers[0].Ask("RECO.ADD shop ann lamp\r\n"), ":1\r\n");
  faults_.HoldSyncs(true);
  writers[0].Send("SET busy 2\r\n");
  faults_.AwaitHeldSync();
  writers[1].Send("RECO.ADD shop ann chair\r\n");
  while (database_->CountRecords("shop", Side::kItem).value() < 2) {
    std::this_thread::yield();
  }
  for (Peer& other : others) {
    EXPECT_EQ(other.Ask("GET quiet\r\n"), "$1\r\n");
    EXPECT_EQ(other.ReadLine(), "1\r\n");
    EXPECT_EQ(other.Ask("RECO.ITEM COUNT still\r\n"), ":1\r\n");
    EXPECT_EQ(other.Ask("EXISTS nothing\r\n"), ":0\r\n");
  }
  readers[0].Send("GET busy\r\n");
  // On the worker's thread, and a pipeline behind it.
  readers[1].Send("RECO.ITEM COUNT shop\r\nRECO.WHY shop ann lamp\r\nPING\r\n");
  for (int round = 0; round < 50; ++round) {
    EXPECT_EQ(others[round % 2].Ask("PING\r\n"), "+PONG\r\n");
    for (Peer* waiting : {&writers[0], &writers[1], &readers[0], &readers[1]}) {
      EXPECT_FALSE(waiting->HasAnswer());
    }
  }
  // What comes while the commit is waited for is run behind it.
  writers[0].Send("GET busy\r\n");
  faults_.HoldSyncs(false);
  EXPECT_EQ(writers[0].ReadLine(), "+OK\r\n");
  EXPECT_EQ(writers[0].ReadBulk(), "2");
  EXPECT_EQ(writers[1].ReadLine(), ":2\r\n");
  EXPECT_EQ(readers[0].ReadBulk(), "2");
  EXPECT_EQ(readers[1].ReadLine(), ":2\r\n");
}

// A write that has to wait for a checkpoint waits beside its io thread, and in its connection's
// order; others do not notice.
TEST_F(ServerTest, AWriteThatWaitsForACheckpointKeepsNobodyWaiting) {
  StartServer("appendfsync always\nio-threads 1\nworker-threads 1\ncheckpoint-events 100\n");
  std::string madd = "RECO.MADD shop";
  for (int i = 0; i < 100; ++i) {
    madd += " u" + std::to_string(i) + " lamp 1";
  }
  madd += "\r\n";
  Peer other = Connect();
  EXPECT_EQ(other.Ask("RECO.ADD still ann lamp\r\n"), ":1\r\n");
  faults_.HoldSyncs(true);
  std::list<Peer> fillers;
  // Each waits for the disk; the checkpoint that comes due does so, too.
  for (int i = 0; i < 50 && !database_->HoldsUpWrites("shop"); ++i) {
    fillers.emplace_back(server_->port()).Send(madd);
    EXPECT_EQ(other.Ask("PING\r\n"), "+PONG\r\n");
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  ASSERT_TRUE(database_->HoldsUpWrites("shop"));
  Peer held = Connect();
  auto gone = std::make_unique<Peer>(server_->port());
  gone->Send("RECO.ADD shop bob lamp\r\n");
  held.Send("RECO.ADD shop ann chair\r\nRECO.ITEM COUNT shop\r\nPING\r\n");
  for (int i = 0; i < 50; ++i) {
    EXPECT_EQ(other.Ask("PING\r\n"), "+PONG\r\n");
    EXPECT_EQ(other.Ask("RECO.TOPK still bob COUNT 1\r\n"), "*1\r\n");
    EXPECT_EQ(other.ReadBulk(), "lamp");
    EXPECT_FALSE(held.HasAnswer());
  }
  EXPECT_EQ(database_->CountRecords("shop", Side::kItem).value(), 1U);
  gone.reset();
  faults_.HoldSyncs(false);
  EXPECT_THAT(held.ReadLine(), StartsWith(":"));
  EXPECT_EQ(held.ReadLine(), ":2\r\n");
  EXPECT_EQ(held.ReadLine(), "+PONG\r\n");
  other.Send("INFO stats\r\n");
  EXPECT_THAT(other.ReadBulk(), HasSubstr("total_requests_held_up:2\r\n"));
}

// A client that has said all it had to gets its answers, as from Redis.
TEST_F(ServerTest, AHalfClosedClientGetsTheRepliesThatWaitForTheDisk) {
  StartServer("appendfsync always\nio-threads 1\n");
  Peer other = Connect();
  EXPECT_EQ(other.Ask("PING\r\n"), "+PONG\r\n");
  faults_.HoldSyncs(true);
  Peer peer = Connect();
  peer.Send("SET a 1\r\n");
  faults_.AwaitHeldSync();
  peer.EndInput();
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(other.Ask("PING\r\n"), "+PONG\r\n");
  }
  faults_.HoldSyncs(false);
  EXPECT_EQ(peer.ReadToEnd(), "+OK\r\n");
}

// A request that is none opens a turn as any other does.
TEST_F(ServerTest, AWriteBehindAProtocolErrorOfAnotherIsAcknowledged) {
  StartServer("io-threads 1\n");
  Peer broken = Connect();
  Peer peer = Connect();
  broken.Send("*1\r\nfoo\r\n");
  EXPECT_EQ(peer.Ask("SET a 1\r\n"), "+OK\r\n");
  EXPECT_THAT(broken.ReadToEnd(), StartsWith("-ERR Protocol error"));
}

TEST_F(ServerTest, ArgumentsAreBinarySafeAndLarge) {
  StartServer();
  Peer peer = Connect();
  std::string value(3'000'000, '\0');
  for (std::size_t i = 0; i < value.size(); ++i) {
    value[i] = static_cast<char>(i * 31 % 251);
  }
  peer.Send("*2\r\n$4\r\nECHO\r\n$3000000\r\n" + value + "\r\n");
  EXPECT_TRUE(peer.ReadBulk() == value);
}

TEST_F(ServerTest, ProtocolErrorIsAnsweredThenTheConnectionCloses) {
  StartServer();
  Peer peer = Connect();
  // What follows the broken request is neither run nor does it reset the connection.
  peer.Send("PING\r\n*1\r\nfoo\r\nPING\r\n" + std::string(200'000, 'x'));
  EXPECT_EQ(peer.ReadToEnd(), "+PONG\r\n-ERR Protocol error: expected '$', got 'f'\r\n");
}

TEST_F(ServerTest, RequestsOfAWebBrowserAreCutOffWithoutAnAnswer) {
  StartServer();
  Peer peer = Connect();
  peer.Send("POST / HTTP/1.1\r\nHost: x\r\n\r\nPING\r\n");
  EXPECT_EQ(peer.ReadToEnd(), "");
}

TEST_F(ServerTest, QuitAnswersAndCloses) {
  StartServer();
  Peer peer = Connect();
  peer.Send("QUIT\r\nPING\r\n");
  EXPECT_EQ(peer.ReadToEnd(), "+OK\r\n");
}

TEST_F(ServerTest, ResetConnectionsAreRoutine) {
  StartServer();
  for (int i = 0; i < 50; ++i) {
    Peer peer = Connect();
    peer.Send("PING\r\nPING");
    peer.ResetAtEnd();
  }
  EXPECT_EQ(Connect().Ask("PING\r\n"), "+PONG\r\n");
}

TEST_F(ServerTest, ChecksGoInRedisOrder) {
  StartServer("requirepass secret\n");
  Peer peer = Connect();
  EXPECT_THAT(peer.Ask("NOSUCH a b\r\n"),
              StartsWith("-ERR unknown command 'NOSUCH', with args beginning with: 'a' 'b' \r\n"));
  EXPECT_EQ(peer.Ask("ECHO\r\n"), "-ERR wrong number of arguments for 'echo' command\r\n");
  EXPECT_EQ(peer.Ask("ECHO a\r\n"), "-NOAUTH Authentication required.\r\n");
  EXPECT_EQ(peer.Ask("COMMAND COUNT\r\n"), "-NOAUTH Authentication required.\r\n");
  EXPECT_THAT(peer.Ask("HELLO 3\r\n"), StartsWith("-NOAUTH HELLO must be called"));
  EXPECT_THAT(peer.Ask("AUTH wrong\r\n"), StartsWith("-WRONGPASS "));
  EXPECT_THAT(peer.Ask("AUTH other secret\r\n"), StartsWith("-WRONGPASS "));
  EXPECT_EQ(peer.Ask("AUTH secret\r\n"), "+OK\r\n");
  EXPECT_EQ(peer.Ask("PING\r\n"), "+PONG\r\n");
  EXPECT_EQ(peer.Ask("RESET\r\n"), "+RESET\r\n");
  EXPECT_EQ(peer.Ask("PING\r\n"), "-NOAUTH Authentication required.\r\n");
  EXPECT_EQ(peer.Ask("HELLO 2 AUTH default secret\r\n"), "*14\r\n");
}

TEST_F(ServerTest, UnauthenticatedClientsMaySendLittle) {
  StartServer("requirepass secret\n");
  Peer peer = Connect();
  peer.Send("*11\r\n");
  EXPECT_EQ(peer.ReadToEnd(), "-ERR Protocol error: unauthenticated multibulk length\r\n");
  Peer other = Connect();
  other.Send("*1\r\n$16385\r\n");
  EXPECT_EQ(other.ReadToEnd(), "-ERR Protocol error: unauthenticated bulk length\r\n");
}

TEST_F(ServerTest, ConnectionPastMaxclientsGetsAnError) {
  StartServer("maxclients 2\n");
  Peer first = Connect();
  Peer second = Connect();
  ASSERT_EQ(first.Ask("PING\r\n"), "+PONG\r\n");
  ASSERT_EQ(second.Ask("PING\r\n"), "+PONG\r\n");
  EXPECT_EQ(Connect().ReadToEnd(), "-ERR max number of clients reached\r\n");
  EXPECT_EQ(first.Ask("PING\r\n"), "+PONG\r\n");
}

TEST_F(ServerTest, RequestsPastTheQueryBufferLimitCloseTheConnection) {
  StartServer("client-query-buffer-limit 1mb\n");
  Peer peer = Connect();
  EXPECT_TRUE(peer.TrySend("*2\r\n$4\r\nECHO\r\n$400000000\r\n"));
  const std::string piece(100'000, 'x');
  int pieces = 0;
  while (pieces < 4'000 && peer.TrySend(piece)) {
    ++pieces;
  }
  EXPECT_LT(pieces, 4'000);
  EXPECT_EQ(server_->query_limit_disconnections.value(), 1U);
}

TEST_F(ServerTest, RepliesPastTheOutputBufferLimitCloseTheConnection) {
  StartServer("client-output-buffer-limit normal 1mb 0 0\n");
  Peer peer = Connect();
  const std::string request =
      "*2\r\n$4\r\nECHO\r\n$100000\r\n" + std::string(100'000, 'x') + "\r\n";
  int requests = 0;
  while (requests < 4'000 && peer.TrySend(request)) {
    ++requests;
  }
  EXPECT_LT(requests, 4'000);
  EXPECT_EQ(server_->output_limit_disconnections.value(), 1U);
}

// The largest go first, and none more than have to.
TEST_F(ServerTest, ClientsAboveTheirMemoryTogetherAreClosed) {
  StartServer("maxmemory-clients 24mb\n");
  const auto ask_for = [](Peer& peer, int replies) {
    const std::string request =
        "*2\r\n$4\r\nECHO\r\n$100000\r\n" + std::string(100'000, 'x') + "\r\n";
    for (int i = 0; i < replies; ++i) {
      ASSERT_TRUE(peer.TrySend(request));
    }
  };
  Peer small = Connect();
  Peer kept = Connect();
  Peer large = Connect();
  EXPECT_EQ(kept.Ask("CLIENT NO-EVICT ON\r\n"), "+OK\r\n");
  ask_for(small, 30);
  ask_for(kept, 180);
  ask_for(large, 400);
  while (server_->evicted_clients.value() == 0) {
    std::this_thread::yield();
  }
  EXPECT_EQ(server_->evicted_clients.value(), 1U);
  EXPECT_EQ(kept.ReadBulk().size(), 100'000U);
  EXPECT_EQ(small.ReadBulk().size(), 100'000U);
}

TEST_F(ServerTest, ClientsThatDoNotReadGetEverythingLater) {
  StartServer();
  Peer peer = Connect();
  const std::string request =
      "*2\r\n$4\r\nECHO\r\n$100000\r\n" + std::string(100'000, 'x') + "\r\n";
  for (int i = 0; i < 200; ++i) {
    ASSERT_TRUE(peer.TrySend(request));
  }
  for (int i = 0; i < 200; ++i) {
    ASSERT_EQ(peer.ReadBulk().size(), 100'000U);
  }
}

TEST_F(ServerTest, HelloSwitchesTheProtocolAndKeepsItOnError) {
  StartServer();
  Peer peer = Connect();
  EXPECT_THAT(peer.Ask("HELLO 4\r\n"), StartsWith("-NOPROTO "));
  EXPECT_THAT(peer.Ask("HELLO 3 SETNAME \"a b\"\r\n"), StartsWith("-ERR Client names cannot"));
  EXPECT_EQ(peer.Ask("CONFIG GET nosuch\r\n"), "*0\r\n");
  EXPECT_EQ(peer.Ask("HELLO 3 SETNAME shop\r\n"), "%7\r\n");
  for (int line = 0; line < 25; ++line) {
    peer.ReadLine();
  }
  EXPECT_EQ(peer.Ask("CONFIG GET nosuch\r\n"), "%0\r\n");
  peer.Send("CLIENT GETNAME\r\n");
  EXPECT_EQ(peer.ReadBulk(), "shop");
}

TEST_F(ServerTest, ClientListShowsAndKillClosesConnections) {
  StartServer();
  Peer peer = Connect();
  Peer victim = Connect();
  const std::string id = victim.Ask("CLIENT ID\r\n").substr(1);
  EXPECT_EQ(victim.Ask("CLIENT SETNAME victim\r\n"), "+OK\r\n");
  EXPECT_EQ(victim.Ask("CLIENT SETINFO LIB-NAME test(lib)\r\n"), "+OK\r\n");
  peer.Send("CLIENT LIST\r\n");
  const std::string list = peer.ReadBulk();
  EXPECT_THAT(list, HasSubstr("name=victim "));
  EXPECT_THAT(list, HasSubstr("lib-name=test(lib) "));
  EXPECT_THAT(list, HasSubstr("cmd=client|list "));
  EXPECT_EQ(peer.Ask("CLIENT KILL 1.2.3.4:5\r\n"), "-ERR No such client\r\n");
  EXPECT_EQ(peer.Ask("CLIENT KILL ID " + id), ":1\r\n");
  EXPECT_EQ(victim.ReadToEnd(), "");
  EXPECT_EQ(peer.Ask("CLIENT KILL SKIPME no\r\n"), ":1\r\n");
  EXPECT_EQ(peer.ReadToEnd(), "");
}

TEST_F(ServerTest, ConfigSetTakesEffectAtOnce) {
  StartServer();
  Peer peer = Connect();
  EXPECT_EQ(peer.Ask("CONFIG SET proto-max-bulk-len 1mb\r\n"), "+OK\r\n");
  peer.Send("*2\r\n$4\r\nECHO\r\n$1048577\r\n");
  EXPECT_EQ(peer.ReadToEnd(), "-ERR Protocol error: invalid bulk length\r\n");
}

TEST_F(ServerTest, MemoryPastTheLimitRefusesWrites) {
  StartServer();
  Peer peer = Connect();
  EXPECT_EQ(peer.Ask("SET a b\r\n"), "+OK\r\n");
  EXPECT_EQ(peer.Ask("CONFIG SET maxmemory 1\r\n"), "+OK\r\n");
  // The engine adds its memory up in the background, so the first writes may still pass.
  std::string reply;
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(kPatienceMs);
  do {
    reply = peer.Ask("SET a c\r\n");
  } while (reply == "+OK\r\n" && std::chrono::steady_clock::now() < deadline);
  EXPECT_EQ(reply, "-OOM command not allowed when used memory > 'maxmemory'.\r\n");
  EXPECT_EQ(peer.Ask("DEL a\r\n"), ":1\r\n");
}

TEST_F(ServerTest, InfoCountsCommandsAndErrors) {
  StartServer();
  Peer peer = Connect();
  peer.Ask("ECHO\r\n");
  peer.Ask("SELECT 99\r\n");
  peer.Send("INFO commandstats errorstats\r\n");
  const std::string info = peer.ReadBulk();
  EXPECT_THAT(info, HasSubstr("cmdstat_echo:calls=0,usec=0,usec_per_call=0.00,rejected_calls=1"));
  EXPECT_THAT(info, HasSubstr("errorstat_ERR:count=2"));
  EXPECT_EQ(peer.Ask("CONFIG RESETSTAT\r\n"), "+OK\r\n");
  peer.Send("INFO errorstats\r\n");
  EXPECT_EQ(peer.ReadBulk(), "# Errorstats\r\n");
}

// Every counter of the section; what they count is not the folder's.
TEST_F(ServerTest, ResetSetsAllStatisticsBack) {
  StartServer();
  Peer peer = Connect();
  for (int i = 0; i < 20; ++i) {
    peer.Ask("RECO.ADD shop ann lamp\r\n");
    peer.Ask("RECO.HISTORY shop ann COUNT 1\r\n");
    peer.ReadBulk();
  }
  EXPECT_EQ(peer.Ask("SET brief 1 PX 1\r\n"), "+OK\r\n");
  const auto info = [&] {
    peer.Send("INFO stats\r\n");
    return peer.ReadBulk();
  };
  while (info().find("expired_keys:1\r\n") == std::string::npos) {
    std::this_thread::yield();
  }
  EXPECT_THAT(info(), Not(HasSubstr("row_cache_hits:0\r\n")));
  peer.Send("CONFIG RESETSTAT\r\nINFO stats\r\nINFO holds\r\n");
  EXPECT_EQ(peer.ReadLine(), "+OK\r\n");
  const std::string stats = peer.ReadBulk();
  for (const char* name : {"total_connections_received", "total_net_input_bytes",
                           "total_error_replies", "total_reads_processed", "expired_keys",
                           "row_cache_hits", "row_cache_misses", "row_cache_evictions"}) {
    EXPECT_THAT(stats, HasSubstr(std::string(name) + ":0\r\n"));
  }
  EXPECT_THAT(peer.ReadBulk(), Not(HasSubstr("hold_write")));
}

TEST_F(ServerTest, SelectedDatabasesAreApart) {
  StartServer();
  Peer peer = Connect();
  EXPECT_EQ(peer.Ask("SET a 1\r\n"), "+OK\r\n");
  EXPECT_EQ(peer.Ask("SELECT 1\r\n"), "+OK\r\n");
  EXPECT_EQ(peer.Ask("DBSIZE\r\n"), ":0\r\n");
  EXPECT_EQ(peer.Ask("SELECT 16\r\n"), "-ERR DB index is out of range\r\n");
  EXPECT_EQ(peer.Ask("FLUSHDB\r\n"), "+OK\r\n");
  EXPECT_EQ(peer.Ask("SELECT 0\r\n"), "+OK\r\n");
  EXPECT_EQ(peer.Ask("DBSIZE\r\n"), ":1\r\n");
  EXPECT_EQ(peer.Ask("FLUSHALL\r\n"), "+OK\r\n");
  EXPECT_EQ(peer.Ask("DBSIZE\r\n"), ":0\r\n");
}

TEST_F(ServerTest, ShutdownClosesConnectionsAndEndsTheWait) {
  StartServer();
  Peer peer = Connect();
  EXPECT_EQ(peer.Ask("SHUTDOWN ABORT\r\n"), "-ERR No shutdown in progress.\r\n");
  EXPECT_EQ(peer.Ask("SHUTDOWN SAVE NOSAVE\r\n"), "-ERR syntax error\r\n");
  Peer idle = Connect();
  ASSERT_EQ(idle.Ask("PING\r\n"), "+PONG\r\n");
  peer.Send("SHUTDOWN\r\n");
  server_->WaitForShutdown();
  server_->Stop();
  EXPECT_EQ(peer.ReadToEnd(), "");
  EXPECT_EQ(idle.ReadToEnd(), "");
}

TEST_F(ServerTest, SecondServerOnThePortIsToldWhy) {
  StartServer();
  ServerOptions options = DefaultOptions();
  options.bind = "127.0.0.1";
  options.port = server_->port();
  Server second(database_.get(), AllCommands(), options, log_.get());
  const Status status = second.Start();
  EXPECT_EQ(status.code(), StatusCode::kIoError);
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("127.0.0.1:" + std::to_string(server_->port()) + ": Address already"));
}

}  // namespace
}  // namespace reco::api
