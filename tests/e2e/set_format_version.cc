// Writes a folder's format version, so that a test can hand the server one from the future.
// usage: set_format_version FOLDER VERSION
#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "format/keys.h"
#include "format/records.h"
#include "store/store.h"

namespace {

reco::Status SetVersion(const char* path, std::uint32_t version) {
  reco::store::StoreOptions options;
  options.path = path;
  RECO_ASSIGN_OR_RETURN(const auto store, reco::store::Store::Open(options));
  reco::store::Batch batch;
  batch.Put(reco::store::Family::kDefault, reco::format::kFormatVersionKey,
            reco::format::EncodeFormatVersion(version));
  return store->Write(batch, /*sync=*/true);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: set_format_version FOLDER VERSION\n");
    return 2;
  }
  const auto version = static_cast<std::uint32_t>(std::strtoul(argv[2], nullptr, 10));
  const reco::Status status = SetVersion(argv[1], version);
  if (!status.ok()) {
    std::fprintf(stderr, "%s\n", std::string(status.message()).c_str());
    return 1;
  }
  return 0;
}
