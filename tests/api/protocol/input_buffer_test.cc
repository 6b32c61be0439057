#include "api/protocol/input_buffer.h"

#include <algorithm>
#include <cstddef>
#include <random>
#include <span>
#include <string>

#include <gtest/gtest.h>

namespace reco::api {
namespace {

void Put(InputBuffer* buffer, const std::string& bytes) {
  std::size_t at = 0;
  while (at < bytes.size()) {
    const std::span<char> space = buffer->Prepare();
    ASSERT_FALSE(space.empty());
    const std::size_t taken = std::min(space.size(), bytes.size() - at);
    std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(at), taken, space.begin());
    buffer->Append(taken);
    at += taken;
  }
}

TEST(InputBuffer, BytesComeOutInTheirOrderHoweverTheyAreCut) {
  InputBuffer buffer;
  std::string expected;
  std::mt19937 random(1);
  for (int step = 0; step < 3'000; ++step) {
    const std::string bytes(random() % 3'000, static_cast<char>('a' + step % 26));
    Put(&buffer, bytes);
    expected += bytes;
    const std::size_t consumed = std::min<std::size_t>(random() % 4'000, expected.size());
    buffer.Consume(consumed);
    expected.erase(0, consumed);
    ASSERT_EQ(buffer.pending(), expected) << step;
  }
}

TEST(InputBuffer, NothingIsPendingAtFirstAndThereIsRoomForARead) {
  InputBuffer buffer;
  EXPECT_EQ(buffer.pending(), "");
  EXPECT_EQ(buffer.free_bytes(), 0U);
  const std::size_t prepared = buffer.Prepare().size();
  EXPECT_EQ(prepared, buffer.free_bytes());
  EXPECT_GE(buffer.free_bytes(), 4'096U);
}

TEST(InputBuffer, ConsumedSpaceIsUsedAgainBeforeItGrows) {
  InputBuffer buffer;
  const std::size_t first = buffer.Prepare().size();
  for (int round = 0; round < 1'000; ++round) {
    Put(&buffer, std::string(1'000, 'x'));
    buffer.Consume(buffer.pending().size() - 1);  // never empty
  }
  EXPECT_LE(buffer.pending().size() + buffer.Prepare().size(), 2 * first);
}

// A read that is under way fills the space that it was given, whatever is consumed meanwhile.
TEST(InputBuffer, ConsumingLeavesAPreparedReadWhereItIs) {
  InputBuffer buffer;
  Put(&buffer, "first");
  const std::span<char> space = buffer.Prepare();
  buffer.Consume(buffer.pending().size());
  std::copy_n("second", 6, space.begin());
  buffer.Append(6);
  EXPECT_EQ(buffer.pending(), "second");
}

TEST(InputBuffer, AnEmptyBufferKeepsLittle) {
  InputBuffer buffer;
  Put(&buffer, std::string(1'000'000, 'x'));
  EXPECT_GE(buffer.pending().size() + buffer.free_bytes(), 1'000'000U);
  buffer.Consume(1'000'000);
  buffer.Prepare();
  EXPECT_LE(buffer.free_bytes(), 64U * 1'024);
}

}  // namespace
}  // namespace reco::api
