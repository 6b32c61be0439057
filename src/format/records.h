// Values of the column families: encoders and decoders. Twin of doc/format.md.
//
// Every value starts with a format byte. Decoders accept every version ever written and answer
// kCorruption for anything else; they never read past the end. Strings in decoded values are owned.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "reco/options.h"
#include "reco/result.h"
#include "reco/types.h"

namespace reco::format {

// The version of the folder as a whole, in `default` under kFormatVersionKey. A folder with a
// higher one is refused.
inline constexpr std::uint32_t kFormatVersion = 3;
std::string EncodeFormatVersion(std::uint32_t version);
Result<std::uint32_t> DecodeFormatVersion(std::string_view bytes);

// `default` / kNextNumbersKey.
struct NextNumbers {
  std::uint32_t cid = 1;
  std::uint64_t job = 1;
};
std::string EncodeNextNumbers(const NextNumbers& numbers);
Result<NextNumbers> DecodeNextNumbers(std::string_view bytes);

// `keys`. A string carries its value, a collection its number and options.
struct KeyRecord {
  KeyKind kind = KeyKind::kString;
  std::int64_t expire_at_ms = 0;  // 0: never
  std::string value;              // kString
  std::uint32_t cid = 0;          // kCollection
  CollectionOptions options;      // kCollection
  std::vector<Rule> rules;        // kCollection; by name
};
std::string EncodeKeyRecord(const KeyRecord& record);
Result<KeyRecord> DecodeKeyRecord(std::string_view bytes);

// The pairs of an item whose weight is above 0, and the events in them.
struct Liked {
  std::uint32_t pairs = 0;
  std::uint64_t events = 0;
  bool operator==(const Liked&) const = default;
};

// `users`, `items`: written when the id is new and again by checkpoints.
struct EntityRecord {
  std::string id;
  std::string attributes;
  bool hidden = false;
  std::int64_t expire_at_ms = 0;
  std::int64_t first_ms = 0;
  std::int64_t last_ms = 0;
  std::uint32_t pairs = 0;     // distinct partners with a stored pair
  std::uint64_t events = 0;    // interactions
  double weight = 0;           // sum of the pairs' weights
  std::uint64_t last_seq = 0;  // newest event that touched it
  // Of items, by checkpoints; absent in records of older versions.
  std::optional<double> squares = {};         // sum of the pairs' squared weights
  std::optional<std::int64_t> known_ms = {};  // when the item became known
  std::optional<Liked> liked = {};            // its pairs with a weight above 0
};
std::string EncodeEntity(const EntityRecord& record);
Result<EntityRecord> DecodeEntity(std::string_view bytes);

// `by_user`, `by_item`: what is stored of a (user, item) pair. A FlatBuffers struct (fixed layout)
// behind the format byte.
struct Pair {
  float weight = 0;
  std::uint32_t count = 0;  // events that are in it
  std::int64_t first_ms = 0;
  std::int64_t last_ms = 0;
  std::uint16_t last_type = 0xffff;  // type of the newest event
  bool operator==(const Pair&) const = default;
};
inline constexpr std::size_t kPairBytes = 33;  // format byte + struct
void EncodePair(const Pair& pair, std::string* out);
Result<Pair> DecodePair(std::string_view bytes);

// `vectors`: format byte + little-endian float32s.
void EncodeVector(std::span<const float> values, std::string* out);
// Reads a vector. kCorruption unless it holds exactly out.size() finite floats.
Status DecodeVector(std::string_view bytes, std::span<float> out);

// Part of the file format. Append only. See doc/format.md.
enum class AttributeKind : std::uint8_t {
  kText = 0,
  kFlag = 1,    // a boolean, as the text "true" or "false"
  kNumber = 2,  // any number in the field
};

// One feature of items. Numbers of a field count as (number - mean) / deviation.
struct AttributeColumn {
  std::uint32_t field = 0;  // place in AttributeRecord::fields
  AttributeKind kind = AttributeKind::kText;
  std::string text = {};
  double mean = 0;
  double deviation = 1;  // > 0
  bool operator==(const AttributeColumn&) const = default;
};

// The linear map from features to the vector of an item without interactions.
struct AttributeRecord {
  std::vector<std::string> fields;
  std::vector<AttributeColumn> columns = {};
  std::vector<float> base;                  // dim
  std::vector<float> weights;               // columns x dim, row-major
  double prior_pairs = 0;                   // how many pairs a prediction is worth
  std::vector<std::uint8_t> trained_pairs;  // of each item at the training, at most 255
  bool operator==(const AttributeRecord&) const = default;
};

// `models`. Grams and solve parameters are those of training; live ones are in the checkpoint.
struct ModelRecord {
  std::uint32_t id = 0;
  std::uint32_t dim = 0;
  std::uint64_t trained_at_seq = 0;
  std::int64_t trained_at_ms = 0;
  double alpha = 1, reg = 0, regn = 0, unobserved = 1;
  std::uint32_t iterations = 0;
  std::uint64_t seed = 0;
  std::vector<std::pair<std::string, double>> metrics;
  std::vector<double> user_gram;  // dim x dim, row-major
  std::vector<double> item_gram;
  Weighting weighting = Weighting::kLinear;
  std::int64_t reference_ms = 0;  // the time at which an event counts in full
  double mean = 0;                // of all ratings, with explicit feedback
  std::optional<AttributeRecord> attributes = std::nullopt;  // a collection without them has none
};
std::string EncodeModel(const ModelRecord& record);
Result<ModelRecord> DecodeModel(std::string_view bytes);

// `default` / CheckpointKey(cid): the derived rows in the families are those after event `seq`.
struct CheckpointRecord {
  std::uint64_t seq = 0;
  std::uint32_t users = 0;  // ordinals in use: [0, users)
  std::uint32_t items = 0;
  std::uint64_t interactions = 0;
  std::uint32_t model = 0;        // active model, 0: none
  std::uint64_t model_seq = 0;    // trained_at_seq of it
  std::vector<double> user_gram;  // live, dim x dim; empty without a model
  std::vector<double> item_gram;
  std::vector<std::pair<std::string, double>> quality;  // last evaluation
  std::vector<std::int64_t> event_times_ms;             // distinct, ascending, the first 101
};
std::string EncodeCheckpoint(const CheckpointRecord& record);
Result<CheckpointRecord> DecodeCheckpoint(std::string_view bytes);

// `tokens`.
std::string EncodeToken(std::uint64_t seq);
Result<std::uint64_t> DecodeToken(std::string_view bytes);

// `jobs`: finished jobs, for RECO.JOB after a restart.
std::string EncodeJob(const JobInfo& job);
Result<JobInfo> DecodeJob(std::string_view bytes);

}  // namespace reco::format
