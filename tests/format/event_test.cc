#include "format/event.h"

#include <cmath>
#include <cstring>
#include <limits>
#include <memory>
#include <random>

#include <gtest/gtest.h>

#include "format/matchers.h"
#include "format/samples.h"

namespace reco::format {
namespace {

std::string Encoded(const Event& event) {
  std::string bytes;
  EncodeEvent(event, &bytes);
  return bytes;
}

StatusCode CodeOf(std::string_view bytes) {
  return DecodeEvent(bytes).status().code();
}

TEST(Event, ComesBackAsWritten) {
  for (const Event& event : {samples::InteractionEvent(), samples::ItemRecordEvent(), Event()}) {
    const std::string bytes = Encoded(event);
    const Result<Event> decoded = DecodeEvent(bytes);
    ASSERT_TRUE(decoded.ok()) << decoded.status().ToString();
    ExpectSame(*decoded, event);
  }
}

TEST(Event, ExtremeValuesComeBack) {
  Event event;
  event.user = 0;
  event.item = 0xfffffffe;
  event.weight = -std::numeric_limits<double>::max();
  event.type = 0;
  event.time_ms = std::numeric_limits<std::int64_t>::min();
  event.arrival_ms = std::numeric_limits<std::int64_t>::max();
  event.expire_at_ms = std::numeric_limits<std::int64_t>::min();
  event.hidden = 0;
  const std::string token(256, '\0');
  const std::string text(70'000, '\xff');
  event.token = token;
  event.text = text;
  event.has_text = true;
  const std::string bytes = Encoded(event);
  const Result<Event> decoded = DecodeEvent(bytes);
  ASSERT_TRUE(decoded.ok()) << decoded.status().ToString();
  ExpectSame(*decoded, event);
}

TEST(Event, RandomEventsOfEveryKindComeBackFromAnyAddress) {
  std::mt19937_64 random(7);
  std::string token;
  std::string text;
  for (int i = 0; i < 2'000; ++i) {
    Event event;
    event.kind = static_cast<EventKind>(1 + random() % 10);
    event.user = static_cast<std::uint32_t>(random());
    event.item = static_cast<std::uint32_t>(random());
    event.weight = std::ldexp(static_cast<double>(random() % 2'000'001) - 1e6,
                              static_cast<int>(random() % 40) - 20);
    event.type = static_cast<std::uint16_t>(random());
    event.time_ms = static_cast<std::int64_t>(random());
    event.arrival_ms = static_cast<std::int64_t>(random());
    event.hidden = static_cast<std::uint8_t>(random() % 3);
    event.expire_at_ms = static_cast<std::int64_t>(random());
    token.assign(random() % 20, static_cast<char>(random()));
    text.assign(random() % 400, static_cast<char>(random()));
    event.token = token;
    event.has_text = random() % 2 == 0;
    event.text = event.has_text ? std::string_view(text) : std::string_view();
    // Stored values lie at any address.
    const std::string bytes = std::string(i % 8, 'x') + Encoded(event);
    const Result<Event> decoded = DecodeEvent(std::string_view(bytes).substr(i % 8));
    ASSERT_TRUE(decoded.ok()) << decoded.status().ToString();
    ExpectSame(*decoded, event);
  }
}

TEST(Event, ViewsPointIntoTheRecord) {
  const std::string bytes = Encoded(samples::ItemRecordEvent());
  const Result<Event> decoded = DecodeEvent(bytes);
  ASSERT_TRUE(decoded.ok());
  EXPECT_GE(decoded->text.data(), bytes.data());
  EXPECT_LE(decoded->text.data() + decoded->text.size(), bytes.data() + bytes.size());
}

TEST(Event, EmptyTextDiffersFromNone) {
  Event event;
  event.kind = EventKind::kItemRecord;
  event.has_text = true;
  const std::string bytes = Encoded(event);
  ASSERT_TRUE(DecodeEvent(bytes).ok());
  EXPECT_TRUE(DecodeEvent(bytes)->has_text);
  event.has_text = false;
  const std::string without = Encoded(event);
  EXPECT_FALSE(DecodeEvent(without)->has_text);
}

TEST(Event, EncodingReplacesWhatWasThere) {
  std::string bytes(1'000, 'x');
  EncodeEvent(samples::InteractionEvent(), &bytes);
  EXPECT_EQ(bytes, Encoded(samples::InteractionEvent()));
}

TEST(Event, EveryShorterPieceIsCorruption) {
  for (const Event& event : {samples::InteractionEvent(), samples::ItemRecordEvent()}) {
    const std::string bytes = Encoded(event);
    for (std::size_t length = 0; length < bytes.size(); ++length) {
      // An allocation of its own, so that a sanitizer sees a read past the end.
      const auto piece = std::make_unique<char[]>(length);
      std::memcpy(piece.get(), bytes.data(), length);
      EXPECT_EQ(CodeOf({piece.get(), length}), StatusCode::kCorruption) << length;
    }
  }
}

TEST(Event, BytesBehindTheRecordAreCorruption) {
  EXPECT_EQ(CodeOf(Encoded(samples::InteractionEvent()) + '\0'), StatusCode::kCorruption);
}

TEST(Event, FlippedBitsNeverReadOutsideTheRecord) {
  const std::string bytes = Encoded(samples::ItemRecordEvent());
  int refused = 0;
  for (std::size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
    std::string damaged = bytes;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
    const Result<Event> decoded = DecodeEvent(damaged);
    if (!decoded.ok()) {
      // The latter when the kind has become one above ours.
      EXPECT_TRUE(decoded.status().code() == StatusCode::kCorruption ||
                  decoded.status().code() == StatusCode::kFailedPrecondition)
          << decoded.status().ToString();
      ++refused;
      continue;
    }
    EXPECT_LE(decoded->text.size() + decoded->token.size(), bytes.size());
  }
  EXPECT_GT(refused, 0);
}

TEST(Event, UnknownFormatAndNoKindAreCorruption) {
  std::string bytes = Encoded(samples::InteractionEvent());
  bytes[0] = 2;
  EXPECT_EQ(DecodeEvent(bytes).status().ToString(), "corruption: event: format 2 is not known");
  Event event;
  event.kind = static_cast<EventKind>(0);
  EXPECT_EQ(CodeOf(Encoded(event)), StatusCode::kCorruption);
}

TEST(Event, KindAboveOursIsOfANewerVersion) {
  for (const std::uint8_t kind : {12, 255}) {
    Event event;
    event.kind = static_cast<EventKind>(kind);
    EXPECT_EQ(DecodeEvent(Encoded(event)).status().ToString(),
              "failed-precondition: event: kind " + std::to_string(kind) +
                  " was written by a newer version; use a newer program");
  }
}

TEST(Event, ValuesOutOfRangeAreCorruption) {
  for (const double weight : {std::nan(""), HUGE_VAL, -HUGE_VAL}) {
    Event event;
    event.weight = weight;
    EXPECT_EQ(CodeOf(Encoded(event)), StatusCode::kCorruption) << weight;
  }
  Event event;
  event.hidden = 3;
  EXPECT_EQ(CodeOf(Encoded(event)), StatusCode::kCorruption);
}

}  // namespace
}  // namespace reco::format
