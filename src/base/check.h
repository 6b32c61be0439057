// RECO_CHECK: aborts when an invariant is broken and going on would damage data. Never on input.
#pragma once

#include <cstdio>
#include <cstdlib>

namespace reco {

[[noreturn]] inline void CheckFailed(const char* file, int line, const char* condition) {
  std::fprintf(stderr, "%s:%d: invariant broken: %s\n", file, line, condition);
  std::abort();
}

}  // namespace reco

#define RECO_CHECK(condition) \
  ((condition) ? static_cast<void>(0) : ::reco::CheckFailed(__FILE__, __LINE__, #condition))
