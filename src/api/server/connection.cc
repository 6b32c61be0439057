// The life of a socket, in the order of this file: it is accepted, its input is parsed and run,
// fast commands here and slow ones on a worker, the replies wait for the commit of the turn, they
// are sent, and the connection ends, by itself or at a limit.
#include "api/server/connection.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "api/server/io_thread.h"
#include "api/server/server.h"
#include "base/check.h"

namespace reco::api {
namespace {

namespace asio = boost::asio;
using Tcp = asio::ip::tcp;

// A connection yields to the others once it has run, or answered, so much.
constexpr std::size_t kInputPerTurnMax = 64U << 10U;
constexpr std::size_t kOutputPerTurnMax = 64U << 10U;
// With more than this unsent, a connection runs no further request (D48).
constexpr std::size_t kOutputUnsentMax = 1U << 20U;
constexpr std::size_t kInputWhileWaitingMax = 64U << 10U;  // of a client that waits for a job
constexpr std::size_t kOutputKept = 64U << 10U;            // capacity that stays when all is sent
constexpr std::int64_t kUsPerSecond = 1'000'000;
constexpr std::int64_t kDrainUs = 2 * kUsPerSecond;
// At the limit of requests for so long and not a byte of replies read: it will write first, for
// ever.
constexpr std::int64_t kStuckUs = 60 * kUsPerSecond;
constexpr std::string_view kBusy = "ERR too many slow commands are waiting for a worker thread";

std::string FormatEndpoint(const Tcp::endpoint& endpoint) {
  const asio::ip::address& address = endpoint.address();
  const std::string host = address.is_v6() ? "[" + address.to_string() + "]" : address.to_string();
  return host + ":" + std::to_string(endpoint.port());
}

// Makes the kernel probe the peer after `idle_s` of silence; three lost probes end the connection,
// as in Redis.
void SetKeepAlive(int fd, std::int64_t idle_s) {
  const int on = 1;
  const int idle = static_cast<int>(idle_s);
  const int interval = idle / 3 > 0 ? idle / 3 : 1;
  const int count = 3;
  setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
  setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof(idle));
  setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof(interval));
  setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof(count));
}

// Returns true iff this call belongs on a worker: a row may leave that to the arguments.
bool IsSlow(const CommandSpec& spec, const CommandContext& context) {
  return (spec.flags & kSlowWorker) != 0 && (spec.slow == nullptr || spec.slow(context));
}

// Returns true while this call would wait for a recovery of the folder.
bool WaitsForRecovery(const CommandSpec& spec, const CommandContext& context) {
  return (spec.flags & (kWrite | kReadonly)) != 0 && context.database.Recovering();
}

// Returns true while this call had better be made later, as its collection says; `rounds`: how
// often it did so.
bool IsHeldUp(const CommandSpec& spec, const CommandContext& context, int rounds) {
  const auto key = static_cast<std::size_t>(spec.keys.first);
  return (spec.flags & kWrite) != 0 && spec.group == CommandSpec().group && key > 0 &&
         key < context.args.size() &&
         context.database.HoldsUpWrites(context.Key(context.args[key]),
                                        std::int64_t{rounds} * IoThread::kHoldUpIntervalMs);
}

}  // namespace

std::shared_ptr<Connection> Connection::Make(Tcp::socket socket, IoThread& thread) {
  boost::system::error_code error;
  const Tcp::endpoint peer = socket.remote_endpoint(error);
  if (error) {
    return nullptr;
  }
  const Tcp::endpoint local = socket.local_endpoint(error);
  // The replies of a turn leave together; Nagle's algorithm would only hold them back.
  socket.set_option(Tcp::no_delay(true), error);
  socket.non_blocking(true, error);
  if (error) {
    return nullptr;
  }
  const std::int64_t keepalive_s = thread.options().tcp_keepalive_s;
  if (keepalive_s > 0) {
    SetKeepAlive(socket.native_handle(), keepalive_s);
  }
  const std::uint64_t id = thread.server().clients().NextId();
  return std::shared_ptr<Connection>(new Connection(std::move(socket), thread, id, peer, local));
}

