// Evaluates a bound filter over all records, a block of rows and an instruction at a time.
#pragma once

#include "filter/bitmap.h"
#include "filter/bound_program.h"

namespace reco::filter {

// The ordinals for which program.Matches is true.
Bitmap EvaluateAll(const BoundProgram& program);

}  // namespace reco::filter
