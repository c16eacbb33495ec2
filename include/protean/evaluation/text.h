// A language model adapted to a few lines of somebody's text.
#pragma once

#include <cstdint>
#include <string>

#include "protean/experiment/experiment.h"

namespace protean {

struct TextOptions {
  int64_t length = 300;    // characters to write
  double temperature = 1;  // > 0; below 1: likelier characters
  uint64_t seed = 0;       // another seed, other text
  std::string prompt;      // what the text begins with
};

// Bits per character; before and after adaptation.
struct TextScore {
  double before = 0, after = 0;
};

// Adapts to `support` and writes on from the prompt. Throws ConfigError when
// the run is not one of text or an option is out of range, DataError when the
// support is shorter than data.length + 1 characters.
std::string generate_text(const Experiment& experiment, const MetaView& meta,
                          const std::string& support,
                          const TextOptions& options);

// The mean over `held_out`, read with `support` as what is known of its author.
TextScore score_text(const Experiment& experiment, const MetaView& meta,
                     const std::string& support, const std::string& held_out);

}  // namespace protean