Connection::Connection(Tcp::socket socket, IoThread& thread, std::uint64_t id,
                       const Tcp::endpoint& peer, const Tcp::endpoint& local)
    : Client(id, FormatEndpoint(peer), FormatEndpoint(local), socket.native_handle(),
             thread.server().clock().MonotonicUs()),
      thread_(thread),
      socket_(std::move(socket)),
      peer_(peer.address()) {}

Connection::~Connection() {
  thread_.server().clients().Remove(*this);
  thread_.server().sockets.fetch_sub(1, std::memory_order_relaxed);
}

void Connection::Start() {
  set_authenticated(thread_.options().requirepass.empty());
  thread_.server().clients().Add(this);
  thread_.server().Write(LogLevel::kVerbose, "Accepted " + address());
  ReadMore();
}

void Connection::Refuse(std::string_view error) {
  Reply(&output_, 2).Error(error);
  CloseAfterReply();
  state_ = State::kClosing;
  sendable_ = output_.size();
  Flush();
}

bool Connection::IsChoked() const {
  return output_.size() - sent_ > kOutputUnsentMax;
}

void Connection::ReadMore() {
  // While a worker is waited for, no read is begun: Prepare() could move the arguments.
  const bool wanted = state_ == State::kOpen || state_ == State::kDraining;
  if (!wanted || reading_ || suspended_ || input_ended_) {
    return;
  }
  // What has come waits for the end of the turn. Who does not read is read on, since it may be
  // about to write all of its pipeline first; at the limit TCP slows it down, and CheckLimits()
  // ends who never reads.
  if (resume_ && (!IsChoked() || IsFull())) {
    return;
  }
  // Who waits for a job is read, to notice when it is gone; what it sends meanwhile is bounded.
  if (waiter_ != nullptr && input_.pending().size() >= kInputWhileWaitingMax) {
    return;
  }
  const std::span<char> space = input_.Prepare();
  if (space.empty()) {
    thread_.server().Write(LogLevel::kWarning, "no memory for the input of client " + address());
    Close();
    return;
  }
  reading_ = true;
  socket_.async_read_some(
      asio::buffer(space.data(), space.size()),
      [self = shared_from_this()](const boost::system::error_code& error, std::size_t bytes) {
        self->OnRead(error, bytes);
      });
}

void Connection::OnRead(const boost::system::error_code& error, std::size_t bytes) {
  reading_ = false;
  if (state_ == State::kClosed) {
    return;
  }
  if (error) {
    EndInput(/*gone=*/error != asio::error::eof);
    return;
  }
  ThreadStatistics& statistics = thread_.statistics();
  statistics.reads.Add();
  statistics.input_bytes.Add(bytes);
  // The bytes are dropped: without Append() the next read overwrites them.
  if (state_ == State::kDraining) {
    ReadMore();
    return;
  }
  set_last_seen_us(thread_.server().clock().MonotonicUs());
  input_.Append(bytes);
  if (parked_) {
    resume_ = state_ == State::kOpen;
    return;
  }
  ProcessInput();
}

void Connection::EndInput(bool gone) {
  if (state_ == State::kDraining) {
    Close();
    return;
  }
  // As in Redis, what has been read is run all the same, but for what stands behind a wait. Who has
  // ended its own direction only gets the replies.
  input_ended_ = true;
  muted_ = muted_ || gone;
  if (waiter_ != nullptr) {
    waiter_.reset();
    set_blocked(false);
    state_ = State::kClosing;
  }
  Flush();
  GoOn();
}

void Connection::GoOn() {
  if (resume_ && !parked_ && state_ == State::kOpen) {
    ProcessInput();
  }
}

std::size_t Connection::QueryBytesMax() const {
  return static_cast<std::size_t>(thread_.options().query_buffer_bytes_max);
}

bool Connection::IsFull() const {
  return input_.pending().size() >= QueryBytesMax();
}

void Connection::ConsumeRequest() {
  input_.Consume(parser_.consumed());
  turn_input_ += parser_.consumed();
}

