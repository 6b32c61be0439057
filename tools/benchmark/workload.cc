#include "tools/benchmark/workload.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <span>
#include <utility>

#include "tools/admin/byte_source.h"
#include "tools/admin/record_mapping.h"
#include "tools/admin/record_reader.h"
#include "tools/benchmark/resp.h"

namespace reco::benchmark {
namespace {

enum class Slot : std::uint8_t { kUser, kItem, kKey };

// A command whose ids are filled in later. In `words`, "@user", "@item" and "@key" stand for ids,
// "@collection", "@value" and "@count" for what the options say.
struct Pattern {
  std::string_view name;
  std::array<std::string_view, 8> words;
};

constexpr std::array<Pattern, 8> kPatterns = {{
    {"ping", {"PING"}},
    {"get", {"GET", "@key"}},
    {"set", {"SET", "@key", "@value"}},
    {"add", {"RECO.ADD", "@collection", "@user", "@item"}},
    {"topk", {"RECO.TOPK", "@collection", "@user", "COUNT", "@count"}},
    {"session", {"RECO.SESSION", "@collection", "3", "@item", "@item", "@item", "COUNT", "@count"}},
    {"similar", {"RECO.SIMILAR", "@collection", "1", "@item", "COUNT", "@count"}},
    {"score", {"RECO.SCORE", "@collection", "@user", "@item"}},
}};

constexpr std::uint64_t kMixedTopkPercent = 90;  // of "mixed"; the rest are adds

// A composed command and where its ids' digits lie. All ids have the same length, so that filling
// them in moves nothing.
class Template {
 public:
  Template(const Pattern& pattern, const WorkloadOptions& options) {
    const std::string value(options.value_bytes, 'x');
    const std::string count = std::to_string(options.count);
    const std::string zeros(kIdDigits, '0');
    std::vector<std::string> words;
    std::vector<Slot> slots;
    for (std::string_view word : pattern.words) {
      if (word.empty()) {
        break;
      }
      if (word == "@user" || word == "@item" || word == "@key") {
        slots.push_back(word == "@user" ? Slot::kUser : word == "@item" ? Slot::kItem : Slot::kKey);
        words.push_back(std::string(word.substr(1)) + ':' + zeros);
      } else {
        words.emplace_back(word == "@collection" ? options.key
                           : word == "@value"    ? value
                           : word == "@count"    ? count
                                                 : std::string(word));
      }
    }
    Compose(words, pattern, slots);
  }

  void AppendTo(std::string* out, Random& random, const WorkloadOptions& options) const {
    const std::size_t start = out->size();
    *out += text_;
    for (const auto& [slot, offset] : slots_) {
      WriteDigits(out->data() + start + offset,
                  slot == Slot::kItem   ? PowerLaw(random, options.items)
                  : slot == Slot::kUser ? random.Next() % options.users
                                        : random.Next() % options.keys);
    }
  }

  // Appends the command with a user and an item that the caller chose; no other id may be in the
  // pattern.
  void AppendFor(std::string* out, std::uint64_t user, std::uint64_t item) const {
    const std::size_t start = out->size();
    *out += text_;
    for (const auto& [slot, offset] : slots_) {
      WriteDigits(out->data() + start + offset, slot == Slot::kItem ? item : user);
    }
  }

 private:
  static void WriteDigits(char* digits, std::uint64_t number) {
    for (std::size_t i = kIdDigits; i-- > 0; number /= 10) {
      digits[i] = static_cast<char>('0' + number % 10);
    }
  }

  // Writes the command word by word to learn where the digits of each id lie.
  void Compose(const std::vector<std::string>& words, const Pattern& pattern,
               const std::vector<Slot>& slots) {
    std::size_t next_slot = 0;
    text_ = '*' + std::to_string(words.size()) + "\r\n";
    for (std::size_t i = 0; i < words.size(); ++i) {
      text_ += '$' + std::to_string(words[i].size()) + "\r\n" + words[i];
      const std::string_view word = pattern.words[i];
      if (word == "@user" || word == "@item" || word == "@key") {
        slots_.emplace_back(slots[next_slot++], text_.size() - kIdDigits);
      }
      text_ += "\r\n";
    }
  }

  std::string text_;
  std::vector<std::pair<Slot, std::size_t>> slots_;  // offset of the first digit
};

class TemplateSource final : public RequestSource {
 public:
  TemplateSource(std::vector<Template> templates, const WorkloadOptions& options,
                 std::uint64_t client)
      // Connections draw different numbers, and a run can be repeated.
      : templates_(std::move(templates)), options_(options), random_(options.seed + client) {}

  Batch NextBatch(std::size_t count) override {
    bytes_.clear();
    for (std::size_t i = 0; i < count; ++i) {
      const bool second = templates_.size() > 1 && random_.Next() % 100 >= kMixedTopkPercent;
      templates_[second ? 1 : 0].AppendTo(&bytes_, random_, options_);
    }
    return {bytes_, count, false, {}};
  }

 private:
  const std::vector<Template> templates_;
  const WorkloadOptions options_;
  Random random_;
  std::string bytes_;
};

class AddThenTopkSource final : public RequestSource {
 public:
  AddThenTopkSource(Template add, Template topk, const WorkloadOptions& options,
                    std::uint64_t client)
      : add_(std::move(add)),
        topk_(std::move(topk)),
        options_(options),
        random_(options.seed + client) {}

