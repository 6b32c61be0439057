// Lines that an import lost, as people and programs are told of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace reco::admin {

inline constexpr std::size_t kLostLinesShown = 10;

struct LostLine {
  std::uint64_t line = 0;
  std::string message;
};

struct LostLinesReport {
  const std::vector<LostLine>& shown;
  std::uint64_t count = 0;             // of all of them
  const std::string& rejects_path;     // "": there is none
  const std::string& rejects_failure;  // why; "": none was wanted
};

// Prints the lines, and where they are kept, on standard error; nothing when none was lost.
void PrintLostLines(const LostLinesReport& report);

// Returns [{"line": 7, "message": "..."}].
std::string JsonOf(const std::vector<LostLine>& lines);

}  // namespace reco::admin
