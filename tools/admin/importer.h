// Importer: sends a file of interactions to a server, so that an interrupted import can be resumed
// without counting anything twice.
//
// Progress lives in the server, in the string key reco:import:<fingerprint of key, input and
// options>, as "<run> <records>": every record up to that number is acknowledged. It is written
// behind the acknowledgements, on the same connection as the records, so it never claims too much;
// what lies between it and the point of failure is sent again under the same idempotency tokens,
// imp:<fingerprint>:<run>:<record>, and changes nothing the second time. kProgressEvery plus the
// widest pipeline stays well below the 100,000 tokens that a collection remembers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "reco/result.h"
#include "reco/status.h"

#include "tools/admin/byte_source.h"
#include "tools/admin/record_mapping.h"
#include "tools/admin/record_reader.h"
#include "tools/client/connection.h"
#include "tools/terminal/progress.h"

namespace reco::admin {

inline constexpr std::size_t kPipelineMax = 10'000;
inline constexpr std::uint64_t kProgressEvery = 10'000;
inline constexpr std::size_t kBadLinesShown = 10;
inline constexpr std::string_view kDoneKeptSeconds = "86400";

struct ImportOptions {
  std::string key;
  ColumnNames columns;
  ReaderOptions reader;
  bool has_header = true;
  bool replace = false;            // RECO.SET in place of RECO.ADD
  bool again = false;              // forget that this input was imported
  std::uint64_t errors_max = 100;  // bad lines that are tolerated
  std::size_t pipeline = 1'000;    // commands sent before the oldest is answered, to kPipelineMax
};

struct BadLine {
  std::uint64_t line = 0;
  std::string message;
};

struct ImportSummary {
  enum class End : std::uint8_t {
    kDone,
    kAlreadyDone,    // an earlier run imported this input
    kTooManyErrors,  // more than errors_max bad lines
    kRefused,        // the server refuses writes; `refusal` says why
    kLost,           // the connection broke; `refusal` says how
  };
  End end = End::kDone;
  std::uint64_t records = 0;  // lines that hold data, good and bad
  std::uint64_t sent = 0;     // acknowledged by this run
  std::uint64_t resumed = 0;  // records an earlier run had finished
  std::uint64_t bad = 0;
  std::uint64_t skipped = 0;           // records without a time, by --no-time skip
  std::uint64_t repeated_headers = 0;  // not among the records
  TimeFacts times;
  std::string warning;             // of the reader, see RecordReader::warning
  std::vector<BadLine> bad_lines;  // the first kBadLinesShown
  std::string refusal;
  double seconds = 0;
};

// One import. Confined to one thread.
class Importer {
 public:
  // `connection` and `meter` are borrowed.
  Importer(client::Connection& connection, const ImportOptions& options,
           terminal::ProgressMeter& meter)
      : connection_(connection), options_(options), meter_(meter) {}

  // Imports the input. Errors are those of the input and of the options; how the server and the bad
  // lines ended it is in the summary.
  Result<ImportSummary> Run(Input input);

 private:
  struct Unacknowledged {
    std::uint64_t record;
    std::uint64_t line;
    bool is_progress;  // an answer to a progress write, not to a record
  };

  // Reads where an earlier run stopped, or starts a new one. Sets run_ and resume_at_.
  Status Begin(const Input& input);
  Status SendRecords(RecordReader& reader, const ByteSource& source);
  Status SendRecord(RecordMapping& mapping, const Record& record);
  void QueueEvent(const MappedEvent& event);
  Status DrainWhenFull(const ByteSource& source);
  // Sends what is queued, then reads until at most `unread_max` answers are missing.
  Status Drain(std::size_t unread_max);
  Status HandleReply(const Unacknowledged& sent, const client::Value& reply);
  void QueueProgress();
  Status Finish(bool is_stream);
  void CountBadLine(std::uint64_t line, std::string message);
  bool ended() const { return summary_.end != ImportSummary::End::kDone; }

  client::Connection& connection_;
  const ImportOptions& options_;
  terminal::ProgressMeter& meter_;
  ImportSummary summary_;
  std::string progress_key_;
  std::string token_prefix_;
  std::string run_;
  std::uint64_t resume_at_ = 0;     // records that need not be sent
  std::uint64_t acknowledged_ = 0;  // every record up to this one is acknowledged or bad
  std::uint64_t progress_at_ = 0;   // last number written to the progress key
  std::deque<Unacknowledged> unread_;
  std::size_t queued_ = 0;
};

// Returns true iff an error reply speaks of the server's state and not of the one record.
bool RefusesAllWrites(std::string_view error);

}  // namespace reco::admin
