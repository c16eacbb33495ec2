#include "cli/eval_print.h"

#include <cmath>
#include <cstdio>
#include <numbers>

#include "protean/core/error.h"

namespace protean {

void print(const EvalResult& r) {
  const auto& last = r.last();
  if (r.acts) {
    std::printf(
        "return %.4f +- %.4f (95 %% interval over %lld tasks), adapted by %lld "
        "rollouts per step, judged by %lld others\n",
        -last.loss, r.ci95, static_cast<long long>(r.tasks),
        static_cast<long long>(r.shots), static_cast<long long>(r.queries));
  } else if (std::isnan(last.loss) && std::isnan(last.accuracy)) {
    std::printf(
        "no loss: not finite, or the generator was not trained by a bound "
        "(generator.reconstruct); eval.features judges its images\n");
    return;
  } else if (std::isnan(last.accuracy)) {
    std::printf("loss %.4f +- %.4f (median %.4f) over %lld tasks\n", last.loss,
                r.ci95, last.loss_median, static_cast<long long>(r.tasks));
  } else if (r.labels > 1) {
    std::printf(
        "%.4f bits per character +- %.4f (95 %% interval over %lld tasks), "
        "%.4f before adaptation, from %lld pieces of %lld characters\n",
        last.loss / std::numbers::ln2, r.loss_ci95() / std::numbers::ln2,
        static_cast<long long>(r.tasks),
        r.per_step.front().loss / std::numbers::ln2,
        static_cast<long long>(r.shots), static_cast<long long>(r.labels));
    return;
  } else {
    std::printf(
        "accuracy %.2f %% +- %.2f (95 %% interval over %lld tasks), %lld-way "
        "%lld-shot%s, %lld queries per class, %s",
        100 * last.accuracy, 100 * r.ci95, static_cast<long long>(r.tasks),
        static_cast<long long>(r.ways), static_cast<long long>(r.shots),
        r.generated_shots > 0
            ? concat(" and ", r.generated_shots, " generated").c_str()
            : "",
        static_cast<long long>(r.queries),
        r.transductive ? "transductive" : "inductive");
    if (std::isnan(r.ece))
      std::printf(", by scores that are no probabilities\n");
    else
      std::printf(", calibration error %.2f %%\n", 100 * r.ece);
  }
  if (r.per_step.size() < 2) return;
  std::printf(r.visits_support ? "given 0, 1, 2, ... support images:"
                               : "after each step of adaptation:");
  for (const auto& step : r.per_step)
    if (std::isnan(step.accuracy))
      std::printf(" %.4f", r.acts ? -step.loss : step.loss);
    else
      std::printf(" %.2f %%", 100 * step.accuracy);
  std::printf("\n");
}

void print_json(const nlohmann::json& json) {
  std::printf("%s\n", json.dump().c_str());
}

void print_quality(const nlohmann::json& q) {
  std::printf("%lld images of %lld classes from %lld each, features of %s\n",
              q.at("images").get<long long>(), q.at("classes").get<long long>(),
              q.at("shots").get<long long>(),
              q.at("features").get<std::string>().c_str());
  for (const char* set : {"samples", "real", "copies"}) {
    std::printf("  %-8s", set);
    for (const auto& [name, value] : q.at(set).items())
      std::printf(" %s %.4g", name.c_str(), value.get<double>());
    std::printf("\n");
  }
  std::printf(
      "  distances grow as images get fewer: compare with those of as many "
      "real ones\n"
      "  copying: distance ratio %.3f, share closer %.3f, membership %.3f\n",
      q.at("copying").at("distance_ratio").get<double>(),
      q.at("copying").at("share_closer").get<double>(),
      q.at("copying").at("membership").get<double>());
  for (const auto& s : q.at("steps"))
    std::printf(
        "  after %d %s, %.3g s: frechet %.4g coverage %.4g fidelity %.4g\n",
        s.at("step").get<int>(), q.at("after").get<std::string>().c_str(),
        s.at("adapt_s").get<double>(),
        s.at("samples").at("frechet").get<double>(),
        s.at("samples").at("coverage").get<double>(),
        s.at("samples").at("fidelity").get<double>());
}

}  // namespace protean
