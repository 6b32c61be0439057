// EvaluateRanking: every user's top list out of the whole catalogue, and its metrics.
#include "model/evaluation.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <limits>
#include <utility>

#include "model/parallel.h"

namespace reco::model {
namespace {

constexpr float kExcluded = -std::numeric_limits<float>::infinity();

enum Metric : std::uint8_t { kRecall, kPrecision, kNdcg, kMap, kMrr, kHitRate, kNovelty, kMetrics };
using MetricRow = std::array<double, kMetrics>;

struct Ranked {
  float score = 0;
  std::uint32_t item = 0;
};

bool Before(const Ranked& a, const Ranked& b) {
  return a.score != b.score ? a.score > b.score : a.item < b.item;
}

// The best `k` of `scores`, best first, without those at kExcluded or not a number. `top` is what
// it works with.
void TopItems(std::span<const float> scores, std::size_t k, std::vector<Ranked>* top,
              std::vector<std::uint32_t>* list) {
  top->clear();
  for (std::uint32_t item = 0; item < scores.size(); ++item) {
    const Ranked candidate = {scores[item], item};
    if (!(candidate.score > kExcluded)) {
      continue;
    }
    // A heap with the worst of the kept on top.
    if (top->size() < k) {
      top->push_back(candidate);
      std::push_heap(top->begin(), top->end(), Before);
    } else if (Before(candidate, top->front())) {
      std::pop_heap(top->begin(), top->end(), Before);
      top->back() = candidate;
      std::push_heap(top->begin(), top->end(), Before);
    }
  }
  std::sort_heap(top->begin(), top->end(), Before);
  list->resize(top->size());
  std::transform(top->begin(), top->end(), list->begin(),
                 [](const Ranked& ranked) { return ranked.item; });
}

// Metrics of one list cut at k. `surprise` has -log2 of each item's popularity share.
MetricRow Measure(std::span<const std::uint32_t> top, std::span<const std::uint32_t> held,
                  std::uint32_t k, std::span<const double> surprise) {
  MetricRow row = {};
  const std::size_t shown = std::min<std::size_t>(top.size(), k);
  double hits = 0;
  for (std::size_t rank = 0; rank < shown; ++rank) {
    row[kNovelty] += surprise[top[rank]] / static_cast<double>(shown);
    if (std::find(held.begin(), held.end(), top[rank]) == held.end()) {
      continue;
    }
    const auto place = static_cast<double>(rank + 1);
    hits += 1;
    row[kNdcg] += 1 / std::log2(place + 1);
    row[kMap] += hits / place;
    if (row[kMrr] == 0) {
      row[kMrr] = 1 / place;
    }
  }
  // A list of k can hold no more hits than that: ndcg and map are 1 for the best list there is.
  const std::size_t possible = std::min<std::size_t>(held.size(), k);
  double ideal = 0;
  for (std::size_t rank = 0; rank < possible; ++rank) {
    ideal += 1 / std::log2(static_cast<double>(rank) + 2);
  }
  row[kRecall] = hits / static_cast<double>(held.size());
  row[kPrecision] = hits / k;
  row[kNdcg] /= ideal;
  row[kMap] /= static_cast<double>(possible);
  row[kHitRate] = hits > 0 ? 1 : 0;
  return row;
}

// Returns -log2 of each item's share of the pairs. Items without pairs count as having one, so that
// the logarithm exists.
std::vector<double> Surprise(const InteractionMatrix& train) {
  std::vector<double> surprise(train.columns_count, 0);
  for (const std::uint32_t item : train.columns) {
    surprise[item] += 1;
  }
  const double pairs = std::max<double>(1, static_cast<double>(train.pairs()));
  for (double& value : surprise) {
    value = -std::log2(std::max(value, 1.0) / pairs);
  }
  return surprise;
}

MetricValue Mean(std::span<const MetricRow> rows, std::size_t cut, std::size_t cuts,
                 Metric metric) {
  const std::size_t count = rows.size() / cuts;
  if (count == 0) {
    return {};
  }
  double sum = 0;
  for (std::size_t i = 0; i < count; ++i) {
    sum += rows[i * cuts + cut][metric];
  }
  const double mean = sum / static_cast<double>(count);
  double squares = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const double away = rows[i * cuts + cut][metric] - mean;
    squares += away * away;
  }
  const double variance = count > 1 ? squares / static_cast<double>(count - 1) : 0;
  return {mean, 1.96 * std::sqrt(variance / static_cast<double>(count))};
}

// One evaluation run. Confined to the calling thread and the threads it starts.
class Evaluation {
 public:
  Evaluation(const HoldOut& hold_out, const UserLister& lister,
             std::span<const std::uint32_t> cut_offs, std::uint32_t threads)
      : hold_out_(hold_out),
        lister_(lister),
        cut_offs_(cut_offs),
        k_max_(*std::max_element(cut_offs.begin(), cut_offs.end())),
        items_(hold_out.train.columns_count),
        surprise_(Surprise(hold_out.train)),
        workers_(threads) {
    for (std::uint32_t user = 0; user < hold_out.held.size(); ++user) {
      if (!hold_out.held[user].empty()) {
        users_.push_back(user);
      }
    }
    rows_.resize(users_.size() * cut_offs.size());
    for (Worker& worker : workers_) {
      worker.lists.resize(kListedUsersMax);
      // Each thread has its own; they are joined in Coverage, where the order does not matter.
      worker.best_rank.assign(items_, std::numeric_limits<std::uint32_t>::max());
    }
  }

