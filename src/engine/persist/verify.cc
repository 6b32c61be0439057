// Database::Verify: an offline check that derives the state again from the log and compares. It
// shares with the engine how events add up (signal.h) and how rows are read, but nothing of how a
// state is kept, so that a fault there shows.
#include "engine/persist/verify.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "reco/engine.h"

#include "engine/rows/signal.h"
#include "format/event_effect.h"
#include "format/keys.h"
#include "format/records.h"
#include "model/factor_table.h"
#include "model/fold_in.h"
#include "store/directory_lock.h"
#include "store/folder_check.h"
#include "store/store.h"
#include "wal/event_log.h"

namespace reco {
namespace {

using engine::Accumulate;
using format::Pair;

constexpr std::size_t kProblemsMax = 100;
constexpr double kGramTolerance = 1e-6;  // relative, of float64 sums over float32 vectors

// The check of one collection. Problems go to the report; rows that cannot be read are an error.
class Verifier {
 public:
  Verifier(const store::Store& store, const format::KeyRecord& key, std::string name,
           VerifyReport* report)
      : store_(store),
        cid_(key.cid),
        rules_(engine::RulesOf(key.options)),
        name_(std::move(name)),
        report_(report) {}

  Status Run() {
    RECO_ASSIGN_OR_RETURN(const std::optional<std::string> stored,
                          store_.Get(store::Family::kDefault, format::CheckpointKey(cid_)));
    if (stored) {
      RECO_ASSIGN_OR_RETURN(checkpoint_, format::DecodeCheckpoint(*stored));
    }
    RECO_RETURN_IF_ERROR(ReplayPairs());
    // The checkpoint's batch went out behind the log's (I4, D7).
    if (checkpoint_.seq > last_seq_) {
      Problem("the checkpoint is at event " + std::to_string(checkpoint_.seq) +
              ", the log ends at " + std::to_string(last_seq_));
    }
    RECO_RETURN_IF_ERROR(CheckPairs(store::Family::kByUser, true));
    RECO_RETURN_IF_ERROR(CheckPairs(store::Family::kByItem, false));
    RECO_RETURN_IF_ERROR(CheckEntities(Side::kUser));
    RECO_RETURN_IF_ERROR(CheckEntities(Side::kItem));
    return checkpoint_.model != 0 ? CheckVectors() : Status::Ok();
  }

 private:
  struct Totals {
    std::uint32_t pairs = 0;
    std::uint64_t events = 0;
    double weight = 0;
    format::Liked liked;
  };

  void Problem(const std::string& text) {
    // One fault often shows in every row; the first hundred say as much as all.
    if (report_->problems.size() < kProblemsMax) {
      report_->problems.push_back(name_ + ": " + text);
    }
  }

  static std::uint64_t PairOf(std::uint32_t user, std::uint32_t item) {
    return std::uint64_t{user} << 32U | item;
  }

  // Derives from the events alone the pairs as they must be at the checkpoint.
  Status ReplayPairs() {
    return wal::EventLog::Replay(store_, nullptr, cid_, 0,
                                 [this](std::uint64_t seq, const format::Event& event) {
                                   last_seq_ = seq;
                                   ++report_->events;
                                   FollowNames(event);
                                   // Later events are in the log only; their numbers are checked
                                   // all the same (I1).
                                   if (seq <= checkpoint_.seq) {
                                     ApplyToPairs(event);
                                   }
                                   return true;
                                 });
  }

  // An id's row is in one batch with the first event about it (I2), also behind the checkpoint.
  void FollowNames(const format::Event& event) {
    format::MatchEffect(
        event,
        [this](const format::PairAdded& added) {
          Named(Side::kUser).insert(added.user);
          Named(Side::kItem).insert(added.item);
        },
        [](const format::PairRemoved&) {},
        [this](const format::Deleted& gone) { Named(gone.side).erase(gone.ordinal); },
        [this](const format::RecordSet& set) { Named(set.side).insert(set.ordinal); },
        [](const format::RowsSolved&) {}, [](const format::NoEffect&) {});
  }
  std::unordered_set<std::uint32_t>& Named(Side side) {
    return named_[static_cast<std::size_t>(side)];
  }

