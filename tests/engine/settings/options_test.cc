#include "reco/options.h"

#include <functional>
#include <limits>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace reco {
namespace {

using testing::HasSubstr;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

// Sets one field to its lowest or highest allowed value, or beside it.
template <typename T>
struct FieldCase {
  std::string field;  // as the message names it
  std::function<void(T&)> change;
  bool valid;
};

template <typename T>
void ExpectCases(const T& valid_options, const std::vector<FieldCase<T>>& cases) {
  ASSERT_TRUE(valid_options.Validate().ok()) << valid_options.Validate().ToString();
  for (std::size_t i = 0; i < cases.size(); ++i) {
    SCOPED_TRACE(cases[i].field + ", case " + std::to_string(i));
    T options = valid_options;
    cases[i].change(options);
    const Status status = options.Validate();
    if (cases[i].valid) {
      EXPECT_TRUE(status.ok()) << status.ToString();
    } else {
      EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
      EXPECT_THAT(std::string(status.message()), HasSubstr(cases[i].field));
    }
  }
}

TEST(Options, EachFieldHasItsRange) {
  Options valid;
  valid.path = "/tmp/reco";
  ExpectCases<Options>(
      valid,
      {
          {"path", [](Options& o) { o.path = ""; }, false},
          {"sync", [](Options& o) { o.sync = SyncPolicy::kNo; }, true},
          {"sync", [](Options& o) { o.sync = static_cast<SyncPolicy>(3); }, false},
          {"databases", [](Options& o) { o.databases = 0; }, false},
          {"databases", [](Options& o) { o.databases = 1; }, true},
          {"databases", [](Options& o) { o.databases = 256; }, true},
          {"databases", [](Options& o) { o.databases = 257; }, false},
          {"checkpoint_events", [](Options& o) { o.checkpoint_events = 99; }, false},
          {"checkpoint_events", [](Options& o) { o.checkpoint_events = 100; }, true},
          {"checkpoint_events", [](Options& o) { o.checkpoint_events = 1'000'000; }, true},
          {"checkpoint_events", [](Options& o) { o.checkpoint_events = 1'000'001; }, false},
          {"checkpoint_interval_s", [](Options& o) { o.checkpoint_interval_s = 0; }, false},
          {"checkpoint_interval_s", [](Options& o) { o.checkpoint_interval_s = 1; }, true},
          {"checkpoint_interval_s", [](Options& o) { o.checkpoint_interval_s = 3'600; }, true},
          {"checkpoint_interval_s", [](Options& o) { o.checkpoint_interval_s = 3'601; }, false},
          {"row_cache_bytes", [](Options& o) { o.row_cache_bytes = 0; }, true},
          {"row_cache_bytes", [](Options& o) { o.row_cache_bytes = ~0ULL; }, false},
          {"block_cache_bytes", [](Options& o) { o.block_cache_bytes = 0; }, true},
          {"block_cache_bytes", [](Options& o) { o.block_cache_bytes = ~0ULL; }, false},
          {"open_files_max", [](Options& o) { o.open_files_max = 31; }, false},
          {"open_files_max", [](Options& o) { o.open_files_max = 32; }, true},
          {"open_files_max", [](Options& o) { o.open_files_max = 100'001; }, false},
          {"write_buffer_bytes", [](Options& o) { o.write_buffer_bytes = 65'535; }, false},
          {"write_buffer_bytes", [](Options& o) { o.write_buffer_bytes = 65'536; }, true},
          {"write_buffer_bytes", [](Options& o) { o.write_buffer_bytes = ~0ULL; }, false},
          {"memory_bytes_max", [](Options& o) { o.memory_bytes_max = 1; }, true},
          {"training_threads", [](Options& o) { o.training_threads = 1'024; }, true},
          {"training_threads", [](Options& o) { o.training_threads = 1'025; }, false},
          {"idempotency_window", [](Options& o) { o.idempotency_window = 0; }, true},
          {"idempotency_window", [](Options& o) { o.idempotency_window = 10'000'000; }, true},
          {"idempotency_window", [](Options& o) { o.idempotency_window = 10'000'001; }, false},
          {"collections_max", [](Options& o) { o.collections_max = 0; }, false},
          {"collections_max", [](Options& o) { o.collections_max = 1; }, true},
          {"collections_max", [](Options& o) { o.collections_max = 10'000'001; }, false},
          {"models_kept", [](Options& o) { o.models_kept = 0; }, true},
          {"models_kept", [](Options& o) { o.models_kept = 15; }, true},
          {"models_kept", [](Options& o) { o.models_kept = 16; }, false},
          {"jobs_kept", [](Options& o) { o.jobs_kept = 0; }, true},
          {"jobs_kept", [](Options& o) { o.jobs_kept = 1'000'000; }, true},
          {"jobs_kept", [](Options& o) { o.jobs_kept = 1'000'001; }, false},
      });
}

TEST(CollectionOptions, EachFieldHasItsRange) {
  using O = CollectionOptions;
  ExpectCases<O>(
      O(), {
               {"dim", [](O& o) { o.dim = 0; }, false},
               {"dim", [](O& o) { o.dim = 1; }, true},
               {"dim", [](O& o) { o.dim = 512; }, true},
               {"dim", [](O& o) { o.dim = 513; }, false},
               {"alpha", [](O& o) { o.alpha = 0; }, false},
               {"alpha", [](O& o) { o.alpha = -1; }, false},
               {"alpha", [](O& o) { o.alpha = 1e6; }, true},
               {"alpha", [](O& o) { o.alpha = 1.000001e6; }, false},
               {"alpha", [](O& o) { o.alpha = kNan; }, false},
               {"alpha", [](O& o) { o.alpha = kInfinity; }, false},
               {"reg", [](O& o) { o.reg = 0; }, false},
               {"reg", [](O& o) { o.reg = 1e-9; }, true},
               {"reg", [](O& o) { o.reg = 1e-300; }, false},
               {"reg", [](O& o) { o.reg = kNan; }, false},
               {"regn", [](O& o) { o.regn = 0; }, true},
               {"regn", [](O& o) { o.regn = -1e-9; }, false},
               {"regn", [](O& o) { o.regn = kInfinity; }, false},
               {"unobserved", [](O& o) { o.unobserved = std::nullopt; }, true},
               {"unobserved", [](O& o) { o.unobserved = 1e6; }, true},
               {"unobserved", [](O& o) { o.unobserved = 0; }, false},
               {"unobserved", [](O& o) { o.unobserved = kNan; }, false},
               {"iterations", [](O& o) { o.iterations = 0; }, false},
               {"iterations", [](O& o) { o.iterations = 1'000; }, true},
               {"iterations", [](O& o) { o.iterations = 1'001; }, false},
               {"seed", [](O& o) { o.seed = 1ULL << 53U; }, true},
               {"seed", [](O& o) { o.seed = (1ULL << 53U) + 1; }, false},
               {"retrain-every", [](O& o) { o.retrain_every = ~0ULL; }, false},
               {"retrain-interval", [](O& o) { o.retrain_interval_s = 1'000'000'000; }, true},
               {"retrain-interval", [](O& o) { o.retrain_interval_s = 1'000'000'001; }, false},
           });
}

TEST(CollectionOptions, FeedbackTypesHaveDistinctNamesAndFiniteWeights) {
  using O = CollectionOptions;
  ExpectCases<O>(O(), {
                          {"type",
                           [](O& o) {
                             o.types = {{"view", 0.1}, {"purchase", -3}};
                           },
                           true},
                          {"type",
                           [](O& o) {
                             o.types = {{"\xc3\xa9t\xc3\xa9", 0}};
                           },
                           true},
                          {"type",
                           [](O& o) {
                             o.types = {{std::string(64, 'x'), 1}};
                           },
                           true},
                          {"type",
                           [](O& o) {
                             o.types = {{std::string(65, 'x'), 1}};
                           },
                           false},
                          {"type",
                           [](O& o) {
                             o.types = {{"", 1}};
                           },
                           false},
                          {"type",
                           [](O& o) {
                             o.types = {{"a b", 1}};
                           },
                           false},
                          {"type",
                           [](O& o) {
                             o.types = {{"a=b", 1}};
                           },
                           false},
                          {"type",
                           [](O& o) {
                             o.types = {{"a\nb", 1}};
                           },
                           false},
                          {"type",
                           [](O& o) {
                             o.types = {{"a\x7f", 1}};
                           },
                           false},
                          {"type",
                           [](O& o) {
                             o.types = {{"view", 1}, {"buy", 1}, {"view", 2}};
                           },
                           false},
                          {"type.view",
                           [](O& o) {
                             o.types = {{"view", kNan}};
                           },
                           false},
                          {"type.view",
                           [](O& o) {
                             o.types = {{"view", kInfinity}};
                           },
                           false},
                          {"type.view",
                           [](O& o) {
                             o.types = {{"view", -1.1e6}};
                           },
                           false},
                      });
}

TEST(CollectionOptions, ThereAreAtMost64FeedbackTypes) {
  CollectionOptions options;
  for (int i = 0; i < 64; ++i) {
    options.types.push_back({"type" + std::to_string(i), 1});
  }
  EXPECT_TRUE(options.Validate().ok());
  options.types.push_back({"one-more", 1});
  EXPECT_EQ(options.Validate().message(), "a collection has at most 64 feedback types");
}

TEST(CollectionOptions, TheMessageHasTheRangeAndTheValue) {
  CollectionOptions options;
  options.dim = 513;
  EXPECT_EQ(options.Validate().message(), "dim must be an integer from 1 to 512, not 513");
}

TEST(Options, TheMessageHasTheRangeAndTheValue) {
  Options options;
  options.path = "x";
  options.databases = 300;
  EXPECT_EQ(options.Validate().message(), "databases must be an integer from 1 to 256, not 300");
}

}  // namespace
}  // namespace reco
