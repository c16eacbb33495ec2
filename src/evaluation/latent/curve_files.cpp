#include "evaluation/latent/curve_files.h"

#include <cmath>

#include "protean/core/csv.h"
#include "protean/core/error.h"

namespace protean {
namespace {

void add_row(CsvTable& csv, const char* path, double factor,
             const FactorQuality& q, int64_t images, bool moves) {
  csv.add(std::string_view(path));
  csv.add(factor);
  csv.add(q.frechet);
  csv.add(q.precision);
  csv.add(q.nearest_from);
  csv.add(moves ? q.nearest_to : NAN);
  csv.add(images);
  csv.end_row();
}

std::vector<double> each(const std::vector<FactorQuality>& path,
                         double FactorQuality::*figure) {
  std::vector<double> out;
  for (const auto& q : path) out.push_back(q.*figure);
  return out;
}

nlohmann::json path_json(const std::vector<FactorQuality>& path, bool moves) {
  nlohmann::json json = {
      {"frechet", each(path, &FactorQuality::frechet)},
      {"precision", each(path, &FactorQuality::precision)},
      {"nearest_from", each(path, &FactorQuality::nearest_from)}};
  if (moves) json["nearest_to"] = each(path, &FactorQuality::nearest_to);
  return json;
}

}  // namespace

std::string to_csv(const FactorCurve& c) {
  CsvTable csv;
  for (const char* column : {"path", "factor", "frechet", "precision",
                             "nearest_from", "nearest_to", "images"})
    csv.add(std::string_view(column));
  csv.end_row();
  for (size_t i = 0; i < c.factors.size(); ++i)
    add_row(csv, "code", c.factors[i], c.code[i], c.images, true);
  for (size_t i = 0; i < c.factors.size(); ++i)
    add_row(csv, "latent", c.factors[i], c.latent[i], c.images, false);
  add_row(csv, "real", NAN, c.real, c.images, false);
  return csv.text();
}

Plot to_plot(const FactorCurve& c, const std::string& features) {
  Plot plot;
  plot.title = "made images by factor, in " + features;
  plot.x_label = "factor (0: class or image, 1: another)";
  plot.y_label = "Frechet distance to real images";
  plot.x = c.factors;
  plot.series = {{"class to class", each(c.code, &FactorQuality::frechet), {}},
                 {"within class", each(c.latent, &FactorQuality::frechet), {}},
                 {"real images",
                  std::vector<double>(c.factors.size(), c.real.frechet),
                  {}}};
  return plot;
}

nlohmann::json to_json(const FactorCurve& c) {
  return {{"classes", c.classes},
          {"images", c.images},
          {"factors", c.factors},
          {"code", path_json(c.code, true)},
          {"latent", path_json(c.latent, false)},
          {"real",
           {{"frechet", c.real.frechet},
            {"precision", c.real.precision},
            {"nearest_from", c.real.nearest_from}}}};
}

}  // namespace protean
