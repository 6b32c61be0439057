#include "tools/admin/compression.h"

#include <bzlib.h>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>
#include <zlib.h>
#include <zstd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace reco::admin {
namespace {

using ::testing::HasSubstr;

std::string Gzip(std::string text) {
  z_stream stream{};
  deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY);
  std::string packed(text.size() + 1'000, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(text.data());
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

std::string Zstd(const std::string& text) {
  std::string packed(ZSTD_compressBound(text.size()), '\0');
  packed.resize(ZSTD_compress(packed.data(), packed.size(), text.data(), text.size(), 1));
  return packed;
}

std::string Bzip2(std::string text) {
  std::string packed(text.size() * 2 + 1'000, '\0');
  auto size = static_cast<unsigned>(packed.size());
  EXPECT_EQ(BZ2_bzBuffToBuffCompress(packed.data(), &size, text.data(),
                                     static_cast<unsigned>(text.size()), 1, 0, 0),
            BZ_OK);
  packed.resize(size);
  return packed;
}

Result<std::string> Unpack(const std::string& packed, std::size_t chunk = 1 << 20) {
  auto source = Decompressed(MemorySource(packed, chunk));
  RECO_RETURN_IF_ERROR(source.status());
  std::string text;
  std::vector<char> buffer(777);
  while (true) {
    RECO_ASSIGN_OR_RETURN(const std::size_t count, (*source)->Read(buffer.data(), buffer.size()));
    if (count == 0) {
      return text;
    }
    text.append(buffer.data(), count);
  }
}

std::string Lines(int count) {
  std::string text;
  for (int line = 0; line < count; ++line) {
    text += "user" + std::to_string(line * 7919 % 10'007) + ",item\n";
  }
  return text;
}

struct Packing {
  const char* name;
  std::string (*pack)(std::string);
};

std::string ZstdOf(std::string text) {
  return Zstd(text);
}

constexpr Packing kPackings[] = {{"gzip", Gzip}, {"zstd", ZstdOf}, {"bzip2", Bzip2}};

TEST(Compression, ReadsEachFormatInPiecesOfAnySize) {
  const std::string text = Lines(50'000);
  for (const Packing& packing : kPackings) {
    const std::string packed = packing.pack(text);
    EXPECT_LT(packed.size(), text.size());
    for (const std::size_t chunk : {1, 7, 1 << 20}) {
      EXPECT_EQ(Unpack(packed, chunk).value(), text) << packing.name << ' ' << chunk;
    }
  }
}

TEST(Compression, ReadsSeveralMembersAndEmptyOnesAsOne) {
  for (const Packing& packing : kPackings) {
    const std::string packed = packing.pack("") + packing.pack("a,b\n") + packing.pack("") +
                               packing.pack("c,d\n") + packing.pack("");
    for (const std::size_t chunk : {1, 1'000}) {
      EXPECT_EQ(Unpack(packed, chunk).value(), "a,b\nc,d\n") << packing.name;
    }
    EXPECT_EQ(Unpack(packing.pack("")).value(), "") << packing.name;
  }
  EXPECT_EQ(Unpack(Gzip("a\n") + std::string(1'000, '\0')).value(), "a\n");
}

TEST(Compression, EveryTruncationIsAnErrorWithTheFormatsName) {
  for (const Packing& packing : kPackings) {
    const std::string packed = packing.pack("user,item\nann,lamp\n");
    for (std::size_t size = 6; size < packed.size(); ++size) {
      const auto text = Unpack(packed.substr(0, size));
      ASSERT_FALSE(text.ok()) << packing.name << " cut to " << size;
      EXPECT_EQ(text.status().code(), StatusCode::kCorruption);
      EXPECT_EQ(text.status().message(),
                "the " + std::string(packing.name) + " data end too early");
      // The same behind a whole member.
      EXPECT_FALSE(Unpack(packed + packed.substr(0, size)).ok()) << packing.name << size;
    }
  }
}

TEST(Compression, DamageIsAnErrorWithTheFormatsName) {
  for (const Packing& packing : kPackings) {
    std::string packed = packing.pack(Lines(10'000));
    packed[packed.size() / 2] = static_cast<char>(packed[packed.size() / 2] ^ 0x55);
    packed[packed.size() / 2 + 1] = static_cast<char>(packed[packed.size() / 2 + 1] ^ 0x55);
    const auto text = Unpack(packed);
    // Frames of zstd have no checksum unless asked for, so damage may only change the text.
    if (std::string(packing.name) != "zstd") {
      ASSERT_FALSE(text.ok()) << packing.name;
      EXPECT_THAT(text.status().message(),
                  HasSubstr("damaged " + std::string(packing.name) + " data"));
    }
    const auto followed = Unpack(packing.pack("a\n") + "not packed at all");
    ASSERT_FALSE(followed.ok()) << packing.name;
    EXPECT_EQ(followed.status().code(), StatusCode::kCorruption);
    EXPECT_EQ(followed.status().message(),
              "damaged " + std::string(packing.name) + " data: other bytes follow it");
  }
  std::string zstd = Zstd(Lines(10));
  zstd[4] = '\x08';  // a reserved bit of the frame's header
  EXPECT_THAT(Unpack(zstd).status().message(), HasSubstr("damaged zstd data"));
}

TEST(Compression, AZstdWindowOfMoreThanItsBoundIsRefused) {
  const auto with_window = [](int log) {
    ZSTD_CCtx* context = ZSTD_createCCtx();
    ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, log);
    const std::string text = "user,item\n";
    std::string packed(1'000, '\0');
    ZSTD_inBuffer in{text.data(), text.size(), 0};
    ZSTD_outBuffer out{packed.data(), packed.size(), 0};
    // In two steps: with its size known the frame would need no window.
    ZSTD_compressStream2(context, &out, &in, ZSTD_e_flush);
    EXPECT_EQ(ZSTD_compressStream2(context, &out, &in, ZSTD_e_end), 0U);
    ZSTD_freeCCtx(context);
    packed.resize(out.pos);
    return packed;
  };
  EXPECT_EQ(Unpack(with_window(kZstdWindowLogMax)).value(), "user,item\n");
  const auto text = Unpack(with_window(kZstdWindowLogMax + 1));
  EXPECT_EQ(text.status().code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(text.status().message(), HasSubstr("window of more than 128 MiB"));
}

TEST(Compression, LeavesOtherTextAsItIs) {
  for (const char* text : {"", "a", "user,item\n", "BZh1,a\n", "\x1F", "(\xB5/"}) {
    EXPECT_EQ(Unpack(text, 2).value(), text);
  }
}

}  // namespace
}  // namespace reco::admin
