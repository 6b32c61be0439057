// The text of INFO.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "api/server/server.h"

namespace reco::api {

// Returns the sections named, each once, in INFO's order; no name: the default ones. "all" and
// "everything" mean all of them. Unknown names add nothing.
std::string InfoText(Server& server, std::span<const std::string_view> sections);

}  // namespace reco::api
