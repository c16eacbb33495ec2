// Times hand-rolled meta-steps on the ops, on noise, for one stack of tasks:
//   ops_bench WORKLOAD [threads [seconds [tasks]]]
// WORKLOAD: maml, strided, fomaml, anil, proto60, proto20, mini, sine, sine5,
// sine-f, sine5-f (inner steps as one op) or all. Prints tasks (proto:
// episodes) per second, from the median step.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>

#include <ATen/ATen.h>
#include <torch/csrc/autograd/autograd.h>

#include "protean/models/ops/allocation.h"
#include "protean/models/ops/ops.h"
#include "protean/models/threads.h"

namespace {

using at::Tensor;
using Tensors = std::vector<Tensor>;
namespace ops = protean::ops;

struct Workload {
  std::string name;
  int64_t tasks = 4, ways = 5, support = 5, query = 75, steps = 5;
  double lr = 0.4;
  bool second_order = true, pool = true, adapt_body = true;
  bool fused_steps = false;
  int64_t channels = 1, side = 28, hidden = 64;
};

double now() {
  return std::chrono::duration<double>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

// Of all threads; tells more than the clock on a busy machine.
double cpu_seconds() {
  return static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
}

class Conv4 {
 public:
  explicit Conv4(const Workload& w) : w_(w) {}

  Tensors initial() const {
    Tensors p;
    int64_t in = w_.channels, side = w_.side;
    for (int k = 0; k < 4; ++k) {
      p.push_back(at::randn({1, w_.hidden, in, 3, 3}) *
                  std::sqrt(2.0 / (9 * (in + w_.hidden))));
      p.push_back(at::ones({1, w_.hidden}));
      p.push_back(at::zeros({1, w_.hidden}));
      in = w_.hidden;
      side = w_.pool ? side / 2 : (side + 1) / 2;
    }
    const int64_t features = w_.pool ? w_.hidden * side * side : w_.hidden;
    p.push_back(at::randn({1, w_.ways, features}) * 0.05);
    p.push_back(at::zeros({1, w_.ways}));
    return p;
  }

  Tensor features(const Tensors& p, const Tensor& x) const {
    auto h = ops::to_stack(x);
    for (int k = 0; k < 4; ++k) {
      h = ops::conv(h, p[3 * k], w_.pool ? 1 : 2);
      h = ops::norm_relu_pool(h, p[3 * k + 1], p[3 * k + 2], 1e-5,
                              w_.pool ? ops::Pool::max2 : ops::Pool::none)
              .y;
    }
    return w_.pool ? ops::from_stack(h) : h.mean({3, 4}).transpose(0, 1);
  }

  Tensor head(const Tensors& p, const Tensor& features) const {
    return ops::linear(features, p[12], p[13]);
  }

 private:
  const Workload& w_;
};

Tensors grad(const Tensor& loss, const Tensors& inputs, bool create_graph) {
  return torch::autograd::grad({loss}, inputs, {}, create_graph, create_graph);
}

// phi of T tasks from theta, without copying it.
Tensors for_tasks(const Tensors& theta, int64_t tasks) {
  Tensors phi;
  for (const auto& p : theta) {
    auto shape = p.sizes().vec();
    shape[0] = tasks;
    phi.push_back(p.expand(shape));
  }
  return phi;
}

template <typename Loss>
Tensors maml_gradient(const Workload& w, const Tensors& theta,
                      const Loss& support_loss, const Loss& query_loss) {
  auto phi = for_tasks(theta, w.tasks);
  for (int64_t step = 0; step < w.steps; ++step) {
    auto g = grad(support_loss(phi).sum(), phi, w.second_order);
    for (size_t i = 0; i < phi.size(); ++i) phi[i] = phi[i].sub(g[i], w.lr);
  }
  return grad(query_loss(phi).sum(), theta, false);
}

using Step = std::function<Tensors()>;

Step conv_step(const Workload& w) {
  auto net = std::make_shared<Conv4>(w);
  auto theta = net->initial();
  for (auto& p : theta) p.requires_grad_();
  auto images = [&](int64_t n) {
    return at::rand({w.tasks, n, w.channels, w.side, w.side});
  };
  auto labels = [&](int64_t n) {
    return at::arange(n).remainder(w.ways).expand({w.tasks, n}).contiguous();
  };
  auto xs = images(w.support), ys = labels(w.support);
  auto xq = images(w.query), yq = labels(w.query);
  using Loss = std::function<Tensor(const Tensors&)>;
  Loss support = [=](const Tensors& p) {
    return ops::cross_entropy(net->head(p, net->features(p, xs)), ys, {});
  };
  Loss query = [=](const Tensors& p) {
    return ops::cross_entropy(net->head(p, net->features(p, xq)), yq, {});
  };
  if (w.adapt_body)
    return [=, &w] { return maml_gradient(w, theta, support, query); };
  return [=, &w] {  // ANIL: the body is shared, only the head adapts
    auto body = Tensors(theta.begin(), theta.end() - 2);
    auto fs = net->features(theta, xs), fq = net->features(theta, xq);
    auto phi = for_tasks({theta[12], theta[13]}, w.tasks);
    auto loss = [&](const Tensor& f, const Tensor& y) {
      return ops::cross_entropy(ops::linear(f, phi[0], phi[1]), y, {}).sum();
    };
    for (int64_t step = 0; step < w.steps; ++step) {
      auto g = grad(loss(fs, ys), phi, w.second_order);
      for (size_t i = 0; i < 2; ++i) phi[i] = phi[i].sub(g[i], w.lr);
    }
    return grad(loss(fq, yq), theta, false);
  };
}

Step proto_step(const Workload& w) {
  auto net = std::make_shared<Conv4>(w);
  auto theta = net->initial();
  theta.resize(12);
  for (auto& p : theta) p.requires_grad_();
  auto x = at::rand({1, w.support + w.query, 1, w.side, w.side});
  auto y = at::arange(w.query).remainder(w.ways).unsqueeze(0).to(at::kLong);
  return [=, &w] {
    auto z = net->features(theta, x);
    auto zs = z.narrow(1, 0, w.support), zq = z.narrow(1, w.support, w.query);
    auto distance = zq.square().sum(2, true) -
                    2 * at::matmul(zq, zs.transpose(1, 2)) +
                    zs.square().sum(2).unsqueeze(1);
    return grad(ops::cross_entropy(-distance, y, {}).sum(), theta, false);
  };
}

Step sine_step(const Workload& w) {
  Tensors theta;
  int64_t in = 1;
  for (int64_t out : {40, 40, 1}) {
    theta.push_back(at::randn({1, out, in}) * 0.2);
    theta.push_back(at::zeros({1, out}));
    in = out;
  }
  for (auto& p : theta) p.requires_grad_();
  auto data = [&] { return at::rand({w.tasks, 10, 1}); };
  auto loss = [](const Tensor& x, const Tensor& y) {
    return [=](const Tensors& p) {
      return ops::mean_squared_error(
          ops::relu_mlp(x, {p[0], p[2], p[4]}, {p[1], p[3], p[5]}), y, {});
    };
  };
  auto xs = data(), ys = data();
  using Loss = std::function<Tensor(const Tensors&)>;
  Loss support = loss(xs, ys), query = loss(data(), data());
  if (w.fused_steps)
    return [=, &w] {
      Tensors weights{theta[0], theta[2], theta[4]};
      Tensors biases{theta[1], theta[3], theta[5]};
      for (int64_t step = 0; step < w.steps; ++step) {
        auto p = ops::relu_mlp_descent(xs, ys, {}, weights, biases, w.lr);
        weights.assign(p.begin(), p.begin() + 3);
        biases.assign(p.begin() + 3, p.end());
      }
      auto loss = query({weights[0], biases[0], weights[1], biases[1],
                         weights[2], biases[2]});
      return grad(loss.sum(), theta, false);
    };
  return [=, &w] { return maml_gradient(w, theta, support, query); };
}

void time_steps(const Workload& w, double seconds) {
  const Step step = w.name.starts_with("sine")    ? sine_step(w)
                    : w.name.starts_with("proto") ? proto_step(w)
                                                  : conv_step(w);
  for (int i = 0; i < 3; ++i) step();
  std::vector<double> times;
  const double begin = now(), cpu_begin = cpu_seconds();
  while (times.size() < 3 || now() - begin < seconds) {
    const double t = now();
    step();
    times.push_back(now() - t);
  }
  const double cpu = (cpu_seconds() - cpu_begin) / times.size();
  std::sort(times.begin(), times.end());
  const double median = times[times.size() / 2];
  std::printf(
      "%-8s %10.2f tasks/s  step %9.3f ms  fastest %9.3f ms  cpu %9.3f ms  "
      "(%zu)\n",
      w.name.c_str(), w.tasks / median, median * 1e3, times[0] * 1e3, cpu * 1e3,
      times.size());
  std::fflush(stdout);
}

std::vector<Workload> workloads() {
  std::vector<Workload> all;
  auto add = [&](const char* name, auto change) {
    Workload w;
    w.name = name;
    change(w);
    all.push_back(w);
  };
  add("maml", [](Workload&) {});
  add("strided", [](Workload& w) { w.pool = false; });
  add("fomaml", [](Workload& w) { w.second_order = false; });
  add("anil", [](Workload& w) { w.adapt_body = false; });
  auto proto = [](int64_t ways) {
    return [=](Workload& w) {
      w.tasks = 1, w.ways = ways, w.support = ways, w.query = 5 * ways;
    };
  };
  add("proto60", proto(60));
  add("proto20", proto(20));
  add("mini", [](Workload& w) {
    w.tasks = 1, w.channels = 3, w.side = 84, w.hidden = 32, w.lr = 0.01;
  });
  auto sine = [](int64_t steps, bool fused) {
    return [=](Workload& w) {
      w.tasks = 25, w.steps = steps, w.lr = 0.01, w.fused_steps = fused;
    };
  };
  add("sine", sine(1, false));
  add("sine5", sine(5, false));
  add("sine-f", sine(1, true));
  add("sine5-f", sine(5, true));
  return all;
}

}  // namespace

int main(int argc, char** argv) {
  protean::ops::keep_freed_memory();
  const std::string name = argc > 1 ? argv[1] : "all";
  protean::set_threads(argc > 2 ? std::atoi(argv[2]) : 1);
  at::manual_seed(1);
  for (auto w : workloads()) {
    if (name != "all" && name != w.name) continue;
    if (argc > 4) w.tasks = std::atoi(argv[4]);
    time_steps(w, argc > 3 ? std::atof(argv[3]) : 3);
  }
}
