// Connection: one socket. Parses what arrives, runs every complete command in order, gathers the
// replies, and sends them when the io thread's turn has been committed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include <boost/asio/ip/tcp.hpp>

#include "reco/status.h"

#include "api/commands/command_table.h"
#include "api/protocol/input_buffer.h"
#include "api/protocol/reply.h"
#include "api/protocol/request_parser.h"
#include "api/server/client.h"
#include "api/server/job_waiter.h"

namespace reco::api {

class IoThread;

// Confined to its io thread, except for what Client allows and RequestClose(). The io thread owns
// it until Close(); operations in flight keep it alive until they have ended.
class Connection final : public Client, public std::enable_shared_from_this<Connection> {
 public:
  // Returns a connection over the socket; null when that is no longer connected.
  static std::shared_ptr<Connection> Make(boost::asio::ip::tcp::socket socket, IoThread& thread);
  ~Connection() override;

  // Registers the client and starts to read.
  void Start();
  // Sends the error and closes, without registering the client.
  void Refuse(std::string_view error);
  // The newest change that the replies of the turn tell of, as Database::TakeSeen().
  std::uint64_t seen() const { return seen_; }
  // Runs no more requests until Settle(), which comes after this turn has ended.
  void Park() { parked_ = true; }
  // Asks again for a request that was held up.
  void EndHoldUp();
  // Sends what the turn has answered. `committed` says whether the replies to its writes, and those
  // behind them, may leave as they are; otherwise each is replaced by the error (I3).
  void Settle(const Status& committed);
  // Closes when the peer is idle, drains, stays above the soft limit or reads nothing at the limit
  // of requests for too long. Called each second.
  void CheckLimits();
  // Closes at once; nothing the second time.
  void Close();
  void RequestClose() override;

  const boost::asio::ip::address& peer() const { return peer_; }

 private:
  enum class State : std::uint8_t {
    kOpen,
    kClosing,   // reads no more requests; what is to be sent still is
    kDraining,  // all is sent; the peer's bytes are dropped until it closes too
    kClosed,
  };

  Connection(boost::asio::ip::tcp::socket socket, IoThread& thread, std::uint64_t id,
             const boost::asio::ip::tcp::endpoint& peer,
             const boost::asio::ip::tcp::endpoint& local);

  void ReadMore();
  void OnRead(const boost::system::error_code& error, std::size_t bytes);
  // The peer sends no more; `gone`: it does not read either.
  void EndInput(bool gone);
  // Runs the complete requests in the input, as far as this turn and unsent replies allow.
  void ProcessInput();
  // Goes on with input that was left, unless it is to be left again.
  void GoOn();
  // Returns true while so many replies are unsent that no more are made.
  bool IsChoked() const;
  std::size_t QueryBytesMax() const;
  bool IsFull() const;  // of requests
  void ConsumeRequest();
  // What a handler gets for a request of this client; refers to `args` and `reply`.
  CommandContext ContextOf(std::span<const std::string_view> args, Reply& reply);
  // Runs one request. Returns true when the next one may follow.
  bool ProcessRequest(std::span<const std::string_view> args);
  // Leaves a request for IoThread::kHoldUpInterval, because it would wait for a checkpoint or a
  // recovery.
  void HoldUp();
  bool StartSlow(const CommandEntry& entry);
  // Takes over the worker's reply, or leaves that to Settle().
  void FinishSlow(const CommandEntry& entry);
  // Has the request answered when its job has ended.
  void StartWait(const CommandEntry& entry, const JobWait& wait);
  void FinishWait(const CommandEntry& entry, const JobWait& wait, const Result<JobInfo>& job);
  // Returns true while a request is being answered elsewhere or later.
  bool busy() const { return suspended_ || waiter_ != nullptr; }
  // Takes note of the reply in [start, end of output_), made by a command that began in this
  // generation of the database; `entry` is null when none ran.
  void NoteReply(const CommandEntry* entry, std::size_t start, std::uint64_t generation);
  void TouchTurn();
  // Replaces the replies that a failed commit has made untrue.
  void WithdrawReplies(const Status& committed);
  void WaitUntilWritable();
  void Flush();
  void CheckOutputLimits();
  // Shows the buffers to others.
  void NoteBuffers();
  // Ends a connection that has nothing left to do.
  void EndIfDone();
  void Drain();

  IoThread& thread_;
  boost::asio::ip::tcp::socket socket_;
  const boost::asio::ip::address peer_;
  State state_ = State::kOpen;
  bool reading_ = false;    // a read is pending; the input must not move
  bool suspended_ = false;  // a worker runs a command whose arguments are in the input, or it waits
  bool parked_ = false;     // the turn is over, its commit is not
  bool resume_ = false;     // input was left, for GoOn(), after the turn or when there is room
  bool input_ended_ = false;
  bool muted_ = false;  // the peer is gone: replies are dropped
  bool touched_ = false;
  bool waiting_to_write_ = false;

  std::size_t turn_input_ = 0;  // bytes of requests that have run in this turn
  int held_rounds_ = 0;         // for which the request at hand was held up

  InputBuffer input_;
  RequestParser parser_;

  // [0, sent_) has left, [sent_, sendable_) may leave, the rest waits for the end of the turn (I3).
  std::string output_;
  std::size_t sent_ = 0;
  std::size_t sendable_ = 0;
  // The worker's, while suspended_; slow_seen_ also of a wait that has ended while parked_.
  std::string slow_output_;
  std::uint64_t slow_seen_ = 0;
  std::uint64_t slow_generation_ = 0;
  std::unique_ptr<JobWaiter> waiter_;   // while the request waits for a job
  std::function<void()> when_settled_;  // what came while parked_

  // From the first read or write of the turn on, replies depend on the commit.
  std::uint64_t seen_ = 0;
  bool unsettled_ = false;
  std::size_t unsettled_start_ = 0;
  std::size_t unsettled_replies_ = 0;

  std::int64_t soft_limit_since_us_ = 0;  // Clock::MonotonicUs; 0: not above it
  std::int64_t drain_until_us_ = 0;
};

}  // namespace reco::api
