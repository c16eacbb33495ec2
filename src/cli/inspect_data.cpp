#include "cli/inspect_data.h"

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <set>

#include <nlohmann/json.hpp>

#include "protean/data/image_files.h"
#include "protean/data/table_file.h"

namespace protean {

bool holds_images(const std::filesystem::path& path) {
  if (std::filesystem::is_directory(path)) return true;
  std::ifstream in(path, std::ios::binary);
  char head[2] = {};
  return in.read(head, sizeof head) && head[0] == 'P' && head[1] == 'K';
}

PackDescription describe_images(const std::filesystem::path& path) {
  return describe_pack(
      *PackDataset::from_bytes(pack_in_memory(path), path.string()));
}

bool is_table_name(const std::filesystem::path& path) {
  const auto extension = extension_of(path.string());
  return extension == ".csv" || extension == ".tsv";
}

namespace {

nlohmann::json describe_column(const TableFile& file, size_t column) {
  nlohmann::json out = {{"name", file.names()[column]}};
  std::set<std::string> different;
  double least = 0, most = 0;
  uint64_t numbers = 0, empty = 0;
  for (size_t r = 0; r < file.rows(); ++r) {
    const auto& text = file.field(r, column);
    different.insert(text);
    empty += text.empty();
    double value = 0;
    if (!file.is_number(r, column, value)) continue;
    least = numbers ? std::min(least, value) : value;
    most = numbers ? std::max(most, value) : value;
    ++numbers;
  }
  out["numbers"] = numbers;
  out["empty"] = empty;
  out["different"] = different.size();
  if (numbers > 0) {
    out["least"] = least;
    out["most"] = most;
  }
  return out;
}

}  // namespace

void print_table(const std::filesystem::path& path, bool json) {
  const TableFile file(path);
  nlohmann::json all = {{"path", path.string()},
                        {"rows", file.rows()},
                        {"remarks", file.remarks()},
                        {"columns", nlohmann::json::array()}};
  for (size_t c = 0; c < file.names().size(); ++c)
    if (!file.names()[c].empty())
      all["columns"].push_back(describe_column(file, c));
  if (json) {
    std::printf("%s\n", all.dump().c_str());
    return;
  }
  std::printf("%s\n  %zu rows, %zu columns\n", path.c_str(), file.rows(),
              all["columns"].size());
  if (!file.remarks().empty()) std::printf("  %s\n", file.remarks().c_str());
  for (const auto& c : all["columns"]) {
    const auto numbers = c["numbers"].get<unsigned long long>();
    std::printf("  %s: ", c["name"].get<std::string>().c_str());
    if (numbers == file.rows())
      std::printf("numbers from %.6g to %.6g", c["least"].get<double>(),
                  c["most"].get<double>());
    else if (numbers > 0)
      std::printf("%llu numbers and %llu others", numbers,
                  static_cast<unsigned long long>(file.rows()) - numbers);
    else
      std::printf("texts");
    std::printf(", %llu different", c["different"].get<unsigned long long>());
    if (const auto empty = c["empty"].get<unsigned long long>(); empty > 0)
      std::printf(", %llu empty", empty);
    std::printf("\n");
  }
}

}  // namespace protean
