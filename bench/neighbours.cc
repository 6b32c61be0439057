// What session lists (V) and ridge rows (R) find by themselves and together, on real logs:
//   bench_neighbours FOLDER [SEEDS]
//   bench_neighbours --scale [ITEMS] [EVENTS] [THREADS] [MEGABYTES]
// FOLDER holds ml-100k/u.data and online-retail/interactions.csv.gz; a log that is absent is named
// and passed over. Recall@20, MRR@20 and NDCG@20 over all items that the user has not had yet.
//
// leave-last: each user's newest pair is asked for, after all other events up to it were told; rows
// are solved once. replay: over the second half of the log, each pair that is new to a known user
// is asked for, then told; a row is solved again at every fourth event of its item. Ties in time go
// by the order of the file (MovieLens: by item), or are shuffled by each seed. Weights go by age
// and pace as of the event asked for. V+R: each divided by its mean of the 20 best.
//
// --scale: how long the counts of a made-up log and its rows take (100,000 items, 20M events, 2
// threads), within so much memory for sessions and counts (1500).
#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "engine/neighbours/pair_counts.h"
#include "engine/neighbours/ridge_build.h"
#include "engine/neighbours/ridge_rows.h"
#include "engine/neighbours/ridge_scores.h"
#include "engine/neighbours/ridge_solver.h"
#include "engine/neighbours/session_scores.h"
#include "engine/neighbours/sessions.h"
#include "engine/neighbours/solve_queue.h"
#include "engine/rows/recency.h"
#include "log_lines.h"
#include "model/random.h"

namespace reco::engine {
namespace {

using bench::LogEvent;

constexpr std::size_t kCutOff = 20;
constexpr std::size_t kScaleUsers = 200;

// Sums the time between its Start and Stop.
class Watch {
 public:
  void Start() { start_ = std::chrono::steady_clock::now(); }
  void Stop() {
    sum_ += std::chrono::steady_clock::now() - start_;
    ++count_;
  }
  double mean_us() const {
    return count_ == 0 ? 0 : std::chrono::duration<double, std::micro>(sum_).count() / count_;
  }

 private:
  std::chrono::steady_clock::time_point start_;
  std::chrono::steady_clock::duration sum_{};
  std::uint64_t count_ = 0;
};

struct Watches {
  Watch tell, solve, replace, ask_sessions, ask_ridge;
};

struct Figures {
  std::uint64_t asked = 0;
  double recall = 0;
  double mrr = 0;
  double ndcg = 0;

  // rank: 0 for none.
  void Note(std::size_t rank) {
    ++asked;
    if (rank > 0 && rank <= kCutOff) {
      recall += 1;
      mrr += 1 / static_cast<double>(rank);
      ndcg += 1 / std::log2(static_cast<double>(rank) + 1);
    }
  }
};

enum Which : std::size_t { kSessions, kRidge, kBoth };
using AllFigures = std::array<Figures, 3>;
constexpr std::array<const char*, 3> kNames = {"V alone", "R alone", "V + R"};

// Sessions, counts, rows and users after the events so far.
class World {
 public:
  World() : sessions_(UINT64_MAX, &counts_), queue_(SIZE_MAX) {}

  bool Knows(std::uint32_t user) const { return user < users_.size() && !users_[user].empty(); }
  bool Has(std::uint32_t user, std::uint32_t item) const {
    return Knows(user) && Find(user, item) != users_[user].end();
  }

  void Tell(const LogEvent& event) {
    users_.resize(std::max<std::size_t>(users_.size(), event.user + 1));
    users_of_.resize(std::max<std::size_t>(users_of_.size(), event.item + 1));
    const auto known = Find(event.user, event.item);
    if (known == users_[event.user].end()) {
      users_[event.user].push_back({event.item, event.time_ms});
      ++users_of_[event.item];
    } else {
      users_[event.user][static_cast<std::size_t>(known - users_[event.user].begin())].time_ms =
          event.time_ms;
    }
    watches.tell.Start();
    sessions_.Add(event.user, event.item, event.time_ms);
    watches.tell.Stop();
    queue_.NoteEvent(event.item, event.time_ms);
  }

