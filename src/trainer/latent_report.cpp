#include "protean/trainer/latent_report.h"

#include <ATen/ATen.h>

#include "protean/core/error.h"
#include "protean/core/new_folder.h"
#include "protean/core/philox.h"
#include "protean/data/image_sheet.h"
#include "protean/generative/clustering.h"
#include "protean/generative/scatter.h"
#include "protean/tasks/noise.h"

namespace protean {
namespace {

constexpr int64_t kSupport = 5, kSamples = 8, kSteps = 5;
// Empty columns part the three kinds.
constexpr int64_t kColumns = kSupport + 1 + kSamples + 1 + kSteps;

// All images of a class, (1, n, C, H, W).
at::Tensor read_class(const ClassDataset& data, uint32_t cls) {
  std::vector<int64_t> shape{1, data.size(cls)};
  shape.insert(shape.end(), data.shape().begin(), data.shape().end());
  auto x = at::empty(shape, at::kFloat);
  for (uint32_t i = 0; i < data.size(cls); ++i)
    data.read(cls, i, x[0][i].data_ptr<float>());
  return x;
}

struct Row {
  at::Tensor support, samples, code;  // code (1, 1, c): of the support set
  Phi phi;
};

Row row_of(const GenerativeLearner& g, const MetaView& meta,
           const at::Tensor& images, uint32_t cls, uint64_t seed) {
  Row r;
  r.support = images.narrow(1, 0, std::min(kSupport, images.size(1)));
  const std::vector<TaskId> id(1, TaskId{Stream::generator, 1, cls});
  r.phi = g.adapted(r.support, id, meta);
  const auto noise = [&](int64_t n, int64_t d, uint32_t slot) {
    return task_noise(seed, id, n, d, Purpose::latent, slot, images);
  };
  r.samples = g.decode(r.phi, g.code(r.phi, noise(kSamples, g.code_size(), 0)),
                       noise(kSamples, g.latent_size(), 1));
  r.code = g.code(r.phi, at::zeros({1, 1, g.code_size()}, images.options()));
  return r;
}

at::Tensor between(const GenerativeLearner& g, const Row& from, const Row& to) {
  const auto share = at::linspace(0, 1, kSteps).view({1, kSteps, 1});
  const auto codes = from.code + share * (to.code - from.code);
  return g.decode(from.phi, codes,
                  at::zeros({1, kSteps, g.latent_size()}, codes.options()));
}

std::string picture(const GenerativeLearner& g, const std::vector<Row>& rows,
                    const ImageFormat& format) {
  ImageSheet sheet(format, static_cast<int64_t>(rows.size()), kColumns);
  for (size_t r = 0; r < rows.size(); ++r) {
    const auto place = [&](const at::Tensor& images, int64_t column) {
      const auto x = images[0].contiguous();
      for (int64_t i = 0; i < x.size(0); ++i)
        sheet.place(static_cast<int64_t>(r), column + i,
                    x[i].const_data_ptr<float>());
    };
    place(rows[r].support, 0);
    place(rows[r].samples, kSupport + 1);
    place(between(g, rows[r], rows[(r + 1) % rows.size()]),
          kSupport + kSamples + 2);
  }
  return sheet.png();
}

}  // namespace

nlohmann::json write_latent_report(const Experiment& e, const MetaView& meta,
                                   Stream stream, const LatentOptions& o,
                                   const std::filesystem::path& out) {
  at::NoGradGuard no_grad;
  const auto learner = generative_learner(e, "latent");
  need_code_space(*learner, "latent");
  const auto& data = *e.tasks.examples;
  const auto& classes = e.tasks.splits.of(stream);
  const auto available = static_cast<int64_t>(classes.size());
  if (o.classes < 2 || o.classes > available)
    throw ConfigError(concat("--classes ", o.classes, "; expected 2 to ",
                             available, ", the classes of eval.stream"));
  NewFolder folder(out, "--out");
  const Phi phi = learner->start(meta);
  std::vector<at::Tensor> codes;
  std::vector<int64_t> labels;
  for (int64_t i = 0; i < available; ++i) {
    const auto x = read_class(data, classes[static_cast<size_t>(i)]);
    codes.push_back(learner->embed(phi, x)[0]);
    labels.insert(labels.end(), static_cast<size_t>(x.size(1)), i);
  }
  const auto chosen =
      Draws(o.seed, {Stream::generator, 1, 0}, Purpose::classes)
          .sample(classes.size(), static_cast<uint64_t>(o.classes));
  std::vector<Row> rows;
  std::vector<at::Tensor> shown;
  std::vector<int64_t> shown_labels;
  std::vector<std::string> names;
  for (uint32_t c : chosen) {
    const uint32_t cls = classes[c];
    rows.push_back(row_of(*learner, meta, read_class(data, cls), cls, o.seed));
    shown.push_back(codes[c]);
    shown_labels.insert(shown_labels.end(),
                        static_cast<size_t>(codes[c].size(0)),
                        static_cast<int64_t>(names.size()));
    names.push_back(data.class_name(cls));
  }
  const auto all = at::cat(codes);
  constexpr int kRounds = 50;
  const auto match = agreement(k_means(all, available, kRounds, o.seed),
                               at::tensor(labels, at::kLong));
  const auto plane = principal_plane(at::cat(shown));
  const nlohmann::json result = {
      {"classes", available},
      {"images", all.size(0)},
      {"clusters", available},
      {"purity", match.purity},
      {"mutual_information", match.mutual_information},
      {"plane_variance", plane.explained}};
  folder.write("characters.png",
               picture(*learner, rows, {learner->image_shape(), data.ink()}));
  folder.write("map.svg",
               scatter_svg(plane.points, at::tensor(shown_labels, at::kLong),
                           names, "Codes of single images, principal axes"));
  folder.write("latent.json", result.dump(2) + "\n");
  folder.finish();
  return result;
}

}  // namespace protean
