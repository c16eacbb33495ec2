# cmake --install BUILD [--prefix P]: the program with its completions and manual
# page, shipped configs and launch scripts; libraries, headers and the CMake package
# Protean. cpack -G DEB: the same program with LibTorch's libraries beside it.
include(CMakePackageConfigHelpers)

option(PROTEAN_BUNDLE_LIBTORCH
       "Install LibTorch's libraries too, for packages that stand alone" OFF)

if(PROTEAN_BUNDLE_LIBTORCH)
  # As in its wheel: its libraries look for the CUDA run-time there.
  set(site lib/protean/site)
  set_target_properties(protean PROPERTIES INSTALL_RPATH "$ORIGIN/../${site}/torch/lib")
  target_link_options(protean_torch INTERFACE -Wl,--enable-new-dtags)
  foreach(library torch_cpu c10 gomp)
    file(GLOB found ${LIBTORCH_ROOT}/lib/lib${library}.so*)
    install(FILES ${found} DESTINATION ${site}/torch/lib COMPONENT program)
  endforeach()
  file(GLOB found ${PROTEAN_NVIDIA}/cu13/lib/libcupti.so.* ${PROTEAN_NVIDIA}/cu13/lib/libcudart.so.*)
  install(FILES ${found} DESTINATION ${site}/nvidia/cu13/lib COMPONENT program)
else()
  set_target_properties(protean PROPERTIES INSTALL_RPATH_USE_LINK_PATH ON)
endif()
install(TARGETS protean RUNTIME DESTINATION bin COMPONENT program)
install(DIRECTORY configs DESTINATION share/protean COMPONENT program)
install(DIRECTORY launch DESTINATION share/protean USE_SOURCE_PERMISSIONS COMPONENT program)
install(FILES LICENSE README.md DESTINATION share/doc/protean COMPONENT program)
# Made by the program itself, which knows its keys.
install(CODE "
  function(protean_page path)
    set(file \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/share/\${path}\")
    get_filename_component(folder \"\${file}\" DIRECTORY)
    file(MAKE_DIRECTORY \"\${folder}\")
    message(STATUS \"Installing: \${file}\")
    execute_process(COMMAND \"${CMAKE_BINARY_DIR}/protean\" \${ARGN}
                    OUTPUT_FILE \"\${file}\" COMMAND_ERROR_IS_FATAL ANY)
  endfunction()
  protean_page(bash-completion/completions/protean --completion bash)
  protean_page(zsh/site-functions/_protean --completion zsh)
  protean_page(man/man1/protean.1 --man)" COMPONENT program)

# Libraries, for programs that add a learner or a task source of their own.
install(DIRECTORY include/protean DESTINATION include COMPONENT library)
install(EXPORT ProteanTargets NAMESPACE protean:: DESTINATION lib/cmake/Protean
        COMPONENT library)
configure_package_config_file(src/cmake/ProteanConfig.cmake.in
  ${CMAKE_BINARY_DIR}/ProteanConfig.cmake INSTALL_DESTINATION lib/cmake/Protean)
write_basic_package_version_file(${CMAKE_BINARY_DIR}/ProteanConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/ProteanConfig.cmake
              ${CMAKE_BINARY_DIR}/ProteanConfigVersion.cmake
              src/cmake/ProteanTorch.cmake
        DESTINATION lib/cmake/Protean COMPONENT library)

set(CPACK_PACKAGE_NAME protean)
set(CPACK_PACKAGE_VENDOR "The Protean authors")
set(CPACK_PACKAGE_CONTACT "The Protean authors <protean@localhost>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "Meta-training of few-shot learners and generative models")
set(CPACK_RESOURCE_FILE_LICENSE ${CMAKE_SOURCE_DIR}/LICENSE)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_COMPONENTS_ALL program)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_PACKAGE_SECTION science)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_COMPRESSION_TYPE gzip)
# Of the program; LibTorch's own come with it.
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS_PRIVATE_DIRS
    ${LIBTORCH_ROOT}/lib ${PROTEAN_NVIDIA}/cu13/lib)
set(CPACK_DEBIAN_PROGRAM_PACKAGE_NAME protean)
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS openmpi-bin)
include(CPack)