  void ApplyToPairs(const format::Event& event) {
    format::MatchEffect(
        event,
        [&](const format::PairAdded& added) {
          const std::uint64_t key = PairOf(added.user, added.item);
          const auto known = pairs_.find(key);
          pairs_[key] = Accumulate(known != pairs_.end() ? &known->second : nullptr, event, rules_);
        },
        [&](const format::PairRemoved& removed) {
          pairs_.erase(PairOf(removed.user, removed.item));
        },
        [&](const format::Deleted& gone) { ErasePairsOf(gone); }, [](const format::RecordSet&) {},
        [](const format::RowsSolved&) {}, [](const format::NoEffect&) {});
  }

  void ErasePairsOf(const format::Deleted& gone) {
    if (gone.side == Side::kUser) {
      // A user's pairs are neighbours in the map, an item's are not.
      pairs_.erase(pairs_.lower_bound(PairOf(gone.ordinal, 0)),
                   pairs_.lower_bound(PairOf(gone.ordinal + 1, 0)));
    } else {
      std::erase_if(pairs_, [&](const auto& pair) {
        return static_cast<std::uint32_t>(pair.first) == gone.ordinal;
      });
    }
  }

  Status CheckPairs(store::Family family, bool owner_is_user) {
    std::uint64_t found = 0;
    const auto rows = store_.Scan(family, format::CollectionPrefix(cid_));
    for (; rows->Valid(); rows->Next()) {
      RECO_ASSIGN_OR_RETURN(const Pair pair, format::DecodePair(rows->value()));
      const std::uint32_t other = format::TrailingOrdinal(rows->key());
      const std::uint32_t owner =
          format::TrailingOrdinal(rows->key().substr(0, rows->key().size() - sizeof(other)));
      const auto expected =
          pairs_.find(owner_is_user ? PairOf(owner, other) : PairOf(other, owner));
      const std::string where = std::string(store::FamilyName(family)) + " pair (" +
                                std::to_string(owner) + ", " + std::to_string(other) + ")";
      if (expected == pairs_.end()) {
        Problem(where + " has no event");
      } else if (!(expected->second == pair)) {
        Problem(where + " differs from its events");
      }
      ++found;
    }
    RECO_RETURN_IF_ERROR(rows->status());
    // Every row found was compared with its events, so equal numbers mean that none is missing.
    if (found != pairs_.size()) {
      Problem(std::string(store::FamilyName(family)) + " holds " + std::to_string(found) +
              " pairs, the events make " + std::to_string(pairs_.size()));
    }
    if (owner_is_user) {
      report_->pairs += found;
      if (found != checkpoint_.interactions) {
        Problem("the checkpoint counts " + std::to_string(checkpoint_.interactions) + " pairs of " +
                std::to_string(found));
      }
    }
    return Status::Ok();
  }

