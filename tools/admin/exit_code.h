// What reco-admin exits with. Part of its interface; see --help.
#pragma once

namespace reco::admin {

enum ExitCode : int {
  kExitDone = 0,
  kExitRefused = 1,     // the server answered an error, or the job failed
  kExitUsage = 2,       // wrong options, or a file that cannot be read
  kExitConnection = 3,  // nobody answers, or the connection broke
  kExitBadLines = 4,    // an import lost more lines than --allow-errors
};

}  // namespace reco::admin
