#include "trainer/identity.h"

#include "protean/core/error.h"
#include "protean/run/provenance.h"

namespace protean {
nlohmann::json run_identity(const ConfigValues& kept, const ConfigValues& bits,
                            const std::string& data_checksum) {
  nlohmann::json keys = nlohmann::json::object();
  for (const auto& [key, value] : kept) keys[key] = value;
  keys["data checksum"] = data_checksum;
  // What the bits depend on beside the configuration.
  nlohmann::json build = numeric_provenance();
  for (const auto& [key, value] : bits) build[key] = value;
  return {{"keys", keys}, {"bits", build}};
}

void check_identity(const nlohmann::json& stored, const nlohmann::json& now,
                    const ConfigValues& defaults, bool exact) {
  auto compare = [&](const char* part, const char* why) {
    nlohmann::json old = stored.at(part);
    for (const auto& [key, value] : defaults)
      if (now.at(part).contains(key) && !old.contains(key)) old[key] = value;
    for (const auto& [key, value] : now.at(part).items()) {
      if (old.contains(key) && old.at(key) == value) continue;
      throw ConfigError(concat("resume: ", key, " = ", value.dump(),
                               ", but the run was started "
                               "with ",
                               old.contains(key) ? old.at(key).dump() : "none",
                               why));
    }
  };
  compare("keys",
          "; expected the same value (a new run.dir with --model.init_from RUN "
          "goes on from these weights with another)");
  if (exact)
    compare("bits",
            "; comm.reduction = exact needs the same (comm.reduction = fixed "
            "goes on without that promise)");
}

}  // namespace protean
