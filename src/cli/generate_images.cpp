#include "cli/generate_images.h"

#include <cstdio>

#include <nlohmann/json.hpp>

#include "protean/comm/on_root.h"
#include "protean/comm/preflight.h"
#include "protean/core/error.h"
#include "protean/core/signals.h"
#include "protean/generative/sampling.h"

#include "cli/commands.h"
#include "cli/open_run.h"

namespace protean {

namespace {

ImageReading reading_of(const CommandLine& line, const Experiment& e,
                        bool ink) {
  const auto& data = e.config.data;
  const auto& resize = line.flags.at("resize");
  const auto& fit = line.flags.at("fit");
  ImageReading how;
  how.same_size = resize == "none";
  const bool given = resize != "auto" && resize != "none";
  how.filter = given ? parse_filter(resize, "--resize")
                     : parse_filter(data.filter, "data.filter");
  how.as_ink = ink && !given;
  how.crop_to_ink = how.as_ink && (fit == "ink" || fit == "auto");
  if (fit == "ink" && !how.as_ink)
    throw ConfigError(
        "--fit ink is for runs that were trained on ink (Omniglot), with "
        "--resize auto; expected stretch, pad or crop");
  if (fit != "ink")
    how.fit = fit == "auto" ? parse_fit(data.fit, "data.fit")
                            : parse_fit(fit, "--fit");
  return how;
}

}  // namespace

int generate_images(const CommandLine& line, World& world) {
  SamplingOptions options;
  Ink ink{};
  agree(*world.control, [&] {
    options.count = whole_number(line, "count");
    options.seed = static_cast<uint64_t>(whole_number(line, "seed"));
    options.temperature = number(line, "temperature");
    ink = parse_ink(line.flags.at("ink"), "--ink");
    required(line, "support");
    required(line, "out");
  });
  stop_on_interrupt();
  auto run = open_run(line, *world.control, OpenFor::prediction);
  move_to_device(line, world, run);
  ImageFolder support;
  on_root(*world.control, [&] {
    const auto learner =
        generative_learner(run.experiment, "--run " + line.flags.at("run"));
    const ImageFormat format{learner->image_shape(),
                             run.experiment.tasks.examples->ink()};
    if (!format.ink && ink != Ink::automatic)
      throw ConfigError(
          "--ink is for runs that were trained on ink (Omniglot); this one "
          "takes images as they are");
    support = read_images(line.flags.at("support"), format,
                          reading_of(line, run.experiment, format.ink), ink);
    write_samples(*learner, run.meta, support, format, options,
                  line.flags.at("out"));
  });
  if (world.control->rank() != 0) return kExitDone;
  const nlohmann::json result = {{"out", line.flags.at("out")},
                                 {"images", options.count},
                                 {"support", support.names.size()},
                                 {"step", run.step}};
  if (line.json)
    std::printf("%s\n", result.dump().c_str());
  else
    std::printf("%lld images of %zu in %s\n",
                static_cast<long long>(options.count), support.names.size(),
                line.flags.at("out").c_str());
  return kExitDone;
}

}  // namespace protean
