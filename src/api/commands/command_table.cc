#include "api/commands/command_table.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "api/protocol/words.h"

namespace reco::api {
namespace {

char LowerByte(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
}

// Returns FNV-1a over the lower-case bytes; names are short.
std::size_t HashIgnoreCase(std::string_view name) {
  std::uint64_t hash = 14695981039346656037ULL;
  for (const char c : name) {
    hash = (hash ^ static_cast<std::uint8_t>(LowerByte(c))) * 1099511628211ULL;
  }
  return static_cast<std::size_t>(hash ^ (hash >> 32U));
}

// Returns true iff `category` is one of the words of `list`.
bool HasWord(std::string_view list, std::string_view category) {
  std::size_t at = 0;
  while (at < list.size()) {
    const std::size_t end = std::min(list.find(' ', at), list.size());
    if (list.substr(at, end - at) == category) {
      return true;
    }
    at = end + 1;
  }
  return false;
}

// Returns true iff Redis derives the category from the flags, so that rows need not name it.
bool FlagsImply(std::uint32_t flags, std::string_view category) {
  const std::pair<std::string_view, bool> implied[] = {
      {"@read", (flags & kReadonly) != 0},   {"@write", (flags & kWrite) != 0},
      {"@admin", (flags & kAdmin) != 0},     {"@fast", (flags & kFast) != 0},
      {"@slow", (flags & kFast) == 0},       {"@blocking", (flags & kBlocking) != 0},
      {"@dangerous", (flags & kAdmin) != 0},
  };
  return std::any_of(std::begin(implied), std::end(implied),
                     [&](const auto& entry) { return entry.first == category && entry.second; });
}

}  // namespace

CommandTable::CommandTable(std::span<const std::span<const CommandSpec>> groups) {
  for (const std::span<const CommandSpec> group : groups) {
    for (const CommandSpec& spec : group) {
      CommandEntry* entry = AddEntry(spec, nullptr);
      commands_.push_back(entry);
      for (const CommandSpec& subcommand : spec.subcommands) {
        entry->subcommands.push_back(AddEntry(subcommand, entry));
      }
    }
  }
  BuildIndex();
}

CommandEntry* CommandTable::AddEntry(const CommandSpec& spec, const CommandEntry* parent) {
  CommandEntry& entry = entries_.emplace_back();
  entry.spec = &spec;
  entry.parent = parent;
  entry.index = entries_.size() - 1;
  if (parent != nullptr) {
    entry.full_name = parent->full_name + "|";
  }
  entry.full_name += spec.name;
  return &entry;
}

void CommandTable::BuildIndex() {
  // At most a quarter full: every request looks here, and chains stay short.
  buckets_.resize(std::bit_ceil((commands_.size() + 1) * 4));
  for (const CommandEntry* entry : commands_) {
    std::size_t at = HashIgnoreCase(entry->spec->name) & (buckets_.size() - 1);
    while (buckets_[at] != nullptr) {
      at = (at + 1) & (buckets_.size() - 1);
    }
    buckets_[at] = entry;
  }
}

const CommandEntry* CommandTable::Find(std::string_view name) const {
  std::size_t at = HashIgnoreCase(name) & (buckets_.size() - 1);
  while (buckets_[at] != nullptr && !EqualsIgnoreCase(buckets_[at]->spec->name, name)) {
    at = (at + 1) & (buckets_.size() - 1);
  }
  return buckets_[at];
}

const CommandEntry* CommandTable::FindSubcommand(const CommandEntry& parent,
                                                 std::string_view name) {
  // A container has a handful of them.
  for (const CommandEntry* entry : parent.subcommands) {
    if (EqualsIgnoreCase(entry->spec->name, name)) {
      return entry;
    }
  }
  return nullptr;
}

const CommandEntry* CommandTable::Resolve(std::span<const std::string_view> args) const {
  const CommandEntry* entry = Find(args[0]);
  // A container without its second word is its own row: COMMAND has a handler, of others the arity
  // fails.
  if (entry == nullptr || entry->subcommands.empty() || args.size() == 1) {
    return entry;
  }
  return FindSubcommand(*entry, args[1]);
}

const CommandEntry* CommandTable::FindFullName(std::string_view name) const {
  const std::size_t bar = name.find('|');
  const CommandEntry* entry = Find(name.substr(0, bar));
  if (entry == nullptr || bar == std::string_view::npos) {
    return entry;
  }
  return FindSubcommand(*entry, name.substr(bar + 1));
}

bool ArityFits(const CommandSpec& spec, std::size_t arguments) {
  const auto count = static_cast<std::int64_t>(arguments);
  // Widened before the sign is turned, which the least integer would not survive.
  return spec.arity >= 0 ? count == spec.arity : count >= -std::int64_t{spec.arity};
}

std::vector<std::string_view> FlagNames(std::uint32_t flags) {
  static constexpr std::pair<std::uint32_t, std::string_view> kNames[] = {
      {kWrite, "write"},       {kReadonly, "readonly"}, {kDenyOom, "denyoom"}, {kAdmin, "admin"},
      {kNoScript, "noscript"}, {kBlocking, "blocking"}, {kLoading, "loading"}, {kStale, "stale"},
      {kFast, "fast"},         {kNoAuth, "no_auth"},
  };
  std::vector<std::string_view> names;
  for (const auto& [flag, name] : kNames) {
    if ((flags & flag) != 0) {
      names.push_back(name);
    }
  }
  return names;
}

std::vector<std::string_view> CategoryNames(const CommandSpec& spec) {
  // Redis's, in its order, then ours.
  static constexpr std::string_view kNames[] = {
      "@keyspace", "@read", "@write",    "@hash",      "@string",     "@pubsub",      "@admin",
      "@fast",     "@slow", "@blocking", "@dangerous", "@connection", "@transaction", "@reco"};
  std::vector<std::string_view> names;
  for (const std::string_view name : kNames) {
    if (HasWord(spec.categories, name) || FlagsImply(spec.flags, name)) {
      names.push_back(name);
    }
  }
  return names;
}

std::vector<std::size_t> KeyPositions(const CommandSpec& spec, std::size_t arguments) {
  std::vector<std::size_t> positions;
  if (spec.keys.first <= 0) {
    return positions;
  }
  const auto count = static_cast<std::int64_t>(arguments);
  const std::int64_t last = spec.keys.last < 0 ? count + spec.keys.last : spec.keys.last;
  for (std::int64_t at = spec.keys.first; at <= last && at < count;
       at += std::max(1, spec.keys.step)) {
    positions.push_back(static_cast<std::size_t>(at));
  }
  return positions;
}

}  // namespace reco::api
