// Pieces of a page of HTML.
#pragma once

#include <string>
#include <vector>

#include "protean/core/svg_plot.h"

namespace protean::html {

// A style sheet, for screens of both colours and for paper.
extern const char* const kStyle;

// Six digits; a dash where there is none.
std::string number(double v);

// attributes: as they stand in the tag. inside: HTML.
std::string tag(const std::string& name, const std::string& inside,
                const std::string& attributes = "");
// A link that holds the whole file.
std::string data_link(const std::string& type, const std::string& content,
                      const std::string& file, const std::string& text);
// Rows of cells of text, the first row and the first column being heads.
std::string table(const std::vector<std::vector<std::string>>& rows);
// The plot with its numbers: as a table, as CSV and as SVG.
std::string figure(const Plot& plot, const std::string& caption);

}  // namespace protean::html
