# cmake --install: the binaries, the public headers and the embeddable library with its package
# file, so that find_package(reco) gives the target reco::reco. The library is the layers up to the
# engine; the API layer, and Asio with it, stays out.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

add_library(reco INTERFACE)
target_link_libraries(reco INTERFACE reco_engine)

set(library_layers
  reco_base reco_format reco_store reco_wal reco_model reco_index reco_filter reco_engine)
foreach(layer IN LISTS library_layers)
  string(REPLACE "reco_" "" name ${layer})
  set_target_properties(${layer} PROPERTIES EXPORT_NAME ${name})
endforeach()
install(TARGETS reco ${library_layers} EXPORT reco-targets)
install(EXPORT reco-targets NAMESPACE reco:: DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/reco)
install(DIRECTORY include/reco DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h")

configure_package_config_file(cmake/reco-config.cmake.in ${PROJECT_BINARY_DIR}/reco-config.cmake
  INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/reco)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/reco-config-version.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES
  ${PROJECT_BINARY_DIR}/reco-config.cmake ${PROJECT_BINARY_DIR}/reco-config-version.cmake
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/reco)

foreach(program reco-server reco-admin reco-benchmark)
  if(TARGET ${program})
    install(TARGETS ${program})
  endif()
endforeach()
install(FILES reco.conf DESTINATION ${CMAKE_INSTALL_SYSCONFDIR}/reco OPTIONAL)
