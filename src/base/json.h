// JSON syntax (RFC 8259): only whether a text is an object, not what is in it.
#pragma once

#include <string_view>

namespace reco {

inline constexpr int kJsonDepthMax = 64;  // of objects and arrays in one another

// Returns true iff `text` is one object in valid UTF-8, with nothing but white space around it.
// Keys may repeat. Linear; deeper than kJsonDepthMax is no object.
bool IsJsonObject(std::string_view text);

}  // namespace reco
