#include "protean/data/table_form.h"

namespace protean {

float TableForm::feature(size_t f, double value) const {
  return deviation[f] > 0 ? static_cast<float>((value - mean[f]) / deviation[f])
                          : 0.0f;
}

float TableForm::target(size_t t, double value) const {
  return static_cast<float>((value - target_mean[t]) / target_deviation[t]);
}

double TableForm::target_value(size_t t, double predicted) const {
  return target_mean[t] + predicted * target_deviation[t];
}

nlohmann::json to_json(const TableForm& form) {
  return {{"task", form.task},
          {"features", form.features},
          {"targets", form.targets},
          {"labels", form.labels},
          {"mean", form.mean},
          {"deviation", form.deviation},
          {"target_mean", form.target_mean},
          {"target_deviation", form.target_deviation}};
}

TableForm table_form_of(const nlohmann::json& json) {
  TableForm form;
  json.at("task").get_to(form.task);
  json.at("features").get_to(form.features);
  json.at("targets").get_to(form.targets);
  json.at("labels").get_to(form.labels);
  json.at("mean").get_to(form.mean);
  json.at("deviation").get_to(form.deviation);
  json.at("target_mean").get_to(form.target_mean);
  json.at("target_deviation").get_to(form.target_deviation);
  return form;
}

}  // namespace protean
