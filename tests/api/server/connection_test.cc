// What one connection costs and gets, whatever its peer does.
#include "api/server/connection.h"

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/server/running_server.h"

namespace reco::api {
namespace {

using ::testing::HasSubstr;

class ConnectionTest : public ServerTest {
 protected:
  // A value that GET answers.
  void SetBig() { ASSERT_TRUE(database_->Set("big", std::string(kBig, 'x')).ok()); }
  // `gets` times GET and a number.
  static std::string Pipeline(int gets) {
    std::string requests;
    for (int i = 0; i < gets; ++i) {
      requests += "GET big\r\nECHO " + std::to_string(i) + "\r\n";
    }
    return requests;
  }
  static void ExpectReplies(Peer& peer, int gets) {
    for (int i = 0; i < gets; ++i) {
      ASSERT_EQ(peer.ReadBulk().size(), kBig);
      ASSERT_EQ(peer.ReadBulk(), std::to_string(i));
    }
  }
  // The value of a field in the line that CLIENT LIST has of the client.
  static std::uint64_t FieldOf(Peer& asker, const std::string& client, const std::string& field) {
    asker.Send("CLIENT LIST ID " + client + "\r\n");
    const std::string line = asker.ReadBulk();
    const std::size_t at = line.find(" " + field + "=");
    return at == std::string::npos ? 0 : std::stoull(line.substr(at + field.size() + 2));
  }
  static std::string IdOf(Peer& peer) {
    const std::string reply = peer.Ask("CLIENT ID\r\n");
    return reply.substr(1, reply.size() - 3);
  }

  static constexpr std::size_t kBig = 100'000;
  static constexpr std::size_t kUnsentMax = 1U << 20U;
};

// The wall clock and the other one, which does not follow it.
class SteppedClock final : public Clock {
 public:
  std::int64_t NowMs() const override { return SystemClock().NowMs() + wall_ms; }
  std::int64_t MonotonicUs() const override { return SystemClock().MonotonicUs() + monotonic_us; }

