// CommandTable: all rows of the groups it is given, found by name in any case, and what COMMAND
// shows about a row: flags, categories.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "api/commands/command.h"

namespace reco::api {

// A row and its place in the table.
struct CommandEntry {
  const CommandSpec* spec = nullptr;
  const CommandEntry* parent = nullptr;  // of a subcommand
  std::string full_name;                 // "config|get"
  std::size_t index = 0;                 // 0 to CommandTable::size() - 1, for statistics
  std::vector<const CommandEntry*> subcommands;
};

// Immutable.
class CommandTable {
 public:
  // Makes the table of the rows of these groups, which must outlive it.
  explicit CommandTable(std::span<const std::span<const CommandSpec>> groups);
  CommandTable(const CommandTable&) = delete;
  CommandTable& operator=(const CommandTable&) = delete;

  // Returns the command of this first word; null when there is none.
  const CommandEntry* Find(std::string_view name) const;
  static const CommandEntry* FindSubcommand(const CommandEntry& parent, std::string_view name);
  // Returns the row of a request: the subcommand when the command has some and a second word is
  // there. Null when the command, or the subcommand, is unknown.
  const CommandEntry* Resolve(std::span<const std::string_view> args) const;
  // Returns the row named "get" or "config|get"; null when there is none.
  const CommandEntry* FindFullName(std::string_view name) const;

  // Returns the commands without their subcommands, in the order of the groups.
  std::span<const CommandEntry* const> commands() const { return commands_; }
  // Returns the rows, subcommands included, by index.
  const std::deque<CommandEntry>& entries() const { return entries_; }
  std::size_t size() const { return entries_.size(); }

 private:
  CommandEntry* AddEntry(const CommandSpec& spec, const CommandEntry* parent);
  void BuildIndex();

  std::deque<CommandEntry> entries_;
  std::vector<const CommandEntry*> commands_;
  std::vector<const CommandEntry*> buckets_;  // open addressing by hash of the lower-case name
};

// Returns true iff a request of so many words fits. Arity counts the command's name, and the
// subcommand's.
bool ArityFits(const CommandSpec& spec, std::size_t arguments);

// Returns Redis's names of the flags, in its order.
std::vector<std::string_view> FlagNames(std::uint32_t flags);

// Returns "@read", "@string", ...: the categories of the row and those its flags imply, in Redis's
// order.
std::vector<std::string_view> CategoryNames(const CommandSpec& spec);

// Returns the positions of the keys in a request that fits the row.
std::vector<std::size_t> KeyPositions(const CommandSpec& spec, std::size_t arguments);

}  // namespace reco::api
