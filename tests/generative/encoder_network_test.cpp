#include "protean/models/make_network.h"
#include "protean/models/params.h"

#include "generative/image_encoder.h"
#include "generative/image_sets.h"
#include "support/catch.h"

using namespace protean;

TEST_CASE("a learner's encoder computes what a generative model's does",
          "[generative]") {
  GeneratorOptions generator;
  generator.filters = 3;
  generator.features = 7;
  LayerSpace space;
  const std::vector<int64_t> image{1, 10, 9};
  const ImageEncoder encoder(space, "encoder", image, generator);
  ModelOptions o;
  o.name = "encoder";
  o.filters = 3;
  o.width = 7;
  const auto net = make_network(o, image, 4);
  const auto& mine = net->params().parameters();
  REQUIRE(mine.size() == space.space().count() + 2);
  for (size_t i = 0; i + 2 < mine.size(); ++i) {
    CHECK("encoder." + mine[i].name == space.space().parameters()[i].name);
    CHECK(mine[i].shape == space.space().parameters()[i].shape);
  }
  const auto values = 0.3 * noise({space.space().size()}, 1);
  const auto x = noise({2, 3, 1, 10, 9}, 2);
  const auto theirs = encoder(shared_params(space.space(), values), x);
  auto own = at::zeros({net->params().size()}, at::kDouble);
  own.narrow(0, 0, values.size(0)).copy_(values);
  Norm norm;
  const auto p = shared_params(net->params(), own);
  CHECK(at::allclose(net->body(p, {x, {}, {}}, norm), theirs));
  CHECK(net->forward(p, {x, {}, {}}, norm).sizes() ==
        at::IntArrayRef({2, 3, 4}));
  // A slope below 0 lets through what ReLU does not.
  o.leak = 0.1;
  CHECK((make_network(o, image, 4)->body(p, {x, {}, {}}, norm) < 0)
            .any()
            .item<bool>());
}
