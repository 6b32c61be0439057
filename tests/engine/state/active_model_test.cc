#include "engine/state/active_model.h"

#include <cstdint>
#include <vector>

#include <gtest/gtest.h>

namespace reco::engine {
namespace {

model::Gram Counting(std::uint32_t dim) {
  model::Gram gram(dim);
  std::vector<double> padded(std::size_t{gram.stride()} * gram.stride());
  for (std::uint32_t i = 0; i < dim; ++i) {
    for (std::uint32_t k = 0; k < dim; ++k) {
      padded[std::size_t{i} * gram.stride() + k] = 10 * i + k;
    }
  }
  gram.Assign(padded);
  return gram;
}

TEST(Unpadded, HasTheRowsOneBehindTheOther) {
  EXPECT_EQ(Unpadded(Counting(3)), (std::vector<double>{0, 1, 2, 10, 11, 12, 20, 21, 22}));
}

TEST(AssignUnpadded, PutsBackWhatUnpaddedTook) {
  for (const std::uint32_t dim : {1U, 5U, 16U, 17U}) {
    const model::Gram gram = Counting(dim);
    model::Gram back(dim);
    ASSERT_TRUE(AssignUnpadded(Unpadded(gram), &back).ok());
    EXPECT_EQ(back.RelativeDistance(gram), 0) << dim;
  }
}

TEST(AssignUnpadded, AnotherNumberOfValuesIsCorruption) {
  model::Gram gram(3);
  for (const std::size_t size : {0U, 8U, 10U, 256U}) {
    EXPECT_EQ(AssignUnpadded(std::vector<double>(size), &gram).code(), StatusCode::kCorruption);
  }
}

TEST(ToActiveModel, TakesWhatASolveNeeds) {
  format::ModelRecord record;
  record.id = 7;
  record.trained_at_seq = 99;
  record.alpha = 2;
  record.reg = 0.5;
  record.regn = 0.25;
  record.unobserved = 0.125;
  record.weighting = Weighting::kLog;
  record.reference_ms = 1'234;
  record.mean = 3.5;
  const ActiveModel model = ToActiveModel(record, 5'000);
  EXPECT_EQ(model.id, 7U);
  EXPECT_EQ(model.trained_at_seq, 99U);
  EXPECT_EQ(model.solve.alpha, 2);
  EXPECT_EQ(model.solve.reg, 0.5F);
  EXPECT_EQ(model.solve.regn, 0.25F);
  EXPECT_EQ(model.solve.unobserved, 0.125F);
  EXPECT_EQ(model.signal.weighting, Weighting::kLog);
  EXPECT_EQ(model.signal.halflife_ms, 5'000);
  EXPECT_EQ(model.signal.reference_ms, 1'234);
  EXPECT_EQ(model.mean, 3.5);
  EXPECT_EQ(model.cold, nullptr);
}

}  // namespace
}  // namespace reco::engine
