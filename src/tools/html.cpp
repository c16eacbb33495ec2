#include "tools/html.h"

#include <cmath>
#include <cstdio>

#include "protean/core/base64.h"
#include "protean/core/csv.h"

namespace protean::html {

// Colours follow the reader's; a plot, which is drawn on white, is turned dark
// with them. Nothing is loaded.
const char* const kStyle = R"(
:root { color-scheme: light dark; --line: #8886; --soft: #8881; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto;
  padding: 0 1rem; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.2rem; margin-top: 2.5rem; }
table { border-collapse: collapse; margin: .5rem 0; }
th, td { text-align: left; padding: .2rem .8rem .2rem 0; vertical-align: top;
  border-bottom: 1px solid var(--line); overflow-wrap: anywhere; }
td.number { font-variant-numeric: tabular-nums; }
figure { margin: 1rem 0; } figcaption { font-size: .9rem; }
figure svg { max-width: 100%; height: auto; }
details { margin: .3rem 0; } summary { cursor: pointer; }
summary:focus-visible, a:focus-visible { outline: 2px solid; }
pre { background: var(--soft); padding: .7rem; overflow-x: auto; }
.wide { overflow-x: auto; }
@media (prefers-color-scheme: dark) {
  figure svg { filter: invert(1) hue-rotate(180deg); } }
@media print { body { max-width: none; } figure, table { break-inside: avoid; }
  details:not([open]) { display: none; } }
)";

std::string number(double v) {
  if (!std::isfinite(v)) return "–";
  char text[32];
  std::snprintf(text, sizeof text, "%.6g", v);
  return text;
}

std::string tag(const std::string& name, const std::string& inside,
                const std::string& attributes) {
  return "<" + name + (attributes.empty() ? "" : " " + attributes) + ">" +
         inside + "</" + name + ">\n";
}

std::string data_link(const std::string& type, const std::string& content,
                      const std::string& file, const std::string& text) {
  return tag("a", svg_text(text),
             "download=\"" + svg_text(file) + "\" href=\"data:" + type +
                 ";base64," + base64(content) + "\"");
}

std::string table(const std::vector<std::vector<std::string>>& rows) {
  std::string text;
  for (size_t r = 0; r < rows.size(); ++r) {
    std::string row;
    for (size_t c = 0; c < rows[r].size(); ++c) {
      const bool head = r == 0 || c == 0;
      row += tag(head ? "th" : "td", svg_text(rows[r][c]),
                 head ? (r == 0 ? "scope=\"col\"" : "scope=\"row\"")
                      : "class=\"number\"");
    }
    text += tag("tr", row);
  }
  return tag("div", tag("table", text), "class=\"wide\" tabindex=\"0\"");
}

std::string figure(const Plot& plot, const std::string& caption) {
  const auto svg = to_svg(plot);
  const size_t points = plot.names.empty() ? plot.x.size() : plot.names.size();
  std::vector<std::vector<std::string>> rows{{plot.x_label}};
  for (const auto& s : plot.series) {
    rows[0].push_back(s.name);
    if (!s.error.empty()) rows[0].push_back(s.name + " +-");
  }
  for (size_t i = 0; i < points; ++i) {
    rows.push_back({plot.names.empty() ? number(plot.x[i]) : plot.names[i]});
    for (const auto& s : plot.series) {
      rows.back().push_back(number(s.y[i]));
      if (!s.error.empty()) rows.back().push_back(number(s.error[i]));
    }
  }
  CsvTable csv;
  for (const auto& row : rows) {
    for (const auto& cell : row)
      csv.add(cell == "–" ? std::string_view() : std::string_view(cell));
    csv.end_row();
  }
  return tag("figure",
             tag("div", svg,
                 "role=\"img\" aria-label=\"" +
                     svg_text(plot.title + ": " + plot.y_label + " over " +
                              plot.x_label) +
                     "\"") +
                 tag("figcaption", svg_text(caption) + " " +
                                       data_link("image/svg+xml", svg,
                                                 plot.title + ".svg", "SVG") +
                                       " " +
                                       data_link("text/csv", csv.text(),
                                                 plot.title + ".csv", "CSV")) +
                 tag("details", tag("summary", "The numbers") + table(rows)));
}

}  // namespace protean::html
