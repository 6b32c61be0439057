#include "api/config/config.h"

#include <algorithm>

#include "base/glob.h"

namespace reco::api {
namespace {

Status SetFailed(std::string_view option, std::string_view why) {
  return Status::InvalidArgument("CONFIG SET failed (possibly related to argument '" +
                                 std::string(option) + "') - " + std::string(why));
}

// Finds the options that are named, each once. All names are checked before any value is looked at,
// as in Redis.
Status FindPairs(std::span<const std::string_view> pairs, std::vector<const OptionSpec*>* specs) {
  for (std::size_t i = 0; i < pairs.size(); i += 2) {
    const OptionSpec* spec = FindOption(pairs[i]);
    if (spec == nullptr) {
      return Status::InvalidArgument("Unknown option or number of arguments for CONFIG SET - '" +
                                     std::string(pairs[i].substr(0, 128)) + "'");
    }
    if (!spec->runtime) {
      return SetFailed(pairs[i], "can't set immutable config");
    }
    if (std::find(specs->begin(), specs->end(), spec) != specs->end()) {
      return SetFailed(pairs[i], "duplicate parameter");
    }
    specs->push_back(spec);
  }
  return Status::Ok();
}

}  // namespace

ServerOptions Config::Snapshot() const {
  const MutexLock lock(mutex_);
  return options_;
}

std::vector<std::pair<std::string, std::string>> Config::Get(
    std::span<const std::string_view> patterns) const {
  std::vector<std::pair<std::string, std::string>> found;
  std::vector<std::pair<std::string_view, Glob>> globs;
  for (const std::string_view pattern : patterns) {
    globs.emplace_back(pattern, Glob(pattern, /*ignore_case=*/true));
  }
  const MutexLock lock(mutex_);
  for (const OptionSpec& spec : OptionTable()) {
    const auto match = std::ranges::find_if(
        globs, [&](const auto& glob) { return glob.second.Matches(spec.name); });
    if (match != globs.end()) {
      // A client that asks for "MAXMEMORY" looks for that name in the reply.
      const bool written_out = match->first.find_first_of("*?[") == std::string_view::npos;
      found.emplace_back(written_out ? match->first : spec.name, FormatOption(spec, options_));
    }
  }
  return found;
}

Status Config::Set(std::span<const std::string_view> pairs, const Apply& apply) {
  if (pairs.size() % 2 != 0) {
    return Status::InvalidArgument("syntax error");
  }
  std::vector<const OptionSpec*> specs;
  RECO_RETURN_IF_ERROR(FindPairs(pairs, &specs));
  const MutexLock lock(mutex_);
  // All values are read into a copy, so that one that is wrong leaves the others unchanged as well.
  ServerOptions changed = options_;
  for (std::size_t i = 0; i < specs.size(); ++i) {
    const Status status = ParseOption(*specs[i], pairs[2 * i + 1], &changed);
    if (!status.ok()) {
      return SetFailed(pairs[2 * i], status.message());
    }
  }
  // With the mutex held, so that two CONFIG SET are applied in the order in which they are stored.
  RECO_RETURN_IF_ERROR(apply(options_, changed));
  options_ = std::move(changed);
  // Last: whoever sees the new number copies the new options.
  generation_.fetch_add(1, std::memory_order_release);
  return Status::Ok();
}

void Config::Adjust(const std::function<void(ServerOptions*)>& change) {
  const MutexLock lock(mutex_);
  change(&options_);
  generation_.fetch_add(1, std::memory_order_release);
}

}  // namespace reco::api
