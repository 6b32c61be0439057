// Any bytes as an event record: refused, or read as an event that comes back when written again.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "format/event.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const reco::Result<reco::format::Event> event = reco::format::DecodeEvent(bytes);
  if (!event.ok()) {
    const reco::StatusCode code = event.status().code();
    // The latter for a kind that only a newer program knows.
    RECO_CHECK(code == reco::StatusCode::kCorruption ||
               code == reco::StatusCode::kFailedPrecondition);
    return 0;
  }
  std::string written;
  reco::format::EncodeEvent(*event, &written);
  const reco::Result<reco::format::Event> again = reco::format::DecodeEvent(written);
  RECO_CHECK(again.ok());
  RECO_CHECK(again->kind == event->kind && again->user == event->user);
  RECO_CHECK(again->item == event->item && again->weight == event->weight);
  RECO_CHECK(again->type == event->type && again->time_ms == event->time_ms);
  RECO_CHECK(again->arrival_ms == event->arrival_ms && again->token == event->token);
  RECO_CHECK(again->text == event->text && again->has_text == event->has_text);
  RECO_CHECK(again->with_previous == event->with_previous);
  RECO_CHECK(again->hidden == event->hidden && again->expire_at_ms == event->expire_at_ms);
  return 0;
}
