#include "protean/data/text.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <utility>

#include <nlohmann/json.hpp>

#include "protean/core/atomic_file.h"
#include "protean/core/error.h"
#include "protean/core/hash.h"
#include "protean/data/image_files.h"
#include "protean/data/open_dataset.h"
#include "protean/data/stored_data.h"

namespace protean {
namespace {

namespace fs = std::filesystem;

constexpr char32_t kReplacement = 0xFFFD;

std::u32string from_utf8(const std::string& text, const std::string& origin) {
  std::u32string out;
  for (size_t i = 0; i < text.size();) {
    const auto byte = [&](size_t k) {
      return i + k < text.size() ? static_cast<unsigned char>(text[i + k]) : 0u;
    };
    const unsigned lead = byte(0);
    const size_t more = lead < 0x80   ? 0
                        : lead < 0xC2 ? 4
                        : lead < 0xE0 ? 1
                        : lead < 0xF0 ? 2
                        : lead < 0xF5 ? 3
                                      : 4;
    char32_t c = more == 0 ? lead : lead & (0x3Fu >> more);
    bool sound = more < 4;
    for (size_t k = 1; sound && k <= more; ++k) {
      sound = (byte(k) & 0xC0) == 0x80;
      c = c << 6 | (byte(k) & 0x3F);
    }
    if (!sound)
      throw DataError(concat(origin, ": byte ", i, " is not UTF-8 text"));
    if (c != '\r') out += c;
    i += more + 1;
  }
  return out;
}

void to_utf8(char32_t c, std::string& out) {
  const auto tail = [&](int shift) {
    out += static_cast<char>(0x80 | (c >> shift & 0x3F));
  };
  if (c < 0x80) {
    out += static_cast<char>(c);
  } else if (c < 0x800) {
    out += static_cast<char>(0xC0 | c >> 6);
    tail(0);
  } else if (c < 0x10000) {
    out += static_cast<char>(0xE0 | c >> 12);
    tail(6);
    tail(0);
  } else {
    out += static_cast<char>(0xF0 | c >> 18);
    tail(12);
    tail(6);
    tail(0);
  }
}

bool is_text(const std::string& name) { return name.ends_with(".txt"); }

std::string split_of(const std::string& name) {
  if (name == "val" || name == "valid") return "validation";
  return name == "train" || name == "validation" || name == "test" ? name : "";
}

struct Source {
  std::string name, split;
  std::u32string text;
};

// Tasks below one folder.
void add_sources(const fs::path& dir, const std::string& split,
                 std::map<std::string, Source>& out) {
  const auto add = [&](const std::string& name, const fs::path& file) {
    Source& s = out[name];
    if (!s.text.empty() && s.split != split)
      throw DataError(
          concat(file.string(), ": ", name, " is also in ", s.split));
    s.name = name;
    s.split = split;
    s.text += from_utf8(read_file(file), file.string());
  };
  for (const auto& file : list_folder(dir, /*folders=*/false))
    if (is_text(file)) add(file.substr(0, file.size() - 4), dir / file);
  for (const auto& folder : list_folder(dir, /*folders=*/true))
    for (const auto& file : list_folder(dir / folder, /*folders=*/false))
      if (is_text(file)) add(folder, dir / folder / file);
}

std::vector<Source> read_sources(const fs::path& path) {
  require_folder(path);
  std::map<std::string, Source> found;
  const auto folders = list_folder(path, /*folders=*/true);
  const bool splits =
      !folders.empty() &&
      std::none_of(folders.begin(), folders.end(),
                   [](const auto& f) { return split_of(f).empty(); });
  if (splits)
    for (const auto& folder : folders)
      add_sources(path / folder, split_of(folder), found);
  else
    add_sources(path, "", found);
  if (found.empty())
    throw DataError(concat(path.string(),
                           ": holds no text; expected a .txt file, or a "
                           "folder of them, per task"));
  std::vector<Source> out;
  for (auto& [name, source] : found) out.push_back(std::move(source));
  return out;
}

}  // namespace

TextDataset::TextDataset(const DataOptions& o) : length_(o.length) {
  if (length_ < 1)
    throw ConfigError(
        concat("data.length = ", length_, "; expected at least 1 character"));
  if (o.vocabulary < 2)
    throw ConfigError(concat("data.vocabulary = ", o.vocabulary,
                             "; expected at least 2 characters"));
  most_ = o.vocabulary;
  shape_ = {length_};
  if (o.stored) {
    const auto known = from_utf8(
        o.stored->fitted.at("characters").get<std::string>(), "data.json");
    characters_.assign(known.begin(), known.end());
    number_characters();
    checksum_ = o.stored->checksum;
    if (o.stored->use == UseStored::nothing) return;
  }
  const fs::path path =
      o.path.empty() ? find_config("text/languages") : fs::path(o.path);
  const auto sources = read_sources(path);
  Sha256 sha;
  for (const auto& source : sources) {
    if (source.text.size() < static_cast<size_t>(length_) + 1)
      throw DataError(
          concat(path.string(), ": ", source.name, " has ", source.text.size(),
                 " characters; expected more than data.length = ", length_));
    const std::string head =
        concat(source.name, "\n", source.text.size(), "\n");
    sha.add(head.data(), head.size());
    sha.add(source.text.data(), source.text.size() * sizeof(char32_t));
    tasks_.push_back({source.name, source.split, source.text, {}});
  }
  const std::string what = concat("text ", length_, " ", o.vocabulary);
  sha.add(what.data(), what.size());
  checksum_ = sha.hex();
  if (o.stored) count({});
}

void TextDataset::number_characters() {
  for (uint32_t i = 0; i < characters_.size(); ++i)
    number_.emplace(characters_[i], i);
}

// Most frequent first.
void TextDataset::count(const std::vector<uint32_t>& tasks) {
  if (characters_.empty()) {
    std::map<char32_t, uint64_t> seen;
    const auto add = [&](const Task& task) {
      for (char32_t c : task.text) ++seen[c];
    };
    for (uint32_t t : tasks) add(tasks_.at(t));
    if (tasks.empty())
      for (const auto& task : tasks_) add(task);
    std::vector<std::pair<char32_t, uint64_t>> order(seen.begin(), seen.end());
    std::stable_sort(
        order.begin(), order.end(),
        [](const auto& a, const auto& b) { return a.second > b.second; });
    characters_.push_back(kReplacement);
    for (const auto& [c, n] : order)
      if (characters_.size() < most_ && c != kReplacement)
        characters_.push_back(c);
    number_characters();
  }
  for (auto& task : tasks_)
    for (char32_t c : std::exchange(task.text, {})) {
      const auto found = number_.find(c);
      task.numbers.push_back(found == number_.end() ? 0 : found->second);
    }
}

nlohmann::json TextDataset::fitted() const {
  std::string known;
  for (char32_t c : characters_) to_utf8(c, known);
  return {{"characters", known}};
}

uint32_t TextDataset::size(uint32_t task) const {
  const auto& t = tasks_.at(task);
  // The last character of a piece needs one that follows.
  return static_cast<uint32_t>((t.text.size() + t.numbers.size() - 1) /
                               static_cast<size_t>(length_));
}

void TextDataset::read(uint32_t task, uint32_t piece, float* out) const {
  const auto& numbers = tasks_.at(task).numbers;
  const auto n = static_cast<size_t>(length_);
  for (size_t i = 0; i < n; ++i)
    out[i] = static_cast<float>(numbers.at(piece * n + i));
}

void TextDataset::read_target(uint32_t task, uint32_t piece, int64_t* label,
                              float*) const {
  const auto& numbers = tasks_.at(task).numbers;
  const auto n = static_cast<size_t>(length_);
  for (size_t i = 0; i < n; ++i) label[i] = numbers.at(piece * n + i + 1);
}

std::vector<uint32_t> TextDataset::encode(const std::string& text,
                                          const std::string& origin) const {
  std::vector<uint32_t> out;
  for (char32_t c : from_utf8(text, origin)) {
    const auto found = number_.find(c);
    out.push_back(found == number_.end() ? 0 : found->second);
  }
  return out;
}

std::string TextDataset::decode(const std::vector<uint32_t>& numbers) const {
  std::string out;
  for (uint32_t n : numbers) to_utf8(characters_.at(n), out);
  return out;
}

}  // namespace protean
