#include "tools/admin/importer.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <memory>
#include <random>
#include <utility>

namespace reco::admin {
namespace {

constexpr std::size_t kUnsavedBytesMax = 1U << 20U;  // of lost lines, before progress is written

using End = ImportSummary::End;
using client::Value;

// Returns what decides how an event is sent, beside what it says.
std::string DescribeOptions(const EventOptions& options) {
  return options.replace ? "set:" : "add:";
}

std::string NewRun() {
  std::random_device random;
  return Fingerprint(std::to_string(random()) + ':' + std::to_string(random())).substr(0, 8);
}

// Returns the collection's own number; "" for an error and a server that knows none.
std::string CollectionIdOf(const Value& info) {
  const Value* id = info.Find("collection-id");
  return id != nullptr ? id->ToText() : std::string();
}

bool IsMissing(const Value& reply) {
  return reply.is_error() && reply.text.starts_with("ERR no such");
}

}  // namespace

EventCommand::EventCommand(const ImportOptions& options, const MappedEvent& event) {
  Add(options.replace ? "RECO.SET" : "RECO.ADD");
  Add(options.key);
  Add(event.user);
  Add(event.item);
  if (!event.weight.empty()) {
    Add(event.weight);
  }
  if (!event.type.empty()) {
    Add("TYPE");
    Add(event.type);
  }
  if (event.time_ms) {
    time_ = std::to_string(*event.time_ms);
    Add("TS");
    Add(time_);
  }
}

bool RefusesAllWrites(std::string_view error) {
  constexpr std::array<std::string_view, 9> kCodes = {"MISCONF",  "OOM",    "LOADING",
                                                      "NOAUTH",   "NOPERM", "WRONGTYPE",
                                                      "READONLY", "BUSY",   "MASTERDOWN"};
  const std::string_view code = error.substr(0, error.find(' '));
  return std::find(kCodes.begin(), kCodes.end(), code) != kCodes.end() ||
         error.substr(0, 19) == "ERR unknown command";
}

Result<ImportSummary> Importer::Run(Input input) {
  const Status status = Transfer(std::move(input));
  if (events_ != nullptr) {
    summary_.repeated_headers = events_->repeated_headers();
    summary_.warning = events_->warning();
    summary_.times = events_->times();
  }
  if (rejects_) {
    summary_.rejects_failure = rejects_->Flush().message();
    summary_.rejects_path = rejects_->path();
  }
  summary_.seconds = meter_.elapsed_s();
  // A lost connection is an end like others: the caller says how to go on.
  if (status.code() == StatusCode::kUnavailable) {
    summary_.end = End::kLost;
    summary_.refusal = std::string(status.message());
    return summary_;
  }
  RECO_RETURN_IF_ERROR(status);
  return summary_;
}

void Importer::Refuse(const std::string& reason) {
  // The first refusal is the cause; the commands behind it were on their way.
  if (summary_.end != End::kRefused) {
    summary_.end = End::kRefused;
    summary_.refusal = reason;
  }
}

Status Importer::OpenEvents(const Input& input) {
  RECO_ASSIGN_OR_RETURN(events_, EventReader::Open(input, options_));
  return Status::Ok();
}

Status Importer::Transfer(Input input) {
  Spool* spool = nullptr;
  if (input.is_stream) {
    auto kept = std::make_unique<Spool>(std::move(input.source));
    spool = kept.get();
    input.source = std::move(kept);
  }
  RECO_RETURN_IF_ERROR(OpenEvents(input));
  rejects_.emplace(input.path, EndingOf(events_->format()), events_->header());
  RECO_ASSIGN_OR_RETURN(const bool any, events_->Next());
  if (!any) {
    return Status::Ok();
  }
  RECO_RETURN_IF_ERROR(Begin(&input, spool));
  if (ended()) {
    return Status::Ok();
  }
  RECO_RETURN_IF_ERROR(SendRecords(*input.source));
  if (summary_.end == End::kStopped) {
    QueueProgress();
    return Drain(0);
  }
  if (summary_.end == End::kDone && summary_.records < resume_at_) {
    // A changed version, of fewer records than were finished: what is known stays.
    summary_.end = End::kAlreadyDone;
    return Status::Ok();
  }
  return summary_.end == End::kDone ? Finish() : Status::Ok();
}

Result<std::string> Importer::CollectionId() {
  RECO_ASSIGN_OR_RETURN(Value reply, connection_.Call({"RECO.INFO", options_.key}));
  if (IsMissing(reply)) {
    RECO_ASSIGN_OR_RETURN(reply, connection_.Call({"RECO.CREATE", options_.key}));
    if (!reply.is_error()) {
      RECO_ASSIGN_OR_RETURN(reply, connection_.Call({"RECO.INFO", options_.key}));
    }
  }
  if (reply.is_error()) {
    Refuse(reply.text);
    return std::string();
  }
  std::string id = CollectionIdOf(reply);
  if (id.empty()) {
    return Status::InvalidArgument(
        "the server's RECO.INFO has no collection-id: it is older than this reco-admin");
  }
  return id;
}

Status Importer::ReadHistory() {
  for (ProgressKey& key : progress_keys_) {
    RECO_ASSIGN_OR_RETURN(const Value stored, connection_.Call({"GET", key.name}));
    if (stored.is_error()) {
      Refuse(stored.text);
      return Status::Ok();
    }
    if (stored.kind == Value::Kind::kBulk) {
      RECO_ASSIGN_OR_RETURN(key.past, Decode(stored.text));
    }
  }
  return Status::Ok();
}

Status Importer::Begin(Input* input, Spool* spool) {
  RECO_ASSIGN_OR_RETURN(collection_id_, CollectionId());
  if (ended()) {
    return Status::Ok();
  }
  const std::string prefix = "reco:import:" + collection_id_ + ':';
  const std::string options = DescribeOptions(options_);
  progress_keys_.push_back(
      {prefix + Fingerprint(options + "first:" + std::to_string(events_->checksum()))});
  progress_.name = input->path;
  if (!input->is_stream) {
    std::error_code error;
    const std::filesystem::path path = std::filesystem::weakly_canonical(input->path, error);
    progress_keys_.push_back({prefix + Fingerprint(options + "name:" + path.string())});
  }
  RECO_RETURN_IF_ERROR(ReadHistory());
  if (ended()) {
    return Status::Ok();
  }
  progress_.run = NewRun();
  const bool has_history = std::ranges::any_of(
      progress_keys_, [](const ProgressKey& key) { return key.past.has_value(); });
  if (has_history && !options_.again) {
    RECO_RETURN_IF_ERROR(Compare(input, spool));
  } else if (spool != nullptr) {
    spool->Stop();
  }
  if (is_known_ || ended()) {
    return Status::Ok();
  }
  // The run is known before anything is sent by it.
  QueueProgress();
  return Drain(0);
}

Status Importer::Compare(Input* input, Spool* spool) {
  std::vector<PastImport> past;
  for (const ProgressKey& key : progress_keys_) {
    if (key.past) {
      past.push_back(*key.past);
    }
  }
  std::vector<Comparer> comparers(past.begin(), past.end());
  if (spool != nullptr) {
    RECO_RETURN_IF_ERROR(ReadBeside(*events_, *input->source, &comparers));
    RECO_RETURN_IF_ERROR(spool->Rewind());
    RECO_RETURN_IF_ERROR(OpenEvents(*input));
    RECO_RETURN_IF_ERROR(events_->Next().status());
  } else {
    RECO_ASSIGN_OR_RETURN(const Input again, reopen_());
    RECO_ASSIGN_OR_RETURN(const auto events, EventReader::Open(again, options_));
    RECO_ASSIGN_OR_RETURN(const bool any, events->Next());
    if (any) {
      RECO_RETURN_IF_ERROR(ReadBeside(*events, *again.source, &comparers));
    }
  }
  // Of two that it begins with, the one that came farther.
  const PastImport* same = nullptr;
  const PastImport* changed = nullptr;
  for (std::size_t i = 0; i < past.size(); ++i) {
    const Comparison comparison = comparers[i].Outcome();
    if (comparison.begins_with_it && (same == nullptr || past[i].records > same->records)) {
      same = &past[i];
    } else if (comparison.is_changed && changed == nullptr) {
      changed = &past[i];
    }
  }
  // An import that broke off at once begins every input, and a finished one weighs more.
  if (changed != nullptr && (same == nullptr || same->records == 0)) {
    GoOnBehindChanged(*changed);
  } else if (same != nullptr) {
    GoOnBehind(*same);
  }
  return Status::Ok();
}

Status Importer::ReadBeside(EventReader& events, const ByteSource& source,
                            std::vector<Comparer>* comparers) {
  // As far as the longest of them went; a stream may never end.
  bool more = true;
  for (std::int64_t count = 1; more; ++count) {
    for (Comparer& comparer : *comparers) {
      comparer.Add(events.checksum());
    }
    if (count % 10'000 == 0) {
      meter_.Update({count, source.Fraction(), -1, "compared with an earlier import"});
    }
    if (std::ranges::all_of(*comparers, &Comparer::has_enough)) {
      return Status::Ok();
    }
    RECO_ASSIGN_OR_RETURN(more, events.Next());
  }
  return Status::Ok();
}

void Importer::GoOnBehindChanged(const PastImport& past) {
  if (!options_.resume_anyway) {
    summary_.earlier = past;
    summary_.end = End::kChanged;
    return;
  }
  GoOnBehind(past);
  // Whatever is known of it is replaced.
  for (ProgressKey& key : progress_keys_) {
    key.past.reset();
  }
}

void Importer::GoOnBehind(const PastImport& past) {
  // What it has sent behind its last progress is known to the server by tokens of this run.
  progress_.run = past.run;
  is_known_ = true;
  if (past.records > 0) {
    summary_.earlier = past;
    summary_.lost = summary_.lost_before = past.lost;
  }
  resume_at_ = past.records;
  // What is passed over is known already: writing it as it is counted would go back.
  progress_at_ = past.records;
}

Status Importer::SendRecords(const ByteSource& source) {
  bool more = true;
  while (more && !ended()) {
    RECO_RETURN_IF_ERROR(SendRecord());
    RECO_RETURN_IF_ERROR(DrainWhenFull(source));
    // Those that wait behind records in flight count, too: nothing more is sent.
    if (options_.stop_after > 0 && bad_ >= options_.stop_after) {
      break;
    }
    if (!ended()) {
      RECO_ASSIGN_OR_RETURN(more, events_->Next());
    }
  }
  RECO_RETURN_IF_ERROR(Drain(0));
  if (summary_.end == End::kDone) {
    meter_.Finish({static_cast<std::int64_t>(chain_.records()), 1, -1, {}});
  }
  return Status::Ok();
}

// Reads answers when enough is queued. Half a pipeline is sent while the other half is being
// answered.
Status Importer::DrainWhenFull(const ByteSource& source) {
  // Lines that are not sent wait for those in front of them, too.
  const bool is_full = pending_.size() >= 4 * kPipelineMax || pending_bytes_ > kPendingBytesMax;
  if (queued_ <= options_.pipeline / 2 && !is_full) {
    return Status::Ok();
  }
  RECO_RETURN_IF_ERROR(Drain(is_full ? 0 : options_.pipeline / 2));
  meter_.Update({static_cast<std::int64_t>(chain_.records()), source.Fraction(), -1, {}});
  return Status::Ok();
}

Status Importer::SendRecord() {
  ++summary_.records;
  const Record& record = events_->record();
  const Result<MappedEvent>& event = events_->event();
  Pending pending{
      .kind = Pending::Kind::kSent, .line = record.line, .checksum = events_->checksum()};
  if (summary_.records <= resume_at_) {
    // Compared already, and counted by the import that had it.
    ++summary_.resumed;
    pending.kind = Pending::Kind::kSkipped;
  } else if (!event.ok()) {
    ++bad_;
    pending.kind = Pending::Kind::kBad;
    pending.raw = record.raw;
    pending.reason = event.status().message();
  } else if (event->is_skipped) {
    ++summary_.skipped;
    pending.kind = Pending::Kind::kSkipped;
  } else {
    pending.raw = record.raw;
    QueueEvent(*event);
  }
  pending_bytes_ += pending.raw.size();
  pending_.push_back(std::move(pending));
  SettleFront();
  return Status::Ok();
}

void Importer::QueueEvent(const MappedEvent& event) {
  // With the content: a record that is another one than was sent under this number is no repeat.
  const std::string token =
      "imp:" + progress_.run + ':' +
      Hex(Chained(Chained(kChainStart, summary_.records), events_->checksum()));
  EventCommand command(options_, event);
  // RECO.SET takes no token and needs none: set twice is set once.
  if (!options_.replace) {
    command.Add("ID");
    command.Add(token);
  }
  connection_.Queue(command.arguments())
      .IgnoreError("a lost connection shows in the next Flush or Read");
  ++queued_;
  ++unread_;
}

Status Importer::Drain(std::size_t unread_max) {
  RECO_RETURN_IF_ERROR(connection_.Flush());
  queued_ = 0;
  while (unread_ > unread_max) {
    // What waits for no answer is settled as soon as it is in front.
    const Pending pending = TakeFront();
    RECO_ASSIGN_OR_RETURN(const Value reply, connection_.Read());
    --unread_;
    Settle(pending, &reply);
    SettleFront();
  }
  return Status::Ok();
}

Importer::Pending Importer::TakeFront() {
  Pending front = std::move(pending_.front());
  pending_.pop_front();
  pending_bytes_ -= front.raw.size();
  return front;
}

void Importer::SettleFront() {
  while (!pending_.empty() && !NeedsReply(pending_.front())) {
    const Pending pending = TakeFront();
    Settle(pending, nullptr);
  }
  // Queued behind records whose replies are still missing, but it names only those that are
  // finished.
  const std::uint64_t step = std::min(kProgressEvery, progress_at_ + 1);
  if ((chain_.records() >= progress_at_ + step || unsaved_bytes_ > kUnsavedBytesMax) && !ended()) {
    QueueProgress();
  }
}

void Importer::Settle(const Pending& pending, const Value* reply) {
  if (reply != nullptr && pending.kind == Pending::Kind::kCheck &&
      (!reply->is_error() || IsMissing(*reply))) {
    // All records in front of it were answered, and by this collection.
    if (CollectionIdOf(*reply) == collection_id_) {
      NoteProgress(pending.reason);
    } else if (!ended()) {
      summary_.end = End::kReplaced;
    }
    return;
  }
  const bool is_note =
      pending.kind == Pending::Kind::kCheck || pending.kind == Pending::Kind::kProgress;
  if (reply != nullptr && reply->is_error() && (is_note || RefusesAllWrites(reply->text))) {
    Refuse(reply->text);
    return;
  }
  if (is_note) {
    return;
  }
  // After a refusal the records behind it may be acknowledged, but the one refused is missing: the
  // next run meets them again.
  const bool is_error = reply != nullptr && reply->is_error();
  summary_.sent += reply != nullptr && !is_error ? 1 : 0;
  if (summary_.end == End::kRefused) {
    return;
  }
  if (is_error || pending.kind == Pending::Kind::kBad) {
    Lose(pending, is_error ? reply->text : pending.reason);
  }
  chain_.Add(pending.checksum);
  progress_.sketch.Add(pending.checksum);
}

void Importer::Lose(const Pending& pending, std::string reason) {
  ++summary_.lost;
  // Written with the progress that counts it: a later run meets again what none does.
  unsaved_bytes_ += pending.raw.size() + reason.size() + sizeof(pending);
  unsaved_.push_back({pending.kind, pending.line, 0, pending.raw, reason});
  if (summary_.lost_lines.size() < kLostLinesShown) {
    summary_.lost_lines.push_back({pending.line, std::move(reason)});
  }
  if (options_.stop_after > 0 && !ended() &&
      summary_.lost - summary_.lost_before >= options_.stop_after) {
    summary_.end = End::kStopped;
  }
}

void Importer::QueueProgress() {
  for (const Pending& lost : unsaved_) {
    rejects_->Add(lost.line, lost.reason, lost.raw).IgnoreError("told by Flush");
  }
  unsaved_.clear();
  unsaved_bytes_ = 0;
  // Before the progress that counts them.
  if (!rejects_->Flush().ok()) {
    summary_.end = End::kNoRejects;
    return;
  }
  progress_.records = progress_at_ = chain_.records();
  progress_.chain = chain_.value();
  progress_.milestones = chain_.milestones();
  progress_.lost = summary_.lost;
  connection_.Queue({"RECO.INFO", options_.key})
      .IgnoreError("a lost connection shows in the next Flush or Read");
  pending_.push_back({.kind = Pending::Kind::kCheck, .reason = Encode(progress_)});
  ++queued_;
  ++unread_;
}

void Importer::NoteProgress(const std::string& value) {
  for (const ProgressKey& key : progress_keys_) {
    // The same import may have gone on farther with a file that has grown.
    if (key.past && key.past->run == progress_.run && key.past->records > progress_.records) {
      continue;
    }
    connection_.Queue({"SET", key.name, value, "EX", kProgressKeptSeconds})
        .IgnoreError("a lost connection shows in the next Flush or Read");
    pending_.push_back({.kind = Pending::Kind::kProgress});
    ++queued_;
    ++unread_;
  }
}

Status Importer::Finish() {
  const bool all_known =
      summary_.earlier && summary_.earlier->is_done && summary_.records == summary_.resumed;
  progress_.is_done = true;
  QueueProgress();
  RECO_RETURN_IF_ERROR(Drain(0));
  if (all_known && !ended()) {
    summary_.end = End::kAlreadyDone;
  }
  return Status::Ok();
}

}  // namespace reco::admin