  Status CheckEntities(Side side) {
    std::unordered_map<std::uint32_t, Totals> expected;
    for (const auto& [key, pair] : pairs_) {
      Totals& totals = expected[static_cast<std::uint32_t>(side == Side::kUser ? key >> 32U : key)];
      ++totals.pairs;
      totals.events += pair.count;
      totals.weight += static_cast<double>(pair.weight);
      if (pair.weight > 0) {
        ++totals.liked.pairs;
        totals.liked.events += pair.count;
      }
    }
    const store::Family family =
        side == Side::kUser ? store::Family::kUsers : store::Family::kItems;
    const auto rows = store_.Scan(family, format::CollectionPrefix(cid_));
    for (; rows->Valid(); rows->Next()) {
      RECO_ASSIGN_OR_RETURN(const format::EntityRecord record, format::DecodeEntity(rows->value()));
      const std::uint32_t ordinal = format::TrailingOrdinal(rows->key());
      const Totals totals = expected[ordinal];
      recorded_[static_cast<std::size_t>(side)].insert(ordinal);
      if (record.pairs != totals.pairs || record.events != totals.events ||
          // Absent in records of users and of older versions.
          (record.liked && *record.liked != totals.liked) ||
          // Weights were summed in the order of the events here and there, but a float64 sum that
          // shrank and grew keeps a rest.
          std::abs(record.weight - totals.weight) > 1e-6 * (1 + std::abs(totals.weight))) {
        Problem(std::string(store::FamilyName(family)) + " " + std::to_string(ordinal) +
                " does not count what its pairs hold");
      }
      // Totals that remain are of pairs without a record.
      expected.erase(ordinal);
    }
    for (const auto& [ordinal, totals] : expected) {
      Problem(std::string(store::FamilyName(family)) + " " + std::to_string(ordinal) +
              " has pairs but no record");
    }
    for (const std::uint32_t ordinal : Named(side)) {
      if (!recorded_[static_cast<std::size_t>(side)].contains(ordinal) &&
          !expected.contains(ordinal)) {
        Problem(std::string(store::FamilyName(family)) + " " + std::to_string(ordinal) +
                " has events but no record");
      }
    }
    return rows->status();
  }

  // Checks the active model. A training's swap is one group, so the model that the checkpoint names
  // is whole (I12).
  Status CheckVectors() {
    RECO_ASSIGN_OR_RETURN(
        const std::optional<std::string> stored,
        store_.Get(store::Family::kModels, format::ModelKey(cid_, checkpoint_.model)));
    if (!stored) {
      Problem("the active model " + std::to_string(checkpoint_.model) + " has no record");
      return Status::Ok();
    }
    RECO_ASSIGN_OR_RETURN(const format::ModelRecord model, format::DecodeModel(*stored));
    RECO_RETURN_IF_ERROR(CheckSideVectors(Side::kUser, model.dim, checkpoint_.user_gram));
    return CheckSideVectors(Side::kItem, model.dim, checkpoint_.item_gram);
  }

  // Checks I8 for what is stored.
  Status CheckSideVectors(Side side, std::uint32_t dim, const std::vector<double>& stored_gram) {
    const std::uint32_t stride = model::StrideFor(dim);
    model::FactorTable row(dim);
    row.Grow(2);  // row 0 stays zero: the "old" vector of every update
    model::Gram gram(dim);
    const auto rows =
        store_.Scan(store::Family::kVectors, format::VectorPrefix(cid_, checkpoint_.model, side));
    for (; rows->Valid(); rows->Next()) {
      if (const Status status =
              format::DecodeVector(rows->value(), {row.mutable_row(1), std::size_t{dim}});
          !status.ok()) {
        Problem("vector of " + std::to_string(format::TrailingOrdinal(rows->key())) + ": " +
                std::string(status.message()));
        continue;
      }
      const std::uint32_t ordinal = format::TrailingOrdinal(rows->key());
      // Zeros for deleted ones are what trainings wrote until 0.2; a vector would not be loaded.
      if (const auto values = row.values(1);
          !recorded_[static_cast<std::size_t>(side)].contains(ordinal) &&
          std::any_of(values.begin(), values.end(), [](float v) { return v != 0; })) {
        Problem("vector of " + std::to_string(ordinal) + ", which has no record");
      }
      gram.Update(row.row(0), row.row(1));
      ++report_->vectors;
    }
    RECO_RETURN_IF_ERROR(rows->status());
    double difference = 0;
    double size = 0;
    for (std::uint32_t i = 0; i < dim && stored_gram.size() == std::size_t{dim} * dim; ++i) {
      for (std::uint32_t j = 0; j < dim; ++j) {
        const double expected = gram.values()[std::size_t{i} * stride + j];
        const double live = stored_gram[std::size_t{i} * dim + j];
        difference += (expected - live) * (expected - live);
        size += expected * expected;
      }
    }
    if (stored_gram.size() != std::size_t{dim} * dim ||
        // The live Gram was kept by differences, this one is summed anew: equal but for rounding.
        std::sqrt(difference) > kGramTolerance * std::sqrt(size) + 1e-12) {
      Problem("the " + std::string(side == Side::kUser ? "user" : "item") +
              " gram differs from its vectors");
    }
    return Status::Ok();
  }

