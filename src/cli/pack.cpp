#include "protean/data/pack.h"

#include <cstdio>

#include <nlohmann/json.hpp>

#include "protean/core/error.h"
#include "protean/data/records/verify.h"

#include "cli/commands.h"
#include "cli/inspect_data.h"
#include "cli/records_commands.h"

namespace protean {
namespace {

const std::vector<CommandFlag> kPackFlags = {
    {"in", "PATH", "",
     "zip or folder of images (Omniglot's layout, or a folder per class)"},
    {"out", "FILE", "", "the pack to write"},
    {"side", "PIXELS", "",
     "height and width of the stored images (28; of records 84)"},
    {"source", "auto|omniglot|folder", "auto", "layout of the images"},
    {"filter", "area|nearest|bilinear", "area", "how a folder is resized"},
    {"fit", "stretch|pad|crop", "stretch", "of images that are not square"},
    {"channels", "0|1|3", "0", "of a folder's images; 0 = as they are"},
    {"synthesise", "SPEC,...", "",
     "Meta-Dataset's specs: make records of drawn images for them in --out"},
    {"scale", "F", "", "share of the images of --synthesise, 0 to 1 (1)"},
    {"seed", "N", "", "of --synthesise (0)"},
    {"encoded", "", "", "of records: keep their JPEGs, of any side"},
    {"threads", "N", "", "of --synthesise and of records (all cores)"}};

const std::vector<CommandFlag> kInspectFlags = {
    {"verify", "", "", "read every record and check its checksum"},
    {"threads", "N", "", "of --verify, for records (all cores)"}};

void print(const PackDescription& d) {
  std::printf("%s\n  %llu classes, %llu images, %llu groups\n", d.path.c_str(),
              static_cast<unsigned long long>(d.classes),
              static_cast<unsigned long long>(d.images),
              static_cast<unsigned long long>(d.groups));
  std::printf("  %u to %u images per class, stored as %s, %llu bytes\n",
              d.smallest_class, d.largest_class, d.encoding.c_str(),
              static_cast<unsigned long long>(d.bytes));
  for (const auto& [name, split] : d.splits)
    std::printf("  %s: %llu classes, %llu images\n", name.c_str(),
                static_cast<unsigned long long>(split.classes),
                static_cast<unsigned long long>(split.images));
  for (const auto& [key, value] : d.provenance)
    std::printf("  %s: %s\n", key.c_str(), value.c_str());
  std::printf("  checksum: %s\n", d.checksum.c_str());
}

void report(const CommandLine& line, const PackDescription& description,
            const nlohmann::json& more) {
  if (!line.json) return print(description);
  auto json = to_json(description);
  json.update(more);
  std::printf("%s\n", json.dump().c_str());
}

}  // namespace

int run_pack(const Arguments& args) {
  if (print_help(args,
                 "pack --in PATH --out FILE [--side 28], or pack --synthesise "
                 "SPEC,... --out DIR [--scale 0.01]",
                 kPackFlags, {}))
    return kExitDone;
  const auto line = parse_command_line(args, kPackFlags);
  if (line.is_set("synthesise")) return run_synthesise(line);
  for (const char* flag : {"scale", "seed"})
    if (line.is_set(flag))
      throw ConfigError(concat("--", flag, " goes with --synthesise"));
  if (is_spec_dataset(required(line, "in"))) return pack_records_command(line);
  for (const char* flag : {"encoded", "threads"})
    if (line.is_set(flag))
      throw ConfigError(concat("--", flag, " goes with --in RECORDS"));
  PackOptions options;
  options.source = line.flags.at("source");
  if (line.is_set("side"))
    options.side = static_cast<uint32_t>(whole_number(line, "side"));
  options.filter = line.flags.at("filter");
  options.fit = line.flags.at("fit");
  options.channels = static_cast<uint32_t>(whole_number(line, "channels"));
  pack_dataset(required(line, "in"), required(line, "out"), options);
  report(line, describe_pack(line.flags.at("out")), nlohmann::json::object());
  return kExitDone;
}

int run_inspect(const Arguments& args) {
  if (print_help(args, "inspect PATH [--verify]", kInspectFlags, {}))
    return kExitDone;
  const auto line = parse_command_line(args, kInspectFlags);
  if (line.positional.size() != 1)
    throw ConfigError(
        concat("inspect takes one path, got ", line.positional.size()));
  const auto& path = line.positional.front();
  if (holds_records(path)) return inspect_records(line);
  if (is_table_name(path)) {
    if (line.is_set("verify"))
      throw ConfigError(
          "--verify is for packs and images; a table is read "
          "whole each time");
    print_table(path, line.json);
    return kExitDone;
  }
  if (holds_images(path)) {  // decoding them all reads every byte
    report(line, describe_images(path), nlohmann::json::object());
    return kExitDone;
  }
  const auto description = describe_pack(path);
  if (!line.is_set("verify")) {
    report(line, description, nlohmann::json::object());
    return kExitDone;
  }
  const auto damage = verify_pack(path);
  report(line, description, {{"verified", damage.empty()}, {"damage", damage}});
  for (const auto& d : damage) std::fprintf(stderr, "%s\n", d.c_str());
  if (!damage.empty()) throw DataError(path + ": damaged, as listed above");
  if (!line.json)
    std::printf("  all %llu records are sound\n",
                static_cast<unsigned long long>(description.images));
  return kExitDone;
}

}  // namespace protean
