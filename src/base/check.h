// RECO_CHECK: aborts when an invariant is broken and going on would damage data. Never on input.
// RECO_DCHECK: the same for an invariant of doc/architecture.md, named by its number, where
// RECO_DCHECKS is defined. It costs a release build nothing, so it may stand on a hot path.
#pragma once

#include <cstdio>
#include <cstdlib>

namespace reco {

[[noreturn]] inline void CheckFailed(const char* file, int line, const char* condition) {
  std::fprintf(stderr, "%s:%d: invariant broken: %s\n", file, line, condition);
  std::abort();
}

[[noreturn]] inline void InvariantBroken(const char* file, int line, const char* invariant,
                                         const char* condition) {
  std::fprintf(stderr, "%s:%d: invariant %s broken: %s\n", file, line, invariant, condition);
  std::abort();
}

}  // namespace reco

#define RECO_CHECK(condition) \
  ((condition) ? static_cast<void>(0) : ::reco::CheckFailed(__FILE__, __LINE__, #condition))

// `invariant` is a string literal, as "I7". Without RECO_DCHECKS the condition is compiled, so that
// it stays valid and its variables count as used, but never evaluated.
#ifdef RECO_DCHECKS
#define RECO_DCHECK(condition, invariant) \
  ((condition) ? static_cast<void>(0)     \
               : ::reco::InvariantBroken(__FILE__, __LINE__, "" invariant, #condition))
#else
#define RECO_DCHECK(condition, invariant) \
  static_cast<void>(sizeof("" invariant) == 0 && static_cast<bool>(condition))
#endif
