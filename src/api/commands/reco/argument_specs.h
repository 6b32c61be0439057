// Arguments that several RECO commands have in front of their options.
#pragma once

#include "api/commands/command.h"

namespace reco::api {

inline constexpr ArgumentSpec kKeyArgument = {.name = "key", .type = "key"};
inline constexpr ArgumentSpec kUserArgument = {.name = "user", .type = "string"};
inline constexpr ArgumentSpec kItemArgument = {.name = "item", .type = "string"};
inline constexpr ArgumentSpec kUsersArgument = {.name = "user", .type = "string", .multiple = true};
inline constexpr ArgumentSpec kItemsArgument = {.name = "item", .type = "string", .multiple = true};
inline constexpr ArgumentSpec kNumberArgument = {.name = "n", .type = "integer"};
// "n id ...": the number of ids, and the ids.
inline constexpr ArgumentSpec kCountedIds[] = {{.name = "n", .type = "integer"},
                                               {.name = "id", .type = "string", .multiple = true}};

inline constexpr ArgumentSpec kKeyAlone[] = {kKeyArgument};

}  // namespace reco::api
