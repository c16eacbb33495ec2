#include "protean/experiment/initial_values.h"

#include <ATen/ATen.h>

#include "protean/core/error.h"
#include "protean/models/make_network.h"

#include "support/catch.h"
#include "support/temp_dir.h"

using namespace protean;

namespace {

const std::vector<int64_t> kImage{1, 12, 12};

ModelOptions options(const TempDir& run, const std::string& part) {
  ModelOptions o;
  o.name = "encoder";
  o.filters = 2;
  o.width = 5;
  o.init_from = run.path().string();
  o.init_part = part;
  return o;
}

// A run whose checkpoint has both parts, of values that count up.
CheckpointState generative_state() {
  CheckpointState s;
  s.step = 3;
  for (const char* part : {"encoder.", "discriminator."}) {
    s.theta_space.add(std::string(part) + "conv1.weight", {2, 1, 3, 3});
    s.theta_space.add(std::string(part) + "conv1.bias", {2});
  }
  s.theta_space.add("encoder.conv2.weight", {9, 2, 3, 3});  // of another size
  s.theta.resize(static_cast<size_t>(s.theta_space.size()));
  for (size_t i = 0; i < s.theta.size(); ++i) s.theta[i] = 1 + float(i);
  return s;
}

}  // namespace

TEST_CASE("a learner starts from the part of a run that fits", "[experiment]") {
  TempDir run;
  save_checkpoint(generative_state(), run.path() / "checkpoints");
  auto o = options(run, "encoder");
  const auto net = make_network(o, kImage, 4);
  const auto& space = net->params();
  auto theta = at::full({space.size()}, -1.0f);
  CHECK(copy_initial_values(o, space, theta) == 2);
  CHECK(at::equal(theta.narrow(0, 0, 20), at::arange(1, 21).to(at::kFloat)));
  CHECK((theta.narrow(0, 20, theta.size(0) - 20) == -1).all().item<bool>());

  // A judge's weights have spectral norm one, its biases are as they are.
  o.init_part = "discriminator";
  CHECK(copy_initial_values(o, space, theta) == 2);
  const auto w = theta.narrow(0, 0, 18).view({2, 9}).to(at::kDouble);
  const auto raw = at::arange(21, 39).to(at::kDouble).view({2, 9});
  const double norm =
      std::get<1>(at::linalg_svd(raw, /*full_matrices=*/false))[0]
          .item<double>();
  CHECK(at::allclose(w, raw / norm, 1e-4));
  CHECK(theta[18].item<float>() == 39);

  // Of a judge without spectral norm they are too.
  auto bare = generative_state();
  bare.extra["identity"]["keys"]["generator.spectral_norm"] = "false";
  save_checkpoint(bare, run.path() / "checkpoints");
  copy_initial_values(o, space, theta);
  CHECK(at::equal(theta.narrow(0, 0, 19), at::arange(21, 40).to(at::kFloat)));
}

TEST_CASE("what a learner cannot start from is refused", "[experiment]") {
  TempDir run;
  auto o = options(run, "encoder");
  const auto net = make_network(o, kImage, 4);
  auto theta = at::zeros({net->params().size()});
  const auto copy = [&] { copy_initial_values(o, net->params(), theta); };
  CHECK_THROWS_WITH(copy(), contains("no checkpoint there"));
  save_checkpoint(generative_state(), run.path() / "checkpoints");
  o.init_part = "decoder";
  CHECK_THROWS_WITH(copy(), contains("model.init_part = \"decoder\"; expected "
                                     "one of: encoder, discriminator"));
  o.init_part = "";
  CHECK_THROWS_WITH(copy(),
                    contains("no parameter fits; it has encoder.conv1.weight "
                             "2x1x3x3, discriminator.conv1.weight"));
  CHECK((theta == 0).all().item<bool>());
}