  const store::Store& store_;
  std::uint32_t cid_;
  engine::SignalRules rules_;
  std::string name_;
  VerifyReport* report_;
  format::CheckpointRecord checkpoint_;
  std::uint64_t last_seq_ = 0;
  std::map<std::uint64_t, Pair> pairs_;            // user << 32 | item
  std::unordered_set<std::uint32_t> named_[2];     // ordinals by side: events name them
  std::unordered_set<std::uint32_t> recorded_[2];  // and these have a record
};

// Reads every family, also what no check above has read: what is in order as bytes may not be as
// keys.
Status ReadEveryFamily(const store::Store& store) {
  for (std::size_t family = 0; family < store::kFamilyCount; ++family) {
    const auto rows = store.Scan(static_cast<store::Family>(family), "");
    while (rows->Valid()) {
      rows->Next();
    }
    RECO_RETURN_IF_ERROR(rows->status());
  }
  return Status::Ok();
}

}  // namespace

Status engine::persist::VerifyCollection(const store::Store& store, const format::KeyRecord& key,
                                         const std::string& name, VerifyReport* report) {
  return Verifier(store, key, name, report).Run();
}

Result<VerifyReport> Database::Verify(const Options& options) {
  store::StoreOptions store_options;
  store_options.path = options.path;
  store_options.block_cache_bytes = options.block_cache_bytes;
  store_options.open_files_max = options.open_files_max;
  store_options.read_only = true;
  RECO_ASSIGN_OR_RETURN(const auto lock, store::DirectoryLock::Take(options.path, false));
  store::FolderReport files;
  store_options.report = &files;
  store_options.log = options.log;
  Result<std::unique_ptr<store::Store>> opened = store::Store::Open(store_options);
  VerifyReport report;
  report.problems = files.damages;
  report.problems.insert(report.problems.end(), files.losses.begin(), files.losses.end());
  if (!opened.ok()) {
    // What is missing is told file by file; nothing that is read beside it would say more.
    return files.damages.empty() ? Result<VerifyReport>(opened.status()) : report;
  }
  const std::unique_ptr<store::Store> store = std::move(opened).value();
  RECO_ASSIGN_OR_RETURN(const std::optional<std::string> version,
                        store->Get(store::Family::kDefault, format::kFormatVersionKey));
  if (version) {
    RECO_ASSIGN_OR_RETURN(const std::uint32_t number, format::DecodeFormatVersion(*version));
    // A newer layout would look like damage.
    if (number > format::kFormatVersion) {
      return Status::FailedPrecondition("the folder has format version " + std::to_string(number) +
                                        ", newer than this program");
    }
  }
  const auto keys = store->Scan(store::Family::kKeys, "");
  for (; keys->Valid(); keys->Next()) {
    RECO_ASSIGN_OR_RETURN(const format::KeyRecord record, format::DecodeKeyRecord(keys->value()));
    if (record.kind == KeyKind::kCollection) {
      ++report.collections;
      RECO_RETURN_IF_ERROR(engine::persist::VerifyCollection(
          *store, record, std::string(keys->key().substr(1)), &report));
    }
  }
  RECO_RETURN_IF_ERROR(keys->status());
  RECO_RETURN_IF_ERROR(ReadEveryFamily(*store));
  return report;
}

}  // namespace reco
