#include "engine/state/read_ahead.h"

#include <string>
#include <string_view>

#include "format/keys.h"

namespace reco::engine {

Status ReadAhead::Read(const store::Store& store, std::uint32_t cid) {
  for (const Side side : {Side::kUser, Side::kItem}) {
    RECO_RETURN_IF_ERROR(
        RowTable::ReadStored(store, cid, side, rows[static_cast<std::size_t>(side)]));
  }
  if (pairs.empty()) {
    return Status::Ok();
  }
  std::vector<std::string> keys;
  keys.reserve(pairs.size());
  for (const StoredPair& pair : pairs) {
    keys.push_back(format::PairKey(cid, pair.user, pair.item));
  }
  return store.GetMany(store::Family::kByUser, keys,
                       [&](std::size_t i, std::string_view value) -> Status {
                         RECO_ASSIGN_OR_RETURN(pairs[i].pair, format::DecodePair(value));
                         return Status::Ok();
                       });
}

}  // namespace reco::engine
