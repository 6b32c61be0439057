// Salvage: the files that are whole (src/store/salvage.h), then the collections that are.
#include "reco/salvage.h"

#include <filesystem>
#include <memory>
#include <system_error>
#include <utility>

#include "engine/persist/verify.h"
#include "format/keys.h"
#include "format/records.h"
#include "store/salvage.h"
#include "store/store.h"

namespace reco {
namespace {

constexpr std::size_t kReasonsMax = 3;  // of a collection that is left out

void DeleteCollection(store::Batch& batch, std::uint32_t cid) {
  const std::string begin = format::CollectionPrefix(cid);
  const std::string end = format::PrefixEnd(begin);
  for (const store::Family family :
       {store::Family::kEvents, store::Family::kUsers, store::Family::kItems,
        store::Family::kByUser, store::Family::kByItem, store::Family::kVectors,
        store::Family::kModels, store::Family::kTokens}) {
    batch.DeleteRange(family, begin, end);
  }
  batch.Delete(store::Family::kDefault, format::CheckpointKey(cid));
}

// Why the collection does not stand up to its events; empty when it does.
std::string WhyNot(const store::Store& store, const format::KeyRecord& record,
                   const std::string& name, SalvageReport* report) {
  VerifyReport found;
  const Status status = engine::persist::VerifyCollection(store, record, name, &found);
  if (!status.ok()) {
    return std::string(status.message());
  }
  if (found.problems.empty()) {
    ++report->collections;
    report->events += found.events;
    return {};
  }
  std::string why;
  for (std::size_t i = 0; i < found.problems.size() && i < kReasonsMax; ++i) {
    why.append(i > 0 ? "; " : "").append(found.problems[i]);
  }
  return why;
}

// Removes what the database would refuse or answer wrongly.
Status LeaveOut(store::Store& store, SalvageReport* report) {
  store::Batch batch;
  const auto keys = store.Scan(store::Family::kKeys, "");
  for (; keys->Valid(); keys->Next()) {
    const std::string name(keys->key().substr(keys->key().empty() ? 0 : 1));
    const Result<format::KeyRecord> record = format::DecodeKeyRecord(keys->value());
    std::string why;
    if (!record.ok()) {
      why = record.status().message();
    } else if (record->kind == KeyKind::kCollection) {
      why = WhyNot(store, *record, name, report);
      if (!why.empty()) {
        DeleteCollection(batch, record->cid);
      }
    }
    if (why.empty()) {
      ++report->keys;
    } else {
      batch.Delete(store::Family::kKeys, keys->key());
      report->dropped.push_back(std::string("the key ").append(name).append(": ").append(why));
    }
  }
  RECO_RETURN_IF_ERROR(keys->status());
  const auto jobs = store.Scan(store::Family::kJobs, "");
  for (; jobs->Valid(); jobs->Next()) {
    if (const auto job = format::DecodeJob(jobs->value()); !job.ok()) {
      batch.Delete(store::Family::kJobs, jobs->key());
      report->dropped.push_back("a job: " + std::string(job.status().message()));
    }
  }
  RECO_RETURN_IF_ERROR(jobs->status());
  if (!batch.empty()) {
    RECO_RETURN_IF_ERROR(store.Write(batch, true));
  }
  RECO_RETURN_IF_ERROR(store.Flush());
  return store.WriteInventory(/*sync=*/true);
}

Status FinishCopy(const store::StoreOptions& options, SalvageReport* report) {
  RECO_ASSIGN_OR_RETURN(const std::unique_ptr<store::Store> store, store::Store::Open(options));
  return LeaveOut(*store, report);
}

}  // namespace

Result<SalvageReport> Salvage(const Options& options, const std::string& target) {
  store::StoreOptions store_options;
  store_options.path = options.path;
  store_options.block_cache_bytes = options.block_cache_bytes;
  store_options.write_buffer_bytes = options.write_buffer_bytes;
  store_options.open_files_max = options.open_files_max;
  store_options.log = options.log;
  RECO_ASSIGN_OR_RETURN(store::SalvagedFiles files, store::SalvageFiles(store_options, target));
  SalvageReport report;
  report.damages = std::move(files.damages);
  report.dropped = std::move(files.dropped);
  store_options.path = target;
  if (const Status finished = FinishCopy(store_options, &report); !finished.ok()) {
    std::error_code ignored;
    std::filesystem::remove_all(target, ignored);
    return finished;
  }
  return report;
}

}  // namespace reco
