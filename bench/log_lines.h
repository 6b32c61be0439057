// Reading the logs that the quality benchmarks measure on: MovieLens 100K (ml-100k/u.data) and UCI
// Online Retail (online-retail/interactions.csv.gz; timestamp_ms,user,item,type,quantity).
#pragma once

#include <charconv>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>
#include <zlib.h>

namespace reco::bench {

// Says so and returns nothing when the file is absent.
inline std::optional<std::vector<std::string>> ReadLines(const std::string& path) {
  gzFile file = gzopen(path.c_str(), "rb");
  if (file == nullptr) {
    std::printf("%s is absent, passed over\n", path.c_str());
    return std::nullopt;
  }
  std::vector<std::string> lines;
  char buffer[4096];
  while (gzgets(file, buffer, sizeof(buffer)) != nullptr) {
    lines.emplace_back(buffer);
  }
  gzclose(file);
  return lines;
}

inline std::vector<std::string_view> Split(std::string_view line, char by) {
  std::vector<std::string_view> fields;
  for (std::size_t at = line.find(by); at != std::string_view::npos; at = line.find(by)) {
    fields.push_back(line.substr(0, at));
    line.remove_prefix(at + 1);
  }
  fields.push_back(line);
  return fields;
}

inline std::int64_t ToNumber(std::string_view text) {
  std::int64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

// Numbers ids in the order of their first use.
class Ordinals {
 public:
  std::uint32_t Of(std::string_view id) {
    const auto next = static_cast<std::uint32_t>(ids_.size());
    return ids_.try_emplace(std::string(id), next).first->second;
  }

 private:
  std::unordered_map<std::string, std::uint32_t> ids_;
};

struct LogEvent {
  std::uint32_t user = 0;
  std::uint32_t item = 0;
  std::int64_t time_ms = 0;
};

// Returns the purchases in the order of the file. With `in_order`, lines of one time are set a
// millisecond apart: the file's times are whole minutes, and no minute has 60,000 lines.
inline std::vector<LogEvent> RetailEvents(const std::vector<std::string>& lines, bool in_order) {
  std::vector<LogEvent> events;
  Ordinals users;
  Ordinals items;
  std::int64_t last_ms = 0;
  std::int64_t line_of_time = 0;
  for (std::size_t i = 1; i < lines.size(); ++i) {
    const std::vector<std::string_view> fields = Split(lines[i], ',');
    if (fields[3] != "purchase") {
      continue;
    }
    const std::int64_t ms = ToNumber(fields[0]);
    line_of_time = ms == last_ms ? line_of_time + 1 : 0;
    last_ms = ms;
    events.push_back({users.Of(fields[1]), items.Of(fields[2]), in_order ? ms + line_of_time : ms});
  }
  return events;
}

// Returns the ratings in the order of the file, which is none in particular.
inline std::vector<LogEvent> MovieLensEvents(const std::vector<std::string>& lines) {
  std::vector<LogEvent> events;
  for (const std::string& line : lines) {
    const std::vector<std::string_view> fields = Split(line, '\t');
    const auto user = static_cast<std::uint32_t>(ToNumber(fields[0]) - 1);
    const auto item = static_cast<std::uint32_t>(ToNumber(fields[1]) - 1);
    events.push_back({user, item, ToNumber(fields[3]) * 1000});
  }
  return events;
}

}  // namespace reco::bench
