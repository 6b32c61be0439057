// What `import --check` tells: an input read to its end, and nothing sent.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "reco/result.h"

#include "tools/admin/event_reader.h"
#include "tools/admin/importer.h"

namespace reco::admin {

inline constexpr std::size_t kEventsShown = 3;

struct CheckReport {
  std::uint64_t records = 0;
  std::uint64_t events = 0;  // that would be sent
  std::uint64_t lost = 0;
  std::uint64_t skipped = 0;
  std::uint64_t repeated_headers = 0;
  std::uint64_t users = 0;  // distinct, as are the two below; counted by 64-bit checksums
  std::uint64_t items = 0;
  std::uint64_t types = 0;
  TimeFacts times;
  std::string warning;
  std::vector<std::string> first_events;  // the commands, at most kEventsShown
  std::vector<LostLine> lost_lines;       // the first kLostLinesShown
};

// Reads all of the input. Takes about 40 bytes of memory a distinct user and item.
Result<CheckReport> CheckInput(const Input& input, const ImportOptions& options);

}  // namespace reco::admin
