// The command import of reco-admin. Answers an exit code.
#pragma once

#include <string>

#include "tools/admin/importer.h"
#include "tools/admin/session.h"

namespace reco::admin {

// Imports interactions, resumable; see importer.h.
int Import(Session& session, const std::string& path, const ImportOptions& options);

// Reads the input and tells what would be sent; needs no server.
int CheckImport(const Settings& settings, const std::string& path, const ImportOptions& options);

}  // namespace reco::admin
