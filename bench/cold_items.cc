// How well items are recommended by their attributes, on real data:
//   bench_cold_items FOLDER [SEEDS]
// FOLDER holds ml-100k/{u.data,u.item} (MovieLens 100K: genres and year) and
// online-retail/{interactions.csv.gz,items.csv} (UCI Online Retail: words of the title and log
// price). A set that is absent is named and passed over.
//
// Recipe: distinct pairs of weight 1. A fifth of the items is held out with all their pairs, the
// model is trained on the rest, and every user's held-out items are to be found, among all items or
// among the held-out ones. Then each held-out item shows its first n pairs, drawn at random, and
// the rest are to be found. Last, what predictions cost the items that are known: the newest pair
// of each user is held out. Medians over the seeds.
#include "engine/cold/cold_items.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <limits>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>
#include <zlib.h>

#include "model/aligned_vector.h"
#include "model/evaluation.h"
#include "model/random.h"
#include "model/trainer.h"

namespace reco {
namespace {

using engine::ColdItems;
using model::FactorTable;
using model::HoldOut;
using model::InteractionMatrix;
using model::UserScorer;

constexpr std::uint32_t kThreads = 2;
constexpr std::uint32_t kDim = 64;

struct DataSet {
  std::string name;
  model::SolveParams solve;
  std::vector<std::string> fields;
  std::set<std::pair<std::uint32_t, std::uint32_t>> pairs;  // user, item
  std::vector<std::string> attributes;                      // JSON by item
  std::size_t users = 0;
};

// --- Reading ------------------------------------------------------------------------------------

std::vector<std::string> ReadLines(const std::string& path) {
  std::vector<std::string> lines;
  gzFile file = gzopen(path.c_str(), "rb");
  if (file == nullptr) {
    std::printf("%s is absent, passed over\n", path.c_str());
    return lines;
  }
  char buffer[4096];
  while (gzgets(file, buffer, sizeof(buffer)) != nullptr) {
    lines.emplace_back(buffer);
    while (!lines.back().empty() && std::isspace(static_cast<unsigned char>(lines.back().back()))) {
      lines.back().pop_back();
    }
  }
  gzclose(file);
  return lines;
}

std::vector<std::string> Split(std::string_view line, char by) {
  std::vector<std::string> fields;
  for (std::size_t at = line.find(by); at != std::string_view::npos; at = line.find(by)) {
    fields.emplace_back(line.substr(0, at));
    line.remove_prefix(at + 1);
  }
  fields.emplace_back(line);
  return fields;
}

std::uint32_t ToNumber(std::string_view text) {
  std::uint32_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

// A JSON array of the words in `text`, letters and digits only.
std::string Words(std::string_view text) {
  std::string json;
  std::string word;
  for (const char c : std::string(text) + " ") {
    if (std::isalnum(static_cast<unsigned char>(c)) != 0) {
      word.push_back(c);
    } else if (!word.empty()) {
      json += (json.empty() ? "\"" : ",\"") + std::exchange(word, "") + "\"";
    }
  }
  return "[" + json + "]";
}

DataSet MovieLens(const std::string& folder) {
  DataSet set = {"MovieLens 100K", {1, 0.1F, 0.03F, 3}, {"genre", "year"}, {}, {}, 0};
  for (const std::string& line : ReadLines(folder + "/ml-100k/u.data")) {
    const std::vector<std::string> fields = Split(line, '\t');
    set.pairs.emplace(ToNumber(fields[0]) - 1, ToNumber(fields[1]) - 1);
  }
  for (const std::string& line : ReadLines(folder + "/ml-100k/u.item")) {
    const std::vector<std::string> fields = Split(line, '|');
    std::string genres;
    for (std::size_t i = 5; i < fields.size(); ++i) {
      genres += fields[i] == "1" ? " g" + std::to_string(i) : "";
    }
    const std::size_t year = fields[2].rfind('-');  // of 01-Jan-1995
    set.attributes.push_back(
        R"({"genre":)" + Words(genres) +
        (year == std::string::npos ? "" : R"(,"year":)" + fields[2].substr(year + 1)) + "}");
  }
  return set;
}

DataSet Retail(const std::string& folder) {
  DataSet set = {"Online Retail", {1, 0.1F, 0.06F, 1}, {"words", "price"}, {}, {}, 0};
  std::map<std::string, std::uint32_t> users;
  std::map<std::string, std::uint32_t> items;
  const auto number = [](std::map<std::string, std::uint32_t>& of, const std::string& id) {
    return of.try_emplace(id, static_cast<std::uint32_t>(of.size())).first->second;
  };
  for (const std::string& line : ReadLines(folder + "/online-retail/interactions.csv.gz")) {
    const std::vector<std::string> fields = Split(line, ',');
    if (fields[3] == "purchase") {
      set.pairs.emplace(number(users, fields[1]), number(items, fields[2]));
    }
  }
  set.attributes.resize(items.size());
  for (const std::string& line : ReadLines(folder + "/online-retail/items.csv")) {
    const auto item = items.find(line.substr(0, line.find(',')));
    const std::size_t price = line.rfind(',') + 1;
    if (item != items.end()) {
      const std::string_view title(line.data() + item->first.size(), price - item->first.size());
      set.attributes[item->second] =
          R"({"words":)" + Words(title) + R"(,"price":)" +
          std::to_string(std::log(0.1 + std::strtod(line.c_str() + price, nullptr))) + "}";
    }
  }
  return set;
}

// --- Measuring ----------------------------------------------------------------------------------

template <typename Keep>
InteractionMatrix Matrix(const DataSet& set, const Keep& keep) {
  InteractionMatrix matrix;
  matrix.columns_count = set.attributes.size();
  auto pair = set.pairs.begin();
  for (std::uint32_t user = 0; user < set.users; ++user) {
    for (; pair != set.pairs.end() && pair->first == user; ++pair) {
      if (keep(user, pair->second)) {
        matrix.columns.push_back(pair->second);
        matrix.weights.push_back(1);
      }
    }
    matrix.offsets.push_back(matrix.columns.size());
  }
  return matrix;
}

struct Figures {
  double recall = 0;
  double ndcg = 0;
};

// What one name gave, a value per seed; rows are printed in the order in which they first came.
class Table {
 public:
  void Add(const std::string& name, std::size_t column, const Figures& figures) {
    const auto at =
        std::find_if(rows_.begin(), rows_.end(), [&](const Row& row) { return row.name == name; });
    Row& row = at != rows_.end() ? *at : rows_.emplace_back(Row{name, {}});
    row.columns[column].push_back(figures);
  }

  void Print(const char* title, const std::vector<const char*>& columns) const {
    std::printf("  %-34s", title);
    for (const char* column : columns) {
      std::printf("  %-15s", column);
    }
    std::printf("\n");
    for (const Row& row : rows_) {
      std::printf("    %-32s", row.name.c_str());
      for (const auto& [column, runs] : row.columns) {
        std::printf("  %.4f / %.4f", Median(runs, &Figures::recall), Median(runs, &Figures::ndcg));
      }
      std::printf("\n");
    }
  }

 private:
  struct Row {
    std::string name;
    std::map<std::size_t, std::vector<Figures>> columns;
  };

  static double Median(const std::vector<Figures>& runs, double Figures::*figure) {
    std::vector<double> values;
    for (const Figures& run : runs) {
      values.push_back(run.*figure);
    }
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
  }

  std::vector<Row> rows_;
};

Figures Measure(const HoldOut& split, const UserScorer& scorer) {
  const std::uint32_t cut_offs[] = {20};
  const auto metrics = EvaluateRanking(split, scorer, cut_offs, kThreads, {});
  return metrics.ok() ? Figures{metrics->front().recall.mean, metrics->front().ndcg.mean}
                      : Figures{};
}

// Lists of the chosen items only.
UserScorer Among(const std::vector<bool>& chosen, const UserScorer& scorer) {
  return [&chosen, &scorer](std::uint32_t user, std::span<float> scores) {
    scorer(user, scores);
    for (std::size_t item = 0; item < scores.size(); ++item) {
      scores[item] = chosen[item] ? scores[item] : -std::numeric_limits<float>::infinity();
    }
  };
}

// Items of attributes like those of the user's items: the cosine to the sum of their rows.
UserScorer ContentScorer(const InteractionMatrix& train, const DataSet& set,
                         const ColdItems& cold) {
  auto rows = std::make_shared<std::vector<std::vector<model::Feature>>>();
  for (const std::string& json : set.attributes) {
    std::vector<model::Feature>& row = rows->emplace_back(cold.features.RowOf(json));
    float squares = 0;
    for (const model::Feature& feature : row) {
      squares += feature.value * feature.value;
    }
    for (model::Feature& feature : row) {
      feature.value /= std::sqrt(squares);
    }
  }
  const std::size_t columns = cold.features.columns().size();
  return [&train, rows, columns](std::uint32_t user, std::span<float> scores) {
    std::vector<float> profile(columns);
    for (const std::uint32_t item : train.row_columns(user)) {
      for (const model::Feature& feature : (*rows)[item]) {
        profile[feature.column] += feature.value;
      }
    }
    for (std::size_t item = 0; item < scores.size(); ++item) {
      scores[item] = 0;
      for (const model::Feature& feature : (*rows)[item]) {
        scores[item] += feature.value * profile[feature.column];
      }
    }
  };
}

UserScorer RandomScorer(std::uint64_t seed) {
  return [seed](std::uint32_t user, std::span<float> scores) {
    model::SplitMix64 random(model::StreamSeed(seed, user));
    for (float& score : scores) {
      score = static_cast<float>(random.Uniform());
    }
  };
}

// A model trained without some items, and what it learned from attributes.
struct Trained {
  Trained(const DataSet& data, InteractionMatrix matrix, std::uint64_t seed)
      : set(data), train(std::move(matrix)), by_item(Transpose(train)), factors(kDim) {
    model::TrainingParams params;
    params.dim = kDim;
    params.solve = set.solve;
    params.unobserved_auto = false;
    params.seed = seed;
    params.threads = kThreads;
    factors = Train(train, by_item, params, {}).value();
    const auto start = std::chrono::steady_clock::now();
    cold = engine::FitColdItems(set.fields, set.attributes, by_item, factors.items,
                                {.threads = kThreads})
               .value();
    fit_seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  }

  // The items' vectors with those of `chosen` items solved from `users_of(item)`, around what
  // `prior(item, x)` writes, when it says so.
  template <typename UsersOf, typename Prior>
  FactorTable Solve(const std::vector<bool>& chosen, const UsersOf& users_of,
                    const Prior& prior) const {
    FactorTable items(kDim);
    items.Grow(set.attributes.size());
    model::FoldInSolver solver(kDim);
    model::AlignedVector<float> around(items.stride());
    std::vector<model::Neighbor> neighbors;
    for (std::uint32_t item = 0; item < items.rows(); ++item) {
      std::copy_n(factors.items.row(item), items.stride(), items.mutable_row(item));
      if (!chosen[item]) {
        continue;
      }
      neighbors.clear();
      for (const std::uint32_t user : users_of(item)) {
        neighbors.push_back({factors.users.row(user), 1});
      }
      const bool drawn = prior(engine::ColdItem{item, neighbors.size(), set.attributes[item]},
                               std::span<float>(around.data(), kDim));
      solver.Solve(factors.user_gram, set.solve, neighbors, items.mutable_row(item),
                   drawn ? around.data() : nullptr);
    }
    return items;
  }

  // As the engine does.
  auto Prior() const {
    return
        [this](const engine::ColdItem& item, std::span<float> x) { return cold->Prior(item, x); };
  }

  const DataSet& set;
  InteractionMatrix train;
  InteractionMatrix by_item;
  model::TrainedModel factors;
  std::shared_ptr<const ColdItems> cold;
  double fit_seconds = 0;
};

constexpr auto kNoUsers = [](std::uint32_t) { return std::span<const std::uint32_t>(); };
constexpr auto kNoPrior = [](const engine::ColdItem&, std::span<float>) { return false; };

void MeasureNewItems(const Trained& trained, const std::vector<bool>& chosen,
                     const InteractionMatrix& all_by_item, std::uint64_t seed, Table* table) {
  HoldOut split = {trained.train, std::vector<std::vector<std::uint32_t>>(trained.set.users)};
  for (const auto& [user, item] : trained.set.pairs) {
    if (chosen[item]) {
      split.held[user].push_back(item);
    }
  }
  const auto add = [&](const char* name, const UserScorer& scorer) {
    table->Add(name, 0, Measure(split, scorer));
    table->Add(name, 1, Measure(split, Among(chosen, scorer)));
  };
  const auto vectors = [&](const char* name, const FactorTable& items) {
    add(name, FactorScorer(trained.factors.users, items));
  };
  add("random order", RandomScorer(seed));
  add("cosine of attributes", ContentScorer(trained.train, trained.set, *trained.cold));
  vectors("predicted vector", trained.Solve(chosen, kNoUsers, trained.Prior()));
  vectors("folded in with all its pairs",
          trained.Solve(
              chosen, [&](std::uint32_t item) { return all_by_item.row_columns(item); }, kNoPrior));
}

// Items with at least 2n pairs show n of them.
void MeasureFirstPairs(const Trained& trained, const std::vector<bool>& chosen,
                       const InteractionMatrix& all_by_item, std::uint64_t seed, Table* among_new,
                       Table* among_all) {
  std::size_t column = 0;
  for (const std::size_t n : {1, 2, 4, 8, 16}) {
    std::vector<std::vector<std::uint32_t>> shown(chosen.size());
    std::set<std::pair<std::uint32_t, std::uint32_t>> known;
    for (std::uint32_t item = 0; item < chosen.size(); ++item) {
      const auto users = all_by_item.row_columns(item);
      if (!chosen[item] || users.size() < 2 * n) {
        continue;
      }
      model::SplitMix64 random(model::StreamSeed(seed + n, item));
      std::vector<std::pair<std::uint64_t, std::uint32_t>> order;
      for (const std::uint32_t user : users) {
        order.emplace_back(random.Next(), user);
      }
      std::sort(order.begin(), order.end());
      for (std::size_t i = 0; i < n; ++i) {
        shown[item].push_back(order[i].second);
        known.emplace(order[i].second, item);
      }
    }
    HoldOut split;
    split.train = Matrix(trained.set, [&](std::uint32_t user, std::uint32_t item) {
      return !chosen[item] || known.contains({user, item});
    });
    split.held.resize(trained.set.users);
    for (const auto& pair : trained.set.pairs) {
      if (!shown[pair.second].empty() && !known.contains(pair)) {
        split.held[pair.first].push_back(pair.second);
      }
    }
    const auto users_of = [&](std::uint32_t item) {
      return std::span<const std::uint32_t>(shown[item]);
    };
    const auto add = [&](const char* name, const FactorTable& items) {
      const UserScorer scorer = FactorScorer(trained.factors.users, items);
      among_new->Add(name, column, Measure(split, Among(chosen, scorer)));
      among_all->Add(name, column, Measure(split, scorer));
    };
    add("prediction kept", trained.Solve(chosen, kNoUsers, trained.Prior()));
    add("folded in from zero", trained.Solve(chosen, users_of, kNoPrior));
    add("drawn to the prediction", trained.Solve(chosen, users_of, trained.Prior()));
    // What a training would leave of it.
    add("as after a training",
        trained.Solve(chosen, users_of, [&](const engine::ColdItem& item, std::span<float> x) {
          const double worth = trained.cold->prior_pairs;
          const auto pairs = static_cast<double>(item.pairs);
          const bool known_item = trained.cold->Prior(item, x);
          for (float& value : x) {
            value *= static_cast<float>(worth / (worth + pairs));
          }
          return known_item;
        }));
    ++column;
  }
}

void MeasureKnownItems(const DataSet& set, std::uint64_t seed, Table* table) {
  model::TimedInteractions data;
  data.matrix = Matrix(set, [](std::uint32_t, std::uint32_t) { return true; });
  data.time_ms.resize(data.matrix.pairs());
  const HoldOut split = LeaveLastOut(data, 1, true, seed);
  const Trained trained(set, split.train, seed);
  std::vector<bool> known(set.attributes.size());
  for (std::uint32_t item = 0; item < known.size(); ++item) {
    known[item] = trained.by_item.row_columns(item).size() <= ColdItems::kPairsMax;
  }
  const FactorTable drawn = trained.Solve(
      known, [&](std::uint32_t item) { return trained.by_item.row_columns(item); },
      trained.Prior());
  table->Add("as trained", 0,
             Measure(split, FactorScorer(trained.factors.users, trained.factors.items)));
  table->Add("drawn to the predictions", 0,
             Measure(split, FactorScorer(trained.factors.users, drawn)));
}

void Compare(DataSet set, std::uint64_t seeds) {
  if (set.pairs.empty() || set.attributes.empty()) {
    return;
  }
  set.users = set.pairs.rbegin()->first + std::size_t{1};
  const InteractionMatrix all_by_item =
      Transpose(Matrix(set, [](std::uint32_t, std::uint32_t) { return true; }));
  Table fresh;
  Table first;
  Table first_among_all;
  Table known;
  std::printf("%s: %zu users, %zu items, %zu pairs, %llu seeds; recall@20 / ndcg@20\n",
              set.name.c_str(), set.users, set.attributes.size(), set.pairs.size(),
              static_cast<unsigned long long>(seeds));
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    model::SplitMix64 random(seed);
    std::vector<bool> chosen(set.attributes.size());
    for (std::size_t item = 0; item < chosen.size(); ++item) {
      chosen[item] = random.Next() % 5 == 0;
    }
    const Trained trained(
        set, Matrix(set, [&](std::uint32_t, std::uint32_t item) { return !chosen[item]; }), seed);
    if (seed == 1) {
      std::printf("  %zu columns, ridge %g, explained %.3f, worth %.1f pairs, fitted in %.2f s\n",
                  trained.cold->features.columns().size(), trained.cold->map.ridge,
                  trained.cold->map.explained, trained.cold->prior_pairs, trained.fit_seconds);
    }
    MeasureNewItems(trained, chosen, all_by_item, seed, &fresh);
    MeasureFirstPairs(trained, chosen, all_by_item, seed, &first, &first_among_all);
    MeasureKnownItems(set, seed, &known);
  }
  fresh.Print("new items, without any pair", {"among all", "among new"});
  first.Print("new items among new, with n pairs", {"n = 1", "n = 2", "n = 4", "n = 8", "n = 16"});
  first_among_all.Print("the same among all", {"n = 1", "n = 2", "n = 4", "n = 8", "n = 16"});
  known.Print("known items, leave-last-out", {"among all"});
}

}  // namespace
}  // namespace reco

int main(int argc, char** argv) {
  const std::string folder = argc > 1 ? argv[1] : "../shared/data";
  const std::uint64_t seeds = argc > 2 ? std::max(1U, reco::ToNumber(argv[2])) : 5;
  reco::Compare(reco::MovieLens(folder), seeds);
  reco::Compare(reco::Retail(folder), seeds);
  return 0;
}
