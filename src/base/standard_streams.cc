#include "base/standard_streams.h"

#include <fcntl.h>
#include <unistd.h>

namespace reco {

void OpenStandardStreams() {
  int fd = 0;
  do {
    // The lowest number that is free.
    fd = open("/dev/null", O_RDWR);
  } while (fd >= 0 && fd <= STDERR_FILENO);
  if (fd >= 0) {
    close(fd);
  }
}

}  // namespace reco
