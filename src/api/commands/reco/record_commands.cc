// Items and users: RECO.ITEM, RECO.USER, RECO.VECTOR.
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "api/commands/answers.h"
#include "api/commands/arguments.h"
#include "api/commands/command.h"
#include "api/commands/grammar.h"
#include "api/commands/help.h"
#include "api/commands/reco/argument_specs.h"
#include "api/commands/reco/groups.h"
#include "base/json.h"

namespace reco::api {
namespace {

constexpr std::size_t kSubcommandWords = 2;
constexpr std::uint32_t kOptions = 1;  // the only command of its tables
constexpr std::int64_t kScanCountMax = 10'000;

constexpr std::string_view IdName(Side side) {
  return side == Side::kUser ? "user id" : "item id";
}

// The key and the id that stand behind a subcommand.
struct RecordName {
  KeyRef key;
  std::string_view id;
};

RecordName ReadName(const CommandContext& context, Arguments& words, Side side) {
  const KeyRef key = context.Key(words.Word());
  return {.key = key, .id = words.Id(IdName(side))};
}

// Reads the JSON object that stands behind ATTRS.
void ReadAttributes(Arguments& words, RecordUpdate* update) {
  update->attributes = words.Text("ATTRS", kAttributesBytesMax);
  if (!IsJsonObject(*update->attributes)) {
    words.Fail("ATTRS must be a JSON object");
  }
}

// Items and users have the same options and the same handlers, which differ by the side alone.
using RecordOptions = OptionsOf<RecordUpdate>;
constexpr std::array kRecordOptions = {
    RecordOptions::Custom({.name = "json", .type = "string", .token = "ATTRS"},
                          "the attributes, a JSON object of at most 64 KiB",
                          [](const Option<RecordUpdate>&, Arguments& words, RecordUpdate* update) {
                            ReadAttributes(words, update);
                          }),
    RecordOptions::Integer<&RecordUpdate::hidden>(
        {"HIDDEN", "hidden", "1: on no list any more; 0: listed again"}, 0, 1),
    RecordOptions::Time<&RecordUpdate::expire_at_ms>(
        {"EXPIREAT", "ms", "on no list from then on; 0: for good"}),
};

struct ScanRequest {
  std::string_view pattern = "*";
  std::uint64_t count = 10;
};
using ScanOptions = OptionsOf<ScanRequest>;
constexpr std::array kScanOptions = {
    ScanOptions::Custom({.name = "pattern", .type = "pattern", .token = "MATCH"},
                        "only ids that match the glob",
                        [](const Option<ScanRequest>&, Arguments& words, ScanRequest* request) {
                          request->pattern = words.Word();
                        }),
    ScanOptions::Integer<&ScanRequest::count>({"COUNT", "count", "about how many ids a call reads"},
                                              1, kScanCountMax),
};

template <Side kSide>
void SetRecord(CommandContext& context) {
  Arguments words(context.args, kSubcommandWords);
  const RecordName name = ReadName(context, words, kSide);
  RecordUpdate update;
  ReadOptions<RecordUpdate>(kRecordOptions, kOptions, words, &update);
  if (words.Reject(context.reply)) {
    return;
  }
  AnswerBoolean(context.reply,
                context.database.SetRecord(name.key, kSide, name.id, update, kDeferred));
}

template <Side kSide>
void MergeRecord(CommandContext& context) {
  Arguments words(context.args, kSubcommandWords);
  const RecordName name = ReadName(context, words, kSide);
  if (!words.Keyword("ATTRS")) {
    words.FailSyntax();
  }
  RecordUpdate update{.merge = true};
  ReadAttributes(words, &update);
  if (words.Reject(context.reply)) {
    return;
  }
  AnswerBoolean(context.reply,
                context.database.SetRecord(name.key, kSide, name.id, update, kDeferred));
}

void AnswerRecord(Reply& reply, const Record& record) {
  constexpr std::size_t kPairs = 7;
  reply.Map(kPairs);
  reply.Bulk("attributes");
  // An item or user that only interactions have made known has none.
  if (record.attributes.empty()) {
    reply.Null();
  } else {
    reply.Bulk(record.attributes);
  }
  reply.Bulk("hidden");
  reply.Boolean(record.hidden);
  reply.Bulk("expire-at-ms");
  reply.Integer(record.expire_at_ms);
  reply.Bulk("first-ms");
  reply.Integer(record.first_ms);
  reply.Bulk("last-ms");
  reply.Integer(record.last_ms);
  reply.Bulk("interactions");
  reply.Integer(static_cast<std::int64_t>(record.pairs));
  reply.Bulk("events");
  reply.Integer(static_cast<std::int64_t>(record.events));
}

template <Side kSide>
void GetRecord(CommandContext& context) {
  Arguments words(context.args, kSubcommandWords);
  const RecordName name = ReadName(context, words, kSide);
  if (words.Reject(context.reply)) {
    return;
  }
  const Result<std::optional<Record>> record = context.database.GetRecord(name.key, kSide, name.id);
  if (!record.ok()) {
    context.reply.Failure(record.status());
  } else if (record->has_value()) {
    AnswerRecord(context.reply, **record);
  } else {
    context.reply.Null();
  }
}

template <Side kSide>
void DeleteRecord(CommandContext& context) {
  Arguments words(context.args, kSubcommandWords);
  const RecordName name = ReadName(context, words, kSide);
  if (words.Reject(context.reply)) {
    return;
  }
  AnswerBoolean(context.reply, context.database.DeleteRecord(name.key, kSide, name.id, kDeferred));
}

// A deletion changes as many rows of the other side as the owner has pairs.
template <Side kSide>
bool DeleteIsSlow(const CommandContext& context) {
  constexpr std::uint64_t kPairsAtOnce = 64;
  const auto record =
      context.database.GetRecord(context.Key(context.args[2]), kSide, context.args[3]);
  return record.ok() && record->has_value() && (*record)->pairs > kPairsAtOnce;
}

// Returns true iff COUNT, wherever it stands, is large; a pattern may take some us an id.
bool ScanIsSlow(const CommandContext& context) {
  constexpr std::uint64_t kIdsAtOnce = 1'000;
  Arguments words(context.args, kSubcommandWords);
  words.Word();
  words.Cursor();
  ScanRequest request;
  ReadOptions<ScanRequest>(kScanOptions, kOptions, words, &request);
  return !words.failed() && request.count > kIdsAtOnce;
}

template <Side kSide>
void ScanRecords(CommandContext& context) {
  Arguments words(context.args, kSubcommandWords);
  const KeyRef key = context.Key(words.Word());
  const std::uint64_t cursor = words.Cursor();
  ScanRequest request;
  ReadOptions<ScanRequest>(kScanOptions, kOptions, words, &request);
  if (words.Reject(context.reply)) {
    return;
  }
  const Result<ScanPage> page =
      context.database.ScanRecords(key, kSide, cursor, request.count, request.pattern);
  if (!page.ok()) {
    context.reply.Failure(page.status());
    return;
  }
  AnswerScanPage(context.reply, *page);
}

template <Side kSide>
void CountRecords(CommandContext& context) {
  AnswerInteger(context.reply, context.database.CountRecords(context.Key(context.args[2]), kSide));
}

void GetVector(CommandContext& context) {
  Arguments words(context.args, kSubcommandWords);
  const KeyRef key = context.Key(words.Word());
  // USER or ITEM is needed, because an id may be known on both sides.
  const Side side = words.Keyword("USER") ? Side::kUser : Side::kItem;
  if (side == Side::kItem && !words.Keyword("ITEM")) {
    words.FailSyntax();
  }
  const std::string_view id = words.Id(IdName(side));
  if (words.Reject(context.reply)) {
    return;
  }
  const Result<std::optional<std::vector<float>>> vector =
      context.database.GetVector(key, side, id);
  if (!vector.ok()) {
    context.reply.Failure(vector.status());
    return;
  }
  if (!vector->has_value()) {
    context.reply.Null();
    return;
  }
  context.reply.Array((*vector)->size());
  for (const float component : **vector) {
    context.reply.Float32(component);
  }
}

constexpr ArgumentSpec kItemArguments[] = {kKeyArgument, kItemArgument};
constexpr ArgumentSpec kUserArguments[] = {kKeyArgument, kUserArgument};
constexpr ArgumentSpec kPatchArgument = {.name = "json", .type = "string", .token = "ATTRS"};
constexpr ArgumentSpec kItemMergeArguments[] = {kKeyArgument, kItemArgument, kPatchArgument};
constexpr ArgumentSpec kUserMergeArguments[] = {kKeyArgument, kUserArgument, kPatchArgument};
constexpr ArgumentSpec kScanFront[] = {kKeyArgument, {.name = "cursor", .type = "integer"}};
constexpr auto kItemSetArguments = ArgumentsOf<kOptions, kItemArguments, kRecordOptions>();
constexpr auto kUserSetArguments = ArgumentsOf<kOptions, kUserArguments, kRecordOptions>();
constexpr auto kScanArguments = ArgumentsOf<kOptions, kScanFront, kScanOptions>();
constexpr ArgumentSpec kSides[] = {{.name = "user", .type = "pure-token", .token = "USER"},
                                   {.name = "item", .type = "pure-token", .token = "ITEM"}};
constexpr ArgumentSpec kVectorGetArguments[] = {
    kKeyArgument,
    {.name = "side", .type = "oneof", .arguments = kSides},
    {.name = "id", .type = "string"},
};

// A subcommand on the collection args[2].
constexpr CommandSpec Row(std::string_view name, std::int32_t arity, std::uint32_t flags,
                          std::string_view summary, std::span<const ArgumentSpec> arguments,
                          CommandHandler handler) {
  return {.name = name,
          .arity = arity,
          .flags = flags,
          .keys = {2, 2, 1},
          .summary = summary,
          .complexity = "O(1)",
          .arguments = arguments,
          .handler = handler};
}

constexpr CommandSpec WithComplexity(CommandSpec row, std::string_view complexity) {
  row.complexity = complexity;
  return row;
}

constexpr CommandSpec Container(std::string_view name, std::string_view summary,
                                std::span<const CommandSpec> subcommands) {
  return {.name = name,
          .arity = -2,
          .flags = 0,
          .keys = kNoKeys,
          .summary = summary,
          .complexity = "Depends on subcommand.",
          .subcommands = subcommands};
}

constexpr CommandSpec Slow(CommandSpec row, bool (*slow)(const CommandContext& context)) {
  row.flags |= kSlowWorker;
  row.slow = slow;
  return row;
}

constexpr std::string_view kDeleteComplexity =
    "O(N*D^2) where N is the number of its interactions and D the dimension";
constexpr std::string_view kMergeComplexity =
    "O(N*log(N)) where N is the length of the stored attributes and of the patch";
constexpr std::string_view kScanComplexity =
    "O(1) for every call. O(N) for a complete iteration, where N is the number of ids";

constexpr CommandSpec kItemRows[] = {
    Row("set", -4, kWrite | kDenyOom | kFast,
        "Sets attributes, hidden flag or expiry of an item; what is not named stays. Returns "
        "whether the item is new",
        kItemSetArguments, SetRecord<Side::kItem>),
    WithComplexity(
        Row("merge", 6, kWrite | kDenyOom | kFast,
            "Changes attributes of an item by a JSON merge patch (RFC 7396): members replace, null "
            "removes, objects merge, the rest stays. Returns whether the item is new",
            kItemMergeArguments, MergeRecord<Side::kItem>),
        kMergeComplexity),
    Row("get", 4, kReadonly | kFast, "Returns a map of the item's attributes and counts, or nil",
        kItemArguments, GetRecord<Side::kItem>),
    // Without kDenyOom: deleting must get through at the limit, since it frees memory.
    Slow(WithComplexity(Row("del", 4, kWrite,
                            "Removes an item, its vector and its interactions. Returns whether it "
                            "existed",
                            kItemArguments, DeleteRecord<Side::kItem>),
                        kDeleteComplexity),
         DeleteIsSlow<Side::kItem>),
    Slow(WithComplexity(Row("scan", -4, kReadonly, "Iterates over the ids of the items",
                            kScanArguments, ScanRecords<Side::kItem>),
                        kScanComplexity),
         ScanIsSlow),
    Row("count", 3, kReadonly | kFast, "Returns the number of items", kKeyAlone,
        CountRecords<Side::kItem>),
    kHelpRow,
};

constexpr CommandSpec kUserRows[] = {
    Row("set", -4, kWrite | kDenyOom | kFast,
        "Sets attributes, hidden flag or expiry of a user; what is not named stays. Returns "
        "whether the user is new",
        kUserSetArguments, SetRecord<Side::kUser>),
    WithComplexity(
        Row("merge", 6, kWrite | kDenyOom | kFast,
            "Changes attributes of a user by a JSON merge patch (RFC 7396): members replace, null "
            "removes, objects merge, the rest stays. Returns whether the user is new",
            kUserMergeArguments, MergeRecord<Side::kUser>),
        kMergeComplexity),
    Row("get", 4, kReadonly | kFast, "Returns a map of the user's attributes and counts, or nil",
        kUserArguments, GetRecord<Side::kUser>),
    Slow(WithComplexity(
             Row("del", 4, kWrite,
                 "Erases a user, the vector and the interactions. Returns whether the user "
                 "existed",
                 kUserArguments, DeleteRecord<Side::kUser>),
             kDeleteComplexity),
         DeleteIsSlow<Side::kUser>),
    Slow(WithComplexity(Row("scan", -4, kReadonly, "Iterates over the ids of the users",
                            kScanArguments, ScanRecords<Side::kUser>),
                        kScanComplexity),
         ScanIsSlow),
    Row("count", 3, kReadonly | kFast, "Returns the number of users", kKeyAlone,
        CountRecords<Side::kUser>),
    kHelpRow,
};

constexpr CommandSpec kVectorRows[] = {
    WithComplexity(Row("get", 5, kReadonly | kFast,
                       "Returns the components of a user's or an item's vector, or nil",
                       kVectorGetArguments, GetVector),
                   "O(D) where D is the dimension"),
    kHelpRow,
};

constexpr CommandSpec kRows[] = {
    Container("reco.item", "A container for commands on items", kItemRows),
    Container("reco.user", "A container for commands on users", kUserRows),
    Container("reco.vector", "A container for commands on vectors", kVectorRows),
};

}  // namespace

std::span<const CommandSpec> RecordCommands() {
  return kRows;
}

}  // namespace reco::api
