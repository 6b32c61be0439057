// Importer: sends an input of interactions to a server, so that what was sent is not sent twice:
// an import that broke off goes on, an input that has grown sends its new lines, and one that was
// imported before sends nothing.
//
// Progress belongs to the collection, by the number that RECO.INFO tells, and to the content, by a
// running checksum of the records (import_history.h); nothing is passed over without comparing it.
// It is written behind the acknowledgements and a look at the collection's number, on the same
// connection as the records, so it never claims too much, and never goes back; what lies between it
// and the point of failure is sent again under the same idempotency tokens, made of the run, the
// record's number and its content, and changes nothing the second time. kProgressEvery plus the
// widest pipeline stays well below the 100,000 tokens that a collection remembers.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "reco/result.h"
#include "reco/status.h"

#include "tools/admin/byte_source.h"
#include "tools/admin/event_reader.h"
#include "tools/admin/import_history.h"
#include "tools/admin/lost_lines.h"
#include "tools/admin/rejects_file.h"
#include "tools/admin/spool.h"
#include "tools/client/connection.h"
#include "tools/terminal/progress.h"

namespace reco::admin {

inline constexpr std::size_t kPipelineMax = 10'000;
inline constexpr std::uint64_t kProgressEvery = 10'000;      // records; sooner at first
inline constexpr std::size_t kPendingBytesMax = 16U << 20U;  // of lines that are not settled yet

struct ImportOptions : EventOptions {
  std::string key;
  bool again = false;              // send all of it, whatever an earlier import has sent
  bool resume_anyway = false;      // pass over as many records as one has finished, changed or not
  std::uint64_t allow_errors = 0;  // lost lines that are no failure
  std::uint64_t stop_after = 0;    // so many lost lines end the import early; 0: none
  std::size_t pipeline = 1'000;    // commands sent before the oldest is answered, to kPipelineMax
};

struct ImportSummary {
  enum class End : std::uint8_t {
    kDone,         // the end of the input was reached
    kAlreadyDone,  // an earlier import had sent all of it
    kChanged,      // it is a changed version of `earlier`, and nothing was sent
    kStopped,      // stop_after lines were lost
    kRefused,      // the server refuses writes; `refusal` says why
    kLost,         // the connection broke; `refusal` says how
    kReplaced,     // the key holds another collection than at the beginning
    kNoRejects,    // lost lines cannot be kept; rejects_failure says why
  };
  End end = End::kDone;
  std::uint64_t records = 0;           // lines that hold data, good and bad
  std::uint64_t sent = 0;              // acknowledged by this run
  std::uint64_t resumed = 0;           // records that an earlier import had finished
  std::uint64_t lost = 0;              // lines that could not be read or were refused
  std::uint64_t lost_before = 0;       // of them, by that earlier import
  std::uint64_t skipped = 0;           // records without a time, by --no-time skip
  std::uint64_t repeated_headers = 0;  // not among the records
  std::optional<PastImport> earlier;   // that `resumed` and kChanged speak of
  TimeFacts times;
  std::string warning;               // of the reader, see RecordReader::warning
  std::vector<LostLine> lost_lines;  // the first kLostLinesShown of this run
  std::string rejects_path;          // where this run's lost lines are; "": there are none
  std::string rejects_failure;       // why they are not there
  std::string refusal;
  double seconds = 0;
};

// The command that an event is sent by; borrows from both.
class EventCommand {
 public:
  EventCommand(const ImportOptions& options, const MappedEvent& event);
  EventCommand(const EventCommand&) = delete;
  EventCommand& operator=(const EventCommand&) = delete;

  void Add(std::string_view word) { words_[size_++] = word; }
  client::Arguments arguments() const { return {words_.data(), size_}; }

 private:
  std::array<std::string_view, 12> words_;
  std::size_t size_ = 0;
  std::string time_;
};

// One import. Confined to one thread.
class Importer {
 public:
  // Opens the input anew, to read it twice. Streams need none.
  using Reopen = std::function<Result<Input>()>;

