# One precompiled header of the standard library for every target: nearly half of the build's time.
# It hides an include that is missing, so only the release presets turn it on; the clang builds of
# the lints and sanitizers see every file as it is.
set(RECO_PRECOMPILED
  <algorithm> <atomic> <chrono> <cstdint> <deque> <functional> <map> <memory> <optional> <set> <span>
  <string> <string_view> <thread> <unordered_map> <utility> <variant> <vector>)

function(reco_precompile folder)
  get_property(targets DIRECTORY ${folder} PROPERTY BUILDSYSTEM_TARGETS)
  foreach(target IN LISTS targets)
    get_target_property(type ${target} TYPE)
    if(target STREQUAL "reco_base")
      target_precompile_headers(${target} PRIVATE ${RECO_PRECOMPILED})
    elseif(type MATCHES "^(STATIC_LIBRARY|EXECUTABLE)$")
      target_precompile_headers(${target} REUSE_FROM reco_base)
    endif()
  endforeach()
  get_property(below DIRECTORY ${folder} PROPERTY SUBDIRECTORIES)
  foreach(next IN LISTS below)
    reco_precompile(${next})
  endforeach()
endfunction()
