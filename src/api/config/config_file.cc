#include "api/config/config_file.h"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>
#include <utility>
#include <vector>

#include "api/protocol/quoted_words.h"

namespace reco::api {
namespace {

// Sets one option from the words behind its name.
Status ApplyDirective(std::string_view name, std::span<const std::string> values,
                      ServerOptions* options) {
  const OptionSpec* spec = FindOption(name);
  if (spec == nullptr) {
    return Status::InvalidArgument("unknown option '" + std::string(name) +
                                   "'; reco.conf and doc/options.md list those there are");
  }
  const std::string prefix = "option '" + std::string(spec->name) + "': ";
  if (values.empty() || (values.size() > 1 && !spec->many_words)) {
    return Status::InvalidArgument(prefix + "takes one value (" + DescribeRange(*spec) + "), got " +
                                   std::to_string(values.size()));
  }
  // Values of several words, such as those of bind, need no quotes.
  std::string text = values[0];
  for (std::size_t i = 1; i < values.size(); ++i) {
    text += " " + values[i];
  }
  const Status status = ParseOption(*spec, text, options);
  if (!status.ok()) {
    // Errors end up in logs.
    const std::string got = spec->secret ? "" : " (got '" + text + "')";
    return Status::InvalidArgument(prefix + std::string(status.message()) + got);
  }
  return Status::Ok();
}

// Applies one line of the file; empty ones and comments change nothing.
Status ApplyLine(std::string_view line, ServerOptions* options) {
  constexpr std::string_view kBlanks = " \t\r";
  const std::size_t start = line.find_first_not_of(kBlanks);
  if (start == std::string_view::npos || line[start] == '#') {
    return Status::Ok();
  }
  std::string bytes;
  std::vector<Slice> slices;
  // SplitQuotedWords takes no NUL bytes.
  if (line.find('\0') != std::string_view::npos || !SplitQuotedWords(line, &bytes, &slices)) {
    return Status::InvalidArgument("unbalanced quotes");
  }
  std::vector<std::string> words;
  words.reserve(slices.size());
  for (const Slice& slice : slices) {
    words.push_back(bytes.substr(slice.offset, slice.length));
  }
  if (words.empty()) {
    return Status::Ok();
  }
  return ApplyDirective(words[0], std::span(words).subspan(1), options);
}

Result<std::string> ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    return Status::NotFound("cannot read configuration file '" + path +
                            "': " + std::generic_category().message(errno));
  }
  return std::string(std::istreambuf_iterator<char>(file), {});
}

// Returns true iff the argument is an action without a value, and sets it.
bool IsFlag(std::string_view argument, CommandLine::Action* action) {
  if (argument == "--check") {
    *action = CommandLine::Action::kCheck;
  } else if (argument == "--salvage") {
    *action = CommandLine::Action::kSalvage;
  } else if (argument == "--version" || argument == "-v") {
    *action = CommandLine::Action::kVersion;
  } else if (argument == "--help" || argument == "-h") {
    *action = CommandLine::Action::kHelp;
  } else {
    return false;
  }
  return true;
}

}  // namespace

Status ApplyConfigText(std::string_view text, std::string_view name, ServerOptions* options) {
  int number = 0;
  while (!text.empty()) {
    ++number;
    const std::size_t end = text.find('\n');
    const Status status = ApplyLine(text.substr(0, end), options);
    if (!status.ok()) {
      return Status::InvalidArgument(std::string(name) + ":" + std::to_string(number) + ": " +
                                     std::string(status.message()));
    }
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return Status::Ok();
}

Result<CommandLine> ParseCommandLine(std::span<const std::string> arguments) {
  CommandLine line;
  line.options = DefaultOptions();
  std::size_t at = 0;
  // Only the first argument can be the file, as of redis-server. It is read before the options, so
  // that these win.
  if (!arguments.empty() && arguments[0].substr(0, 1) != "-") {
    RECO_ASSIGN_OR_RETURN(const std::string text, ReadFile(arguments[0]));
    RECO_RETURN_IF_ERROR(ApplyConfigText(text, arguments[0], &line.options));
    std::error_code error;
    // INFO shows it to clients, who do not know the working directory.
    line.config_file = std::filesystem::absolute(arguments[0], error).string();
    ++at;
  }
  while (at < arguments.size()) {
    const std::string& name = arguments[at++];
    if (IsFlag(name, &line.action)) {
      continue;
    }
    if (name.size() < 3 || name.substr(0, 2) != "--") {
      return Status::InvalidArgument("command line: '" + name +
                                     "' is neither an option nor the value of one");
    }
    const std::size_t first = at;
    // A value may begin with one dash (bind -::1), so only two begin the next option.
    while (at < arguments.size() && arguments[at].substr(0, 2) != "--") {
      ++at;
    }
    const Status status =
        ApplyDirective(name.substr(2), arguments.subspan(first, at - first), &line.options);
    if (!status.ok()) {
      return Status::InvalidArgument("command line: " + std::string(status.message()));
    }
  }
  return line;
}

std::string UsageText() {
  std::string text =
      "Usage: reco-server [file.conf] [--option value ...]...\n"
      "       reco-server [file.conf] [--dir path] --check   verify the folder offline\n"
      "       reco-server [file.conf] [--dir path] --salvage   copy what is whole of a damaged "
      "folder\n"
      "                                                        to path.salvaged\n"
      "       reco-server --version | --help\n\n"
      "Options, with their defaults; reco.conf explains them:\n";
  for (const OptionSpec& spec : OptionTable()) {
    if (spec.type == OptionType::kFixed) {
      continue;
    }
    text += "  --" + std::string(spec.name) + " " +
            (spec.default_value.empty() ? "\"\"" : std::string(spec.default_value)) + "\n";
  }
  return text;
}

}  // namespace reco::api
