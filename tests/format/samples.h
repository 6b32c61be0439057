// One record of every kind with every field set. The golden files hold exactly these, so never
// change a value: add a new sample for a new format version.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "format/event.h"
#include "format/records.h"
#include "format/solved_rows.h"

namespace reco::format::samples {

inline Event InteractionEvent() {
  Event event;
  event.kind = EventKind::kInteractionAsSaid;
  event.user = 7;
  event.item = 42;
  event.weight = 2.5;
  event.type = 3;
  event.time_ms = 1'700'000'000'123;
  event.arrival_ms = 1'700'000'000'456;
  event.token = "t-1";
  return event;
}

// Views into memory that lives on.
inline Event SolvedRowsEvent() {
  static const std::string kText = [] {
    std::string text;
    const ItemWeight row[] = {{2, 0.5F}, {9, -0.125F}};
    AppendSolvedRow(7, row, &text);
    AppendSolvedRow(9, {}, &text);
    return text;
  }();
  Event event;
  event.kind = EventKind::kSolvedRows;
  event.time_ms = event.arrival_ms = 1'700'000'000'123;
  event.has_text = true;
  event.text = kText;
  return event;
}

inline Event AddedEvent() {
  Event event = InteractionEvent();
  event.kind = EventKind::kInteraction;
  return event;
}

inline Event SecondOfACall() {
  Event event = InteractionEvent();
  event.token = {};
  event.with_previous = true;
  return event;
}

inline Event ItemRecordEvent() {
  Event event;
  event.kind = EventKind::kItemRecord;
  event.item = 42;
  event.time_ms = 1'700'000'000'123;
  event.arrival_ms = 1'700'000'000'456;
  event.text = R"({"title":"lamp"})";
  event.has_text = true;
  event.hidden = 1;
  event.expire_at_ms = 1'800'000'000'000;
  return event;
}

inline KeyRecord StringKey() {
  KeyRecord record;
  record.kind = KeyKind::kString;
  record.expire_at_ms = 1'800'000'000'000;
  record.value = std::string("a\0b\xff", 4);
  return record;
}

inline KeyRecord CollectionKey() {
  KeyRecord record;
  record.kind = KeyKind::kCollection;
  record.cid = 5;
  record.options.dim = 32;
  record.options.alpha = 1.5;
  record.options.reg = 0.25;
  record.options.regn = 0.125;
  record.options.unobserved = 0.75;
  record.options.iterations = 9;
  record.options.seed = 1234;
  record.options.types = {{"view", 0.5}, {"purchase", 3}};
  record.options.retrain_every = 10'000;
  record.options.retrain_interval_s = 3600;
  record.options.recency = 0.98;
  record.options.neighbours = Neighbours::kOff;
  return record;
}

inline KeyRecord LearningKey() {
  KeyRecord record = CollectionKey();
  record.options.tolerance = 0.001;
  record.options.warm_start = true;
  record.options.recency = 0.9;
  record.options.halflife_s = 86'400;
  record.options.weighting = Weighting::kLog;
  record.options.feedback = Feedback::kExplicit;
  record.options.fold_in = FoldIn::kUsers;
  return record;
}

inline KeyRecord AgedKey() {
  KeyRecord record = CollectionKey();
  record.options.recency = Recency();
  return record;
}

inline KeyRecord NeighboursKey() {
  KeyRecord record = CollectionKey();
  record.options.neighbours = Neighbours::kAuto;
  return record;
}

inline KeyRecord RulesKey() {
  KeyRecord record = CollectionKey();
  record.rules = {{"promo", R"(.brand == "acme")", Rule::Action::kBoost, 2.5, 1'600'000'000'000,
                   1'800'000'000'000},
                  {"top", ".id == 7", Rule::Action::kPin, 3, 0, 0}};
  return record;
}

inline KeyRecord AttributedKey() {
  KeyRecord record = CollectionKey();
  record.options.attribute_features = {"genre", "price"};
  return record;
}

inline KeyRecord TypedKey() {
  KeyRecord record = CollectionKey();
  record.options.attribute_types = R"(price:number,"a, b":text)";
  return record;
}

inline EntityRecord Entity() {
  return {.id = "lamp-1",
          .attributes = R"({"title":"lamp"})",
          .hidden = true,
          .expire_at_ms = 1'800'000'000'000,
          .first_ms = 1'600'000'000'000,
          .last_ms = 1'700'000'000'000,
          .pairs = 12,
          .events = 34,
          .weight = 56.5,
          .last_seq = 78};
}

inline EntityRecord ListedEntity() {
  EntityRecord record = Entity();
  record.squares = 99.25;
  record.known_ms = 1'500'000'000'000;
  return record;
}

inline EntityRecord LikedEntity() {
  EntityRecord record = ListedEntity();
  record.liked = Liked{.pairs = 11, .events = 32};
  return record;
}

inline Pair SomePair() {
  return {.weight = -1.5F,
          .count = 3,
          .first_ms = 1'600'000'000'000,
          .last_ms = 1'700'000'000'000,
          .last_type = 2};
}

inline std::vector<float> Vector() {
  return {0.5F, -1.25F, 0.0F, 3e-38F};
}

inline ModelRecord Model() {
  return {.id = 3,
          .dim = 2,
          .trained_at_seq = 1000,
          .trained_at_ms = 1'700'000'000'000,
          .alpha = 1.5,
          .reg = 0.25,
          .regn = 0.125,
          .unobserved = 0.75,
          .iterations = 12,
          .seed = 42,
          .metrics = {{"objective", 12.5}, {"seconds", 0.25}},
          .user_gram = {1, 2, 2, 5},
          .item_gram = {3, 0.5, 0.5, 4}};
}

inline ModelRecord WeighedModel() {
  ModelRecord record = Model();
  record.weighting = Weighting::kLog;
  record.reference_ms = 1'700'000'000'000;
  record.mean = 3.5;
  return record;
}

inline ModelRecord AttributedModel() {
  ModelRecord record = WeighedModel();
  record.attributes = AttributeRecord{
      .fields = {"genre", "price"},
      .columns = {{.field = 0, .kind = AttributeKind::kText, .text = "crime"},
                  {.field = 1, .kind = AttributeKind::kNumber, .mean = 9.5, .deviation = 2.5},
                  {.field = 1, .kind = AttributeKind::kFlag, .text = "true"}},
      .base = {0.5F, -0.25F},
      .weights = {1, 2, 3, 4, 5, 6},
      .prior_pairs = 2.5,
      .trained_pairs = {0, 3, 255}};
  return record;
}

inline CheckpointRecord Checkpoint() {
  return {.seq = 2000,
          .users = 10,
          .items = 20,
          .interactions = 150,
          .model = 3,
          .model_seq = 1000,
          .user_gram = {1, 2, 2, 5},
          .item_gram = {3, 0.5, 0.5, 4},
          .quality = {{"recall@20", 0.25}},
          .event_times_ms = {}};
}

inline CheckpointRecord TimedCheckpoint() {
  CheckpointRecord record = Checkpoint();
  record.event_times_ms = {5, 1'700'000'000'123};
  return record;
}

inline JobInfo Job() {
  return {.id = 9,
          .kind = JobKind::kEvaluate,
          .key = "shop",
          .state = JobState::kFailed,
          .percent = 37.5,
          .phase = "training",
          .eta_s = 4.5,
          .started_ms = 1'700'000'000'000,
          .finished_ms = 1'700'000'001'000,
          .error = "not enough pairs",
          .result = {{"recall@20", 0.25}}};
}

inline JobInfo InterruptedJob() {
  JobInfo job = Job();
  job.state = JobState::kInterrupted;
  return job;
}

inline constexpr NextNumbers kNextNumbers{.cid = 6, .job = 10};
inline constexpr std::uint64_t kTokenSeq = 0x0102030405060708;

}  // namespace reco::format::samples
