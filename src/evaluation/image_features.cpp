#include "protean/evaluation/image_features.h"

#include <memory>

#include <ATen/ATen.h>
#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/serialization/import.h>

#include "protean/core/atomic_file.h"
#include "protean/core/error.h"
#include "protean/core/hash.h"

namespace protean {
namespace {

// Of a learner as it is before any task: adapted to an empty image.
class WithoutTask {
 public:
  WithoutTask(const StoredRun& run, const std::vector<int64_t>& image)
      : learner_(run.experiment.learner) {
    TaskBatch any;
    any.shape.ways = 1;
    any.ids = {TaskId{}};
    std::vector<int64_t> shape{1, 2};
    shape.insert(shape.end(), image.begin(), image.end());
    any.support.x = at::zeros(shape, at::kFloat);
    any.support.y = at::zeros({1, 2}, at::kLong);
    const at::AutoGradMode inner_steps(true);
    learner_->adapt(any, run.meta, [&](int, const Phi& phi) { phi_ = phi; });
  }
  at::Tensor operator()(const at::Tensor& x) const {
    return learner_->features(phi_, {x.unsqueeze(0), {}, {}})[0];
  }

 private:
  std::shared_ptr<const Learner> learner_;
  Phi phi_;
};

// Its first line: the rest is where in libraries it happened.
std::string first_line(const char* what) {
  const std::string all = what;
  return all.substr(0, all.find('\n'));
}

}  // namespace

ImageFeatures features_of(const StoredRun& run,
                          const std::vector<int64_t>& image) {
  const auto& examples = run.experiment.tasks.examples;
  if (examples == nullptr || examples->shape() != image)
    throw ConfigError("eval.features = " + run.dir +
                      ": its network takes other images than this run makes");
  const auto& config = run.experiment.config;
  if (config.learner.query_norm == "support" &&
      (config.model.norm == "batch" || config.model.norm == "task"))
    throw ConfigError(
        concat("eval.features = ", run.dir,
               ": its network normalises by a task's support images "
               "(learner.query_norm = support), and images alone are no task; "
               "expected a run with learner.query_norm = batch"));
  const auto theta = run.meta.theta.contiguous();
  ImageFeatures features{
      run.dir,
      sha256_hex(theta.data_ptr(), static_cast<size_t>(theta.nbytes())),
      WithoutTask(run, image)};
  std::vector<int64_t> shape{2};
  shape.insert(shape.end(), image.begin(), image.end());
  try {
    at::NoGradGuard no_grad;
    features.of(at::zeros(shape, at::kFloat));
  } catch (const Error& e) {
    throw ConfigError(concat("eval.features = ", run.dir, ": ", e.what(),
                             "; expected a run of another learner"));
  }
  return features;
}

ImageFeatures features_of_script(const std::string& file,
                                 const std::vector<int64_t>& image) {
  const auto fail = [&](const std::string& why) {
    return ConfigError(concat("eval.features = ", file, ": ", why));
  };
  std::string bytes;
  try {
    bytes = read_file(file);
  } catch (const Error& e) {
    throw fail(concat("cannot be read: ", e.what()));
  }
  auto module = std::make_shared<torch::jit::Module>();
  try {
    *module = torch::jit::load(file, at::kCPU);
    module->eval();
  } catch (const std::exception& e) {
    throw fail(concat("no TorchScript network: ", first_line(e.what())));
  }
  ImageFeatures features{
      file, sha256_hex(bytes.data(), bytes.size()),
      [module](const at::Tensor& x) {
        return module->forward({x}).toTensor().to(at::kFloat);
      }};
  std::vector<int64_t> shape{2};
  shape.insert(shape.end(), image.begin(), image.end());
  at::Tensor tried;
  try {
    at::NoGradGuard no_grad;
    tried = features.of(at::zeros(shape, at::kFloat));
  } catch (const std::exception& e) {
    throw fail(concat("fails on two images of ", at::IntArrayRef(image), ": ",
                      first_line(e.what())));
  }
  if (tried.dim() != 2 || tried.size(0) != 2)
    throw fail(concat("makes values of shape ", tried.sizes(),
                      " from two images; expected (2, features)"));
  return features;
}

}  // namespace protean
