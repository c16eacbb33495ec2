#include "protean/data/wrappers.h"

#include <algorithm>
#include <unordered_set>

#include "protean/core/error.h"
#include "protean/core/hash.h"

namespace protean {

SubsetDataset::SubsetDataset(DatasetPtr base, std::vector<uint32_t> classes)
    : base_(std::move(base)), ids_(std::move(classes)) {
  std::unordered_set<uint32_t> seen;
  for (uint32_t id : ids_) {
    if (id >= base_->classes())
      throw ConfigError(
          concat("subset: class ", id, "; expected below ", base_->classes()));
    if (!seen.insert(id).second)
      throw ConfigError(
          concat("subset: class ", base_->class_name(id), " named twice"));
  }
}

std::string SubsetDataset::checksum() const {
  const std::string text = "subset " + base_->checksum();
  Sha256 sha;
  sha.add(text.data(), text.size());
  sha.add(ids_.data(), ids_.size() * sizeof(uint32_t));
  return sha.hex();
}

RotatedDataset::RotatedDataset(DatasetPtr base) : base_(std::move(base)) {
  const auto& shape = base_->shape();
  if (shape.size() != 3 || shape[1] != shape[2])
    throw ConfigError(
        "data.rotations: examples are no square images; expected (channels, "
        "side, side)");
}

std::string RotatedDataset::class_name(uint32_t cls) const {
  static const char* kTurns[] = {"/rot000", "/rot090", "/rot180", "/rot270"};
  return base_->class_name(cls / 4) + kTurns[cls % 4];
}

void RotatedDataset::read(uint32_t cls, uint32_t example, float* out) const {
  base_->read(cls / 4, example, out);
  rotate_quarter_turns(out, shape()[0], shape()[1], cls % 4);
}

std::string RotatedDataset::checksum() const {
  const std::string text = "rotations " + base_->checksum();
  return sha256_hex(text.data(), text.size());
}

void InvertedDataset::read(uint32_t cls, uint32_t example, float* out) const {
  base_->read(cls, example, out);
  int64_t values = 1;
  for (int64_t d : shape()) values *= d;
  for (int64_t i = 0; i < values; ++i) out[i] = 1 - out[i];
}

std::string InvertedDataset::checksum() const {
  const std::string text = "inverted " + base_->checksum();
  return sha256_hex(text.data(), text.size());
}

JoinedDataset::JoinedDataset(std::vector<DatasetPtr> sets,
                             std::vector<std::string> names)
    : sets_(std::move(sets)), names_(std::move(names)), begins_{0} {
  for (size_t i = 0; i < sets_.size(); ++i) {
    if (sets_[i]->shape() != sets_[0]->shape())
      throw ConfigError(concat(
          "data.also: ", names_[i], " has examples of another shape than ",
          names_[0], "; expected the same data.side and channels"));
    begins_.push_back(begins_.back() + sets_[i]->classes());
  }
}

JoinedDataset::Place JoinedDataset::place(uint32_t cls) const {
  const auto set = static_cast<size_t>(
      std::upper_bound(begins_.begin() + 1, begins_.end() - 1, cls) -
      begins_.begin() - 1);
  return {*sets_[set], cls - begins_[set], set};
}

uint32_t JoinedDataset::size(uint32_t cls) const {
  const auto p = place(cls);
  return p.data.size(p.cls);
}

std::string JoinedDataset::class_name(uint32_t cls) const {
  const auto p = place(cls);
  return p.set == 0 ? p.data.class_name(p.cls)
                    : names_[p.set] + "/" + p.data.class_name(p.cls);
}

std::string JoinedDataset::group(uint32_t cls) const {
  const auto p = place(cls);
  const auto own = p.data.group(p.cls);
  if (p.set == 0) return own;
  return own.empty() ? names_[p.set] : names_[p.set] + "/" + own;
}

std::string JoinedDataset::split(uint32_t cls) const {
  const auto p = place(cls);
  return p.data.split(p.cls);
}

uint32_t JoinedDataset::quarter_turns(uint32_t cls) const {
  const auto p = place(cls);
  return p.data.quarter_turns(p.cls);
}

std::string JoinedDataset::example_name(uint32_t cls, uint32_t example) const {
  const auto p = place(cls);
  return p.data.example_name(p.cls, example);
}

void JoinedDataset::read(uint32_t cls, uint32_t example, float* out) const {
  const auto p = place(cls);
  p.data.read(p.cls, example, out);
}

std::string JoinedDataset::checksum() const {
  std::string text = "joined";
  for (const auto& set : sets_) text += " " + set->checksum();
  return sha256_hex(text.data(), text.size());
}

ListedDataset::ListedDataset(DatasetPtr base,
                             std::vector<std::vector<Example>> classes,
                             std::string what)
    : base_(std::move(base)),
      classes_(std::move(classes)),
      what_(std::move(what)) {
  for (const auto& cls : classes_)
    for (const auto& e : cls)
      if (e.cls >= base_->classes() || e.example >= base_->size(e.cls))
        throw Error(concat(what_, ": example ", e.example, " of class ", e.cls,
                           " does not exist"));
}

std::string ListedDataset::class_name(uint32_t cls) const {
  return concat(what_, cls);
}

void ListedDataset::read(uint32_t cls, uint32_t example, float* out) const {
  const auto& e = classes_.at(cls).at(example);
  base_->read(e.cls, e.example, out);
}

std::string ListedDataset::checksum() const {
  Sha256 sha;
  const std::string head = base_->checksum() + what_;
  sha.add(head.data(), head.size());
  for (const auto& cls : classes_) {
    const uint64_t n = cls.size();
    sha.add(&n, sizeof n);
    sha.add(cls.data(), n * sizeof(Example));
  }
  return sha.hex();
}

void rotate_quarter_turns(float* image, int64_t channels, int64_t side,
                          uint32_t quarters) {
  const int64_t n = side, last = side - 1;
  quarters %= 4;
  for (int64_t c = 0; c < channels && quarters != 0; ++c, image += n * n) {
    if (quarters == 2) {
      for (int64_t i = 0; i < n * n / 2; ++i)
        std::swap(image[i], image[n * n - 1 - i]);
      continue;
    }
    // Four pixels change places at a time, ring by ring.
    for (int64_t y = 0; y < n / 2; ++y)
      for (int64_t x = y; x < last - y; ++x) {
        float& top = image[y * n + x];
        float& left = image[(last - x) * n + y];
        float& bottom = image[(last - y) * n + last - x];
        float& right = image[x * n + last - y];
        const float t = top;
        if (quarters == 1) {
          top = right;
          right = bottom;
          bottom = left;
          left = t;
        } else {
          top = left;
          left = bottom;
          bottom = right;
          right = t;
        }
      }
  }
}

}  // namespace protean
