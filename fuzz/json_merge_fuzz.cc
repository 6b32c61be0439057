// Merge patches: what two lines of JSON objects give is an object, no longer than both and no
// deeper than allowed, and a second merge changes nothing.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "base/json.h"
#include "base/json_merge.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using reco::IsJsonObject;
  using reco::MergeJson;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::size_t end = text.find('\n');
  if (end == std::string_view::npos) {
    return 0;
  }
  const std::string_view target = text.substr(0, end);
  const std::string_view patch = text.substr(end + 1);
  if (!IsJsonObject(target) || !IsJsonObject(patch)) {
    return 0;
  }
  const std::string merged = MergeJson(target, patch);
  RECO_CHECK(IsJsonObject(merged));
  RECO_CHECK(merged.size() <= target.size() + patch.size());
  RECO_CHECK(MergeJson(merged, patch) == merged);
  return 0;
}