void Connection::ProcessInput() {
  resume_ = false;
  bool more = true;
  while (more && state_ == State::kOpen && !busy()) {
    // A long pipeline gives way to the other connections; Settle() goes on here.
    if (turn_input_ > kInputPerTurnMax || output_.size() - sendable_ > kOutputPerTurnMax) {
      resume_ = true;
      TouchTurn();
      break;
    }
    // Replies that nobody reads are not made: their requests are smaller (D48). Flush() makes room.
    if (IsChoked()) {
      resume_ = true;
      break;
    }
    // Asked anew for each request, because AUTH and CONFIG SET may stand in the same input.
    const ServerOptions& options = thread_.options();
    const RequestParser::Limits limits{
        .bulk_bytes_max = options.bulk_bytes_max,
        .authenticated = authenticated() || options.requirepass.empty()};
    switch (parser_.Parse(input_.pending(), limits)) {
      case RequestParser::Outcome::kIncomplete:
        more = false;
        break;
      case RequestParser::Outcome::kEmpty:
        ConsumeRequest();
        break;
      case RequestParser::Outcome::kRequest:
        more = ProcessRequest(parser_.arguments());
        break;
      case RequestParser::Outcome::kError: {
        // The error takes its place behind the replies of this turn and waits for their commit,
        // which is what NoteReply and TouchTurn see to. The rest of the input is never looked at.
        const std::size_t start = output_.size();
        Reply(&output_, protocol()).Error("ERR " + parser_.error());
        thread_.statistics().CountError(std::string_view(output_).substr(start));
        thread_.server().Write(LogLevel::kVerbose, parser_.error() + " from client " + address());
        NoteReply(nullptr, start, thread_.server().database().generation());
        CloseAfterReply();
        state_ = State::kClosing;
        TouchTurn();
        break;
      }
    }
  }
  // All complete requests have run, so what is pending belongs to one unfinished request. Otherwise
  // the input may hold a pipeline, which is no offence; ReadMore() bounds it.
  if (state_ == State::kOpen && !busy() && !resume_ && input_.pending().size() > QueryBytesMax()) {
    thread_.server().query_limit_disconnections.Add();
    thread_.server().Write(LogLevel::kWarning,
                           "Closing client that reached max query buffer length: " + address());
    Close();
    return;
  }
  ReadMore();
  NoteBuffers();
  EndIfDone();
}

void Connection::NoteBuffers() {
  set_buffers(input_.pending().size(), input_.free_bytes(), output_.size() - sent_);
}

CommandContext Connection::ContextOf(std::span<const std::string_view> args, Reply& reply) {
  return {.database = thread_.server().database(),
          .server = thread_.server(),
          .client = *this,
          .db = db(),
          .args = args,
          .reply = reply};
}

bool Connection::ProcessRequest(std::span<const std::string_view> args) {
  const std::uint64_t generation = thread_.server().database().generation();
  const std::size_t start = output_.size();
  Reply reply(&output_, protocol());
  CommandContext context = ContextOf(args, reply);
  const CommandEntry* entry = nullptr;
  switch (thread_.dispatcher().Admit(thread_.options(), context, output_, &entry)) {
    case Dispatcher::Verdict::kDisconnect:
      thread_.server().Write(LogLevel::kWarning,
                             "Possible SECURITY ATTACK detected. It looks like somebody is sending "
                             "POST or Host: commands. Connection from " +
                                 address() + " aborted.");
      Close();
      return false;
    case Dispatcher::Verdict::kRefused:
      held_rounds_ = 0;
      break;
    case Dispatcher::Verdict::kRun:
      if (muted_ && (entry->spec->flags & kReadonly) != 0) {
        break;  // nobody is there to be told
      }
      if (WaitsForRecovery(*entry->spec, context) ||
          IsHeldUp(*entry->spec, context, held_rounds_)) {
        HoldUp();
        return false;
      }
      held_rounds_ = 0;
      if (!IsSlow(*entry->spec, context)) {
        thread_.dispatcher().Run(*entry, context, output_);
        if (context.wait.answer != nullptr) {
          StartWait(*entry, context.wait);
        }
      } else if (StartSlow(*entry)) {
        // The input is not consumed yet: the arguments that the worker reads are views into it.
        return false;
      }
      break;
  }
  ConsumeRequest();
  NoteReply(entry, start, generation);
  return true;
}

