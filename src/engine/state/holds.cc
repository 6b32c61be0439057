#include "engine/state/holds.h"

#include <bit>
#include <chrono>
#include <cstdio>

#include "base/check.h"

namespace reco::engine {
namespace {

std::int64_t NowNs() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

void Raise(std::atomic<std::uint64_t>* most, std::uint64_t to) {
  std::uint64_t before = most->load(std::memory_order_relaxed);
  while (before < to && !most->compare_exchange_weak(before, to, std::memory_order_relaxed)) {
  }
}

}  // namespace

void HoldTimes::Add(Holder holder, std::int64_t ns) {
  Counters& counters = counters_[static_cast<std::size_t>(holder)];
  const auto taken = static_cast<std::uint64_t>(std::max<std::int64_t>(ns, 0));
  const auto bucket = static_cast<std::size_t>(std::bit_width(taken / 1'000));
  counters.buckets[std::min(bucket, kBuckets - 1)].fetch_add(1, std::memory_order_relaxed);
  counters.ns.fetch_add(taken, std::memory_order_relaxed);
  Raise(&counters.longest_ns, taken);
}

HoldTimes::Totals HoldTimes::Of(Holder holder) const {
  const Counters& counters = counters_[static_cast<std::size_t>(holder)];
  Totals totals;
  totals.ns = counters.ns.load(std::memory_order_relaxed);
  totals.longest_ns = counters.longest_ns.load(std::memory_order_relaxed);
  for (std::size_t i = 0; i < kBuckets; ++i) {
    totals.buckets[i] = counters.buckets[i].load(std::memory_order_relaxed);
    totals.holds += totals.buckets[i];
  }
  return totals;
}

void HoldTimes::Reset() {
  for (Counters& counters : counters_) {
    counters.ns.store(0, std::memory_order_relaxed);
    counters.longest_ns.store(0, std::memory_order_relaxed);
    for (std::atomic<std::uint64_t>& bucket : counters.buckets) {
      bucket.store(0, std::memory_order_relaxed);
    }
  }
}

#ifdef RECO_DCHECKS
void HoldTimes::Check(Holder holder, const WorkDone& before, const WorkDone& after) {
  const HoldBound& bound = BoundOf(holder);
  for (std::size_t kind = 0; kind < kWorkKinds; ++kind) {
    const std::uint64_t done = after[kind] - before[kind];
    Raise(&most_[static_cast<std::size_t>(holder)][kind], done);
    if (bound.most[kind] != kAny && done > bound.most[kind]) {
      std::fprintf(stderr, "one hold by '%.*s' did %llu of work %zu, its bound is %u\n",
                   static_cast<int>(bound.name.size()), bound.name.data(),
                   static_cast<unsigned long long>(done), kind, bound.most[kind]);
      RECO_CHECK(done <= bound.most[kind]);
    }
  }
}
#endif

void Hold::Begin() {
  begun_ns_ = NowNs();
#ifdef RECO_DCHECKS
  before_ = work_done;
#endif
}

void Hold::End() {
  times_.Add(holder_, NowNs() - begun_ns_);
#ifdef RECO_DCHECKS
  times_.Check(holder_, before_, work_done);
#endif
}

}  // namespace reco::engine
