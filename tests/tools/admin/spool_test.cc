#include "tools/admin/spool.h"

#include <array>
#include <string>

#include <gtest/gtest.h>

namespace reco::admin {
namespace {

std::string Read(ByteSource& source, std::size_t most) {
  std::string text;
  std::array<char, 4'099> bytes{};
  while (text.size() < most) {
    const auto count = source.Read(bytes.data(), std::min(bytes.size(), most - text.size()));
    EXPECT_TRUE(count.ok());
    if (!count.ok() || *count == 0) {
      break;
    }
    text.append(bytes.data(), *count);
  }
  return text;
}

std::string Text() {
  std::string text;
  for (int i = 0; i < 400'000; ++i) {
    text += std::to_string(i) + '\n';
  }
  return text;
}

TEST(Spool, CanBeReadTwice) {
  for (const std::size_t before : {std::size_t{0}, std::size_t{1}, std::size_t{10'001},
                                   std::size_t{1'500'000}, Text().size()}) {
    Spool spool(MemorySource(Text(), 70'001));
    EXPECT_EQ(Read(spool, before), Text().substr(0, before));
    ASSERT_TRUE(spool.Rewind().ok());
    EXPECT_EQ(Read(spool, Text().size() + 1), Text()) << before;
  }
}

TEST(Spool, GoesOnWithoutKeepingWhenStopped) {
  Spool spool(MemorySource(Text(), 70'001));
  EXPECT_EQ(Read(spool, 100), Text().substr(0, 100));
  spool.Stop();
  EXPECT_EQ(Read(spool, Text().size()), Text().substr(100));
}

}  // namespace
}  // namespace reco::admin