  // `connection` and `meter` are borrowed.
  Importer(client::Connection& connection, const ImportOptions& options,
           terminal::ProgressMeter& meter, Reopen reopen)
      : connection_(connection), options_(options), meter_(meter), reopen_(std::move(reopen)) {}

  // Imports the input. Errors are those of the input and of the options; how the server and the bad
  // lines ended it is in the summary.
  Result<ImportSummary> Run(Input input);

 private:
  // A record in the order of the input, until all before it have been answered.
  struct Pending {
    // kCheck asks whether the collection is still the same, and kProgress says how far it is.
    enum class Kind : std::uint8_t { kSent, kBad, kSkipped, kCheck, kProgress };
    Kind kind;
    std::uint64_t line = 0;
    std::uint64_t checksum = 0;
    std::string raw = {};
    std::string reason = {};  // of a bad line; of kCheck the progress, to be noted when it holds
  };

  Status Transfer(Input input);
  // Finds the collection, and what earlier imports into it say of this input.
  Status Begin(Input* input, Spool* spool);
  Result<std::string> CollectionId();
  Status ReadHistory();
  // Reads the input beside what earlier imports had finished, and decides where to go on.
  Status Compare(Input* input, Spool* spool);
  // Tells the comparers of the records from the one at hand on.
  Status ReadBeside(EventReader& events, const ByteSource& source,
                    std::vector<Comparer>* comparers);
  void GoOnBehind(const PastImport& past);
  // Does so when that was asked for, and ends the import otherwise.
  void GoOnBehindChanged(const PastImport& past);
  Status OpenEvents(const Input& input);
  Status SendRecords(const ByteSource& source);
  Status SendRecord();
  void QueueEvent(const MappedEvent& event);
  Status DrainWhenFull(const ByteSource& source);
  // Sends what is queued, then reads until at most `unread_max` answers are missing.
  Status Drain(std::size_t unread_max);
  Pending TakeFront();
  // Settles those in front that wait for no answer, and tells the server of the progress now and
  // then.
  void SettleFront();
  static bool NeedsReply(const Pending& pending) {
    return pending.kind != Pending::Kind::kBad && pending.kind != Pending::Kind::kSkipped;
  }
  // Takes the record that was in front for finished: answered, bad or skipped.
  void Settle(const Pending& pending, const client::Value* reply);
  void Lose(const Pending& pending, std::string reason);
  // Notes what is finished, once the server has said that it went into the same collection.
  void QueueProgress();
  void NoteProgress(const std::string& value);
  Status Finish();
  void Refuse(const std::string& reason);
  bool ended() const { return summary_.end != ImportSummary::End::kDone; }

  client::Connection& connection_;
  const ImportOptions& options_;
  terminal::ProgressMeter& meter_;
  const Reopen reopen_;
  ImportSummary summary_;
  std::unique_ptr<EventReader> events_;
  std::optional<RejectsFile> rejects_;
  std::string collection_id_;
  // A key of the progress, and what it has.
  struct ProgressKey {
    std::string name;
    std::optional<PastImport> past = {};
  };

  std::vector<ProgressKey> progress_keys_;
  PastImport progress_;            // of this import; how far it is says chain_
  Chain chain_;                    // of the records that are finished
  std::uint64_t resume_at_ = 0;    // records that need not be sent
  std::uint64_t progress_at_ = 0;  // records of the last progress written
  std::uint64_t bad_ = 0;          // lines that could not be read, settled or not
  bool is_known_ = false;          // the server knows progress_.run
  std::vector<Pending> unsaved_;   // lost since then
  std::size_t unsaved_bytes_ = 0;
  std::deque<Pending> pending_;
  std::size_t unread_ = 0;  // answers that are missing
  std::size_t pending_bytes_ = 0;
  std::size_t queued_ = 0;
};

// Returns true iff an error reply speaks of the server's state and not of the one record.
bool RefusesAllWrites(std::string_view error);

}  // namespace reco::admin
