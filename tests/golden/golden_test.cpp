// Meta-gradients against torch.func, see make_golden.py.
#include <cmath>
#include <fstream>

#include <nlohmann/json.hpp>

#include "protean/learners/make_learner.h"

#include "support/catch.h"
#include "support/toy_tasks.h"

using namespace protean;

namespace {

// sin(rate * (i + 1) + offset)
at::Tensor wave(at::IntArrayRef shape, double rate, double offset) {
  auto t = at::empty(shape, at::kDouble);
  for (int64_t i = 0; i < t.numel(); ++i)
    t.data_ptr<double>()[i] =
        std::sin(rate * static_cast<double>(i + 1) + offset);
  return t;
}

TaskBatch conv_batch() {
  auto batch = image_tasks(2, 3, 1, 2, 16, 0);
  batch.support.x = wave(batch.support.x.sizes(), 0.7310, 0.1);
  batch.query.x = wave(batch.query.x.sizes(), 0.5170, 0.2);
  return batch;
}

TaskBatch mlp_batch() {
  auto batch = value_tasks(3, 6, 5, 0);
  batch.support.x = wave({3, 6, 1}, 0.731, 0.1);
  batch.support.y = wave({3, 6, 1}, 0.417, 0.4);
  batch.query.x = wave({3, 5, 1}, 0.517, 0.2);
  batch.query.y = wave({3, 5, 1}, 0.613, 0.5);
  return batch;
}

}  // namespace

TEST_CASE("meta-gradients equal those of torch.func", "[golden]") {
  std::ifstream in(PROTEAN_GOLDEN_DIR "/meta_gradients.json");
  REQUIRE(in);
  const auto golden = nlohmann::json::parse(in);
  int checked = 0;
  for (const auto& c : golden.at("cases")) {
    const std::string name = c.at("name");
    INFO(name << ", steps " << c.at("steps") << ", first order "
              << c.at("first_order"));
    ModelOptions model;
    const bool mlp = name == "mlp";
    if (mlp) {
      model.name = "mlp";
      model.hidden = "12,9";
    } else {
      model.filters = 4;
      model.pool = name.substr(name.find('-') + 1);
    }
    LearnerOptions o;
    o.inner_steps = c.at("steps");
    o.inner_lr = c.at("lr");
    o.second_order = !c.at("first_order").get<bool>();
    const auto batch = mlp ? mlp_batch() : conv_batch();
    const auto learner = make_learner(o, model, batch.shape);
    const auto want = c.at("gradient").get<std::vector<double>>();
    REQUIRE(learner->spaces().theta.size() ==
            static_cast<int64_t>(want.size()));
    const MetaView meta{
        0.5 * wave({static_cast<int64_t>(want.size())}, 1.9170, 0.3),
        at::zeros({0}, at::kDouble)};
    const auto got = run_gradient(*learner, batch, meta);
    const auto losses = c.at("losses").get<std::vector<double>>();
    for (size_t t = 0; t < losses.size(); ++t)
      CHECK(got.losses.loss[static_cast<int64_t>(t)].item<double>() ==
            Approx(losses[t]).epsilon(1e-10));
    const double norm = c.at("gradient_norm");
    const auto difference =
        (got.sums.theta - at::tensor(want, at::kDouble)).norm();
    CHECK(difference.item<double>() < 1e-9 * norm);
    ++checked;
  }
  CHECK(checked == 11);
}
