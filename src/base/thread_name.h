// Names of threads, as debuggers, profilers and `top -H` show them.
#pragma once

#include <pthread.h>

namespace reco {

// Names the calling thread; at most 15 bytes, longer names are left out.
inline void NameThread(const char* name) {
  static_cast<void>(pthread_setname_np(pthread_self(), name));
}

}  // namespace reco
