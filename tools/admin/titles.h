// Titles: shows an attribute of an item beside its id.
#pragma once

#include <string>
#include <string_view>

#include "tools/admin/session.h"

namespace reco::admin {

// Returns the scalar behind `name` at the top level of a JSON object, strings unescaped; "" when
// there is none. `json` has been checked by the server; anything malformed reads as "".
std::string AttributeText(std::string_view json, std::string_view name);

// Returns the attribute `name` of an item by RECO.ITEM GET; "" when it has none.
Result<std::string> ItemTitle(Session& session, std::string_view key, std::string_view item,
                              std::string_view name);

}  // namespace reco::admin
