// Where a result came from: source, build, libraries and machine.
#pragma once

#include <string>

#include <nlohmann/json.hpp>

namespace protean {

// Commit this program was built from, with "-dirty" when files differed from
// it; "unknown" without a git checkout.
std::string build_commit();

// One flat object: version commit compiler build_type flags libtorch blas
// onednn mpi nccl cpu instruction_set built_for cores host system. mpi and nccl
// are named by the caller, who knows whether they are in use; empty = "none".
nlohmann::json provenance(const std::string& mpi = "",
                          const std::string& nccl = "");

// The part of it that decides the bits of a result on a CPU: compiler, flags,
// instruction set, numeric libraries. Stored in checkpoints; compared by ranks
// and on resume in exact mode.
nlohmann::json numeric_provenance();

// What `a` and `b` differ in, in words, "" when they are equal.
std::string provenance_difference(const nlohmann::json& a,
                                  const nlohmann::json& b);

}  // namespace protean
