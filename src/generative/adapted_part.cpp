#include "generative/adapted_part.h"

#include "protean/core/error.h"

namespace protean {
namespace {

// Of learner.adapt, but for all.
Role role_of(const std::string& part) {
  if (part == "head") return kDecoder;
  return part == "film" ? kModulation : kCode;
}

}  // namespace

std::vector<size_t> adapted_part(const ConditionalGenerator& generator,
                                 const std::string& part) {
  std::vector<size_t> indices;
  const auto& all = generator.spaces().theta.parameters();
  for (size_t i = 0; i < all.size(); ++i)
    if (part == "all" || all[i].is(role_of(part))) indices.push_back(i);
  if (indices.empty())
    throw ConfigError("learner.adapt = \"" + part +
                      "\": the generator has no such part; expected all");
  return indices;
}

Through through_of(const GeneratorOptions& options,
                   const LearnerOptions& learner) {
  if (options.meta == "reptile") return Through::nothing;
  return learner.second_order ? Through::exact : Through::first_order;
}

}  // namespace protean
