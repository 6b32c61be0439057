// StreamLog: a file of interactions in memory, in the order in which they are to be replayed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "reco/result.h"

#include "tools/admin/byte_source.h"
#include "tools/admin/record_mapping.h"
#include "tools/admin/record_reader.h"

namespace reco::admin {

struct StreamEvent {
  std::uint32_t user = 0;  // positions in the names of the log
  std::uint32_t item = 0;
  std::uint32_t type = 0;
  std::int64_t time_ms = 0;  // 0 in a file without a column of times
  std::uint64_t line = 0;
  std::string weight;  // as it stands in the file; empty: the type's
};

struct StreamLog {
  std::vector<std::string> users;
  std::vector<std::string> items;
  std::vector<std::string> types;  // the first is "", for events without a type
  std::vector<StreamEvent> events;
  bool has_time = false;
  std::uint64_t bad = 0;  // lines that hold no event
};

struct StreamLogOptions {
  ColumnNames columns;
  ReaderOptions reader;
  bool has_header = true;
  std::uint64_t errors_max = 100;  // bad lines that are tolerated
};

// Returns all events of `input` in file order. kInvalidArgument: a column is missing, the input is
// empty, or there are more bad lines than are tolerated (the first is named); and the input's own
// errors.
Result<StreamLog> ReadStreamLog(Input input, const StreamLogOptions& options);

// Sorts by time. Order within one timestamp is rarely information (a basket is written as it is
// stored, not as it was filled), so such events are put in a random order that depends on `seed`
// and on nothing else; with `keep_order` they stay in file order.
void OrderEvents(std::uint64_t seed, bool keep_order, std::vector<StreamEvent>* events);

// Returns what each event adds to its pair: its own weight, or its type's, or 1. kInvalidArgument
// names the first type that `type_weights` does not know, and its line.
Result<std::vector<double>> ResolveWeights(const StreamLog& log,
                                           const std::map<std::string, double>& type_weights);

}  // namespace reco::admin
