#include "store/table_check.h"

#include <memory>
#include <utility>

#include <rocksdb/filter_policy.h>
#include <rocksdb/options.h>
#include <rocksdb/sst_file_reader.h>
#include <rocksdb/table.h>
#include <rocksdb/table_properties.h>

#include "store/rocksdb_status.h"

namespace reco::store {

std::vector<DamagedTable> FindDamagedTables(rocksdb::Env& env, const std::string& path,
                                            const Manifest& manifest) {
  rocksdb::BlockBasedTableOptions table_options;
  // With one, opening reads every part of the filters, which VerifyChecksum passes over.
  table_options.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  rocksdb::Options options;
  options.env = &env;
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table_options));
  std::vector<DamagedTable> damaged;
  for (const auto& [number, table] : manifest.tables) {
    const std::string file = path + "/" + TableName(number);
    if (env.FileExists(file).IsNotFound()) {
      continue;
    }
    rocksdb::SstFileReader reader(options);
    rocksdb::Status status = reader.Open(file);
    std::uint64_t rows = 0;
    if (status.ok()) {
      rows = reader.GetTableProperties()->num_entries;
      status = reader.VerifyChecksum();
    }
    if (!status.ok()) {
      DamagedTable found;
      found.number = number;
      found.rows = rows;
      if (const auto family = manifest.families.find(table.family);
          family != manifest.families.end()) {
        found.family = family->second;
        found.what.append("family ").append(found.family).append(": ");
      }
      found.what.append(TableName(number)).append(": ").append(ToStatus(status, "").message());
      damaged.push_back(std::move(found));
    }
  }
  return damaged;
}

}  // namespace reco::store
