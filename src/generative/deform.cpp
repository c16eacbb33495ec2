#include "generative/deform.h"

#include <algorithm>

#include <ATen/ATen.h>

#include "protean/core/error.h"
#include "protean/models/ops/ops.h"
#include "protean/models/params.h"
#include "protean/tasks/noise.h"

#include "generative/pixels.h"

namespace protean {
namespace {

constexpr int64_t kCell = 4;    // pixels between places of the grid
constexpr int64_t kLevels = 4;  // the image itself and blurs of it
constexpr double kReach = 1.5;  // longest displacement, in cells
// Nats per squared pixel by which neighbouring displacements differ.
constexpr double kStiffness = 0.1;
// Logit of a pixel without ink near it at the start, and what multiplies the
// parameters of the logits: they have further to go than others.
constexpr double kPaper = -3, kScale = 4;
// Slots of Purpose::noise, within those of one loss and after them.
constexpr int64_t kExemplar = 0, kLatent = 1;
constexpr int64_t kMadeExemplar = ConditionalGenerator::kLossSlots;

std::vector<int64_t> pair_shape(std::vector<int64_t> shape) {
  shape[0] *= 2;
  return shape;
}

int64_t cells(int64_t side) { return (side + kCell - 1) / kCell; }

// One of so many for each standard normal number.
at::Tensor one_of(int64_t count, const at::Tensor& normal) {
  return (share_below(normal) * static_cast<double>(count))
      .to(at::kLong)
      .clamp(0, count - 1);
}

// Images (T, n, ...) of support (T, K, ...) at index (T, n).
at::Tensor picked(const at::Tensor& support, const at::Tensor& index) {
  const int64_t tasks = support.size(0), shots = support.size(1);
  const auto first =
      shots * at::arange(tasks, index.options()).unsqueeze(1).expand_as(index);
  auto shape = support.sizes().vec();
  shape[1] = index.size(1);
  return support.flatten(0, 1)
      .index_select(0, (first + index).flatten())
      .view(shape);
}

}  // namespace

Deform::Deform(const GeneratorOptions& o, const LearnerOptions& learner,
               const TaskShape& train, const TaskCounts& eval)
    : ConditionalGenerator(o, learner, train, eval),
      grid_height_(cells(shape_[1])),
      grid_width_(cells(shape_[2])),
      encoder_(layers_, "encoder", shape_, o),
      pair_encoder_(layers_, "pair", pair_shape(shape_), o),
      prior_(layers_, "prior", o.features, 2 * o.latent, 0.1),
      posterior_(layers_, "posterior", o.features, 2 * o.latent),
      bend1_(layers_.as(kDecoder), "bend1", o.latent + o.features, o.hidden),
      // Starts by leaving the exemplar nearly as it is.
      bend2_(layers_, "bend2", o.hidden, 2 * grid_height_ * grid_width_, 0.1),
      ink_(layers_.as(0).weight("ink", {kLevels, 1}, 1)),
      paper_(layers_.bias("paper", 1)) {
  spaces_.theta = layers_.space();
}

at::Tensor Deform::chosen(const at::Tensor& support,
                          const at::Tensor& normal) const {
  return picked(support, one_of(support.size(1), normal));
}

at::Tensor Deform::another(const at::Tensor& support,
                           const at::Tensor& normal) const {
  const int64_t shots = support.size(1);
  const auto ahead = 1 + one_of(shots - 1, normal);
  return picked(support, (at::arange(shots, ahead.options()) + ahead) % shots);
}

Gaussian Deform::prior(const Params& p, const at::Tensor& features) const {
  return Gaussian::of(prior_(p, features));
}

Gaussian Deform::posterior(const Params& p, const at::Tensor& x,
                           const at::Tensor& exemplar) const {
  return Gaussian::of(
      posterior_(p, pair_encoder_(p, at::cat({x, exemplar}, 2))));
}

at::Tensor Deform::grid(const Params& p, const at::Tensor& features,
                        const at::Tensor& z) const {
  const auto h = at::relu(bend1_(p, at::cat({z, features}, -1)));
  const auto free =
      bend2_(p, h)
          .reshape({z.size(0), z.size(1), 2, grid_height_, grid_width_})
          .transpose(0, 1);
  return kReach * at::tanh(free / kReach);
}

at::Tensor Deform::bent(const at::Tensor& exemplar,
                        const at::Tensor& grid) const {
  const auto flow = enlarged_flow(grid, kCell)
                        .narrow(3, 0, shape_[1])
                        .narrow(4, 0, shape_[2]);
  std::vector<at::Tensor> levels{ops::to_stack(exemplar)};
  for (int64_t i = 1; i < kLevels; ++i) {
    auto blurred = levels.back().flatten(0, 1);
    for (int64_t k = 0; k < i; ++k) blurred = at::avg_pool2d(blurred, 3, 1, 1);
    levels.push_back(blurred.view(levels[0].sizes()));
  }
  return displaced(at::cat(levels, 2), flow).unflatten(2, {kLevels, shape_[0]});
}

at::Tensor Deform::logits(const Params& p, const at::Tensor& bent) const {
  // More ink in the exemplar never makes ink less likely.
  const auto weight = at::softplus(p[ink_]).view({1, -1, kLevels, 1, 1, 1});
  const auto paper = p[paper_].view({1, -1, 1, 1, 1});
  return (kPaper + kScale * ((bent * weight).sum(2) + paper)).transpose(0, 1);
}

Deform::Seen Deform::see(const Params&, const Scene& s) const {
  return {prepared(s.support), {}};
}

at::Tensor Deform::loss(const Params& p, const Seen& seen,
                        const Scene& s) const {
  const auto x = prepared(s.target);
  const auto own = [&](int64_t d, int64_t slot) {
    return noise(s.ids, x.size(1), d, Purpose::noise, s.slot + slot, x);
  };
  const auto which = own(1, kExemplar).squeeze(2);
  const auto exemplar = s.target.is_same(s.support) && seen.images.size(1) > 1
                            ? another(seen.images, which)
                            : chosen(seen.images, which);
  const auto features = encoder_(p, exemplar);
  const auto q = posterior(p, x, exemplar);
  const auto z = q.sample(own(options_.latent, kLatent));
  const auto& first = s.ids.front();
  const double weight =
      first.stream == Stream::train
          ? std::min(1.0, (first.step + 1.0) /
                              static_cast<double>(options_.warm_up + 1))
          : 1;
  const auto by = grid(p, features, z);
  const auto uneven = by.diff(1, 3).square().sum({2, 3, 4}) +
                      by.diff(1, 4).square().sum({2, 3, 4});
  const auto of_image =
      weight * divergence(q, prior(p, features)) +
      kStiffness * kCell * kCell * uneven.transpose(0, 1) -
      pixel_log_likelihood(logits(p, bent(exemplar, by)), x, options_.binary);
  return of_image.mean(1);
}

at::Tensor Deform::code_cost(const Seen& seen) const {
  return at::zeros({seen.images.size(0)}, seen.images.options());
}

Deform::Basis Deform::basis(const Params& p, const Seen& seen, const Scene& s,
                            int64_t n) const {
  const auto which =
      noise(s.ids, n, 1, Purpose::noise, s.slot + kMadeExemplar, seen.images);
  const auto exemplars = chosen(seen.images, which.squeeze(2));
  return {encoder_(p, exemplars), exemplars};
}

at::Tensor Deform::images(const Params& p, const Basis& from,
                          const at::Tensor& normal) const {
  const auto x = sample(p, from.exemplars, from.code, normal);
  return options_.binary ? x + (most_likely(x) - x).detach() : x;
}

at::Tensor Deform::sample(const Params& p, const at::Tensor& exemplar,
                          const at::Tensor& features,
                          const at::Tensor& noise) const {
  const auto z = prior(p, features).sample(noise);
  return bent(exemplar, grid(p, features, z)).select(2, 0).transpose(0, 1);
}

at::Tensor Deform::own_codes(const Params&, const at::Tensor&) const {
  throw Error("deform: an image alone has no code");
}

at::Tensor Deform::shown(const std::vector<TaskId>& ids,
                         const at::Tensor& like) const {
  return at::ones({static_cast<int64_t>(ids.size()), train_shots_},
                  like.options());
}

Phi Deform::given(const Params& p, const TaskBatch& batch) const {
  Phi phi;
  phi.params = p;
  phi.memory = {to_tensor(batch.ids), prepared(batch.support.x)};
  return phi;
}

Phi Deform::start(const MetaView& meta) const {
  Phi phi;
  phi.params = shared_params(spaces_.theta, meta.theta);
  std::vector<int64_t> page{1, 1};
  page.insert(page.end(), shape_.begin(), shape_.end());
  phi.memory = {at::empty({0, 3}, at::kLong),
                at::zeros(page, meta.theta.options())};
  return phi;
}

void Deform::adapt(const TaskBatch& batch, const MetaView& meta,
                   const Visit& visit) const {
  at::NoGradGuard no_grad;
  Phi phi = start(meta);
  phi.memory[0] = to_tensor(batch.ids);
  std::vector<int64_t> all(5, -1);
  all[0] = batch.tasks();
  phi.memory[1] = phi.memory[1].expand(all);
  visit(0, phi);
  const auto support = prepared(batch.support.x);
  for (int64_t k = 1; k <= support.size(1); ++k) {
    phi.memory[1] = support.narrow(1, 0, k);
    visit(static_cast<int>(k), phi);
  }
}

at::Tensor Deform::code(const Phi&, const at::Tensor& noise) const {
  return noise;
}

at::Tensor Deform::decode(const Phi& phi, const at::Tensor& code,
                          const at::Tensor& noise) const {
  at::NoGradGuard no_grad;
  const auto exemplar = chosen(phi.memory.at(1), code.squeeze(2));
  const auto x =
      sample(phi.params, exemplar, encoder_(phi.params, exemplar), noise);
  return options_.binary ? most_likely(x) : x;
}

at::Tensor Deform::embed(const Phi& phi, const at::Tensor& x) const {
  return own_codes(phi.params, x);
}

at::Tensor Deform::predict(const Phi& phi, const Part& part) const {
  at::NoGradGuard no_grad;
  const auto ids = to_ids(phi.memory.at(0));
  const auto& p = phi.params;
  const auto x = prepared(part.x);
  std::vector<at::Tensor> log_weights;
  for (int64_t s = 0; s < options_.bound_samples; ++s) {
    const auto own = [&](int64_t d, int64_t slot) {
      return noise(ids, x.size(1), d, Purpose::latent, 2 * s + slot, x);
    };
    const auto exemplar =
        chosen(phi.memory.at(1), own(1, kExemplar).squeeze(2));
    const auto features = encoder_(p, exemplar);
    const auto q = posterior(p, x, exemplar);
    const auto z = q.sample(own(options_.latent, kLatent));
    log_weights.push_back(
        pixel_log_likelihood(logits(p, bent(exemplar, grid(p, features, z))), x,
                             options_.binary) +
        prior(p, features).log_density(z) - q.log_density(z));
  }
  return weighted_bound(log_weights);
}

}  // namespace protean
