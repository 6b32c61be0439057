// A command that answers a list: its row, its handler and the choice of a worker from one
// description and the options of lists that it has.
#pragma once

#include <cstdint>
#include <string_view>

#include "reco/engine.h"
#include "reco/result.h"
#include "reco/types.h"

#include "api/commands/command.h"
#include "api/commands/grammar.h"
#include "api/commands/reco/argument_specs.h"
#include "api/commands/reco/list_options.h"

namespace reco::api {

// The words between the key and the options.
enum class ListHead : std::uint8_t { kNothing, kUser, kItem, kUsers, kItems };

// The work that may make a list slow, beside its options.
enum class ListWork : std::uint8_t {
  kShort,     // nothing
  kFiltered,  // columns or bitmaps of filters that have to be made first
  kByVector,  // those, and lists of this collection that took long of late
  kLong,      // always
};

struct ListCommand {
  std::string_view name;
  std::uint32_t bit;  // of namespace list
  ListHead head;
  ListWork work;
  Side side;  // of the entries
  Result<Ranking> (*ask)(const Database& database, KeyRef key, const ListRequest& request);
};

// Reads a request up to its end; `words` says what is wrong with it.
void ReadList(const ListCommand& command, Arguments& words, ListRequest* request);
// Reads the request and answers it.
void AnswerList(const ListCommand& command, CommandContext& context);
// Returns true iff the request belongs on a worker; one that is wrong does not.
bool ListIsSlow(const ListCommand& command, const CommandContext& context);

namespace list {
inline constexpr ArgumentSpec kUserHead[] = {kKeyArgument, kUserArgument};
inline constexpr ArgumentSpec kItemHead[] = {kKeyArgument, kItemArgument};
inline constexpr ArgumentSpec kUsersHead[] = {kKeyArgument, kNumberArgument, kUsersArgument};
inline constexpr ArgumentSpec kItemsHead[] = {kKeyArgument, kNumberArgument, kItemsArgument};

template <ListHead kHead>
constexpr const auto& Head() {
  if constexpr (kHead == ListHead::kNothing) {
    return kKeyAlone;
  } else if constexpr (kHead == ListHead::kUser) {
    return kUserHead;
  } else if constexpr (kHead == ListHead::kItem) {
    return kItemHead;
  } else if constexpr (kHead == ListHead::kUsers) {
    return kUsersHead;
  } else {
    return kItemsHead;
  }
}

template <const ListCommand& kCommand>
inline constexpr auto kArguments = ArgumentsOf<kCommand.bit, Head<kCommand.head>(), kListOptions>();
}  // namespace list

template <const ListCommand& kCommand>
constexpr CommandSpec ListRow(std::string_view summary, std::string_view complexity) {
  return {.name = kCommand.name,
          .arity = -1 - static_cast<std::int32_t>(std::size(list::Head<kCommand.head>())),
          .flags = kReadonly | kSlowWorker,
          .summary = summary,
          .complexity = complexity,
          .arguments = list::kArguments<kCommand>,
          .handler = [](CommandContext& context) { AnswerList(kCommand, context); },
          .slow = [](const CommandContext& context) { return ListIsSlow(kCommand, context); }};
}

}  // namespace reco::api
