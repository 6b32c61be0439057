#include "format/records.h"

#include <cmath>
#include <cstring>
#include <functional>
#include <limits>
#include <memory>
#include <random>

#include <gtest/gtest.h>

#include "format/matchers.h"
#include "format/samples.h"

namespace reco::format {
namespace {

std::string EncodedPair(const Pair& pair) {
  std::string bytes;
  EncodePair(pair, &bytes);
  return bytes;
}

std::string EncodedVector(const std::vector<float>& values) {
  std::string bytes;
  EncodeVector(values, &bytes);
  return bytes;
}

// A kind of record: its sample as bytes, and what its decoder says of other bytes.
struct Kind {
  const char* name;
  std::string bytes;
  std::function<Status(std::string_view)> decode;
};

template <typename F>
std::function<Status(std::string_view)> StatusOf(F decode) {
  return [decode](std::string_view bytes) { return decode(bytes).status(); };
}

std::vector<Kind> Kinds() {
  return {
      {"format version", EncodeFormatVersion(kFormatVersion), StatusOf(DecodeFormatVersion)},
      {"next numbers", EncodeNextNumbers(samples::kNextNumbers), StatusOf(DecodeNextNumbers)},
      {"string key", EncodeKeyRecord(samples::StringKey()), StatusOf(DecodeKeyRecord)},
      {"collection key", EncodeKeyRecord(samples::CollectionKey()), StatusOf(DecodeKeyRecord)},
      {"entity", EncodeEntity(samples::Entity()), StatusOf(DecodeEntity)},
      {"pair", EncodedPair(samples::SomePair()), StatusOf(DecodePair)},
      {"vector", EncodedVector(samples::Vector()),
       [](std::string_view bytes) {
         float values[4];
         return DecodeVector(bytes, values);
       }},
      {"model", EncodeModel(samples::Model()), StatusOf(DecodeModel)},
      {"checkpoint", EncodeCheckpoint(samples::Checkpoint()), StatusOf(DecodeCheckpoint)},
      {"token", EncodeToken(samples::kTokenSeq), StatusOf(DecodeToken)},
      {"job", EncodeJob(samples::Job()), StatusOf(DecodeJob)},
  };
}

TEST(EveryRecord, BeginsWithItsFormat) {
  for (const Kind& kind : Kinds()) {
    EXPECT_EQ(kind.bytes.front(), 1) << kind.name;
    EXPECT_TRUE(kind.decode(kind.bytes).ok()) << kind.name;
  }
}

TEST(EveryRecord, OfAnotherFormatIsCorruption) {
  for (const Kind& kind : Kinds()) {
    for (const char format : {'\0', '\2', '\xff'}) {
      std::string bytes = kind.bytes;
      bytes[0] = format;
      EXPECT_EQ(kind.decode(bytes).code(), StatusCode::kCorruption) << kind.name;
    }
  }
}

TEST(EveryRecord, CutShortIsCorruption) {
  for (const Kind& kind : Kinds()) {
    for (std::size_t length = 0; length < kind.bytes.size(); ++length) {
      // An allocation of its own, so that a sanitizer sees a read past the end.
      const auto piece = std::make_unique<char[]>(length);
      std::memcpy(piece.get(), kind.bytes.data(), length);
      EXPECT_EQ(kind.decode({piece.get(), length}).code(), StatusCode::kCorruption)
          << kind.name << " cut to " << length;
    }
  }
}

TEST(EveryRecord, WithBytesBehindItIsCorruption) {
  for (const Kind& kind : Kinds()) {
    EXPECT_EQ(kind.decode(kind.bytes + '\0').code(), StatusCode::kCorruption) << kind.name;
  }
}

TEST(EveryRecord, WithFlippedBitsIsReadOrRefused) {
  for (const Kind& kind : Kinds()) {
    for (std::size_t bit = 0; bit < 8 * kind.bytes.size(); ++bit) {
      std::string damaged = kind.bytes;
      damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
      const Status status = kind.decode(damaged);
      // The last when a choice has become one above ours.
      EXPECT_TRUE(status.ok() || status.code() == StatusCode::kCorruption ||
                  status.code() == StatusCode::kFailedPrecondition)
          << kind.name << " bit " << bit << ": " << status.ToString();
    }
  }
}

TEST(EveryRecord, ReadsBackFromAnyAddress) {
  for (const Kind& kind : Kinds()) {
    for (std::size_t shift = 0; shift < 8; ++shift) {
      const std::string bytes = std::string(shift, 'x') + kind.bytes;
      EXPECT_TRUE(kind.decode(std::string_view(bytes).substr(shift)).ok()) << kind.name;
    }
  }
}

TEST(FormatVersion, ComesBack) {
  for (const std::uint32_t version : {0U, 1U, 0xffffffffU}) {
    EXPECT_EQ(*DecodeFormatVersion(EncodeFormatVersion(version)), version);
  }
}

TEST(NextNumbers, ComeBack) {
  for (const NextNumbers& numbers :
       {NextNumbers(), samples::kNextNumbers,
        NextNumbers{.cid = 0xffffffff, .job = std::numeric_limits<std::uint64_t>::max()}}) {
    ExpectSame(*DecodeNextNumbers(EncodeNextNumbers(numbers)), numbers);
  }
}

TEST(Token, ComesBack) {
  for (const std::uint64_t seq : {std::uint64_t{0}, samples::kTokenSeq, ~std::uint64_t{0}}) {
    EXPECT_EQ(*DecodeToken(EncodeToken(seq)), seq);
  }
}

TEST(KeyRecord, ComesBack) {
  KeyRecord automatic = samples::CollectionKey();
  automatic.options.unobserved.reset();
  automatic.options.types.clear();
  KeyRecord zero_weight = samples::CollectionKey();
  zero_weight.options.unobserved = 0.0;  // stored, unlike AUTO
  KeyRecord long_value = samples::StringKey();
  long_value.value.assign(1 << 20, '\xfe');
  for (const KeyRecord& record : {samples::StringKey(), samples::CollectionKey(), KeyRecord(),
                                  automatic, zero_weight, long_value}) {
    const Result<KeyRecord> decoded = DecodeKeyRecord(EncodeKeyRecord(record));
    ASSERT_TRUE(decoded.ok()) << decoded.status().ToString();
    ExpectSame(*decoded, record);
  }
}

// Every choice on disk, one above the highest that there is.
TEST(EveryChoice, AboveOursIsOfANewerVersion) {
  const auto expect_newer = [](const Status& status) {
    EXPECT_EQ(status.code(), StatusCode::kFailedPrecondition) << status.ToString();
    EXPECT_NE(status.message().find("was written by a newer version"), std::string::npos)
        << status.ToString();
  };
  const auto key = [&](auto change) {
    KeyRecord record = samples::RulesKey();
    change(record);
    expect_newer(DecodeKeyRecord(EncodeKeyRecord(record)).status());
  };
  key([](KeyRecord& of) { of.kind = static_cast<KeyKind>(3); });
  key([](KeyRecord& of) { of.options.weighting = static_cast<Weighting>(2); });
  key([](KeyRecord& of) { of.options.feedback = static_cast<Feedback>(2); });
  key([](KeyRecord& of) { of.options.fold_in = static_cast<FoldIn>(3); });
  key([](KeyRecord& of) { of.rules[0].action = static_cast<Rule::Action>(3); });
  const auto model = [&](auto change) {
    ModelRecord record = samples::AttributedModel();
    change(record);
    expect_newer(DecodeModel(EncodeModel(record)).status());
  };
  model([](ModelRecord& of) { of.weighting = static_cast<Weighting>(2); });
  model([](ModelRecord& of) { of.attributes->columns[0].kind = static_cast<AttributeKind>(3); });
  const auto job = [&](auto change) {
    JobInfo record = samples::Job();
    change(record);
    expect_newer(DecodeJob(EncodeJob(record)).status());
  };
  job([](JobInfo& of) { of.kind = static_cast<JobKind>(3); });
  job([](JobInfo& of) { of.state = static_cast<JobState>(6); });
}

// Nobody ever wrote a 0 where kinds begin at 1: such a record is damaged.
TEST(EveryKind, OfZeroIsCorruption) {
  KeyRecord key;
  key.kind = static_cast<KeyKind>(0);
  EXPECT_EQ(DecodeKeyRecord(EncodeKeyRecord(key)).status().code(), StatusCode::kCorruption);
  JobInfo job = samples::Job();
  job.kind = static_cast<JobKind>(0);
  EXPECT_EQ(DecodeJob(EncodeJob(job)).status().code(), StatusCode::kCorruption);
}

TEST(Entity, ComesBack) {
  EntityRecord extreme;
  extreme.id.assign(512, '\0');
  extreme.attributes.assign(64 * 1024, '\xff');
  extreme.expire_at_ms = std::numeric_limits<std::int64_t>::min();
  extreme.last_ms = std::numeric_limits<std::int64_t>::max();
  extreme.pairs = 0xffffffff;
  extreme.events = std::numeric_limits<std::uint64_t>::max();
  extreme.weight = -std::numeric_limits<double>::max();
  for (const EntityRecord& record :
       {samples::Entity(), samples::LikedEntity(), EntityRecord(), extreme}) {
    const Result<EntityRecord> decoded = DecodeEntity(EncodeEntity(record));
    ASSERT_TRUE(decoded.ok()) << decoded.status().ToString();
    ExpectSame(*decoded, record);
  }
}

TEST(Pair, ComesBackInItsFixedSize) {
  std::mt19937_64 random(3);
  std::vector<Pair> pairs = {samples::SomePair(), Pair()};
  for (int i = 0; i < 1'000; ++i) {
    pairs.push_back({.weight = static_cast<float>(random() % 2'000'000) - 1e6F,
                     .count = static_cast<std::uint32_t>(random()),
                     .first_ms = static_cast<std::int64_t>(random()),
                     .last_ms = static_cast<std::int64_t>(random()),
                     .last_type = static_cast<std::uint16_t>(random())});
  }
  for (const Pair& pair : pairs) {
    const std::string bytes = EncodedPair(pair);
    EXPECT_EQ(bytes.size(), kPairBytes);
    EXPECT_EQ(*DecodePair(bytes), pair);
  }
}

TEST(Pair, ThatIsNotFiniteIsCorruption) {
  for (const float weight : {std::nanf(""), HUGE_VALF, -HUGE_VALF}) {
    EXPECT_EQ(DecodePair(EncodedPair({.weight = weight})).status().code(), StatusCode::kCorruption);
  }
}

TEST(Vector, ComesBackBitForBit) {
  const float extremes[] = {0.0F, -0.0F, std::numeric_limits<float>::max(),
                            std::numeric_limits<float>::denorm_min(),
                            std::numeric_limits<float>::lowest()};
  std::string bytes;
  EncodeVector(extremes, &bytes);
  float decoded[std::size(extremes)];
  ASSERT_TRUE(DecodeVector(bytes, decoded).ok());
  EXPECT_EQ(std::memcmp(extremes, decoded, sizeof(extremes)), 0);
}

TEST(Vector, OfLengthZeroIsTheFormatAlone) {
  const std::string bytes = EncodedVector({});
  EXPECT_EQ(bytes.size(), 1U);
  EXPECT_TRUE(DecodeVector(bytes, {}).ok());
}

TEST(Vector, OfAnotherLengthIsCorruption) {
  const std::string bytes = EncodedVector({1, 2, 3});
  std::vector<float> out(4);
  EXPECT_EQ(DecodeVector(bytes, out).code(), StatusCode::kCorruption);
  out.resize(2);
  EXPECT_EQ(DecodeVector(bytes, out).code(), StatusCode::kCorruption);
}

TEST(Vector, ThatIsNotFiniteIsCorruption) {
  for (const float bad : {std::nanf(""), HUGE_VALF, -HUGE_VALF}) {
    for (std::size_t place = 0; place < 67; ++place) {
      std::vector<float> values(67, 1.0F);
      values[place] = bad;
      const std::string bytes = EncodedVector(values);
      EXPECT_EQ(DecodeVector(bytes, values).code(), StatusCode::kCorruption) << place;
    }
  }
}

TEST(Model, ComesBack) {
  ModelRecord large = samples::Model();
  large.dim = 128;
  large.user_gram.assign(128 * 128, 0.125);
  large.item_gram.assign(128 * 128, -3e300);
  ModelRecord measured = samples::Model();
  measured.metrics.emplace_back(std::string("\0\xff", 2), -1e300);
  for (const ModelRecord& record :
       {samples::Model(), ModelRecord(), large, measured, samples::AttributedModel()}) {
    const Result<ModelRecord> decoded = DecodeModel(EncodeModel(record));
    ASSERT_TRUE(decoded.ok()) << decoded.status().ToString();
    ExpectSame(*decoded, record);
  }
}

TEST(Model, WithGramsThatDoNotFitIsCorruption) {
  ModelRecord wrong_size = samples::Model();
  wrong_size.user_gram.pop_back();
  ModelRecord not_finite = samples::Model();
  not_finite.item_gram[2] = std::nan("");
  ModelRecord bad_parameter = samples::Model();
  bad_parameter.reg = HUGE_VAL;
  for (const ModelRecord& record : {wrong_size, not_finite, bad_parameter}) {
    EXPECT_EQ(DecodeModel(EncodeModel(record)).status().code(), StatusCode::kCorruption);
  }
}

TEST(Model, WithAttributesThatDoNotFitIsCorruption) {
  const auto damaged = [](auto damage) {
    ModelRecord record = samples::AttributedModel();
    damage(*record.attributes);
    return DecodeModel(EncodeModel(record)).status().code();
  };
  EXPECT_EQ(damaged([](auto& of) { of.base.pop_back(); }), StatusCode::kCorruption);
  EXPECT_EQ(damaged([](auto& of) { of.weights.pop_back(); }), StatusCode::kCorruption);
  EXPECT_EQ(damaged([](auto& of) { of.columns.pop_back(); }), StatusCode::kCorruption);
  EXPECT_EQ(damaged([](auto& of) { of.weights[1] = HUGE_VALF; }), StatusCode::kCorruption);
  EXPECT_EQ(damaged([](auto& of) { of.base[1] = std::nanf(""); }), StatusCode::kCorruption);
  EXPECT_EQ(damaged([](auto& of) { of.columns[0].field = 2; }), StatusCode::kCorruption);
  EXPECT_EQ(damaged([](auto& of) { of.columns[1].deviation = 0; }), StatusCode::kCorruption);
  EXPECT_EQ(damaged([](auto& of) { of.columns[1].mean = std::nan(""); }), StatusCode::kCorruption);
  EXPECT_EQ(damaged([](auto& of) { of.prior_pairs = -1; }), StatusCode::kCorruption);
}

TEST(Checkpoint, ComesBack) {
  for (const CheckpointRecord& record : {samples::Checkpoint(), CheckpointRecord()}) {
    const Result<CheckpointRecord> decoded = DecodeCheckpoint(EncodeCheckpoint(record));
    ASSERT_TRUE(decoded.ok()) << decoded.status().ToString();
    ExpectSame(*decoded, record);
  }
}

TEST(Checkpoint, WithGramsThatDoNotFitIsCorruption) {
  CheckpointRecord unequal = samples::Checkpoint();
  unequal.item_gram.resize(9);
  CheckpointRecord not_finite = samples::Checkpoint();
  not_finite.user_gram[0] = HUGE_VAL;
  for (const CheckpointRecord& record : {unequal, not_finite}) {
    EXPECT_EQ(DecodeCheckpoint(EncodeCheckpoint(record)).status().code(), StatusCode::kCorruption);
  }
}

TEST(Job, ComesBack) {
  for (const JobInfo& job : {samples::Job(), JobInfo()}) {
    const Result<JobInfo> decoded = DecodeJob(EncodeJob(job));
    ASSERT_TRUE(decoded.ok()) << decoded.status().ToString();
    ExpectSame(*decoded, job);
  }
}

}  // namespace
}  // namespace reco::format