  Status Run(const TrainingControl& control) {
    const std::size_t blocks = (users_.size() + kListedUsersMax - 1) / kListedUsersMax;
    std::atomic<std::size_t> done{0};
    const auto cancelled = [&control] {
      return control.cancel != nullptr && control.cancel->load(std::memory_order_relaxed);
    };
    ParallelFor(
        static_cast<std::uint32_t>(workers_.size()), blocks,
        [&](std::size_t block, std::uint32_t thread) {
          if (cancelled()) {
            return;
          }
          const std::size_t end = std::min(users_.size(), (block + 1) * kListedUsersMax);
          EvaluateUsers(block * kListedUsersMax, end, &workers_[thread]);
          done.fetch_add(1, std::memory_order_relaxed);
        },
        [&] {
          if (control.progress && !cancelled()) {
            const auto finished = static_cast<double>(done.load(std::memory_order_relaxed));
            control.progress({0, 1, finished / static_cast<double>(blocks)});
          }
        });
    return cancelled() ? Status::Unavailable("cancelled") : Status::Ok();
  }

  std::vector<CutOffMetrics> Summary() const {
    std::vector<CutOffMetrics> out(cut_offs_.size());
    for (std::size_t cut = 0; cut < out.size(); ++cut) {
      const auto mean = [&](Metric metric) { return Mean(rows_, cut, out.size(), metric); };
      out[cut] = {cut_offs_[cut],     mean(kRecall), mean(kPrecision), mean(kNdcg),
                  mean(kMap),         mean(kMrr),    mean(kHitRate),   Coverage(cut_offs_[cut]),
                  mean(kNovelty).mean};
    }
    return out;
  }

 private:
  struct Worker {
    std::vector<std::vector<std::uint32_t>> lists;
    std::vector<std::uint32_t> best_rank;  // per item, the best place in any list
  };

  void EvaluateUsers(std::size_t begin, std::size_t end, Worker* worker) {
    const std::span<const std::uint32_t> users = std::span(users_).subspan(begin, end - begin);
    lister_(users, k_max_, std::span(worker->lists).first(users.size()));
    for (std::size_t i = 0; i < users.size(); ++i) {
      const std::vector<std::uint32_t>& list = worker->lists[i];
      for (std::uint32_t rank = 0; rank < list.size(); ++rank) {
        std::uint32_t& best = worker->best_rank[list[rank]];
        best = std::min(best, rank);
      }
      for (std::size_t cut = 0; cut < cut_offs_.size(); ++cut) {
        rows_[(begin + i) * cut_offs_.size() + cut] =
            Measure(list, hold_out_.held[users[i]], cut_offs_[cut], surprise_);
      }
    }
  }

  double Coverage(std::uint32_t k) const {
    std::size_t covered = 0;
    for (std::size_t item = 0; item < items_; ++item) {
      covered += std::any_of(workers_.begin(), workers_.end(),
                             [&](const Worker& worker) { return worker.best_rank[item] < k; });
    }
    return items_ == 0 ? 0 : static_cast<double>(covered) / static_cast<double>(items_);
  }

  const HoldOut& hold_out_;
  const UserLister& lister_;
  const std::span<const std::uint32_t> cut_offs_;
  const std::uint32_t k_max_;
  const std::size_t items_;
  const std::vector<double> surprise_;
  std::vector<std::uint32_t> users_;  // those with held-out items
  std::vector<MetricRow> rows_;  // users x cut-offs: summed in this order, whatever the threads
  std::vector<Worker> workers_;
};

}  // namespace

Result<std::vector<CutOffMetrics>> EvaluateRanking(const HoldOut& hold_out,
                                                   const UserLister& lister,
                                                   std::span<const std::uint32_t> cut_offs,
                                                   std::uint32_t threads,
                                                   const TrainingControl& control) {
  if (cut_offs.empty() || std::find(cut_offs.begin(), cut_offs.end(), 0U) != cut_offs.end()) {
    return Status::InvalidArgument("cut-offs must be given and positive");
  }
  Evaluation evaluation(hold_out, lister, cut_offs, std::max(threads, 1U));
  RECO_RETURN_IF_ERROR(evaluation.Run(control));
  return evaluation.Summary();
}

Result<std::vector<CutOffMetrics>> EvaluateRanking(const HoldOut& hold_out,
                                                   const UserScorer& scorer,
                                                   std::span<const std::uint32_t> cut_offs,
                                                   std::uint32_t threads,
                                                   const TrainingControl& control) {
  return EvaluateRanking(hold_out, ScoredLister(hold_out.train, scorer), cut_offs, threads,
                         control);
}

UserLister ScoredLister(const InteractionMatrix& train, UserScorer scorer) {
  return [&train, scorer = std::move(scorer)](std::span<const std::uint32_t> users, std::size_t k,
                                              std::span<std::vector<std::uint32_t>> lists) {
    std::vector<float> scores(train.columns_count);
    std::vector<Ranked> top;
    for (std::size_t i = 0; i < users.size(); ++i) {
      scorer(users[i], scores);
      for (const std::uint32_t item : train.row_columns(users[i])) {
        scores[item] = kExcluded;
      }
      TopItems(scores, k, &top, &lists[i]);
    }
  };
}

}  // namespace reco::model
