#include "cli/records_commands.h"

#include <chrono>
#include <cstdio>

#include <nlohmann/json.hpp>

#include "protean/core/error.h"
#include "protean/core/lists.h"
#include "protean/core/workers.h"
#include "protean/data/records/record_pack.h"
#include "protean/data/records/synthesise.h"
#include "protean/data/records/verify.h"

namespace protean {
namespace {

using Clock = std::chrono::steady_clock;

// A line on stderr every few seconds: how much, how fast.
class Meter {
 public:
  Meter(std::string what, uint64_t total)
      : what_(std::move(what)), total_(total) {}

  void operator()(uint64_t done) {
    const auto now = Clock::now();
    if (done < total_ && now - last_ < std::chrono::seconds(5)) return;
    last_ = now;
    const double seconds = std::chrono::duration<double>(now - start_).count();
    std::fprintf(stderr, "%s: %llu of %llu images, %.0f images/s\n",
                 what_.c_str(), static_cast<unsigned long long>(done),
                 static_cast<unsigned long long>(total_),
                 static_cast<double>(done) / std::max(seconds, 1e-9));
  }

 private:
  std::string what_;
  uint64_t total_;
  Clock::time_point start_ = Clock::now(), last_ = start_;
};

// Of a flag without a default.
int64_t whole_number_or(const CommandLine& line, const char* flag,
                        int64_t usual) {
  return line.is_set(flag) ? whole_number(line, flag) : usual;
}

int threads_of(const CommandLine& line) {
  const auto threads = whole_number_or(line, "threads", usable_cores());
  if (threads < 1 || threads > 1024)
    throw ConfigError(concat("--threads ", threads, "; expected 1 to 1024"));
  return static_cast<int>(threads);
}

// What is said of a folder of images alone.
void refuse_flags(const CommandLine& line, const char* with) {
  for (const auto& [flag, usual] : {std::pair("source", "auto"),
                                    std::pair("filter", "area"),
                                    {"fit", "stretch"},
                                    std::pair("channels", "0")})
    if (line.flags.at(flag) != usual)
      throw ConfigError(concat("--", flag, " does not go with ", with));
}

uint64_t images_of(const nlohmann::json& description) {
  return description.at("images").get<uint64_t>();
}

void print(const nlohmann::json& d) {
  const auto number = [&](const char* key) {
    return static_cast<unsigned long long>(d.at(key).get<uint64_t>());
  };
  std::printf("%s (%s, %s)\n  %llu classes, %llu images, %llu to %llu each\n",
              d.at("name").get<std::string>().c_str(),
              d.at("kind").get<std::string>().c_str(),
              d.at("rule").get<std::string>().c_str(), number("classes"),
              number("images"), number("smallest_class"),
              number("largest_class"));
  for (const char* split : {"train", "validation", "test"}) {
    const auto& s = d.at("splits").at(split);
    std::printf(
        "  %s: %llu classes, %llu images, %llu sets of classes\n", split,
        static_cast<unsigned long long>(s.at("classes").get<uint64_t>()),
        static_cast<unsigned long long>(s.at("images").get<uint64_t>()),
        static_cast<unsigned long long>(s.at("sets").get<uint64_t>()));
  }
  std::printf("  identity: %s\n", d.at("identity").get<std::string>().c_str());
}

// Sums over data sets, in the words of every other `inspect`.
nlohmann::json summary(const std::vector<nlohmann::json>& sets) {
  nlohmann::json out = {{"classes", 0}, {"images", 0}, {"sets", sets}};
  for (const char* split : {"train", "validation", "test"})
    out["splits"][split] = {{"classes", 0}, {"images", 0}};
  const auto add = [](nlohmann::json& to, const nlohmann::json& from) {
    for (const char* key : {"classes", "images"})
      to[key] = to[key].get<uint64_t>() + from.at(key).get<uint64_t>();
  };
  for (const auto& set : sets) {
    add(out, set);
    for (auto& [name, split] : out["splits"].items())
      add(split, set.at("splits").at(name));
  }
  return out;
}

}  // namespace

int run_synthesise(const CommandLine& line) {
  SynthesiseOptions options;
  if (line.is_set("scale")) options.scale = number(line, "scale");
  options.side = static_cast<uint32_t>(whole_number_or(line, "side", 84));
  options.seed = static_cast<uint64_t>(whole_number_or(line, "seed", 0));
  options.threads = threads_of(line);
  refuse_flags(line, "--synthesise");
  if (line.is_set("in") || line.is_set("encoded"))
    throw ConfigError("--in and --encoded do not go with --synthesise");
  const auto& out = required(line, "out");
  auto sets = nlohmann::json::array();
  for (const auto& spec : comma_separated(required(line, "synthesise"))) {
    const auto start = Clock::now();
    auto last = start;
    const auto made = synthesise(spec, out, options, [&](uint64_t images) {
      const auto now = Clock::now();
      if (now - last < std::chrono::seconds(5)) return;
      last = now;
      std::fprintf(stderr, "%s: %llu images\n", spec.c_str(),
                   static_cast<unsigned long long>(images));
    });
    const double seconds =
        std::chrono::duration<double>(Clock::now() - start).count();
    if (!line.json)
      std::printf("%s: %llu classes, %llu images, %llu bytes, %.0f images/s\n",
                  made.name.c_str(),
                  static_cast<unsigned long long>(made.classes),
                  static_cast<unsigned long long>(made.images),
                  static_cast<unsigned long long>(made.bytes),
                  static_cast<double>(made.images) / std::max(seconds, 1e-9));
    sets.push_back({{"name", made.name},
                    {"classes", made.classes},
                    {"images", made.images},
                    {"bytes", made.bytes}});
  }
  if (line.json)
    std::printf("%s\n", nlohmann::json{{"sets", sets}}.dump().c_str());
  return kExitDone;
}

int pack_records_command(const CommandLine& line) {
  RecordPackOptions options;
  options.encoded = line.is_set("encoded");
  options.side = static_cast<uint32_t>(whole_number_or(line, "side", 84));
  options.threads = threads_of(line);
  refuse_flags(line, "a pack of records");
  const std::filesystem::path in = line.flags.at("in");
  uint64_t images = 0;
  for (uint32_t n : read_dataset_spec(in / "dataset_spec.json").images)
    images += n;
  Meter meter(in.filename().string(), images);
  const auto& out = required(line, "out");
  const auto done = pack_records(in, out, options, std::ref(meter));
  const auto pack = RecordPack::open(out, 0);
  auto json = describe(*pack);
  json["bytes"] = done.bytes;
  json["resumed"] = done.resumed;
  json["content_sha256"] = pack->content_sha256();
  if (line.json) {
    std::printf("%s\n", json.dump().c_str());
    return kExitDone;
  }
  print(json);
  std::printf("  %llu bytes; %llu images were packed before\n",
              static_cast<unsigned long long>(done.bytes),
              static_cast<unsigned long long>(done.resumed));
  return kExitDone;
}

int inspect_records(const CommandLine& line) {
  const std::string& path = line.positional.front();
  std::vector<nlohmann::json> sets;
  std::vector<std::string> damage;
  for (const auto& data : open_spec_datasets(path, "", 0)) {
    sets.push_back(describe(*data));
    if (!line.json) print(sets.back());
    if (!line.is_set("verify")) continue;
    Meter meter(data->spec().name, images_of(sets.back()));
    for (auto& text : verify(*data, threads_of(line), std::ref(meter)))
      damage.push_back(std::move(text));
  }
  if (line.json) {
    auto json = summary(sets);
    if (line.is_set("verify")) {
      json["verified"] = damage.empty();
      json["damage"] = damage;
    }
    std::printf("%s\n", json.dump().c_str());
  }
  for (const auto& text : damage) std::fprintf(stderr, "%s\n", text.c_str());
  if (!damage.empty()) throw DataError(path + ": damaged, as listed above");
  return kExitDone;
}

}  // namespace protean