  void SolveAll() {
    for (std::uint32_t item = 0; item < counts_.end(); ++item) {
      queue_.Push(item, 0);
    }
    SolveQueued();
  }
  void SolveQueued() {
    while (const auto item = queue_.Pop()) {
      watches.solve.Start();
      solver_.Gather(counts_, *item);
      const std::span<const ItemWeight> row = solver_.Solve();
      watches.solve.Stop();
      watches.replace.Start();
      rows_.Replace(*item, row);
      watches.replace.Stop();
    }
  }

  // Sets by what each part is divided in the sum.
  void SetScales() {
    scales_ = {1, 1};
    std::array<double, 2> sums{};
    double count = 0;
    const std::size_t step = std::max<std::size_t>(1, users_.size() / kScaleUsers);
    for (std::size_t user = 0; user < users_.size(); user += step) {
      if (users_[user].empty()) {
        continue;
      }
      std::vector<TimedItem> newest = users_[user];
      KeepNewest(&newest, 1);
      const auto parts = Parts(static_cast<std::uint32_t>(user), newest.front().time_ms);
      for (const Which which : {kSessions, kRidge}) {
        std::vector<double> best;
        for (const ItemPart& part : parts[which]) {
          if (!Has(static_cast<std::uint32_t>(user), part.item)) {
            best.push_back(part.value);
          }
        }
        std::sort(best.rbegin(), best.rend());
        best.resize(kCutOff);
        for (const double value : best) {
          sums[which] += value;
        }
      }
      count += kCutOff;
    }
    scales_ = {sums[0] / count, sums[1] / count};
  }

  void Ask(const LogEvent& event, AllFigures* figures) {
    auto parts = Parts(event.user, event.time_ms);
    for (const Which which : {kSessions, kRidge}) {
      for (const ItemPart& part : parts[which]) {
        both_.Add(part.item, part.value / scales_[which]);
      }
    }
    both_.TakeOff([&parts](std::uint32_t item, double sum) {
      parts[kBoth].push_back({item, sum});
    });
    for (const Which which : {kSessions, kRidge, kBoth}) {
      (*figures)[which].Note(RankOf(event, parts[which]));
    }
  }

  void PrintSizes() const {
    const double items = static_cast<double>(std::max<std::size_t>(users_of_.size(), 1));
    std::printf(
        "  bytes an item: sessions and counts %.0f, of these counts %.0f (%.0f pairs), "
        "rows %.0f\n",
        static_cast<double>(sessions_.memory_bytes()) / items,
        static_cast<double>(counts_.memory_bytes()) / items,
        2 * static_cast<double>(counts_.pairs()) / items,
        static_cast<double>(rows_.memory_bytes()) / items);
    std::printf("  us: event %.2f, solve %.1f, row put in %.1f, V %.1f, R %.1f\n",
                watches.tell.mean_us(), watches.solve.mean_us(), watches.replace.mean_us(),
                watches.ask_sessions.mean_us(), watches.ask_ridge.mean_us());
  }

  Watches watches;

 private:
  std::vector<TimedItem>::const_iterator Find(std::uint32_t user, std::uint32_t item) const {
    return std::find_if(users_[user].begin(), users_[user].end(),
                        [item](const TimedItem& own) { return own.item == item; });
  }

  std::array<std::vector<ItemPart>, 3> Parts(std::uint32_t user, std::int64_t now_ms) {
    std::vector<TimedItem> newest = users_[user];
    KeepNewest(&newest, kServedPairsMax);
    const std::vector<double> shares = SharesByTime(newest, {}, now_ms, PaceMs(newest));
    std::vector<ProfileItem> profile;
    for (std::size_t i = 0; i < newest.size(); ++i) {
      if (shares[i] > 0) {
        profile.push_back({newest[i].item, shares[i]});
      }
    }
    std::array<std::vector<ItemPart>, 3> parts;
    watches.ask_sessions.Start();
    parts[kSessions] = session_scores_.Of(sessions_, profile, user,
                                          [this](std::uint32_t item) { return users_of_[item]; });
    watches.ask_sessions.Stop();
    watches.ask_ridge.Start();
    parts[kRidge] = ridge_scores_.Of(rows_, profile);
    watches.ask_ridge.Stop();
    return parts;
  }

