// A learner of one's own, in one file: class means as in prototypical networks,
// but compared by cosines of a learnt sharpness (Gidaris and Komodakis 2018,
// arXiv:1804.09458). Built against an installed Protean it is a program with
// every command of `protean`, where learner.name = cosine trains like any
// other: on any number of ranks, through kills, with evaluation and adaptation.
#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/autograd.h>

#include "protean/cli/program.h"
#include "protean/experiment/catalogue.h"
#include "protean/learners/task_loss.h"
#include "protean/models/initialise.h"
#include "protean/models/make_network.h"
#include "protean/models/params.h"

namespace {

using namespace protean;

at::Tensor unit(const at::Tensor& x) {
  return x * (x.square().sum(-1, true) + 1e-12).rsqrt();
}

class CosineLearner : public Learner {
 public:
  explicit CosineLearner(NetworkPtr net) : net_(std::move(net)) {
    const auto& all = net_->params().parameters();
    for (size_t i = 0; i < net_->head_begin(); ++i) spaces_.theta.add(all[i]);
    sharpness_ = spaces_.theta.add("sharpness", {1});
  }
  std::string name() const override { return "cosine"; }
  const MetaSpaces& spaces() const override { return spaces_; }
  bool transductive() const override { return false; }

  void initialise(const MetaView& meta, uint64_t seed) const override {
    fill_initial(spaces_.theta, meta.theta.data_ptr<float>(), seed);
    shared_params(spaces_.theta, meta.theta)[sharpness_].fill_(10);
  }

  TaskLosses gradient(const TaskBatch& batch, const MetaView& meta,
                      const MetaView& sums) const override {
    auto theta = shared_params(spaces_.theta, meta.theta);
    for (auto& p : theta) p = p.detach().requires_grad_();
    const auto scores = predict(remember(theta, batch), batch.query);
    const auto loss = task_loss(scores, batch.query, TargetKind::classes);
    add_to_flat(spaces_.theta, torch::autograd::grad({loss.sum()}, theta),
                sums.theta);
    return {loss.detach(),
            task_accuracy(scores.detach(), batch.query, TargetKind::classes)};
  }

  void adapt(const TaskBatch& batch, const MetaView& meta,
             const Visit& visit) const override {
    at::NoGradGuard none;
    visit(0, remember(shared_params(spaces_.theta, meta.theta), batch));
  }

  // Query images are normalised by the moments of the support set.
  at::Tensor predict(const Phi& phi, const Part& part) const override {
    Norm norm = phi.norm;
    const auto f = net_->body(phi.params, {part.x, part.weight, {}}, norm);
    const auto cosines = at::bmm(unit(f), phi.memory[0].transpose(1, 2));
    return of_present(cosines * phi.params[sharpness_].unsqueeze(-1), part);
  }

 private:
  // The means of the classes, of length 1, (T, N, f).
  Phi remember(const Params& theta, const TaskBatch& batch) const {
    const auto& s = batch.support;
    Phi phi;
    phi.params = theta;
    phi.norm.record = true;
    const auto f = net_->body(theta, {s.x, s.weight, {}}, phi.norm);
    phi.norm.mode = Norm::Mode::given;
    auto member = at::one_hot(s.y, batch.shape.ways).to(f.scalar_type());
    if (s.weight.defined()) member = member * s.weight.unsqueeze(-1);
    phi.memory = {unit(at::bmm(member.transpose(1, 2), f))};
    return phi;
  }

  NetworkPtr net_;
  MetaSpaces spaces_;
  size_t sharpness_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  add_learner({{"cosine",
                "class means, compared by cosines of a learnt sharpness",
                "Gidaris and Komodakis 2018, arXiv:1804.09458",
                "classes of images",
                {"model.name"}},
               [](const Config& c, const TaskSources& tasks) -> LearnerPtr {
                 return std::make_shared<CosineLearner>(
                     make_network(c.model, tasks.train_shape.input, 1));
               }});
  return program(argc, argv);
}
