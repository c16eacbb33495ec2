#include "protean/tools/export.h"

#include <fstream>

#include <nlohmann/json.hpp>

#include "protean/core/atomic_file.h"
#include "protean/core/error.h"
#include "protean/run/checkpoint.h"

#include "support/catch.h"
#include "support/temp_dir.h"

using namespace protean;
namespace fs = std::filesystem;

namespace {

// A run of one parameter, stored after step 7.
ExportOptions make_run(const fs::path& folder) {
  CheckpointState state;
  state.step = 7;
  state.theta_space.add("head.weight", {2, 3});
  state.theta = {1, 2, 3, 4, 5, 6};
  ExportOptions options;
  options.run = folder / "run";
  options.out = folder / "out";
  options.checkpoint = save_checkpoint(state, options.run / "checkpoints");
  write_file_atomically(options.run / "config.ini",
                        "[run]\ndir = /home/me/run\n[data]\nsource = folder\n"
                        "path = /home/me/photos\n[task]\nways = 5\nshots = 1\n"
                        "[learner]\nname = protonet\n[model]\nname = conv4\n");
  write_file_atomically(
      options.run / "summary.json",
      "{\"steps\":7,\"validation\":{\"accuracy\":0.9172,\"ci95\":0.0034,"
      "\"tasks\":2000,\"ways\":5,\"shots\":1,\"queries\":11,"
      "\"mode\":\"inductive\"}}");
  return options;
}

bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("an export holds the weights, the settings and a card", "[tools]") {
  TempDir dir;
  auto options = make_run(dir.path());
  options.license = "cc-by-4.0";
  export_run(options);
  CHECK(read_file(options.out / "model.safetensors") ==
        read_file(options.checkpoint / "model.safetensors"));
  const auto config =
      nlohmann::json::parse(read_file(options.out / "config.json"));
  CHECK(config.at("learner") == "protonet");
  CHECK(config.at("architectures") == nlohmann::json{"conv4"});
  CHECK(config.at("step") == 7);
  CHECK(config.at("settings").at("task.ways") == "5");
  const std::vector<float> theta{1, 2, 3, 4, 5, 6};
  CHECK(config.at("theta_sha256") == theta_sha256(theta));
  const auto card = read_file(options.out / "README.md");
  CHECK(holds(card,
              "91.72 % +- 0.34 % (5-way 1-shot, 11 queries per class, "
              "2000 tasks, inductive)"));
  CHECK(holds(card, "license: cc-by-4.0\n"));
  CHECK(holds(card, theta_sha256(theta)));
  // Nothing of the machine that it was trained on.
  for (const char* name : {"config.json", "README.md"})
    CHECK_FALSE(holds(read_file(options.out / name), "/home/me"));
}

TEST_CASE("a card tells no figure of another step", "[tools]") {
  TempDir dir;
  const auto options = make_run(dir.path());
  write_file_atomically(options.run / "summary.json",
                        "{\"steps\":9,\"validation\":{\"accuracy\":0.9}}");
  export_run(options);
  CHECK_FALSE(holds(read_file(options.out / "README.md"), "90.00"));
}

TEST_CASE(
    "a damaged checkpoint, no run or a folder that is there: nothing is "
    "written",
    "[tools]") {
  TempDir dir;
  auto options = make_run(dir.path());
  const auto model = options.checkpoint / "model.safetensors";
  auto bytes = read_file(model);
  bytes.back() ^= 1;
  write_file_atomically(model, bytes);
  CHECK_THROWS_AS(export_run(options), DataError);
  CHECK_FALSE(fs::exists(options.out));
  bytes.back() ^= 1;
  write_file_atomically(model, bytes);
  fs::create_directory(options.out);
  CHECK_THROWS_AS(export_run(options), ConfigError);
  fs::remove(options.out);
  fs::remove(options.run / "config.ini");
  CHECK_THROWS_AS(export_run(options), ConfigError);
  CHECK_FALSE(fs::exists(options.out));
}