  // Items without a part have the score 0, and so come before those below.
  std::size_t RankOf(const LogEvent& event, const std::vector<ItemPart>& parts) const {
    const auto at = std::find_if(parts.begin(), parts.end(), [&event](const ItemPart& part) {
      return part.item == event.item;
    });
    if (at == parts.end() || at->value <= 0) {
      return 0;
    }
    std::size_t rank = 1;
    for (const ItemPart& other : parts) {
      const bool before =
          other.value > at->value || (other.value == at->value && other.item < event.item);
      rank += before && !Has(event.user, other.item) ? 1 : 0;
    }
    return rank;
  }

  PairCounts counts_;
  Sessions sessions_;
  RidgeSolver solver_;
  RidgeRows rows_;
  SolveQueue queue_;
  SessionScores session_scores_;
  RidgeScores ridge_scores_;
  ItemSums both_;
  std::array<double, 2> scales_ = {1, 1};
  std::vector<std::vector<TimedItem>> users_;
  std::vector<std::uint32_t> users_of_;
};

// Orders by time; ties by `seed`, or, when that is 0, as they are.
std::vector<LogEvent> InTime(std::vector<LogEvent> events, std::uint64_t seed) {
  std::vector<std::tuple<std::int64_t, std::uint64_t, std::size_t>> keys;
  model::SplitMix64 random(seed);
  for (std::size_t i = 0; i < events.size(); ++i) {
    keys.emplace_back(events[i].time_ms, seed == 0 ? i : random.Next(), i);
  }
  std::sort(keys.begin(), keys.end());
  std::vector<LogEvent> sorted;
  for (const auto& [time_ms, tie, at] : keys) {
    sorted.push_back(events[at]);
  }
  return sorted;
}

AllFigures LeaveLast(const std::vector<LogEvent>& events, bool print) {
  // By user: how many distinct items, and the first event of the newest of them.
  std::map<std::uint32_t, std::pair<std::set<std::uint32_t>, std::size_t>> users;
  for (std::size_t i = 0; i < events.size(); ++i) {
    auto& [items, newest] = users[events[i].user];
    if (items.insert(events[i].item).second) {
      newest = i;
    }
  }
  World world;
  std::vector<LogEvent> asked;
  for (std::size_t i = 0; i < events.size(); ++i) {
    const auto& [items, newest] = users[events[i].user];
    if (items.size() < 2 || i < newest) {
      world.Tell(events[i]);
    } else if (i == newest) {
      asked.push_back(events[i]);
    }
  }
  world.SolveAll();
  world.SetScales();
  AllFigures figures;
  for (const LogEvent& event : asked) {
    world.Ask(event, &figures);
  }
  if (print) {
    world.PrintSizes();
  }
  return figures;
}

AllFigures Replay(const std::vector<LogEvent>& events, bool print) {
  World world;
  std::size_t i = 0;
  for (; i < events.size() / 2; ++i) {
    world.Tell(events[i]);
  }
  world.SolveAll();
  world.SetScales();
  AllFigures figures;
  for (; i < events.size(); ++i) {
    if (world.Knows(events[i].user) && !world.Has(events[i].user, events[i].item)) {
      world.Ask(events[i], &figures);
    }
    world.Tell(events[i]);
    world.SolveQueued();
  }
  if (print) {
    world.PrintSizes();
  }
  return figures;
}

void Print(const char* what, const std::vector<AllFigures>& runs) {
  for (const Which which : {kSessions, kRidge, kBoth}) {
    std::printf("  %-10s %-8s", what, kNames[which]);
    for (double Figures::*figure : {&Figures::recall, &Figures::mrr, &Figures::ndcg}) {
      double sum = 0;
      double least = 1;
      double most = 0;
      for (const AllFigures& run : runs) {
        const double mean =
            run[which].*figure / static_cast<double>(std::max<std::uint64_t>(run[which].asked, 1));
        sum += mean;
        least = std::min(least, mean);
        most = std::max(most, mean);
      }
      std::printf("  %.4f (%.4f to %.4f)", sum / static_cast<double>(runs.size()), least, most);
    }
    std::printf("\n");
  }
}

void Measure(const char* name, const std::vector<LogEvent>& events, bool shuffled,
             std::uint64_t seeds) {
  std::printf("%s, %zu events, ties %s: recall@20, MRR@20, NDCG@20\n", name, events.size(),
              shuffled ? "shuffled" : "in order");
  std::vector<AllFigures> last;
  std::vector<AllFigures> replay;
  for (std::uint64_t seed = shuffled ? 1 : 0; seed <= (shuffled ? seeds : 0); ++seed) {
    const std::vector<LogEvent> sorted = InTime(events, seed);
    last.push_back(LeaveLast(sorted, false));
    replay.push_back(Replay(sorted, seed <= 1));
  }
  Print("leave-last", last);
  Print("replay", replay);
}

// Sessions of ten items out of one of the catalogue's parts, of 500 items each, the lower ones more
// often; one in fifty from anywhere.
int RunScale(std::uint32_t items, std::uint64_t events, std::uint32_t threads,
             std::uint64_t megabytes) {
  constexpr std::uint32_t kPart = 500;
  constexpr std::uint64_t kItemsASession = 10;
  const std::uint64_t users = events / 100 + 1;
  model::SplitMix64 random(1);
  PairCounts counts;
  Sessions sessions(megabytes << 20U, &counts);
  Watch count;
  count.Start();
  std::uint64_t user = 0;
  std::uint64_t part = 0;
  for (std::uint64_t i = 0; i < events; ++i) {
    if (i % kItemsASession == 0) {
      user = random.Next() % users;
      part = random.Next() % (items / kPart + 1) * kPart;
    }
    const auto in_part = static_cast<std::uint64_t>(kPart * std::pow(random.Uniform(), 3));
    const std::uint64_t item = random.Next() % 50 == 0 ? random.Next() : part + in_part;
    sessions.Add(static_cast<std::uint32_t>(user), static_cast<std::uint32_t>(item % items),
                 static_cast<std::int64_t>(i * 4'000));
  }
  count.Stop();
  std::printf(
      "%.0f s counted; %llu MB, %llu of it counts; %.0f counters an item, %llu sessions "
      "let go\n",
      count.mean_us() / 1e6, static_cast<unsigned long long>(sessions.memory_bytes() >> 20U),
      static_cast<unsigned long long>(counts.memory_bytes() >> 20U),
      2 * static_cast<double>(counts.pairs()) / items,
      static_cast<unsigned long long>(sessions.let_go()));
  Watch solve;
  solve.Start();
  const auto rows = BuildRidgeRows(counts, {.threads = threads});
  solve.Stop();
  std::printf("%.0f s solved on %u threads, %llu rows, %llu MB\n", solve.mean_us() / 1e6, threads,
              static_cast<unsigned long long>(rows->rows()),
              static_cast<unsigned long long>(rows->memory_bytes() >> 20U));
  return 0;
}

int Run(const std::string& folder, std::uint64_t seeds) {
  if (const auto lines = bench::ReadLines(folder + "/ml-100k/u.data")) {
    std::vector<LogEvent> events = bench::MovieLensEvents(*lines);
    std::sort(events.begin(), events.end(),
              [](const LogEvent& a, const LogEvent& b) { return a.item < b.item; });
    Measure("MovieLens 100K", events, false, seeds);
    Measure("MovieLens 100K", events, true, seeds);
  }
  if (const auto lines = bench::ReadLines(folder + "/online-retail/interactions.csv.gz")) {
    Measure("Online Retail", bench::RetailEvents(*lines, true), false, seeds);
    Measure("Online Retail", bench::RetailEvents(*lines, false), true, seeds);
  }
  return 0;
}

}  // namespace
}  // namespace reco::engine

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  const auto number = [&words](std::size_t at, std::int64_t otherwise) {
    const std::int64_t given = at < words.size() ? reco::bench::ToNumber(words[at]) : otherwise;
    return static_cast<std::uint64_t>(std::max<std::int64_t>(given, 1));
  };
  if (!words.empty() && words[0] == "--scale") {
    return reco::engine::RunScale(static_cast<std::uint32_t>(number(1, 100'000)),
                                  number(2, 20'000'000), static_cast<std::uint32_t>(number(3, 2)),
                                  number(4, 1'500));
  }
  return reco::engine::Run(words.empty() ? "." : words[0], number(1, 3));
}
