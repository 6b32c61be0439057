// Filters: compiling, a question about one record, the bitmap of a million records, and the pass
// that makes the columns. One thread.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include <benchmark/benchmark.h>

#include "base/check.h"
#include "filter/attribute_columns.h"
#include "filter/block_evaluator.h"

namespace reco::filter {
namespace {

constexpr const char* kExpressions[] = {
    R"(.year > 1990 and .genre in ["noir","drama"])",
    ".year == 1990",
    R"(.genre == "noir")",
    R"("noir" in .tags)",
    "(.year - 1900) % 10 * 2 + .rating > 20 or not .new",
};

// {"year":1950..2025,"genre":one of 12,"rating":0..10,"new":...,"tags":[3 of 12],"title":unique}
std::vector<std::string> MakeRecords(std::size_t count) {
  const std::vector<std::string> genres = {"noir",   "drama",  "comedy", "western",
                                           "horror", "action", "family", "crime",
                                           "war",    "music",  "sport",  "short"};
  std::mt19937_64 random(1);
  std::vector<std::string> records;
  records.reserve(count);
  const auto genre = [&] { return "\"" + genres[random() % genres.size()] + "\""; };
  for (std::size_t i = 0; i < count; ++i) {
    records.push_back(R"({"title":"The film number )" + std::to_string(i) + R"(","year":)" +
                      std::to_string(1950 + random() % 76) + R"(,"genre":)" + genre() +
                      R"(,"rating":)" + std::to_string(random() % 101) + R"(e-1,"new":)" +
                      (random() % 2 == 0 ? "true" : "false") + R"(,"tags":[)" + genre() + "," +
                      genre() + "," + genre() + "]}");
  }
  return records;
}

const std::vector<std::string>& Records(std::size_t count) {
  static std::vector<std::string> records;
  if (records.size() != count) {
    records = MakeRecords(count);
  }
  return records;
}

// Over the first `count` records; `options` so that the first use leaves the bitmap out.
BoundFilter BindTo(AttributeColumns* columns, const std::string& text, std::size_t count) {
  const auto filter = Filter::Compile(text);
  RECO_CHECK(filter.ok());
  const std::vector<std::string>& records = Records(count);
  const auto json = [&](std::uint32_t ordinal) { return std::string_view(records[ordinal]); };
  return columns->Bind(*filter, {static_cast<std::uint32_t>(count), json});
}

AttributeColumnsOptions LateBitmaps() {
  AttributeColumnsOptions options;
  options.first_use_rows_max = 0;
  return options;
}

const char* Expression(const benchmark::State& state) {
  return kExpressions[static_cast<std::size_t>(state.range(0))];
}

void Compile(benchmark::State& state) {
  for (auto _ : state) {
    benchmark::DoNotOptimize(Filter::Compile(Expression(state)).ok());
  }
  state.SetLabel(Expression(state));
}
BENCHMARK(Compile)->DenseRange(0, 4);

constexpr std::size_t kRows = 1'000'000;

// One record after the other, in no order.
void MatchesByRow(benchmark::State& state) {
  AttributeColumns columns(LateBitmaps());
  const BoundFilter bound = BindTo(&columns, Expression(state), kRows);
  RECO_CHECK(!bound.match_count().has_value());
  std::uint32_t ordinal = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(bound.Matches(ordinal));
    ordinal = (ordinal + 7919) % kRows;
  }
  state.SetLabel(Expression(state));
}
BENCHMARK(MatchesByRow)->DenseRange(0, 4);

void MatchesByBitmap(benchmark::State& state) {
  AttributeColumns columns;
  BindTo(&columns, Expression(state), kRows);
  const BoundFilter bound = BindTo(&columns, Expression(state), kRows);
  RECO_CHECK(bound.match_count().has_value());
  std::uint32_t ordinal = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(bound.Matches(ordinal));
    ordinal = (ordinal + 7919) % kRows;
  }
}
BENCHMARK(MatchesByBitmap)->Arg(0);

// The bitmap of all rows, columns there already: a text of its own each time, its second use.
void MakeBitmap(benchmark::State& state) {
  AttributeColumns columns(LateBitmaps());
  std::string text = Expression(state);
  for (auto _ : state) {
    state.PauseTiming();
    text += " ";
    if (text.size() > 1000) {
      text = Expression(state);
    }
    columns.Erase(kRows + 1);
    BindTo(&columns, text, kRows);
    state.ResumeTiming();
    benchmark::DoNotOptimize(BindTo(&columns, text, kRows).match_count());
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kRows));
  state.SetLabel(Expression(state));
}
BENCHMARK(MakeBitmap)->DenseRange(0, 4)->Unit(benchmark::kMicrosecond);

// What Bind costs once all is there.
void BindAgain(benchmark::State& state) {
  AttributeColumns columns;
  BindTo(&columns, Expression(state), kRows);
  const auto filter = Filter::Compile(Expression(state));
  for (auto _ : state) {
    const auto json = [](std::uint32_t) { return std::string_view(); };
    benchmark::DoNotOptimize(columns.Bind(*filter, {kRows, json}).match_count());
  }
}
BENCHMARK(BindAgain)->Arg(0);

// A pass over the JSON of all records.
void FirstColumns(benchmark::State& state) {
  Records(kRows);
  for (auto _ : state) {
    AttributeColumns columns(LateBitmaps());
    benchmark::DoNotOptimize(BindTo(&columns, Expression(state), kRows).match_count());
    state.counters["bytes_per_record"] =
        static_cast<double>(columns.memory_bytes()) / static_cast<double>(kRows);
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kRows));
  state.SetLabel(Expression(state));
}
BENCHMARK(FirstColumns)->Arg(0)->Arg(3)->Unit(benchmark::kMillisecond);

// A change of a record, with so many filters to keep current.
void SetRecord(benchmark::State& state) {
  AttributeColumns columns;
  constexpr std::size_t kFew = 10'000;
  for (int i = 0; i < state.range(0); ++i) {
    BindTo(&columns, R"(.genre in ["noir","drama"] and .year > )" + std::to_string(1950 + i), kFew);
  }
  const std::vector<std::string>& records = Records(kFew);
  std::uint32_t ordinal = 0;
  for (auto _ : state) {
    columns.Set(ordinal, records[(ordinal + 1) % kFew]);
    ordinal = (ordinal + 7919) % kFew;
  }
}
BENCHMARK(SetRecord)->Arg(1)->Arg(64);

}  // namespace
}  // namespace reco::filter

BENCHMARK_MAIN();
