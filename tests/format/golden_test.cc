// Every value that a released version has written stays readable: tests/golden holds the bytes of
// the samples, written once. With RECO_WRITE_GOLDEN set, files that do not exist yet are written;
// files that exist are never touched.
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "format/event.h"
#include "format/keys.h"
#include "format/matchers.h"
#include "format/records.h"
#include "format/samples.h"

namespace reco::format {
namespace {

int HexDigit(char c) {
  const std::string_view digits = "0123456789abcdef";
  const std::size_t at = digits.find(c);
  return at == std::string_view::npos ? -1 : static_cast<int>(at);
}

// Bytes of hex text; blanks and line ends are skipped, and so is what follows a '|' on a line.
std::string FromHex(std::string_view text) {
  std::string bytes;
  int high = -1;
  bool remark = false;
  for (const char c : text) {
    remark = c != '\n' && (remark || c == '|');
    const int digit = HexDigit(c);
    if (remark || digit < 0) {
      continue;
    }
    if (high < 0) {
      high = digit;
    } else {
      bytes.push_back(static_cast<char>(high * 16 + digit));
      high = -1;
    }
  }
  return bytes;
}

std::string ToHex(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const auto byte = static_cast<std::uint8_t>(bytes[i]);
    text.push_back(kDigits[byte / 16]);
    text.push_back(kDigits[byte % 16]);
    text.push_back(i % 16 == 15 || i + 1 == bytes.size() ? '\n' : ' ');
  }
  return text;
}

std::string ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

struct Golden {
  const char* file;
  std::string written_now;
  std::function<void(std::string_view)> expect_sample;
};

template <typename Decode, typename T>
std::function<void(std::string_view)> Expects(Decode decode, T sample) {
  return [decode, sample](std::string_view bytes) {
    const auto decoded = decode(bytes);
    ASSERT_TRUE(decoded.ok()) << decoded.status().ToString();
    if constexpr (std::is_integral_v<T>) {
      EXPECT_EQ(*decoded, sample);
    } else {
      ExpectSame(*decoded, sample);
    }
  };
}

std::string Encoded(const Event& event) {
  std::string bytes;
  EncodeEvent(event, &bytes);
  return bytes;
}

std::vector<Golden> Goldens() {
  std::string pair;
  EncodePair(samples::SomePair(), &pair);
  std::string vector;
  EncodeVector(samples::Vector(), &vector);
  return {
      {"event_interaction_v1", Encoded(samples::InteractionEvent()),
       Expects(DecodeEvent, samples::InteractionEvent())},
      {"event_added_v1", Encoded(samples::AddedEvent()),
       Expects(DecodeEvent, samples::AddedEvent())},
      {"event_solved_rows_v1", Encoded(samples::SolvedRowsEvent()),
       Expects(DecodeEvent, samples::SolvedRowsEvent())},
      {"event_item_record_v1", Encoded(samples::ItemRecordEvent()),
       Expects(DecodeEvent, samples::ItemRecordEvent())},
      {"event_with_previous_v1", Encoded(samples::SecondOfACall()),
       Expects(DecodeEvent, samples::SecondOfACall())},
      {"format_version_v1", EncodeFormatVersion(1), Expects(DecodeFormatVersion, 1U)},
      {"next_numbers_v1", EncodeNextNumbers(samples::kNextNumbers),
       Expects(DecodeNextNumbers, samples::kNextNumbers)},
      {"key_string_v1", EncodeKeyRecord(samples::StringKey()),
       Expects(DecodeKeyRecord, samples::StringKey())},
      {"key_collection_v1", EncodeKeyRecord(samples::CollectionKey()),
       Expects(DecodeKeyRecord, samples::CollectionKey())},
      {"key_learning_v1", EncodeKeyRecord(samples::LearningKey()),
       Expects(DecodeKeyRecord, samples::LearningKey())},
      {"key_rules_v1", EncodeKeyRecord(samples::RulesKey()),
       Expects(DecodeKeyRecord, samples::RulesKey())},
      {"key_attributes_v1", EncodeKeyRecord(samples::AttributedKey()),
       Expects(DecodeKeyRecord, samples::AttributedKey())},
      {"key_types_v1", EncodeKeyRecord(samples::TypedKey()),
       Expects(DecodeKeyRecord, samples::TypedKey())},
      {"key_aged_v1", EncodeKeyRecord(samples::AgedKey()),
       Expects(DecodeKeyRecord, samples::AgedKey())},
      {"key_neighbours_v1", EncodeKeyRecord(samples::NeighboursKey()),
       Expects(DecodeKeyRecord, samples::NeighboursKey())},
      {"entity_v1", EncodeEntity(samples::Entity()), Expects(DecodeEntity, samples::Entity())},
      {"entity_listed_v1", EncodeEntity(samples::ListedEntity()),
       Expects(DecodeEntity, samples::ListedEntity())},
      {"entity_liked_v1", EncodeEntity(samples::LikedEntity()),
       Expects(DecodeEntity, samples::LikedEntity())},
      {"pair_v1", pair, Expects(DecodePair, samples::SomePair())},
      {"vector_v1", vector,
       [](std::string_view bytes) {
         std::vector<float> values(samples::Vector().size());
         ASSERT_TRUE(DecodeVector(bytes, values).ok());
         EXPECT_EQ(values, samples::Vector());
       }},
      {"model_v1", EncodeModel(samples::Model()), Expects(DecodeModel, samples::Model())},
      {"model_weighed_v1", EncodeModel(samples::WeighedModel()),
       Expects(DecodeModel, samples::WeighedModel())},
      {"model_attributes_v1", EncodeModel(samples::AttributedModel()),
       Expects(DecodeModel, samples::AttributedModel())},
      {"checkpoint_v1", EncodeCheckpoint(samples::Checkpoint()),
       Expects(DecodeCheckpoint, samples::Checkpoint())},
      {"checkpoint_timed_v1", EncodeCheckpoint(samples::TimedCheckpoint()),
       Expects(DecodeCheckpoint, samples::TimedCheckpoint())},
      {"token_v1", EncodeToken(samples::kTokenSeq), Expects(DecodeToken, samples::kTokenSeq)},
      {"job_v1", EncodeJob(samples::Job()), Expects(DecodeJob, samples::Job())},
      {"job_interrupted_v1", EncodeJob(samples::InterruptedJob()),
       Expects(DecodeJob, samples::InterruptedJob())},
  };
}

TEST(Golden, EveryVersionEverWrittenIsRead) {
  for (const Golden& golden : Goldens()) {
    SCOPED_TRACE(golden.file);
    const std::string path = std::string(RECO_GOLDEN_DIR "/") + golden.file + ".hex";
    if (std::getenv("RECO_WRITE_GOLDEN") != nullptr && !std::filesystem::exists(path)) {
      std::ofstream(path) << ToHex(golden.written_now);
    }
    const std::string bytes = FromHex(ReadFile(path));
    ASSERT_FALSE(bytes.empty()) << "no golden file " << path;
    golden.expect_sample(bytes);
  }
}

// A difference is a change of the file format: it needs a format byte and golden files of its own.
TEST(Golden, VersionOneIsStillWrittenAsReleased) {
  for (const Golden& golden : Goldens()) {
    const std::string path = std::string(RECO_GOLDEN_DIR "/") + golden.file + ".hex";
    EXPECT_EQ(ToHex(golden.written_now), ToHex(FromHex(ReadFile(path)))) << golden.file;
  }
}

TEST(Golden, EveryFileHasATest) {
  std::vector<std::string> known;
  for (const Golden& golden : Goldens()) {
    known.push_back(std::string(golden.file) + ".hex");
  }
  for (const auto& entry : std::filesystem::directory_iterator(RECO_GOLDEN_DIR)) {
    if (entry.is_directory()) {
      continue;  // whole folders: tests/e2e/test_golden_folders.py
    }
    const std::string name = entry.path().filename().string();
    EXPECT_NE(std::find(known.begin(), known.end(), name), known.end()) << name;
  }
}

// The n-th block of doc/format.md that is fenced as ```hex.
std::string HexBlock(std::string_view document, int n) {
  constexpr std::string_view kFence = "```hex\n";
  std::size_t at = 0;
  for (int i = 0; i <= n; ++i) {
    at = document.find(kFence, at);
    if (at == std::string_view::npos) {
      return {};
    }
    at += kFence.size();
  }
  return FromHex(document.substr(at, document.find("```", at) - at));
}

TEST(FormatDocument, WorkedExampleReadsBack) {
  const std::string document = ReadFile(RECO_FORMAT_DOC);
  ASSERT_FALSE(document.empty());
  EXPECT_EQ(HexBlock(document, 0), EventKey(5, 1000));
  const std::string value = HexBlock(document, 1);
  const Result<Event> event = DecodeEvent(value);
  ASSERT_TRUE(event.ok()) << event.status().ToString();
  ExpectSame(*event, samples::AddedEvent());
}

}  // namespace
}  // namespace reco::format
