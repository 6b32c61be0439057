// Turns replies into what people and programs read.
#pragma once

#include <string>
#include <string_view>

#include "tools/client/value.h"

namespace reco::admin {

// Returns a reply as JSON: flat maps become objects, numbers in strings become numbers.
std::string ToJson(const client::Value& value);

// Returns a map as aligned lines of name and value; nested maps follow, indented under their name.
// `unit` names the unit of all values, as for ValueToText; empty: each value's name tells.
std::string MapToText(const client::Value& map, std::size_t indent = 0, std::string_view unit = {});

// Returns a value with the unit its name tells: ...bytes, ...-ms, ...-s, ...seconds, percent.
std::string ValueToText(std::string_view name, const client::Value& value);

// Returns "2026-05-01 12:30:00 UTC" of milliseconds since the epoch; "-" for 0.
std::string FormatTime(std::int64_t time_ms);

}  // namespace reco::admin