// Asks again later, without a thread that waits. The input is not consumed, as in StartSlow().
void Connection::HoldUp() {
  seen_ = std::max(seen_, Database::TakeSeen());
  if (++held_rounds_ == 1) {
    thread_.statistics().held_up.Add();
  }
  suspended_ = true;
  thread_.HoldUp(shared_from_this());
}

void Connection::EndHoldUp() {
  if (parked_) {
    when_settled_ = [this] { EndHoldUp(); };
    return;
  }
  suspended_ = false;
  if (state_ != State::kClosed && ProcessRequest(parser_.arguments())) {
    ProcessInput();
  }
}

// Hands the request to a worker. Returns false when the workers refuse it; the error is then
// answered.
bool Connection::StartSlow(const CommandEntry& entry) {
  suspended_ = true;
  // The worker touches nothing of the connection but the arguments and slow_output_, which are left
  // alone here while suspended_ is set, and what is atomic in a Client.
  const bool accepted = thread_.server().workers().Submit([self = shared_from_this(), &entry] {
    Connection& connection = *self;
    IoThread& thread = connection.thread_;
    Reply reply(&connection.slow_output_, connection.protocol());
    CommandContext context = connection.ContextOf(connection.parser_.arguments(), reply);
    // The io thread's dispatcher is confined to it and goes on serving others.
    connection.slow_generation_ = context.database.generation();
    Dispatcher(&thread.server(), &thread.statistics()).Run(entry, context, connection.slow_output_);
    connection.slow_seen_ = Database::TakeSeen();
    // Here, since a large write is a large commit, which would keep the io thread from others. The
    // turn asks what came of it.
    if (connection.slow_seen_ > context.database.CommittedUpTo(connection.slow_generation_)) {
      context.database.Commit(connection.slow_generation_).IgnoreError("told by the turn's commit");
    }
    asio::post(thread.context(), [self, &entry] { self->FinishSlow(entry); });
  });
  if (!accepted) {
    suspended_ = false;
    Reply(&output_, protocol()).Error(kBusy);
  }
  return accepted;
}

void Connection::FinishSlow(const CommandEntry& entry) {
  // The reply may tell of changes that the commit in progress does not cover.
  if (parked_) {
    when_settled_ = [this, &entry] { FinishSlow(entry); };
    return;
  }
  suspended_ = false;
  if (state_ == State::kClosed) {
    return;
  }
  // The reply joins output_ only here, because others may have been sent from it in the meantime.
  const std::size_t start = output_.size();
  output_ += slow_output_;
  slow_output_ = {};
  seen_ = std::max(seen_, slow_seen_);
  ConsumeRequest();
  NoteReply(&entry, start, slow_generation_);
  // Later requests of a pipeline have waited in the input.
  ProcessInput();
}

void Connection::StartWait(const CommandEntry& entry, const JobWait& wait) {
  set_blocked(true);
  waiter_ = std::make_unique<JobWaiter>(
      thread_.context(), thread_.server().database(), wait.job, wait.timeout_ms,
      [this, &entry, wait](const Result<JobInfo>& job) { FinishWait(entry, wait, job); });
}

void Connection::FinishWait(const CommandEntry& entry, const JobWait& wait,
                            const Result<JobInfo>& job) {
  // What the look at the job has noted is this connection's, also when it answers later.
  slow_seen_ = std::max(slow_seen_, Database::TakeSeen());
  if (parked_) {
    const std::uint64_t then = thread_.server().database().generation();
    when_settled_ = [this, &entry, wait, job, then] {
      thread_.NoteGeneration(then);
      FinishWait(entry, wait, job);
    };
    return;
  }
  waiter_.reset();
  set_blocked(false);
  seen_ = std::max(seen_, std::exchange(slow_seen_, 0));
  const std::uint64_t generation = thread_.server().database().generation();
  const std::size_t start = output_.size();
  Reply reply(&output_, protocol());
  CommandContext context = ContextOf({}, reply);
  context.wait = wait;
  thread_.dispatcher().Answer(entry, context, output_, job);
  NoteReply(&entry, start, generation);
  ProcessInput();
}

