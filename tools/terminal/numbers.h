// Numbers as people read them: grouped digits, units, durations.
#pragma once

#include <cstdint>
#include <string>

namespace reco::terminal {

std::string FormatCount(std::int64_t count);        // 1,234,567
std::string FormatBytes(double bytes);              // 512 B, 1.5 KiB, 23.4 MiB
std::string FormatDuration(double seconds);         // 850 us, 3.2 ms, 4.1 s, 2 min 05 s, 3 h 12 min
std::string FormatRate(double per_second);          // 84,200/s
std::string FormatFixed(double value, int digits);  // 0.2080

}  // namespace reco::terminal
