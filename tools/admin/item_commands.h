// The command import-items of reco-admin: runs an ItemImporter and says what came of it.
#pragma once

#include "tools/admin/item_importer.h"
#include "tools/admin/session.h"

namespace reco::admin {

// Returns the exit code: kExitBadLines when more lines were lost than allowed.
int ImportItems(Session& session, const ImportItemsRequest& request);

}  // namespace reco::admin