void Connection::NoteReply(const CommandEntry* entry, std::size_t start, std::uint64_t generation) {
  thread_.NoteGeneration(generation);
  const bool answered = output_.size() > start;
  const std::uint32_t flags = entry == nullptr ? 0 : entry->spec->flags;
  seen_ = std::max(seen_, Database::TakeSeen());
  // A read may have seen a write that the commit undoes (I3).
  if ((flags & (kWrite | kReadonly)) != 0 && !unsettled_ && answered) {
    unsettled_ = true;
    unsettled_start_ = start;
    unsettled_replies_ = 0;
  }
  // Later replies of the turn may tell of that write, so they hang on its commit as well (I3).
  unsettled_replies_ += unsettled_ && answered ? 1 : 0;
  if (close_after_reply() && state_ == State::kOpen) {
    state_ = State::kClosing;
  }
  TouchTurn();
}

void Connection::TouchTurn() {
  if (!touched_) {
    touched_ = true;
    thread_.Touch(shared_from_this());
  }
}

void Connection::Settle(const Status& committed) {
  touched_ = parked_ = false;
  if (state_ == State::kClosed) {
    return;
  }
  if (unsettled_ && !committed.ok()) {
    WithdrawReplies(committed);
  }
  unsettled_ = false;
  seen_ = 0;
  turn_input_ = 0;
  sendable_ = output_.size();
  Flush();
  // What was left meanwhile goes on, in a new turn.
  if (when_settled_ != nullptr) {
    std::exchange(when_settled_, nullptr)();
  }
  GoOn();
}

void Connection::WithdrawReplies(const Status& committed) {
  RECO_DCHECK(sendable_ <= unsettled_start_, "I3");
  // Each request still gets exactly one reply, or clients that pipeline would lose count.
  output_.resize(unsettled_start_);
  for (std::size_t i = 0; i < unsettled_replies_; ++i) {
    const std::size_t start = output_.size();
    Reply(&output_, protocol()).Failure(committed);
    thread_.statistics().CountError(std::string_view(output_).substr(start));
  }
}

void Connection::WaitUntilWritable() {
  waiting_to_write_ = true;
  // Waits instead of an asynchronous write, because output_ may grow and move meanwhile.
  socket_.async_wait(Tcp::socket::wait_write,
                     [self = shared_from_this()](const boost::system::error_code&) {
                       self->waiting_to_write_ = false;
                       if (self->state_ != State::kClosed) {
                         // As in Redis, who reads slowly is not idle.
                         self->set_last_seen_us(self->thread_.server().clock().MonotonicUs());
                         self->Flush();
                         self->GoOn();
                       }
                     });
}

void Connection::Flush() {
  // Also when the socket becomes writable in the middle of a later turn.
  RECO_DCHECK(sent_ <= sendable_ && sendable_ <= output_.size(), "I3");
  RECO_DCHECK(!unsettled_ || sendable_ <= unsettled_start_, "I3");
  // Sent at once: the socket nearly always has room, and a round through the event loop is saved.
  while (!waiting_to_write_ && !muted_ && sent_ < sendable_) {
    const ssize_t count = ::send(socket_.native_handle(), output_.data() + sent_, sendable_ - sent_,
                                 MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count >= 0) {
      sent_ += static_cast<std::size_t>(count);
      thread_.statistics().writes.Add();
      thread_.statistics().output_bytes.Add(static_cast<std::uint64_t>(count));
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      WaitUntilWritable();
    } else if (errno != EINTR) {
      input_ended_ = muted_ = true;
    }
  }
  if (muted_) {
    sent_ = sendable_;
  }
  if (sent_ == output_.size()) {
    output_.clear();
    sent_ = sendable_ = 0;
    // One large reply must not cost every idle connection its memory.
    if (output_.capacity() > kOutputKept) {
      output_.shrink_to_fit();
    }
  } else if (sent_ > output_.size() / 2 && !unsettled_) {
    // At most as much is moved as has been sent. Not while unsettled_start_ points into it.
    output_.erase(0, sent_);
    sendable_ -= sent_;
    sent_ = 0;
    if (output_.capacity() > kOutputKept && output_.size() <= output_.capacity() / 2) {
      output_.shrink_to_fit();
    }
  }
  NoteBuffers();
  CheckOutputLimits();
  EndIfDone();
}

