#include "base/allocator.h"

#include <cstddef>
#include <string_view>

// jemalloc's, where the program is linked with it; null otherwise. Its header would be needed by
// builds without it.
// NOLINTNEXTLINE(readability-identifier-naming): its name
extern "C" int mallctl(const char* name, void* old, std::size_t* old_size, void* value,
                       std::size_t size) __attribute__((weak));

namespace reco {

std::string AllocatorName() {
  const char* version = nullptr;
  std::size_t size = sizeof(version);
  if (mallctl == nullptr || mallctl("version", &version, &size, nullptr, 0) != 0) {
    return "libc";
  }
  // "5.3.0-0-g54eaed1d8b56b1aa528be3bdd1877e59c56fa90c"
  const std::string_view text = version;
  return "jemalloc-" + std::string(text.substr(0, text.find('-')));
}

}  // namespace reco
