// The configuration file: no text breaks its reader, and what it accepts can be written and read
// back.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "api/config/config_file.h"
#include "api/config/config_options.h"
#include "base/check.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using reco::api::FormatOption;
  using reco::api::OptionSpec;
  using reco::api::ParseOption;
  using reco::api::ServerOptions;
  ServerOptions options = reco::api::DefaultOptions();
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (!reco::api::ApplyConfigText(text, "fuzz.conf", &options).ok()) {
    return 0;
  }
  for (const OptionSpec& spec : reco::api::OptionTable()) {
    const std::string shown = FormatOption(spec, options);
    ServerOptions again = reco::api::DefaultOptions();
    RECO_CHECK(ParseOption(spec, shown, &again).ok());
    RECO_CHECK(FormatOption(spec, again) == shown);
  }
  return 0;
}
