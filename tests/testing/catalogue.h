// Catalogue: one collection on a store and a log of its own, without a database, for tests of the
// engine's rooms.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/clock.h"
#include "engine/collection/collection.h"
#include "engine/collection/writer.h"
#include "engine/jobs/jobs.h"
#include "engine/training/retrain.h"
#include "testing/temp_dir.h"

namespace reco::testing {

class Catalogue {
 public:
  explicit Catalogue(const CollectionOptions& collection_options = {}) {
    options.checkpoint_events = 1'000;
    options.training_threads = 1;
    store::StoreOptions store_options;
    store_options.path = folder / "db";
    storage.store = std::move(store::Store::Open(store_options)).value();
    storage.log = std::make_unique<wal::EventLog>(*storage.store, SyncPolicy::kNo, clock);
    row_budget.limit_bytes = std::int64_t{1} << 30;
    collection = engine::Collection::Create(context, 1, collection_options);
  }

  engine::SharedState& shared() { return collection->shared(); }

  void Add(const std::string& user, const std::string& item, double weight = 1) {
    Interaction interaction;
    interaction.user = user;
    interaction.item = item;
    interaction.weight = weight;
    clock.AdvanceMs(1);
    const auto added = engine::writer::Add(shared(), {&interaction, 1}, false);
    ASSERT_TRUE(added.ok()) << added.status().ToString();
  }

  // Users u0 .. and items i0 ..: a user prefers the items of its number modulo 3.
  void Fill(int users, int items) {
    for (int user = 0; user < users; ++user) {
      for (int item = user % 3; item < items; item += 3) {
        if ((user * 7 + item * 5) % 4 != 0) {
          Add("u" + std::to_string(user), "i" + std::to_string(item),
              1 + (user / 3 + item / 3) % 2 * 3);
        }
      }
    }
  }

  void Train() {
    engine::RunningJob job = jobs.Create(JobKind::kRetrain, "catalogue");
    job.Begin();
    engine::training::Figures figures;
    const Status done = engine::training::Retrain(shared(), collection->checkpointer(),
                                                  collection->options(), job, &figures);
    ASSERT_TRUE(done.ok()) << done.ToString();
    static_cast<void>(job.Finish(std::move(figures)));
  }

  TempDir folder;
  Options options;
  ManualClock clock{1'700'000'000'000};
  engine::Storage storage;
  engine::RowBudget row_budget;
  engine::MemoryBudget memory;
  engine::HoldTimes holds;
  engine::CollectionContext context{storage, options, clock, row_budget,
                                    memory,  holds,   64,    500'000};
  engine::JobTable jobs{clock, 1, 10};
  std::shared_ptr<engine::Collection> collection;
};

}  // namespace reco::testing
