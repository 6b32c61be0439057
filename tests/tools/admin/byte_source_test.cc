#include "tools/admin/byte_source.h"

#include <cstddef>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>
#include <unistd.h>
#include <utility>
#include <vector>
#include <zlib.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace reco::admin {
namespace {

TEST(ByteSource, MissingFileIsNotFound) {
  const auto input = OpenInput("/nonexistent/file.csv");
  EXPECT_EQ(input.status().code(), StatusCode::kNotFound);
  EXPECT_EQ(OpenInput("/").status().code(), StatusCode::kIoError);
}

using ::testing::HasSubstr;

// A file of its own, gone at the end.
class TemporaryFile {
 public:
  explicit TemporaryFile(const std::string& bytes)
      : path_(testing::TempDir() + "byte_source_test." + std::to_string(getpid())) {
    std::ofstream(path_, std::ios::binary) << bytes;
  }
  ~TemporaryFile() { std::remove(path_.c_str()); }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  const std::string& path() const { return path_; }

  // Packs the content by gzip.
  void Pack() {
    std::ifstream in(path_, std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(in), {}};
    gzFile file = gzopen(path_.c_str(), "wb");
    gzwrite(file, bytes.data(), static_cast<unsigned>(bytes.size()));
    gzclose(file);
  }

 private:
  const std::string path_;
};

std::string ReadAll(ByteSource& source) {
  std::string text;
  std::vector<char> buffer(100'000);
  while (true) {
    const auto count = source.Read(buffer.data(), buffer.size());
    EXPECT_TRUE(count.ok()) << count.status().ToString();
    if (!count.ok() || *count == 0) {
      return text;
    }
    text.append(buffer.data(), *count);
  }
}

TEST(ByteSource, ReadsAFilePackedOrNotAndTellsHowFarItIs) {
  std::string text;
  for (int line = 0; line < 100'000; ++line) {
    text += "user" + std::to_string(line) + ",item\n";
  }
  TemporaryFile file(text);
  for (const bool is_packed : {false, true}) {
    if (is_packed) {
      file.Pack();
    }
    auto input = OpenInput(file.path());
    ASSERT_TRUE(input.ok()) << input.status().ToString();
    EXPECT_EQ(input->path, file.path());
    EXPECT_FALSE(input->is_stream);
    EXPECT_EQ(input->start, text.substr(0, 65'536));
    // The packed file is read in one go.
    EXPECT_EQ(input->source->Fraction() < 1, !is_packed);
    EXPECT_EQ(ReadAll(*input->source), text);
    EXPECT_EQ(input->source->Fraction(), 1);
  }
}

TEST(ByteSource, AnEmptyFileIsEmpty) {
  const TemporaryFile file("");
  auto input = OpenInput(file.path());
  ASSERT_TRUE(input.ok());
  EXPECT_EQ(ReadAll(*input->source), "");
}

TEST(ByteSource, LooksIntoPackedFiles) {
  TemporaryFile wide(std::string("\xFE\xFF\0a\0,\0b\0\n", 10));
  wide.Pack();
  auto input = OpenInput(wide.path());
  ASSERT_TRUE(input.ok());
  EXPECT_EQ(input->start, "a,b\n");
  EXPECT_EQ(ReadAll(*input->source), "a,b\n");
  TemporaryFile tar(std::string(257, 'x') + "ustar" + std::string(1'000, 'x'));
  tar.Pack();
  const auto refused = OpenInput(tar.path());
  EXPECT_EQ(refused.status().code(), StatusCode::kInvalidArgument);
  EXPECT_THAT(refused.status().message(), HasSubstr("a tar archive"));
}

TEST(ReadStart, AsksUntilItHasEnough) {
  auto source = MemorySource("abcdefgh", 3);
  EXPECT_EQ(ReadStart(*source, 5).value(), "abcde");
  source = PutBack("abcde", std::move(source));
  EXPECT_EQ(ReadStart(*source, 100).value(), "abcdefgh");
}

TEST(Fingerprint, IsFnv1a) {
  EXPECT_EQ(Fingerprint(""), "cbf29ce484222325");
  EXPECT_EQ(Fingerprint("a"), "af63dc4c8601ec8c");
}

}  // namespace
}  // namespace reco::admin
