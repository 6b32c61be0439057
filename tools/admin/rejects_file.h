// RejectsFile: the lines that an import lost, each behind its reason, in a form that can be
// imported by itself once they are mended.
#pragma once

#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>

#include "reco/status.h"

namespace reco::admin {

// Lies beside the input, as FILE.rejects, or as reco-rejects-TIME.csv (.tsv, .jsonl) in the working
// folder for standard input; with a number behind it where that is taken, since no older one is
// written over. Confined to one thread.
class RejectsFile {
 public:
  // `path` is the input's, "-" for standard input, whose file gets the `ending`. `header` is the
  // input's first line, or "".
  RejectsFile(std::string path, std::string ending, std::string header)
      : input_path_(std::move(path)), ending_(std::move(ending)), header_(std::move(header)) {}

  // Adds a line; the file is made with the first one. kIoError; later calls are the same then.
  Status Add(std::uint64_t line, std::string_view reason, std::string_view raw);
  // Gives what was added to the system: it stays when this program is killed. kIoError.
  Status Flush();

  // "": nothing was lost, or the file could not be made.
  const std::string& path() const { return path_; }

 private:
  struct Closer {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };

  Status Create();
  Status Write(std::string_view text);

  const std::string input_path_;
  const std::string ending_;
  const std::string header_;
  std::string path_;
  Status failure_;
  std::unique_ptr<std::FILE, Closer> file_;
};

// Returns `path` without the ending that a RejectsFile has put behind it, if any.
std::string_view WithoutRejectsEnding(std::string_view path);

}  // namespace reco::admin