void Connection::EndIfDone() {
  if (touched_ || busy() || !output_.empty()) {
    return;
  }
  if (state_ == State::kClosing) {
    Drain();
  } else if (state_ == State::kOpen && input_ended_ && !resume_) {
    Close();
  }
}

void Connection::CheckOutputLimits() {
  if (state_ == State::kClosed) {
    return;
  }
  // Every connection is of the class "normal", the first one.
  const OutputLimit& limit = thread_.options().output_limits[0];
  const auto pending = static_cast<std::int64_t>(output_.size() - sent_);
  const bool above_soft = limit.soft_bytes > 0 && pending > limit.soft_bytes;
  const std::int64_t now_us = above_soft ? thread_.server().clock().MonotonicUs() : 0;
  if (!above_soft) {
    soft_limit_since_us_ = 0;
  } else if (soft_limit_since_us_ == 0) {
    soft_limit_since_us_ = now_us;
  }
  if ((limit.hard_bytes > 0 && pending > limit.hard_bytes) ||
      (above_soft && (now_us - soft_limit_since_us_) / kUsPerSecond > limit.soft_seconds)) {
    thread_.server().output_limit_disconnections.Add();
    thread_.server().Write(
        LogLevel::kWarning,
        "Client " + address() + " closed for overcoming of output buffer limits");
    Close();
  }
}

void Connection::CheckLimits() {
  NoteBuffers();
  const std::int64_t now_us = thread_.server().clock().MonotonicUs();
  // A client that waits for its command is not idle.
  const std::int64_t timeout_s = thread_.options().timeout_s;
  if (state_ == State::kDraining && now_us >= drain_until_us_) {
    Close();
  } else if (state_ != State::kDraining && timeout_s > 0 && !busy() &&
             (now_us - last_seen_us()) / kUsPerSecond > timeout_s) {
    thread_.server().Write(LogLevel::kVerbose, "Closing idle client " + address());
    Close();
  } else if (state_ == State::kOpen && IsChoked() && IsFull() &&
             now_us - last_seen_us() > kStuckUs) {
    thread_.server().query_limit_disconnections.Add();
    thread_.server().Write(LogLevel::kWarning,
                           "Closing client that reached max query buffer length and reads no "
                           "replies: " +
                               address());
    Close();
  } else {
    // A soft limit also runs out while nothing is sent.
    CheckOutputLimits();
  }
}

// Ends the connection gently. Closing a socket with unread input resets it, which may destroy
// replies that the peer has not read yet, so only our direction is closed until the peer closes its
// own.
void Connection::Drain() {
  if (input_ended_) {
    Close();
    return;
  }
  state_ = State::kDraining;
  // Its place under maxclients is free from here on; the peer cannot be waited for.
  thread_.server().clients().Remove(*this);
  drain_until_us_ = thread_.server().clock().MonotonicUs() + kDrainUs;
  input_.Consume(input_.pending().size());
  boost::system::error_code error;
  socket_.shutdown(Tcp::socket::shutdown_send, error);
  ReadMore();
}

void Connection::Close() {
  if (state_ == State::kClosed) {
    return;
  }
  state_ = State::kClosed;
  waiter_.reset();
  when_settled_ = nullptr;
  thread_.server().clients().Remove(*this);
  // Forget() may drop the last other owner.
  const std::shared_ptr<Connection> self = shared_from_this();
  thread_.Forget(self);
  boost::system::error_code error;
  socket_.close(error);
}

void Connection::RequestClose() {
  // Holds no share: the connection may end before the request arrives.
  asio::post(thread_.context(), [weak = weak_from_this()] {
    if (const std::shared_ptr<Connection> self = weak.lock()) {
      self->Close();
    }
  });
}

}  // namespace reco::api