  std::atomic<std::int64_t> wall_ms = 0;
  std::atomic<std::int64_t> monotonic_us = 0;
};

// Once a second the limits of time are compared; after this call with the clock as it is now.
void AwaitCron(Peer& peer, const Server& server) {
  std::uint64_t before = 0;
  do {
    before = server.commands_per_second();
    ASSERT_EQ(peer.Ask("ECHO a\r\n"), "$1\r\n");
    ASSERT_EQ(peer.ReadLine(), "a\r\n");
  } while (server.commands_per_second() == before);
}

// Replies that nobody reads are not made; read at last, all are there, in order.
TEST_F(ConnectionTest, RequestsOfWhoDoesNotReadWait) {
  StartServer("io-threads 1\n");
  SetBig();
  constexpr int kGets = 1'000;  // 100 MB
  Peer other = Connect();
  std::vector<std::unique_ptr<Peer>> peers;
  std::vector<std::string> ids;
  for (int i = 0; i < 5; ++i) {
    peers.push_back(std::make_unique<Peer>(server_->port()));
    ids.push_back(IdOf(*peers.back()));
    peers.back()->Send(Pipeline(kGets));
  }
  for (const std::string& id : ids) {
    // All of its requests have come, and it is full.
    while (FieldOf(other, id, "obl") <= kUnsentMax || FieldOf(other, id, "qbuf") < 10'000) {
      std::this_thread::yield();
    }
  }
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(other.Ask("PING\r\n"), "+PONG\r\n");
    for (const std::string& id : ids) {
      EXPECT_LE(FieldOf(other, id, "omem"), kUnsentMax + kBig + 100);
    }
  }
  for (const auto& peer : peers) {
    ExpectReplies(*peer, kGets);
  }
}

// The whole pipeline is read, however long its replies are.
TEST_F(ConnectionTest, WhoWritesAllBeforeItReadsIsAnswered) {
  StartServer();
  SetBig();
  Peer peer = Connect();
  const std::string padding(2'000, ' ');
  std::string requests;
  for (int i = 0; i < 8'000; ++i) {  // 16 MB, far beyond what sockets hold
    requests += "ECHO " + padding + std::to_string(i) + "\r\n";
    requests += i % 40 == 0 ? "GET big\r\n" : "";
  }
  peer.Send(requests);
  for (int i = 0; i < 8'000; ++i) {
    ASSERT_EQ(peer.ReadBulk(), std::to_string(i));
    if (i % 40 == 0) {
      ASSERT_EQ(peer.ReadBulk().size(), kBig);
    }
  }
}

// Beyond the limit of requests its sending waits, and nothing is lost.
TEST_F(ConnectionTest, WhoSendsMoreThanTheQueryBufferHoldsIsSlowedDown) {
  StartServer("client-query-buffer-limit 1mb\nio-threads 1\n");
  SetBig();
  Peer other = Connect();
  Peer peer = Connect();
  const std::string id = IdOf(peer);
  std::string requests = Pipeline(200);
  const std::string padding(50'000, ' ');
  for (int i = 200; i < 1'000; ++i) {  // 40 MB
    requests += padding + "GET big\r\nECHO " + std::to_string(i) + "\r\n";
  }
  std::thread sender([&] { peer.Send(requests); });
  while (FieldOf(other, id, "qbuf") < 1U << 20U) {
    std::this_thread::yield();
  }
  for (int i = 0; i < 100; ++i) {
    EXPECT_LT(FieldOf(other, id, "qbuf"), 4U << 20U);
  }
  ExpectReplies(peer, 1'000);
  sender.join();
}

// It would wait for the server to read on, and the server for it to read.
TEST_F(ConnectionTest, WhoSendsMoreThanThatAndNeverReadsIsClosedAfterAMinute) {
  SteppedClock clock;
  StartServer("client-query-buffer-limit 1mb\nio-threads 1\n", clock);
  SetBig();
  Peer other = Connect();
  Peer peer = Connect();
  const std::string id = IdOf(peer);
  const std::string requests = Pipeline(200) + std::string(100'000, ' ') + "PING\r\n";
  std::thread sender([&] {
    while (peer.TrySend(requests)) {
    }
  });
  while (FieldOf(other, id, "qbuf") < 1U << 20U) {
    std::this_thread::yield();
  }
  clock.monotonic_us = 30'000'000;
  AwaitCron(other, *server_);
  AwaitCron(other, *server_);
  EXPECT_GE(FieldOf(other, id, "qbuf"), 1U << 20U);
  clock.monotonic_us = 100'000'000;
  sender.join();
  EXPECT_EQ(server_->query_limit_disconnections.value(), 1U);
  EXPECT_EQ(other.Ask("PING\r\n"), "+PONG\r\n");
}

TEST_F(ConnectionTest, WhoHasEndedItsInputGetsAllReplies) {
  StartServer("io-threads 1\n");
  SetBig();
  Peer peer = Connect();
  peer.Send(Pipeline(300) + "SET done 1\r\nGET big\r\nunfinished");
  peer.EndInput();
  ExpectReplies(peer, 300);
  EXPECT_EQ(peer.ReadLine(), "+OK\r\n");
  EXPECT_EQ(peer.ReadBulk().size(), kBig);
  EXPECT_EQ(peer.ReadToEnd(), "");
  EXPECT_TRUE(database_->Get("done")->has_value());
}

// What has been read is carried out, as by Redis, though nobody is there to be told.
TEST_F(ConnectionTest, WritesOfWhoIsGoneAreCarriedOut) {
  StartServer("io-threads 1\n");
  SetBig();
  Peer other = Connect();
  for (const bool reset : {false, true}) {
    auto peer = std::make_unique<Peer>(server_->port());
    const std::string id = IdOf(*peer);
    peer->Send(Pipeline(300) + "RECO.MADD shop ann lamp 1 bob lamp 1\r\n" + "SELECT 1\r\n" +
               Pipeline(300) + "SET there 1\r\n");
    while (FieldOf(other, id, "qbuf") < 10'000) {
      std::this_thread::yield();
    }
    if (reset) {
      peer->ResetAtEnd();
    }
    peer.reset();
    // A client is taken off the list before its socket is closed.
    while (server_->clients().size() > 1 || server_->sockets.load() > 1) {
      std::this_thread::yield();
    }
    EXPECT_TRUE(database_->Get({"there", 1})->has_value());
    ASSERT_TRUE(database_->Flush(1).ok());
  }
  EXPECT_EQ(other.Ask("RECO.USER COUNT shop\r\n"), ":2\r\n");
}

// A pipeline that is long, but not in its replies, gives way to others.
TEST_F(ConnectionTest, ALongPipelineIsRunInTurns) {
  StartServer("io-threads 1\n");
  SetBig();
  Peer peer = Connect();
  Peer other = Connect();
  const std::string id = IdOf(peer);
  constexpr int kSets = 10'000;  // their replies alone are not too many for a turn
  const std::string padding(1'000, ' ');
  std::string sets;
  for (int i = 1; i <= kSets; ++i) {
    sets += "SET count " + padding + std::to_string(i) + "\r\n";
  }
  // This thread may be slow to ask, but not each time.
  bool seen = false;
  for (int round = 0; round < 50 && !seen; ++round) {
    peer.Send(Pipeline(300) + sets);
    while (FieldOf(other, id, "qbuf") < sets.size()) {
      std::this_thread::yield();
    }
    ExpectReplies(peer, 300);
    // They run now, without another read that could part them.
    EXPECT_EQ(peer.ReadLine(), "+OK\r\n");
    other.Send("GET count\r\n");
    seen = std::stoi(other.ReadBulk()) < kSets;
    peer.Read(5 * (kSets - 1));
  }
  EXPECT_TRUE(seen);
}

TEST_F(ConnectionTest, ClientListShowsWhatIsUnsentNow) {
  StartServer("io-threads 1\n");
  SetBig();
  Peer other = Connect();
  Peer peer = Connect();
  const std::string id = IdOf(peer);
  ASSERT_TRUE(database_->Set("medium", std::string(50'000, 'x')).ok());  // leaves within a turn
  for (int i = 0; i < 20; ++i) {
    peer.Send("GET medium\r\n");
    ASSERT_EQ(peer.ReadBulk().size(), 50'000U);
    EXPECT_EQ(FieldOf(other, id, "obl"), 0U);
    EXPECT_EQ(FieldOf(other, id, "qbuf"), 0U);
  }
}

// While the folder is opened again, those alone wait whose requests need it.
TEST_F(ConnectionTest, WhoNeedsNoDataDoesNotWaitForARecovery) {
  StartServer("appendfsync always\nio-threads 1\n");
  SetBig();
  Peer peer = Connect();
  Peer other = Connect();
  faults_.Arm({.nth = 1, .and_later = true});
  EXPECT_EQ(peer.Ask("SET a 1\r\n").substr(0, 8), "-MISCONF");
  faults_.HoldSyncs(true);
  faults_.Disarm();
  faults_.AwaitHeldSync();  // of the next try
  peer.Send("PING\r\nGET big\r\nSET a 2\r\nPING\r\n");
  EXPECT_EQ(peer.ReadLine(), "+PONG\r\n");
  for (int i = 0; i < 50; ++i) {
    EXPECT_EQ(other.Ask("PING\r\n"), "+PONG\r\n");
    other.Send("INFO\r\n");
    EXPECT_THAT(other.ReadBulk(), HasSubstr("writes_refused:1\r\n"));
    EXPECT_FALSE(peer.HasAnswer());
  }
  faults_.HoldSyncs(false);
  EXPECT_EQ(peer.ReadBulk().size(), kBig);
  EXPECT_EQ(peer.ReadLine(), "+OK\r\n");
  EXPECT_EQ(peer.ReadLine(), "+PONG\r\n");
}

TEST_F(ConnectionTest, AStepOfTheWallClockClosesNobody) {
  SteppedClock clock;
  StartServer("io-threads 1\ntimeout 1000\n", clock);
  Peer other = Connect();
  Peer idle = Connect();
  const std::string id = IdOf(idle);
  clock.wall_ms = 1'000'000'000;
  AwaitCron(other, *server_);
  AwaitCron(other, *server_);
  EXPECT_LT(FieldOf(other, id, "idle"), 1'000U);
  EXPECT_LT(FieldOf(other, id, "age"), 1'000U);
  EXPECT_EQ(idle.Ask("PING\r\n"), "+PONG\r\n");
  clock.wall_ms = -1'000'000'000;
  clock.monotonic_us = 500'000'000;
  EXPECT_GE(FieldOf(other, id, "idle"), 500U);
  clock.monotonic_us = 1'500'000'000;
  EXPECT_EQ(other.Ask("PING\r\n"), "+PONG\r\n");  // is not idle
  EXPECT_EQ(idle.ReadToEnd(), "");
}

}  // namespace
}  // namespace reco::api
