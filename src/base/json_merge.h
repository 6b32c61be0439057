// JSON merge patches (RFC 7396) on texts.
#pragma once

#include <string>
#include <string_view>

namespace reco {

// Returns `target` changed by `patch`: members of an object in the patch replace those of the same
// name, null removes one, objects merge in the same way, and what is no object replaces as a whole.
// Names are compared as the characters they stand for ("\u0061" is "a").
//
// Members that the patch does not name keep their source text and their order; new ones follow in
// the patch's order. Of members of one name the last one counts, at the place of the first; but an
// object that the patch does not reach stays as it is. White space between members goes, so that
// the result is never longer than both texts together.
//
// Both must be JSON values as of IsJsonObject (base/json.h), objects or not; the result is one, and
// no deeper than the deeper one. O(N log N) for N bytes.
std::string MergeJson(std::string_view target, std::string_view patch);

}  // namespace reco
