// The descriptors 0, 1 and 2.
#pragma once

namespace reco {

// Opens /dev/null on those that are closed. Otherwise a file that is opened later gets the number,
// and what is written to the stream lands in it. To be called first of all in main.
void OpenStandardStreams();

}  // namespace reco
