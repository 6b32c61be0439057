// Measures among the figures of a job, which the job's record stores by name: "<scorer>.<metric>",
// and the half-width of its confidence interval as the same with ".ci" behind.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "reco/types.h"

namespace reco::engine {

// Appends the figures of a measure, from which reco::Measures makes it again. The scorer's name has
// no '.', and the metric's does not end in ".ci".
void AppendMeasure(const Measure& measure, std::vector<std::pair<std::string, double>>* figures);

}  // namespace reco::engine
