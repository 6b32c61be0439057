#include "tools/admin/stream_log.h"

#include <algorithm>
#include <charconv>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace reco::admin {
namespace {

constexpr std::int64_t kTimeMsMax =
    253'402'300'799'999;  // the end of the year 9999, as the server has it

// Gives each name the number of its first appearance.
class Names {
 public:
  explicit Names(std::vector<std::string>* names) : names_(names) {}

  std::uint32_t Number(std::string_view name) {
    const auto [found, is_new] =
        numbers_.try_emplace(std::string(name), static_cast<std::uint32_t>(names_->size()));
    if (is_new) {
      names_->emplace_back(name);
    }
    return found->second;
  }

 private:
  std::vector<std::string>* names_;
  std::unordered_map<std::string, std::uint32_t> numbers_;
};

// SplitMix64 (Steele, Lea, Flood 2014): the same numbers on every machine and standard library.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}

  std::uint64_t Next() {
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15U);
    z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27U)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31U);
  }

  // Returns a number below `bound`; its bias is bound / 2^64.
  std::size_t Below(std::size_t bound) { return Next() % bound; }

 private:
  std::uint64_t state_;
};

// Puts the events in [first, last) into a random order (Fisher-Yates).
void Shuffle(std::size_t first, std::size_t last, Random* random,
             std::vector<StreamEvent>* events) {
  for (std::size_t left = last - first; left > 1; --left) {
    std::swap((*events)[first + left - 1], (*events)[first + random->Below(left)]);
  }
}

// Collects the lines of one file. Confined to one call of ReadStreamLog.
class LogReader {
 public:
  LogReader(const StreamLogOptions& options, StreamLog* log)
      : options_(options),
        log_(log),
        users_(&log->users),
        items_(&log->items),
        types_(&log->types) {
    // Number 0 is no type, as StreamLog says.
    types_.Number("");
    log_->has_time = !options.columns.time.empty();
  }

  Status Read(RecordReader& reader) {
    Record record;
    RECO_ASSIGN_OR_RETURN(bool more, reader.Next(&record));
    if (!more || !record.error.empty()) {
      return Status::InvalidArgument(more ? "the first line is bad: " + std::string(record.error)
                                          : "the input is empty");
    }
    RECO_ASSIGN_OR_RETURN(RecordMapping mapping,
                          RecordMapping::Resolve(options_.columns, record, options_.has_header));
    if (options_.has_header) {
      RECO_ASSIGN_OR_RETURN(more, reader.Next(&record));
    }
    while (more) {
      RECO_RETURN_IF_ERROR(Take(mapping, record));
      RECO_ASSIGN_OR_RETURN(more, reader.Next(&record));
    }
    return Status::Ok();
  }

 private:
  Status Take(RecordMapping& mapping, const Record& record) {
    const auto mapped = mapping.Map(record);
    if (!mapped.ok()) {
      return CountBad(record.line, std::string(mapped.status().message()));
    }
    if (mapped->is_skipped) {
      return Status::Ok();
    }
    const std::int64_t time_ms = mapped->time_ms.value_or(0);
    // The server would refuse the event in the middle of the replay.
    if (time_ms < 0 || time_ms > kTimeMsMax) {
      return CountBad(record.line, "time is before 1970 or too far away; is --time-unit right?");
    }
    log_->events.push_back({.user = users_.Number(mapped->user),
                            .item = items_.Number(mapped->item),
                            .type = types_.Number(mapped->type),
                            .time_ms = time_ms,
                            .line = record.line,
                            .weight = std::string(mapped->weight)});
    return Status::Ok();
  }

  Status CountBad(std::uint64_t line, const std::string& message) {
    // The first one is told: what is wrong is mostly the same in all.
    if (first_bad_.empty()) {
      first_bad_ = "line " + std::to_string(line) + ": " + message;
    }
    if (++log_->bad > options_.errors_max) {
      return Status::InvalidArgument("more than " + std::to_string(options_.errors_max) +
                                     " bad lines, the first is " + first_bad_ +
                                     " (mend them, or raise --max-errors)");
    }
    return Status::Ok();
  }

  const StreamLogOptions& options_;
  StreamLog* log_;
  Names users_;
  Names items_;
  Names types_;
  std::string first_bad_;
};

}  // namespace

Result<StreamLog> ReadStreamLog(Input input, const StreamLogOptions& options) {
  StreamLog log;
  RECO_ASSIGN_OR_RETURN(const auto reader, OpenReader(input, options.reader, options.has_header,
                                                      options.columns.Given()));
  RECO_RETURN_IF_ERROR(LogReader(options, &log).Read(*reader));
  return log;
}

void OrderEvents(std::uint64_t seed, bool keep_order, std::vector<StreamEvent>* events) {
  // Stable, so that the order before the shuffle is the file's on every machine.
  std::stable_sort(events->begin(), events->end(), [](const StreamEvent& a, const StreamEvent& b) {
    return a.time_ms < b.time_ms;
  });
  if (keep_order) {
    return;
  }
  Random random(seed);
  for (std::size_t first = 0; first < events->size();) {
    std::size_t last = first + 1;
    while (last < events->size() && (*events)[last].time_ms == (*events)[first].time_ms) {
      ++last;
    }
    Shuffle(first, last, &random, events);
    first = last;
  }
}

Result<std::vector<double>> ResolveWeights(const StreamLog& log,
                                           const std::map<std::string, double>& type_weights) {
  std::vector<double> weights;
  weights.reserve(log.events.size());
  for (const StreamEvent& event : log.events) {
    const std::string& type = log.types[event.type];
    double weight = 1;
    if (!type.empty()) {
      const auto found = type_weights.find(type);
      if (found == type_weights.end()) {
        return Status::InvalidArgument(
            "line " + std::to_string(event.line) + ": the collection has no feedback type " +
            Quoted(type) + "; say what one counts, as with --param type." + type + "=1");
      }
      weight = found->second;
    }
    if (!event.weight.empty()) {
      // The mapping has checked that it is a number.
      std::from_chars(event.weight.data(), event.weight.data() + event.weight.size(), weight);
    }
    weights.push_back(weight);
  }
  return weights;
}

}  // namespace reco::admin
