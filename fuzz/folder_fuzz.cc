// Any bytes as a file of a folder that is read before RocksDB opens it. The first byte chooses: the
// inventory, which is refused or written the same from then on; a manifest or log as it is; what
// stands in a record of a manifest whose checksum is right.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include <rocksdb/env.h>

#include "base/check.h"
#include "base/coding.h"
#include "base/crc32c.h"
#include "store/folder_check.h"
#include "store/inventory.h"
#include "store/manifest.h"

namespace reco::store {
namespace {

constexpr std::size_t kFragmentMax = 32'761;

void RoundTrip(std::string_view bytes) {
  const Result<Inventory> inventory = DecodeInventory(bytes);
  if (inventory.ok()) {
    const Result<Inventory> again = DecodeInventory(EncodeInventory(*inventory));
    RECO_CHECK(again.ok());
    RECO_CHECK(*again == *inventory);
  }
}

void Check(std::string_view manifest, std::string_view log) {
  const std::unique_ptr<rocksdb::Env> env(rocksdb::NewMemEnv(rocksdb::Env::Default()));
  const auto put = [&env](const std::string& name, std::string_view bytes) {
    RECO_CHECK(
        rocksdb::WriteStringToFile(env.get(), rocksdb::Slice(bytes.data(), bytes.size()), name)
            .ok());
  };
  RECO_CHECK(env->CreateDirIfMissing("/db").ok());
  put("/db/CURRENT", ManifestName(1) + "\n");
  put("/db/" + ManifestName(1), manifest);
  put("/db/" + LogName(2), log);
  const Result<Manifest> read = ReadManifest(*env, "/db", 1);
  RECO_CHECK(read.ok());
  RECO_CHECK(read->whole_bytes <= manifest.size());
  RECO_CHECK(CheckFolder(*env, "/db").ok());
}

// The bytes as one whole record.
std::string Record(std::string_view bytes) {
  const std::string body = "\x01" + std::string(bytes.substr(0, kFragmentMax));
  const std::uint32_t crc = Crc32c(body);
  std::string record;
  AppendLittleEndian(&record, ((crc >> 15U) | (crc << 17U)) + 0xa282ead8U);
  AppendLittleEndian(&record, static_cast<std::uint16_t>(body.size() - 1));
  return record + body;
}

}  // namespace
}  // namespace reco::store

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (bytes.empty()) {
    return 0;
  }
  const std::string_view rest = bytes.substr(1);
  switch (bytes[0] % 3) {
    case 0:
      reco::store::RoundTrip(rest);
      break;
    case 1:
      reco::store::Check(rest, rest);
      break;
    default:
      reco::store::Check(reco::store::Record(rest), reco::store::Record(rest));
  }
  return 0;
}
