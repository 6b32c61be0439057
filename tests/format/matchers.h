// Field-by-field comparison of decoded records. Doubles compare exactly: stored bits come back.
#pragma once

#include <gtest/gtest.h>

#include "format/event.h"
#include "format/records.h"

namespace reco::format {

inline void ExpectSame(const Event& a, const Event& b) {
  EXPECT_EQ(a.kind, b.kind);
  EXPECT_EQ(a.user, b.user);
  EXPECT_EQ(a.item, b.item);
  EXPECT_EQ(a.weight, b.weight);
  EXPECT_EQ(a.type, b.type);
  EXPECT_EQ(a.time_ms, b.time_ms);
  EXPECT_EQ(a.arrival_ms, b.arrival_ms);
  EXPECT_EQ(a.token, b.token);
  EXPECT_EQ(a.text, b.text);
  EXPECT_EQ(a.has_text, b.has_text);
  EXPECT_EQ(a.hidden, b.hidden);
  EXPECT_EQ(a.expire_at_ms, b.expire_at_ms);
  EXPECT_EQ(a.with_previous, b.with_previous);
}

inline void ExpectSame(const NextNumbers& a, const NextNumbers& b) {
  EXPECT_EQ(a.cid, b.cid);
  EXPECT_EQ(a.job, b.job);
}

inline void ExpectSame(const KeyRecord& a, const KeyRecord& b) {
  EXPECT_EQ(a.kind, b.kind);
  EXPECT_EQ(a.expire_at_ms, b.expire_at_ms);
  EXPECT_EQ(a.value, b.value);
  EXPECT_EQ(a.cid, b.cid);
  EXPECT_EQ(a.options.dim, b.options.dim);
  EXPECT_EQ(a.options.alpha, b.options.alpha);
  EXPECT_EQ(a.options.reg, b.options.reg);
  EXPECT_EQ(a.options.regn, b.options.regn);
  EXPECT_EQ(a.options.unobserved, b.options.unobserved);
  EXPECT_EQ(a.options.iterations, b.options.iterations);
  EXPECT_EQ(a.options.seed, b.options.seed);
  EXPECT_EQ(a.options.retrain_every, b.options.retrain_every);
  EXPECT_EQ(a.options.retrain_interval_s, b.options.retrain_interval_s);
  EXPECT_EQ(a.options.tolerance, b.options.tolerance);
  EXPECT_EQ(a.options.warm_start, b.options.warm_start);
  EXPECT_EQ(a.options.recency, b.options.recency);
  EXPECT_EQ(a.options.neighbours, b.options.neighbours);
  EXPECT_EQ(a.options.halflife_s, b.options.halflife_s);
  EXPECT_EQ(a.options.weighting, b.options.weighting);
  EXPECT_EQ(a.options.feedback, b.options.feedback);
  EXPECT_EQ(a.options.fold_in, b.options.fold_in);
  EXPECT_EQ(a.options.attribute_features, b.options.attribute_features);
  EXPECT_EQ(a.options.attribute_types, b.options.attribute_types);
  ASSERT_EQ(a.options.types.size(), b.options.types.size());
  for (std::size_t i = 0; i < a.options.types.size(); ++i) {
    EXPECT_EQ(a.options.types[i].name, b.options.types[i].name);
    EXPECT_EQ(a.options.types[i].weight, b.options.types[i].weight);
  }
}

inline void ExpectSame(const EntityRecord& a, const EntityRecord& b) {
  EXPECT_EQ(a.id, b.id);
  EXPECT_EQ(a.attributes, b.attributes);
  EXPECT_EQ(a.hidden, b.hidden);
  EXPECT_EQ(a.expire_at_ms, b.expire_at_ms);
  EXPECT_EQ(a.first_ms, b.first_ms);
  EXPECT_EQ(a.last_ms, b.last_ms);
  EXPECT_EQ(a.pairs, b.pairs);
  EXPECT_EQ(a.events, b.events);
  EXPECT_EQ(a.weight, b.weight);
  EXPECT_EQ(a.last_seq, b.last_seq);
  EXPECT_EQ(a.squares, b.squares);
  EXPECT_EQ(a.known_ms, b.known_ms);
  EXPECT_EQ(a.liked, b.liked);
}

inline void ExpectSame(const Pair& a, const Pair& b) {
  EXPECT_TRUE(a == b);
}

inline void ExpectSame(const ModelRecord& a, const ModelRecord& b) {
  EXPECT_EQ(a.id, b.id);
  EXPECT_EQ(a.dim, b.dim);
  EXPECT_EQ(a.trained_at_seq, b.trained_at_seq);
  EXPECT_EQ(a.trained_at_ms, b.trained_at_ms);
  EXPECT_EQ(a.alpha, b.alpha);
  EXPECT_EQ(a.reg, b.reg);
  EXPECT_EQ(a.regn, b.regn);
  EXPECT_EQ(a.unobserved, b.unobserved);
  EXPECT_EQ(a.iterations, b.iterations);
  EXPECT_EQ(a.seed, b.seed);
  EXPECT_EQ(a.metrics, b.metrics);
  EXPECT_EQ(a.user_gram, b.user_gram);
  EXPECT_EQ(a.item_gram, b.item_gram);
  EXPECT_EQ(a.weighting, b.weighting);
  EXPECT_EQ(a.reference_ms, b.reference_ms);
  EXPECT_EQ(a.mean, b.mean);
  EXPECT_EQ(a.attributes, b.attributes);
}

inline void ExpectSame(const CheckpointRecord& a, const CheckpointRecord& b) {
  EXPECT_EQ(a.seq, b.seq);
  EXPECT_EQ(a.users, b.users);
  EXPECT_EQ(a.items, b.items);
  EXPECT_EQ(a.interactions, b.interactions);
  EXPECT_EQ(a.model, b.model);
  EXPECT_EQ(a.model_seq, b.model_seq);
  EXPECT_EQ(a.user_gram, b.user_gram);
  EXPECT_EQ(a.item_gram, b.item_gram);
  EXPECT_EQ(a.quality, b.quality);
  EXPECT_EQ(a.event_times_ms, b.event_times_ms);
}

inline void ExpectSame(const JobInfo& a, const JobInfo& b) {
  EXPECT_EQ(a.id, b.id);
  EXPECT_EQ(a.kind, b.kind);
  EXPECT_EQ(a.key, b.key);
  EXPECT_EQ(a.state, b.state);
  EXPECT_EQ(a.percent, b.percent);
  EXPECT_EQ(a.phase, b.phase);
  EXPECT_EQ(a.eta_s, b.eta_s);
  EXPECT_EQ(a.started_ms, b.started_ms);
  EXPECT_EQ(a.finished_ms, b.finished_ms);
  EXPECT_EQ(a.error, b.error);
  EXPECT_EQ(a.result, b.result);
}

}  // namespace reco::format
