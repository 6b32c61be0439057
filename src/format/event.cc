#include "format/event.h"

#include <cmath>
#include <cstdint>
#include <event_generated.h>
#include <span>

#include "format/record_frame.h"
#include "format/solved_rows.h"

namespace reco::format {
namespace {

constexpr std::string_view kWhat = "event";

// Refuses kind 0, which nobody ever wrote, as damage, and one above ours as a newer program's.
Status CheckKind(std::uint8_t kind) {
  if (kind < static_cast<std::uint8_t>(EventKind::kInteractionAsSaid)) {
    return Damaged(kWhat, "kind " + std::to_string(kind) + " is not known");
  }
  if (kind > static_cast<std::uint8_t>(EventKind::kSolvedRows)) {
    return Newer(kWhat, "kind " + std::to_string(kind));
  }
  return Status::Ok();
}

}  // namespace

void EncodeEvent(const Event& event, std::string* out) {
  flatbuffers::FlatBufferBuilder& builder = RecordBuilder();
  flatbuffers::Offset<flatbuffers::Vector<std::uint8_t>> token;
  flatbuffers::Offset<flatbuffers::Vector<std::uint8_t>> text;
  if (!event.token.empty()) {
    token = CreateBytes(builder, event.token);
  }
  if (event.has_text) {
    text = CreateBytes(builder, event.text);
  }
  FinishRecord(
      builder,
      fb::CreateEvent(builder, static_cast<std::uint8_t>(event.kind), event.user, event.item,
                      event.weight, event.type, event.time_ms, event.arrival_ms, token, text,
                      event.hidden, event.expire_at_ms, event.with_previous),
      out);
}

Result<Event> DecodeEvent(std::string_view bytes) {
  RecordReader reader;
  RECO_ASSIGN_OR_RETURN(const fb::Event* table, reader.Open<fb::Event>(bytes, kWhat));
  RECO_RETURN_IF_ERROR(CheckKind(table->kind()));
  // Sums of pairs and Grams would keep a NaN for ever.
  if (!std::isfinite(table->weight())) {
    return Damaged(kWhat, "its weight is not finite");
  }
  if (table->hidden() > 2) {
    return Damaged(kWhat, "hidden is " + std::to_string(table->hidden()));
  }
  Event event;
  event.kind = static_cast<EventKind>(table->kind());
  event.user = table->user();
  event.item = table->item();
  event.weight = table->weight();
  event.type = table->type();
  event.time_ms = table->time_ms();
  event.arrival_ms = table->arrival_ms();
  // Views into the caller's bytes: the copy goes with the reader.
  event.token = reader.Original(BytesOf(table->token()));
  event.text = reader.Original(BytesOf(table->text()));
  event.has_text = table->text() != nullptr;
  event.hidden = table->hidden();
  event.expire_at_ms = table->expire_at_ms();
  event.with_previous = table->with_previous();
  // Who follows events cannot fail (I5).
  if (event.kind == EventKind::kSolvedRows) {
    RECO_RETURN_IF_ERROR(
        VisitSolvedRows(event.text, [](std::uint32_t, std::span<const ItemWeight>) {}));
  }
  return event;
}

}  // namespace reco::format
