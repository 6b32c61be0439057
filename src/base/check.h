// RECO_CHECK: aborts when an invariant is broken and going on would damage data. Never on input.
#pragma once

#include <cstdio>
#include <cstdlib>

#define RECO_CHECK(condition)                                                                \
  do {                                                                                       \
    if (!(condition)) {                                                                      \
      std::fprintf(stderr, "%s:%d: invariant broken: %s\n", __FILE__, __LINE__, #condition); \
      std::abort();                                                                          \
    }                                                                                        \
  } while (false)
