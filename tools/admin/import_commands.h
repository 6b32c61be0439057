// The command import of reco-admin. Answers an exit code.
#pragma once

#include <string>

#include "tools/admin/importer.h"
#include "tools/admin/session.h"

namespace reco::admin {

// Imports interactions, resumable; see importer.h.
int Import(Session& session, const std::string& path, const ImportOptions& options);

}  // namespace reco::admin
