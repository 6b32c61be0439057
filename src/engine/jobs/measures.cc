#include "engine/jobs/measures.h"

#include <string_view>

#include "reco/engine.h"

namespace reco {
namespace {

constexpr char kSeparator = '.';
constexpr std::string_view kHalfWidth = ".ci";

}  // namespace

namespace engine {

void AppendMeasure(const Measure& measure, std::vector<std::pair<std::string, double>>* figures) {
  const std::string name = measure.scorer + kSeparator + measure.metric;
  figures->emplace_back(name, measure.value);
  if (measure.half_width) {
    figures->emplace_back(name + std::string(kHalfWidth), *measure.half_width);
  }
}

}  // namespace engine

std::vector<Measure> Measures(const JobInfo& job) {
  std::vector<Measure> measures;
  if (job.kind != JobKind::kEvaluate) {
    return measures;  // a training has figures with the same sign in their names, as objective.1
  }
  for (const auto& [name, value] : job.result) {
    const std::size_t separator = name.find(kSeparator);
    if (separator == std::string::npos) {
      continue;  // another figure
    }
    if (name.ends_with(kHalfWidth)) {
      // Right behind its measure.
      if (!measures.empty()) {
        measures.back().half_width = value;
      }
    } else {
      measures.push_back({name.substr(0, separator), name.substr(separator + 1), value});
    }
  }
  return measures;
}

}  // namespace reco
