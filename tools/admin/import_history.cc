#include "tools/admin/import_history.h"

#include <array>
#include <charconv>
#include <cstdio>
#include <utility>

namespace reco::admin {
namespace {

constexpr std::string_view kVersion = "2";
constexpr std::uint64_t kGoodLine = 1;
constexpr std::uint64_t kBadLine = 2;

// The finalizer of SplitMix64 (Steele, Lea, Flood 2014).
std::uint64_t Mixed(std::uint64_t z) {
  z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9U;
  z = (z ^ (z >> 27U)) * 0x94d049bb133111ebU;
  return z ^ (z >> 31U);
}

// Folds in a text with its length, so that no two lists of texts read the same.
std::uint64_t WithText(std::uint64_t hash, std::string_view text) {
  hash = Mixed(hash ^ text.size());
  while (text.size() >= sizeof(std::uint64_t)) {
    std::uint64_t word = 0;
    text.copy(reinterpret_cast<char*>(&word), sizeof(word));
    hash = Mixed(hash ^ word) + word;
    text.remove_prefix(sizeof(word));
  }
  std::uint64_t rest = 0;
  text.copy(reinterpret_cast<char*>(&rest), text.size());
  return Mixed(hash ^ rest);
}

// Takes the word in front of the next blank.
std::string_view TakeWord(std::string_view* text, char end = ' ') {
  const std::size_t at = text->find(end);
  const std::string_view word = text->substr(0, at);
  text->remove_prefix(at == std::string_view::npos ? text->size() : at + 1);
  return word;
}

bool ReadNumber(std::string_view word, int base, std::uint64_t* value) {
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), *value, base);
  return error == std::errc() && end == word.data() + word.size();
}

}  // namespace

std::string Hex(std::uint64_t value) {
  std::array<char, 17> text{};
  std::snprintf(text.data(), text.size(), "%016llx", static_cast<unsigned long long>(value));
  return text.data();
}

std::uint64_t Checksum(const MappedEvent& event) {
  std::uint64_t hash = kGoodLine;
  for (const std::string_view part : {event.user, event.item, event.weight, event.type}) {
    hash = WithText(hash, part);
  }
  hash = Mixed(hash ^ (event.time_ms ? 1U : 0U) ^ (event.is_skipped ? 2U : 0U));
  return Mixed(hash ^ static_cast<std::uint64_t>(event.time_ms.value_or(0)));
}

std::uint64_t ChecksumOfBadLine(std::string_view raw) {
  return WithText(kBadLine, raw);
}

std::uint64_t Chained(std::uint64_t chain, std::uint64_t checksum) {
  return Mixed(chain + checksum) ^ (chain << 1U | chain >> 63U);
}

void Sketch::Add(std::uint64_t checksum) {
  if (smallest_.size() == kSketchSize && checksum >= *smallest_.rbegin()) {
    return;
  }
  smallest_.insert(checksum);
  if (smallest_.size() > kSketchSize) {
    smallest_.erase(std::prev(smallest_.end()));
  }
}

std::string Encode(const PastImport& import) {
  std::string text(kVersion);
  text += ' ' + import.run + ' ' + std::to_string(import.records) + ' ' +
          std::to_string(import.lost) + ' ' + Hex(import.chain) +
          (import.is_done ? " done " : " open ");
  for (const std::uint64_t checksum : import.sketch.smallest()) {
    text += Hex(checksum) + ',';
  }
  // Last, since it may hold anything.
  return text + ' ' + import.name;
}

Result<PastImport> Decode(const std::string& text) {
  std::string_view rest = text;
  PastImport import;
  const bool known = TakeWord(&rest) == kVersion;
  import.run = TakeWord(&rest);
  const bool numbers = ReadNumber(TakeWord(&rest), 10, &import.records) &&
                       ReadNumber(TakeWord(&rest), 10, &import.lost) &&
                       ReadNumber(TakeWord(&rest), 16, &import.chain);
  const std::string_view state = TakeWord(&rest);
  import.is_done = state == "done";
  std::string_view checksums = TakeWord(&rest);
  bool sketch = true;
  while (sketch && !checksums.empty()) {
    std::uint64_t checksum = 0;
    sketch = ReadNumber(TakeWord(&checksums, ','), 16, &checksum);
    import.sketch.Add(checksum);
  }
  import.name = rest;
  if (!known || import.run.empty() || !numbers || !sketch || (!import.is_done && state != "open")) {
    return Status::InvalidArgument("the key that holds the progress has an unknown value: " +
                                   Quoted(text));
  }
  return import;
}

Comparer::Comparer(const PastImport& past)
    : past_(past), begins_with_it_(past.records == 0), missing_(past.sketch.smallest()) {}

void Comparer::Add(std::uint64_t checksum) {
  ++records_;
  chain_ = Chained(chain_, checksum);
  if (records_ == past_.records) {
    begins_with_it_ = chain_ == past_.chain;
  }
  missing_.erase(checksum);
}

Comparison Comparer::Outcome() const {
  const std::size_t all = past_.sketch.smallest().size();
  const std::size_t shared = all - missing_.size();
  return {begins_with_it_, !begins_with_it_ && shared > 0 && 2 * shared >= all};
}

}  // namespace reco::admin
