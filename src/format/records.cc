// Values as FlatBuffers tables and back. Decoders check what later code relies on without looking
// (finite numbers, known choices, sizes), so that damage is an error here and not a NaN in a Gram.
#include "format/records.h"

#include <bit>
#include <cstring>
#include <records_generated.h>

#include "format/attribute_record.h"
#include "format/record_frame.h"

namespace reco::format {
namespace {

using flatbuffers::FlatBufferBuilder;
using flatbuffers::Offset;

static_assert(std::endian::native == std::endian::little,
              "structs and vectors are stored as they lie in memory");
static_assert(1 + sizeof(fb::Pair) == kPairBytes);

using NamedValues = std::vector<std::pair<std::string, double>>;
using DoubleVector = flatbuffers::Vector<double>;
using NamedValueVector = flatbuffers::Vector<Offset<fb::NamedValue>>;

Offset<NamedValueVector> CreateNamedValues(FlatBufferBuilder& builder, const NamedValues& values) {
  std::vector<Offset<fb::NamedValue>> entries;
  entries.reserve(values.size());
  for (const auto& [name, value] : values) {
    entries.push_back(fb::CreateNamedValue(builder, CreateBytes(builder, name), value));
  }
  return builder.CreateVector(entries);
}

NamedValues NamedValuesOf(const NamedValueVector* field) {
  NamedValues values;
  if (field != nullptr) {
    values.reserve(field->size());
    for (const fb::NamedValue* entry : *field) {
      values.emplace_back(BytesOf(entry->name()), entry->value());
    }
  }
  return values;
}

std::vector<double> DoublesOf(const DoubleVector* field) {
  if (field == nullptr) {
    return {};
  }
  // The verifier aligns a vector's length, not its doubles, so they are copied as bytes.
  std::vector<double> values(field->size());
  if (!values.empty()) {
    std::memcpy(values.data(), field->Data(), values.size() * sizeof(double));
  }
  return values;
}

// The Grams of a record: both absent, or finite and of `values` numbers each.
Status CheckGrams(std::span<const double> users, std::span<const double> items, std::size_t values,
                  std::string_view what) {
  for (const std::span<const double> gram : {users, items}) {
    if (!gram.empty() && gram.size() != values) {
      return Damaged(what, "a Gram matrix of " + std::to_string(gram.size()) +
                               " values instead of " + std::to_string(values));
    }
    if (!AllFinite(gram)) {
      return Damaged(what, "a Gram matrix is not finite");
    }
  }
  return {};
}

template <typename T>
flatbuffers::Optional<T> OptionalOf(const std::optional<T>& value) {
  return value ? flatbuffers::Optional<T>(*value) : flatbuffers::nullopt;
}

template <typename T>
std::optional<T> FromOptional(const flatbuffers::Optional<T>& field) {
  return field.has_value() ? std::optional<T>(*field) : std::nullopt;
}

Offset<fb::CollectionOptions> CreateOptions(FlatBufferBuilder& builder,
                                            const CollectionOptions& options) {
  std::vector<Offset<fb::FeedbackType>> types;
  types.reserve(options.types.size());
  for (const FeedbackType& type : options.types) {
    types.push_back(fb::CreateFeedbackType(builder, CreateBytes(builder, type.name), type.weight));
  }
  const auto type_vector = builder.CreateVector(types);
  Offset<FieldNameVector> attribute_features;
  if (!options.attribute_features.empty()) {
    attribute_features = CreateNames(builder, options.attribute_features);
  }
  Offset<flatbuffers::Vector<std::uint8_t>> attribute_types;
  if (!options.attribute_types.empty()) {
    attribute_types = CreateBytes(builder, options.attribute_types);
  }
  fb::CollectionOptionsBuilder table(builder);
  // By the builder, since some fields are added only when there is something to say.
  table.add_dim(options.dim);
  table.add_alpha(options.alpha);
  table.add_reg(options.reg);
  table.add_regn(options.regn);
  if (options.unobserved.has_value()) {
    table.add_unobserved(*options.unobserved);
  }
  table.add_iterations(options.iterations);
  table.add_seed(options.seed);
  table.add_types(type_vector);
  table.add_retrain_every(options.retrain_every);
  table.add_retrain_interval_s(options.retrain_interval_s);
  table.add_tolerance(options.tolerance);
  table.add_warm_start(options.warm_start);
  // A release that does not know ages weighs by place.
  table.add_recency(options.recency.gamma.value_or(kRecencyByPlace));
  table.add_recency_by_age(options.recency.by_age());
  table.add_halflife_s(options.halflife_s);
  table.add_weighting(static_cast<std::uint8_t>(options.weighting));
  table.add_feedback(static_cast<std::uint8_t>(options.feedback));
  table.add_fold_in(static_cast<std::uint8_t>(options.fold_in));
  table.add_neighbours(static_cast<std::uint8_t>(options.neighbours));
  // Absent when empty, as in records of older versions.
  if (!attribute_features.IsNull()) {
    table.add_attribute_features(attribute_features);
  }
  if (!attribute_types.IsNull()) {
    table.add_attribute_types(attribute_types);
  }
  return table.Finish();
}

Offset<flatbuffers::Vector<Offset<fb::Rule>>> CreateRules(FlatBufferBuilder& builder,
                                                          const std::vector<Rule>& rules) {
  std::vector<Offset<fb::Rule>> tables;
  for (const Rule& rule : rules) {
    const auto name = CreateBytes(builder, rule.name);
    const auto filter = CreateBytes(builder, rule.filter);
    tables.push_back(fb::CreateRule(builder, name, filter, static_cast<std::uint8_t>(rule.action),
                                    rule.value, rule.from_ms, rule.until_ms));
  }
  return builder.CreateVector(tables);
}

Status ReadRules(const flatbuffers::Vector<Offset<fb::Rule>>* tables, std::string_view what,
                 std::vector<Rule>* rules) {
  for (std::size_t i = 0; tables != nullptr && i < tables->size(); ++i) {
    const fb::Rule& table = *tables->Get(static_cast<std::uint32_t>(i));
    Rule& rule = rules->emplace_back();
    rule.name = BytesOf(table.name());
    rule.filter = BytesOf(table.filter());
    RECO_RETURN_IF_ERROR(DecodeChoice(table.action(), Rule::Action::kPin, &rule.action, what));
    rule.value = table.value();
    rule.from_ms = table.from_ms();
    rule.until_ms = table.until_ms();
  }
  return Status::Ok();
}

Result<CollectionOptions> OptionsOf(const fb::CollectionOptions& table, std::string_view what) {
  CollectionOptions options;
  options.dim = table.dim();
  options.alpha = table.alpha();
  options.reg = table.reg();
  options.regn = table.regn();
  // Absent means "auto".
  if (table.unobserved().has_value()) {
    options.unobserved = *table.unobserved();
  }
  options.iterations = table.iterations();
  options.seed = table.seed();
  options.retrain_every = table.retrain_every();
  options.retrain_interval_s = table.retrain_interval_s();
  options.tolerance = table.tolerance();
  options.warm_start = table.warm_start();
  options.recency = table.recency_by_age() ? Recency() : Recency(table.recency());
  options.halflife_s = table.halflife_s();
  // Choices of a newer version: to guess one would change what the collection does.
  RECO_RETURN_IF_ERROR(DecodeChoice(table.weighting(), Weighting::kLog, &options.weighting, what));
  RECO_RETURN_IF_ERROR(
      DecodeChoice(table.feedback(), Feedback::kExplicit, &options.feedback, what));
  RECO_RETURN_IF_ERROR(DecodeChoice(table.fold_in(), FoldIn::kOff, &options.fold_in, what));
  RECO_RETURN_IF_ERROR(
      DecodeChoice(table.neighbours(), Neighbours::kSessions, &options.neighbours, what));
  const double numbers[] = {
      options.alpha,     options.reg,     options.regn,      options.unobserved.value_or(0),
      options.tolerance, table.recency(), options.halflife_s};
  if (!AllFinite(numbers)) {
    return Damaged(what, "a collection option is not finite");
  }
  options.attribute_features = NamesOf(table.attribute_features());
  options.attribute_types = std::string(BytesOf(table.attribute_types()));
  if (table.types() != nullptr) {
    for (const fb::FeedbackType* type : *table.types()) {
      if (!std::isfinite(type->weight())) {
        return Damaged(what, "the weight of a feedback type is not finite");
      }
      options.types.push_back({std::string(BytesOf(type->name())), type->weight()});
    }
  }
  return options;
}

}  // namespace

std::string EncodeFormatVersion(std::uint32_t version) {
  std::string out;
  EncodeStruct(fb::FormatVersion(version), &out);
  return out;
}

Result<std::uint32_t> DecodeFormatVersion(std::string_view bytes) {
  RECO_ASSIGN_OR_RETURN(const auto stored,
                        DecodeStruct<fb::FormatVersion>(bytes, "format version"));
  return stored.version();
}

std::string EncodeNextNumbers(const NextNumbers& numbers) {
  FlatBufferBuilder& builder = RecordBuilder();
  std::string out;
  FinishRecord(builder, fb::CreateNextNumbers(builder, numbers.cid, numbers.job), &out);
  return out;
}

Result<NextNumbers> DecodeNextNumbers(std::string_view bytes) {
  RecordReader reader;
  RECO_ASSIGN_OR_RETURN(const fb::NextNumbers* table,
                        reader.Open<fb::NextNumbers>(bytes, "next numbers"));
  return NextNumbers{.cid = table->cid(), .job = table->job()};
}

std::string EncodeKeyRecord(const KeyRecord& record) {
  FlatBufferBuilder& builder = RecordBuilder();
  Offset<flatbuffers::Vector<std::uint8_t>> value;
  Offset<fb::CollectionOptions> options;
  Offset<flatbuffers::Vector<Offset<fb::Rule>>> rules;
  // FlatBuffers are built from the inside out: strings and tables before the table that refers to
  // them.
  if (record.kind == KeyKind::kCollection) {
    options = CreateOptions(builder, record.options);
    rules = record.rules.empty() ? 0 : CreateRules(builder, record.rules);
  } else {
    value = CreateBytes(builder, record.value);
  }
  std::string out;
  FinishRecord(builder,
               fb::CreateKey(builder, static_cast<std::uint8_t>(record.kind), record.expire_at_ms,
                             value, record.cid, options, rules),
               &out);
  return out;
}

Result<KeyRecord> DecodeKeyRecord(std::string_view bytes) {
  constexpr std::string_view kWhat = "key record";
  RecordReader reader;
  RECO_ASSIGN_OR_RETURN(const fb::Key* table, reader.Open<fb::Key>(bytes, kWhat));
  KeyRecord record;
  record.expire_at_ms = table->expire_at_ms();
  record.cid = table->cid();
  // Only the fields of its kind are read; a string has no options to check.
  if (table->kind() == static_cast<std::uint8_t>(KeyKind::kString)) {
    record.kind = KeyKind::kString;
    record.value = BytesOf(table->value());
    return record;
  }
  // Kinds begin at 1, so that a zeroed record is none.
  if (table->kind() < static_cast<std::uint8_t>(KeyKind::kString)) {
    return Damaged(kWhat, "kind " + std::to_string(table->kind()) + " is not known");
  }
  if (table->kind() > static_cast<std::uint8_t>(KeyKind::kCollection)) {
    return Newer(kWhat, "kind " + std::to_string(table->kind()));
  }
  if (table->options() == nullptr) {
    return Damaged(kWhat, "a collection without options");
  }
  record.kind = KeyKind::kCollection;
  RECO_ASSIGN_OR_RETURN(record.options, OptionsOf(*table->options(), kWhat));
  RECO_RETURN_IF_ERROR(ReadRules(table->rules(), kWhat, &record.rules));
  return record;
}

std::string EncodeEntity(const EntityRecord& record) {
  FlatBufferBuilder& builder = RecordBuilder();
  const auto id = CreateBytes(builder, record.id);
  Offset<flatbuffers::Vector<std::uint8_t>> attributes;
  if (!record.attributes.empty()) {
    attributes = CreateBytes(builder, record.attributes);
  }
  std::string out;
  FinishRecord(builder,
               fb::CreateEntity(
                   builder, id, attributes, record.hidden, record.expire_at_ms, record.first_ms,
                   record.last_ms, record.pairs, record.events, record.weight, record.last_seq,
                   OptionalOf(record.squares), OptionalOf(record.known_ms),
                   OptionalOf(record.liked ? std::optional(record.liked->pairs) : std::nullopt),
                   OptionalOf(record.liked ? std::optional(record.liked->events) : std::nullopt)),
               &out);
  return out;
}

Result<EntityRecord> DecodeEntity(std::string_view bytes) {
  constexpr std::string_view kWhat = "user or item record";
  RecordReader reader;
  RECO_ASSIGN_OR_RETURN(const fb::Entity* table, reader.Open<fb::Entity>(bytes, kWhat));
  if (!std::isfinite(table->weight())) {
    return Damaged(kWhat, "its weight is not finite");
  }
  // Absent in records of older versions; the loader sums them up then.
  const std::optional<double> squares = FromOptional(table->squares());
  if (squares && !(std::isfinite(*squares) && *squares >= 0)) {
    return Damaged(kWhat, "its sum of squares is not finite or below zero");
  }
  std::optional<Liked> liked;
  if (table->liked_pairs() && table->liked_events()) {
    liked = Liked{*table->liked_pairs(), *table->liked_events()};
  }
  return EntityRecord{.id = std::string(BytesOf(table->id())),
                      .attributes = std::string(BytesOf(table->attributes())),
                      .hidden = table->hidden(),
                      .expire_at_ms = table->expire_at_ms(),
                      .first_ms = table->first_ms(),
                      .last_ms = table->last_ms(),
                      .pairs = table->pairs(),
                      .events = table->events(),
                      .weight = table->weight(),
                      .last_seq = table->last_seq(),
                      .squares = squares,
                      .known_ms = FromOptional(table->known_ms()),
                      .liked = liked};
}

void EncodePair(const Pair& pair, std::string* out) {
  EncodeStruct(fb::Pair(pair.first_ms, pair.last_ms, pair.weight, pair.count, pair.last_type), out);
}

Result<Pair> DecodePair(std::string_view bytes) {
  constexpr std::string_view kWhat = "pair";
  RECO_ASSIGN_OR_RETURN(const auto stored, DecodeStruct<fb::Pair>(bytes, kWhat));
  if (!std::isfinite(stored.weight())) {
    return Damaged(kWhat, "its weight is not finite");
  }
  return Pair{.weight = stored.weight(),
              .count = stored.count(),
              .first_ms = stored.first_ms(),
              .last_ms = stored.last_ms(),
              .last_type = stored.last_type()};
}

void EncodeVector(std::span<const float> values, std::string* out) {
  out->resize(1 + values.size_bytes());
  out->front() = kFormatV1;
  if (!values.empty()) {
    std::memcpy(out->data() + 1, values.data(), values.size_bytes());
  }
}

Status DecodeVector(std::string_view bytes, std::span<float> out) {
  constexpr std::string_view kWhat = "vector";
  RECO_RETURN_IF_ERROR(CheckFormatByte(bytes, kWhat));
  if (bytes.size() != 1 + out.size_bytes()) {
    return Damaged(kWhat, std::to_string(bytes.size()) + " bytes instead of " +
                              std::to_string(1 + out.size_bytes()));
  }
  if (out.empty()) {
    return {};
  }
  // Stored values lie at any address, so floats are copied, not read in place.
  std::memcpy(out.data(), bytes.data() + 1, out.size_bytes());
  for (const float value : out) {
    if (!std::isfinite(value)) {
      return Damaged(kWhat, "a value is not finite");
    }
  }
  return {};
}

std::string EncodeModel(const ModelRecord& record) {
  FlatBufferBuilder& builder = RecordBuilder();
  Offset<fb::AttributeMap> attributes;
  if (record.attributes) {
    attributes = CreateAttributes(builder, *record.attributes);
  }
  const auto metrics = CreateNamedValues(builder, record.metrics);
  const auto user_gram = builder.CreateVector(record.user_gram);
  const auto item_gram = builder.CreateVector(record.item_gram);
  std::string out;
  FinishRecord(builder,
               fb::CreateModel(builder, record.id, record.dim, record.trained_at_seq,
                               record.trained_at_ms, record.alpha, record.reg, record.regn,
                               record.unobserved, record.iterations, record.seed, metrics,
                               user_gram, item_gram, static_cast<std::uint8_t>(record.weighting),
                               record.reference_ms, record.mean, attributes),
               &out);
  return out;
}

Result<ModelRecord> DecodeModel(std::string_view bytes) {
  constexpr std::string_view kWhat = "model record";
  RecordReader reader;
  RECO_ASSIGN_OR_RETURN(const fb::Model* table, reader.Open<fb::Model>(bytes, kWhat));
  ModelRecord record{.id = table->id(),
                     .dim = table->dim(),
                     .trained_at_seq = table->trained_at_seq(),
                     .trained_at_ms = table->trained_at_ms(),
                     .alpha = table->alpha(),
                     .reg = table->reg(),
                     .regn = table->regn(),
                     .unobserved = table->unobserved(),
                     .iterations = table->iterations(),
                     .seed = table->seed(),
                     .metrics = NamedValuesOf(table->metrics()),
                     .user_gram = DoublesOf(table->user_gram()),
                     .item_gram = DoublesOf(table->item_gram()),
                     .reference_ms = table->reference_ms(),
                     .mean = table->mean()};
  RECO_RETURN_IF_ERROR(DecodeChoice(table->weighting(), Weighting::kLog, &record.weighting, kWhat));
  const double numbers[] = {record.alpha, record.reg, record.regn, record.unobserved, record.mean};
  if (!AllFinite(numbers)) {
    return Damaged(kWhat, "a parameter is not finite");
  }
  RECO_RETURN_IF_ERROR(
      CheckGrams(record.user_gram, record.item_gram, std::size_t{record.dim} * record.dim, kWhat));
  if (table->attributes() != nullptr) {
    RECO_ASSIGN_OR_RETURN(record.attributes, AttributesOf(*table->attributes(), record.dim, kWhat));
  }
  return record;
}

std::string EncodeCheckpoint(const CheckpointRecord& record) {
  FlatBufferBuilder& builder = RecordBuilder();
  const auto user_gram = builder.CreateVector(record.user_gram);
  const auto item_gram = builder.CreateVector(record.item_gram);
  const auto quality = CreateNamedValues(builder, record.quality);
  // Absent when empty, as in records of older versions.
  Offset<flatbuffers::Vector<std::int64_t>> event_times_ms;
  if (!record.event_times_ms.empty()) {
    event_times_ms = builder.CreateVector(record.event_times_ms);
  }
  std::string out;
  FinishRecord(builder,
               fb::CreateCheckpoint(builder, record.seq, record.users, record.items,
                                    record.interactions, record.model, record.model_seq, user_gram,
                                    item_gram, quality, event_times_ms),
               &out);
  return out;
}

Result<CheckpointRecord> DecodeCheckpoint(std::string_view bytes) {
  constexpr std::string_view kWhat = "checkpoint record";
  RecordReader reader;
  RECO_ASSIGN_OR_RETURN(const fb::Checkpoint* table, reader.Open<fb::Checkpoint>(bytes, kWhat));
  CheckpointRecord record{.seq = table->seq(),
                          .users = table->users(),
                          .items = table->items(),
                          .interactions = table->interactions(),
                          .model = table->model(),
                          .model_seq = table->model_seq(),
                          .user_gram = DoublesOf(table->user_gram()),
                          .item_gram = DoublesOf(table->item_gram()),
                          .quality = NamedValuesOf(table->quality()),
                          .event_times_ms = {}};
  if (table->event_times_ms() != nullptr) {
    record.event_times_ms.assign(table->event_times_ms()->begin(), table->event_times_ms()->end());
  }
  RECO_RETURN_IF_ERROR(
      // A checkpoint has no dimension of its own: its Grams must be of one size, which Restore
      // compares.
      CheckGrams(record.user_gram, record.item_gram, record.user_gram.size(), kWhat));
  return record;
}

std::string EncodeToken(std::uint64_t seq) {
  std::string out;
  EncodeStruct(fb::Token(seq), &out);
  return out;
}

Result<std::uint64_t> DecodeToken(std::string_view bytes) {
  RECO_ASSIGN_OR_RETURN(const auto stored, DecodeStruct<fb::Token>(bytes, "token"));
  return stored.seq();
}

std::string EncodeJob(const JobInfo& job) {
  FlatBufferBuilder& builder = RecordBuilder();
  const auto key = CreateBytes(builder, job.key);
  const auto phase = CreateBytes(builder, job.phase);
  const auto error = CreateBytes(builder, job.error);
  const auto result = CreateNamedValues(builder, job.result);
  std::string out;
  FinishRecord(builder,
               fb::CreateJob(builder, job.id, static_cast<std::uint8_t>(job.kind), key,
                             static_cast<std::uint8_t>(job.state), job.percent, phase, job.eta_s,
                             job.started_ms, job.finished_ms, error, result),
               &out);
  return out;
}

Result<JobInfo> DecodeJob(std::string_view bytes) {
  constexpr std::string_view kWhat = "job record";
  RecordReader reader;
  RECO_ASSIGN_OR_RETURN(const fb::Job* table, reader.Open<fb::Job>(bytes, kWhat));
  // Kinds begin at 1, so that a zeroed record is none.
  if (table->kind() < static_cast<std::uint8_t>(JobKind::kRetrain)) {
    return Damaged(kWhat, "kind " + std::to_string(table->kind()) + " is not known");
  }
  JobKind kind = JobKind::kRetrain;
  JobState state = JobState::kQueued;
  RECO_RETURN_IF_ERROR(DecodeChoice(table->kind(), JobKind::kEvaluate, &kind, kWhat));
  RECO_RETURN_IF_ERROR(DecodeChoice(table->state(), JobState::kInterrupted, &state, kWhat));
  return JobInfo{.id = table->id(),
                 .kind = kind,
                 .key = std::string(BytesOf(table->key())),
                 .state = state,
                 .percent = table->percent(),
                 .phase = std::string(BytesOf(table->phase())),
                 .eta_s = table->eta_s(),
                 .started_ms = table->started_ms(),
                 .finished_ms = table->finished_ms(),
                 .error = std::string(BytesOf(table->error())),
                 .result = NamedValuesOf(table->result())};
}

}  // namespace reco::format
