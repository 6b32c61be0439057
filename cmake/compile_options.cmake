# reco_options: what every target of ours compiles and links with.
add_library(reco_options INTERFACE)
target_compile_features(reco_options INTERFACE cxx_std_20)
target_compile_options(reco_options INTERFACE
  -Wall -Wextra -Wshadow -Wnon-virtual-dtor -march=${RECO_MARCH})
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # False alarms: on std::string (GCC bug 105651) and in GCC's own AVX-512 header (bug 105593).
  target_compile_options(reco_options INTERFACE -Wno-restrict -Wno-maybe-uninitialized)
endif()
if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
  target_compile_options(reco_options INTERFACE -Wthread-safety -Wthread-safety-beta)
  target_link_options(reco_options INTERFACE -fuse-ld=lld)
endif()
if(RECO_WERROR)
  target_compile_options(reco_options INTERFACE -Werror)
endif()
if(RECO_SANITIZERS)
  target_compile_options(reco_options INTERFACE
    -fsanitize=${RECO_SANITIZERS} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(reco_options INTERFACE -fsanitize=${RECO_SANITIZERS})
endif()
if(RECO_LIBFUZZER)
  target_compile_options(reco_options INTERFACE -fsanitize=fuzzer-no-link)
endif()
