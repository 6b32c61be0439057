// Any bytes as a stored value: refused, or read as a record that is written the same from then on.
// The first byte chooses the decoder.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "format/records.h"

namespace reco::format {
namespace {

template <typename Decode, typename Encode>
void RoundTrip(std::string_view bytes, const Decode& decode, const Encode& encode) {
  const auto record = decode(bytes);
  if (!record.ok()) {
    RECO_CHECK(record.status().code() == StatusCode::kCorruption);
    return;
  }
  const std::string written = encode(*record);
  const auto again = decode(written);
  RECO_CHECK(again.ok());
  RECO_CHECK(encode(*again) == written);
}

std::string PairBytes(const Pair& pair) {
  std::string bytes;
  EncodePair(pair, &bytes);
  return bytes;
}

void VectorRoundTrip(std::string_view bytes) {
  std::vector<float> values(bytes.size() / sizeof(float));
  const Status status = DecodeVector(bytes, values);
  if (!status.ok()) {
    RECO_CHECK(status.code() == StatusCode::kCorruption);
    return;
  }
  std::string written;
  EncodeVector(values, &written);
  RECO_CHECK(written == bytes);
}

void DecodeAs(std::uint8_t kind, std::string_view bytes) {
  switch (kind) {
    case 0:
      return RoundTrip(bytes, DecodeFormatVersion, EncodeFormatVersion);
    case 1:
      return RoundTrip(bytes, DecodeNextNumbers, EncodeNextNumbers);
    case 2:
      return RoundTrip(bytes, DecodeKeyRecord, EncodeKeyRecord);
    case 3:
      return RoundTrip(bytes, DecodeEntity, EncodeEntity);
    case 4:
      return RoundTrip(bytes, DecodePair, PairBytes);
    case 5:
      return VectorRoundTrip(bytes);
    case 6:
      return RoundTrip(bytes, DecodeModel, EncodeModel);
    case 7:
      return RoundTrip(bytes, DecodeCheckpoint, EncodeCheckpoint);
    case 8:
      return RoundTrip(bytes, DecodeToken, EncodeToken);
    case 9:
      return RoundTrip(bytes, DecodeJob, EncodeJob);
    default:
      return;
  }
}

}  // namespace
}  // namespace reco::format

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > 0) {
    reco::format::DecodeAs(data[0],
                           std::string_view(reinterpret_cast<const char*>(data + 1), size - 1));
  }
  return 0;
}
