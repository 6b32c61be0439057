// What earlier imports did, kept in the server as strings that expire: how far each came, and
// enough of its content to tell whether an input begins with it, is a changed version of it, or is
// another one.
//
// Two keys hold the same value, so that it is found by the input's first record and by its name:
//
//   reco:import:<collection id>:<fingerprint of the columns and the first record>
//   reco:import:<collection id>:<fingerprint of the columns and the path>
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "reco/result.h"

#include "tools/admin/record_mapping.h"
#include "tools/admin/record_reader.h"

namespace reco::admin {

inline constexpr std::string_view kProgressKeptSeconds = "2592000";  // 30 days from the last write
inline constexpr std::size_t kSketchSize = 16;

// Returns a checksum of what an event says: two lines that are sent alike have the same.
std::uint64_t Checksum(const MappedEvent& event);
// Returns one of a text, such as a line that cannot be sent.
std::uint64_t Checksum(std::string_view text);

// Returns 16 hexadecimal digits.
std::string Hex(std::uint64_t value);

// The checksum of a sequence of records.
inline constexpr std::uint64_t kChainStart = 0x9e3779b97f4a7c15U;
std::uint64_t Chained(std::uint64_t chain, std::uint64_t checksum);

// The smallest checksums of a set of records (Broder 1997): of two sets, the share of one's sketch
// that the other has is about the share of its records.
class Sketch {
 public:
  Sketch() = default;
  explicit Sketch(std::set<std::uint64_t> smallest) : smallest_(std::move(smallest)) {}

  void Add(std::uint64_t checksum);
  const std::set<std::uint64_t>& smallest() const { return smallest_; }

 private:
  std::set<std::uint64_t> smallest_;  // at most kSketchSize
};

// A running checksum, and what it was at the records 1, 2, 4, 8, ...
class Chain {
 public:
  void Add(std::uint64_t checksum);
  std::uint64_t records() const { return records_; }
  std::uint64_t value() const { return value_; }
  const std::vector<std::uint64_t>& milestones() const { return milestones_; }

 private:
  std::uint64_t records_ = 0;
  std::uint64_t value_ = kChainStart;
  std::vector<std::uint64_t> milestones_;
};

struct PastImport {
  std::string run;            // random, 8 hexadecimal digits
  std::uint64_t records = 0;  // finished, from the first on
  std::uint64_t lost = 0;     // of them
  std::uint64_t chain = kChainStart;
  bool is_done = false;
  std::vector<std::uint64_t> milestones = {};  // see Chain
  Sketch sketch = {};
  std::string name = {};  // the path as it was given
};

std::string Encode(const PastImport& import);
// kInvalidArgument: somebody else has written the key.
Result<PastImport> Decode(const std::string& text);

// How the first records of an input stand to those of an earlier import.
struct Comparison {
  bool begins_with_it = false;
  // It does not, but has half of what the sketch holds, or more; or it ends before, and half of its
  // records, or more, are the first ones of the import.
  bool is_changed = false;
};

// Compares records, told one by one, with one earlier import.
class Comparer {
 public:
  explicit Comparer(const PastImport& past);

  void Add(std::uint64_t checksum);
  // Returns true once as many were told as the import had finished.
  bool has_enough() const { return chain_.records() >= past_.records; }
  Comparison Outcome() const;

 private:
  const PastImport past_;
  Chain chain_;
  bool begins_with_it_ = false;
  std::set<std::uint64_t> missing_;  // of the sketch
};

}  // namespace reco::admin
