#include "engine/persist/model_reader.h"

#include <cstdint>
#include <vector>

#include <gtest/gtest.h>

#include "testing/catalogue.h"

namespace reco::engine::persist {
namespace {

CollectionOptions Small() {
  CollectionOptions options;
  options.dim = 4;
  options.iterations = 2;
  return options;
}

class ModelReaderTest : public ::testing::Test {
 protected:
  ModelReaderTest() : catalogue_(Small()) { catalogue_.options.models_kept = 1; }

  Result<std::shared_ptr<const ReplacedModel>> Model(std::uint32_t id) {
    RankingOptions options;
    options.model = id;
    return ModelFor(catalogue_.shared(), options);
  }
  void Train(int times) {
    for (int i = 0; i < times; ++i) {
      catalogue_.Add("u1", "i1");
      catalogue_.Train();
    }
  }

  testing::Catalogue catalogue_;
};

TEST_F(ModelReaderTest, TheActiveModelIsNullHoweverItIsNamed) {
  catalogue_.Fill(6, 9);
  Train(1);
  EXPECT_EQ(*ModelFor(catalogue_.shared(), {}), nullptr);
  EXPECT_EQ(*Model(1), nullptr);
}

TEST_F(ModelReaderTest, AReplacedModelHasTheItemVectorsOfItsTime) {
  catalogue_.Fill(6, 9);
  Train(1);
  catalogue_.Add("u1", "i2", 9);  // folded in
  std::vector<std::vector<float>> before;
  {
    ReadView view(catalogue_.shared());
    const SideState& items = view.state().items();
    for (std::uint32_t i = 0; i < items.ids.end(); ++i) {
      const auto values = items.factors->values(i);
      before.emplace_back(values.begin(), values.end());
    }
  }
  catalogue_.Train();
  catalogue_.Add("u1", "younger");
  catalogue_.Add("u1", "i3", 9);
  const auto model = Model(1);
  ASSERT_TRUE(model.ok()) << model.status().ToString();
  EXPECT_EQ((*model)->model.id, 1U);
  EXPECT_EQ((*model)->index.size(), before.size());
  for (std::uint32_t i = 0; i < before.size(); ++i) {
    const auto values = (*model)->items.values(i);
    EXPECT_EQ(std::vector<float>(values.begin(), values.end()), before[i]) << i;
  }
  EXPECT_EQ(*Model(1), *model);  // read once
}

TEST_F(ModelReaderTest, ModelsThatAreNotKeptAreNotFound) {
  catalogue_.Fill(6, 9);
  EXPECT_EQ(Model(1).status().code(), StatusCode::kNotFound);
  Train(3);
  EXPECT_EQ(Model(0).status().code(), StatusCode::kNotFound);
  EXPECT_EQ(Model(1).status().code(), StatusCode::kNotFound);
  EXPECT_TRUE(Model(2).ok());
  EXPECT_EQ(Model(4).status().code(), StatusCode::kNotFound);
}

TEST_F(ModelReaderTest, TheListSaysWhichAreActiveAndKept) {
  catalogue_.Fill(6, 9);
  Train(3);
  const auto models = Models(catalogue_.shared());
  ASSERT_TRUE(models.ok());
  ASSERT_EQ(models->size(), 3U);
  for (std::uint32_t i = 0; i < 3; ++i) {
    const ModelInfo& info = (*models)[i];
    EXPECT_EQ(info.id, i + 1);
    EXPECT_EQ(info.active, info.id == 3);
    EXPECT_EQ(info.kept, info.id >= 2);
    EXPECT_EQ(info.dim, 4U);
  }
}

TEST_F(ModelReaderTest, NoneIsReadAboveTheMemoryLimit) {
  catalogue_.Fill(6, 9);
  Train(2);
  catalogue_.memory.limit_bytes = 10;
  catalogue_.memory.used_bytes = 11;
  EXPECT_EQ(Model(1).status().code(), StatusCode::kResourceExhausted);
  EXPECT_TRUE(Model(2).ok());
  catalogue_.memory.used_bytes = 10;
  EXPECT_TRUE(Model(1).ok());
}

TEST_F(ModelReaderTest, ThoseThatNobodyAsksForLeaveMemory) {
  catalogue_.Fill(6, 9);
  Train(2);
  ASSERT_TRUE(Model(1).ok());
  DropReplacedModels(catalogue_.shared());
  EXPECT_FALSE(catalogue_.shared().replaced().empty());
  catalogue_.clock.AdvanceMs(600'001);
  DropReplacedModels(catalogue_.shared());
  EXPECT_TRUE(catalogue_.shared().replaced().empty());
}

TEST_F(ModelReaderTest, ATrainingBesideAListReplacesTheModelThatItNamed) {
  catalogue_.Fill(6, 9);
  Train(1);
  RankingOptions options;
  options.model = 1;
  const auto model = ModelFor(catalogue_.shared(), options);
  ASSERT_TRUE(model.ok());
  EXPECT_FALSE(ReplacedSince(ReadView(catalogue_.shared()), options, model->get()));
  Train(1);
  EXPECT_TRUE(ReplacedSince(ReadView(catalogue_.shared()), options, model->get()));
  EXPECT_FALSE(ReplacedSince(ReadView(catalogue_.shared()), {}, nullptr));
}

}  // namespace
}  // namespace reco::engine::persist
