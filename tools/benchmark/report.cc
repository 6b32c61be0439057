#include "tools/benchmark/report.h"

#include <array>
#include <cmath>

#include "tools/terminal/json.h"
#include "tools/terminal/numbers.h"
#include "tools/terminal/text_table.h"

namespace reco::benchmark {
namespace {

using terminal::Align;
using terminal::FormatCount;
using terminal::FormatFixed;

struct Column {
  const char* name;  // in CSV and JSON
  const char* title;
  double (*value)(const LoadResult& result);
  int digits;
};

double Milliseconds(std::uint64_t ns) {
  return static_cast<double>(ns) / 1e6;
}

constexpr std::array<Column, 11> kColumns = {{
    {"requests", "requests", [](const LoadResult& r) { return static_cast<double>(r.requests); },
     0},
    {"seconds", "s", [](const LoadResult& r) { return r.seconds; }, 2},
    {"rate", "per second", [](const LoadResult& r) { return r.rate(); }, 0},
    {"mean-ms", "mean ms", [](const LoadResult& r) { return r.latency_ns.Mean() / 1e6; }, 3},
    {"p50-ms", "p50 ms",
     [](const LoadResult& r) { return Milliseconds(r.latency_ns.Quantile(0.5)); }, 3},
    {"p99-ms", "p99 ms",
     [](const LoadResult& r) { return Milliseconds(r.latency_ns.Quantile(0.99)); }, 3},
    {"p99.9-ms", "p99.9 ms",
     [](const LoadResult& r) { return Milliseconds(r.latency_ns.Quantile(0.999)); }, 3},
    {"max-ms", "max ms", [](const LoadResult& r) { return Milliseconds(r.latency_ns.max()); }, 3},
    {"errors", "errors", [](const LoadResult& r) { return static_cast<double>(r.errors); }, 0},
    {"empty", "empty", [](const LoadResult& r) { return static_cast<double>(r.empty); }, 0},
    {"late", "late", [](const LoadResult& r) { return static_cast<double>(r.late); }, 0},
}};

std::string Table(const std::vector<NamedResult>& results) {
  std::vector<Align> aligns(kColumns.size() + 1, Align::kRight);
  aligns[0] = Align::kLeft;
  terminal::TextTable table(aligns);
  std::vector<std::string> titles = {"workload"};
  for (const Column& column : kColumns) {
    titles.emplace_back(column.title);
  }
  table.AddRow(titles);
  for (const NamedResult& named : results) {
    std::vector<std::string> row = {named.workload};
    for (const Column& column : kColumns) {
      const double value = column.value(named.result);
      row.push_back(column.digits == 0 ? FormatCount(std::llround(value))
                                       : FormatFixed(value, column.digits));
    }
    table.AddRow(row);
  }
  return table.ToText();
}

std::string Csv(const std::vector<NamedResult>& results, const LoadOptions& options) {
  std::string text = "workload,clients,pipeline,asked-rate";
  for (const Column& column : kColumns) {
    text += std::string(",") + column.name;
  }
  for (const NamedResult& named : results) {
    text += '\n' + named.workload + ',' + std::to_string(options.clients) + ',' +
            std::to_string(options.pipeline) + ',' + FormatFixed(options.rate, 0);
    for (const Column& column : kColumns) {
      text += ',' + FormatFixed(column.value(named.result), column.digits);
    }
  }
  return text + '\n';
}

std::string Json(const std::vector<NamedResult>& results, const LoadOptions& options) {
  std::string text;
  for (const NamedResult& named : results) {
    std::string entry;
    terminal::AppendMember(&entry, "workload", terminal::JsonString(named.workload));
    terminal::AppendMember(&entry, "clients", std::to_string(options.clients));
    terminal::AppendMember(&entry, "pipeline", std::to_string(options.pipeline));
    terminal::AppendMember(&entry, "asked-rate", FormatFixed(options.rate, 0));
    for (const Column& column : kColumns) {
      terminal::AppendMember(&entry, column.name,
                             FormatFixed(column.value(named.result), column.digits));
    }
    terminal::AppendElement(&text, terminal::Braced(entry));
  }
  return std::string("[").append(text).append("]\n");
}

}  // namespace

std::string FormatReport(const std::vector<NamedResult>& results, const LoadOptions& options,
                         ReportFormat format) {
  switch (format) {
    case ReportFormat::kTable:
      return Table(results);
    case ReportFormat::kCsv:
      return Csv(results, options);
    case ReportFormat::kJson:
      return Json(results, options);
  }
  return {};
}

}  // namespace reco::benchmark
