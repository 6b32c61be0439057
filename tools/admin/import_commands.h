// The commands of reco-admin that read files: import and import-items. Each answers an exit code.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "tools/admin/importer.h"
#include "tools/admin/session.h"

namespace reco::admin {

struct ImportItemsRequest {
  std::string key;
  std::string path;
  std::string item;                  // the column that holds the id
  std::vector<std::string> columns;  // attributes; empty: all others
  ReaderOptions reader;
  bool has_header = true;
  std::uint64_t errors_max = 100;
  std::size_t pipeline = 1'000;
};

// Imports interactions, resumable; see importer.h.
int Import(Session& session, const std::string& path, const ImportOptions& options);

// Imports attributes of items: every line becomes one JSON object, stored by RECO.ITEM SET. A cell
// that is a number by JSON's grammar becomes a number, an empty one is left out. Repeating it is
// harmless.
int ImportItems(Session& session, const ImportItemsRequest& request);

// Returns the attributes of one line; `columns` are the positions, `names` their names.
std::string AttributesJson(const std::vector<std::string>& names,
                           const std::vector<std::size_t>& columns,
                           const std::vector<std::string_view>& fields);

}  // namespace reco::admin