  Batch NextBatch(std::size_t /*count*/) override {
    bytes_.clear();
    adds_ = !adds_;
    if (adds_) {
      user_ = random_.Next() % options_.users;
      const std::uint64_t item = PowerLaw(random_, options_.items);
      item_id_ = NumberedId(kItemPrefix, item);
      add_.AppendFor(&bytes_, user_, item);
      // The list must not be asked for before the event is acknowledged, so these are two batches.
      return {bytes_, 1, true, {}};
    }
    topk_.AppendFor(&bytes_, user_, 0);
    return {bytes_, 1, false, item_id_};
  }

 private:
  const Template add_;
  const Template topk_;
  const WorkloadOptions options_;
  Random random_;
  bool adds_ = false;  // the batch on its way is the event
  std::uint64_t user_ = 0;
  std::string item_id_;
  std::string bytes_;
};

class ReplaySource final : public RequestSource {
 public:
  explicit ReplaySource(std::shared_ptr<Replay> replay) : replay_(std::move(replay)) {}
  Batch NextBatch(std::size_t count) override { return replay_->Next(count); }

 private:
  const std::shared_ptr<Replay> replay_;
};

const Pattern* FindPattern(std::string_view name) {
  const auto* found = std::find_if(kPatterns.begin(), kPatterns.end(),
                                   [&](const Pattern& pattern) { return pattern.name == name; });
  return found == kPatterns.end() ? nullptr : found;
}

}  // namespace

std::uint64_t PowerLaw(Random& random, std::uint64_t n) {
  // Inverse of the distribution function log(i + 1) / log(n + 1).
  const double x = std::exp(random.Unit() * std::log(static_cast<double>(n) + 1)) - 1;
  return std::min(static_cast<std::uint64_t>(x), n - 1);
}

std::string NumberedId(std::string_view prefix, std::uint64_t number) {
  const std::string digits = std::to_string(number);
  const std::size_t zeros = digits.size() < kIdDigits ? kIdDigits - digits.size() : 0;
  return std::string(prefix) + std::string(zeros, '0') + digits;
}

std::string WorkloadNames() {
  std::string names;
  for (const Pattern& pattern : kPatterns) {
    names += std::string(pattern.name) + ", ";
  }
  return names + "mixed, " + std::string(kAddThenTopk);
}

Result<std::unique_ptr<RequestSource>> MakeSource(const std::string& workload,
                                                  const WorkloadOptions& options,
                                                  std::uint64_t client) {
  if (workload == kAddThenTopk) {
    return std::unique_ptr<RequestSource>(std::make_unique<AddThenTopkSource>(
        Template(*FindPattern("add"), options), Template(*FindPattern("topk"), options), options,
        client));
  }
  std::vector<Template> templates;
  if (workload == "mixed") {
    templates.emplace_back(*FindPattern("topk"), options);
    templates.emplace_back(*FindPattern("add"), options);
  } else if (const Pattern* pattern = FindPattern(workload); pattern != nullptr) {
    templates.emplace_back(*pattern, options);
  } else {
    return Status::InvalidArgument("no workload '" + workload + "'; there are " + WorkloadNames());
  }
  return std::unique_ptr<RequestSource>(
      std::make_unique<TemplateSource>(std::move(templates), options, client));
}

std::unique_ptr<RequestSource> MakeReplaySource(std::shared_ptr<Replay> replay) {
  return std::make_unique<ReplaySource>(std::move(replay));
}

Result<std::shared_ptr<Replay>> Replay::Load(const std::string& path,
                                             const std::string& user_column,
                                             const std::string& item_column,
                                             const std::string& key) {
  RECO_ASSIGN_OR_RETURN(const admin::Input input, admin::OpenInput(path));
  RECO_ASSIGN_OR_RETURN(const auto reader,
                        admin::OpenReader(input, {}, true, {user_column, item_column}));
  admin::Record record;
  RECO_ASSIGN_OR_RETURN(bool more, reader->Next(&record));
  if (!more) {
    return Status::InvalidArgument(path + " is empty");
  }
  RECO_ASSIGN_OR_RETURN(
      admin::RecordMapping mapping,
      admin::RecordMapping::Resolve({user_column, item_column, {}, {}, {}, {}}, record, true));
  auto replay = std::make_shared<Replay>();
  while (true) {
    RECO_ASSIGN_OR_RETURN(more, reader->Next(&record));
    if (!more) {
      break;
    }
    const auto event = mapping.Map(record);
    // Lines that are no events are left out: this measures a server, not a file.
    if (event.ok()) {
      AppendCommand(&replay->bytes_, {"RECO.ADD", key, event->user, event->item});
      replay->ends_.push_back(replay->bytes_.size());
    }
  }
  if (replay->ends_.empty()) {
    return Status::InvalidArgument(path + " has no usable lines");
  }
  return replay;
}

RequestSource::Batch Replay::Next(std::size_t count) {
  // Connections take turns, so that events start in the order of the file.
  const std::uint64_t first = next_.fetch_add(count, std::memory_order_relaxed);
  if (first >= ends_.size()) {
    return {};
  }
  const std::uint64_t last = std::min<std::uint64_t>(first + count, ends_.size());
  const std::size_t begin = first == 0 ? 0 : ends_[first - 1];
  return {std::string_view(bytes_).substr(begin, ends_[last - 1] - begin), last - first, false, {}};
}

}  // namespace reco::benchmark
