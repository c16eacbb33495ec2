#include "protean/run/safetensors.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <set>

#include <nlohmann/json.hpp>

#include "protean/core/error.h"

namespace protean {
namespace {

static_assert(std::endian::native == std::endian::little,
              "tensors are stored as they lie in memory");

using Json = nlohmann::ordered_json;

constexpr size_t kMaxHeader = 100'000'000;  // the limit of other readers
constexpr StoredType kTypes[] = {StoredType::f32, StoredType::f64,
                                 StoredType::i64, StoredType::u8};

std::string shape_text(const std::vector<int64_t>& shape) {
  std::string text = "[";
  for (size_t i = 0; i < shape.size(); ++i)
    text.append(i ? "," : "").append(std::to_string(shape[i]));
  return text + "]";
}

// Bytes of a tensor; false on a negative or overflowing shape.
bool byte_size(StoredType type, const std::vector<int64_t>& shape,
               size_t& size) {
  size = type_size(type);
  for (int64_t n : shape)
    if (n < 0 || __builtin_mul_overflow(size, static_cast<size_t>(n), &size))
      return false;
  return true;
}

}  // namespace

const char* type_name(StoredType type) {
  switch (type) {
    case StoredType::f32:
      return "F32";
    case StoredType::f64:
      return "F64";
    case StoredType::i64:
      return "I64";
    default:
      return "U8";
  }
}

size_t type_size(StoredType type) {
  switch (type) {
    case StoredType::f32:
      return 4;
    case StoredType::u8:
      return 1;
    default:
      return 8;
  }
}

std::string to_safetensors(const std::vector<TensorToStore>& tensors,
                           const std::map<std::string, std::string>& metadata) {
  std::vector<const TensorToStore*> order;
  for (const auto& t : tensors) order.push_back(&t);
  std::stable_sort(order.begin(), order.end(), [](auto* a, auto* b) {
    return type_size(a->type) > type_size(b->type);
  });

  Json header = Json::object();
  if (!metadata.empty()) header["__metadata__"] = metadata;
  std::set<std::string> names{"__metadata__"};
  size_t total = 0;
  std::vector<size_t> sizes;
  for (const auto* t : order) {
    if (!names.insert(t->name).second)
      throw Error("safetensors: the tensor name " + t->name + " is taken");
    size_t size = 0;
    if (!byte_size(t->type, t->shape, size))
      throw Error("safetensors: " + t->name + ": impossible shape " +
                  shape_text(t->shape));
    // Built through push_back: ordered_json looks names up one by one, which
    // would make a file of many tensors quadratic.
    header.get_ref<Json::object_t&>().emplace_back(
        t->name, Json{{"dtype", type_name(t->type)},
                      {"shape", t->shape},
                      {"data_offsets", {total, total + size}}});
    sizes.push_back(size);
    total += size;
  }
  std::string text = header.dump();
  text.resize((text.size() + 7) / 8 * 8, ' ');

  std::string bytes;
  bytes.reserve(8 + text.size() + total);
  const uint64_t length = text.size();
  bytes.append(reinterpret_cast<const char*>(&length), 8);
  bytes += text;
  for (size_t i = 0; i < order.size(); ++i)
    bytes.append(static_cast<const char*>(order[i]->data), sizes[i]);
  return bytes;
}

namespace {

[[noreturn]] void fail(const std::string& file, const std::string& what) {
  throw DataError(file + ": not a safetensors file: " + what);
}

// begin: where the data begin, behind it.
Json read_header(const std::string& bytes, const std::string& file,
                 size_t& begin) {
  if (bytes.size() < 8)
    fail(file, concat(bytes.size(), " bytes, expected at least 8"));
  uint64_t length = 0;
  std::memcpy(&length, bytes.data(), 8);
  if (length > kMaxHeader || length > bytes.size() - 8)
    fail(file,
         concat("header of ", length, " bytes in a file of ", bytes.size()));
  const auto text = std::string_view(bytes).substr(8, length);
  if (text.empty() || text[0] != '{')
    fail(file, "the header does not start with {");

  // The parser keeps the last of two equal keys; readers may differ in that, so
  // such a file has no meaning.
  std::set<std::string> keys;
  std::string twice;
  const auto watch = [&](int depth, Json::parse_event_t event, Json& value) {
    if (depth == 1 && event == Json::parse_event_t::key &&
        !keys.insert(value.get<std::string>()).second)
      twice = value.get<std::string>();
    return true;
  };
  auto header = Json::parse(text.begin(), text.end(), watch, false);
  if (!header.is_object()) fail(file, "the header is not a JSON object");
  if (!twice.empty()) fail(file, "the name " + twice + " comes twice");
  begin = 8 + length;
  return header;
}

Safetensors::Entry read_entry(const std::string& name, const Json& value,
                              const std::string& file, size_t begin,
                              size_t data_size) {
  const auto refuse = [&](const std::string& what) {
    throw DataError(file + ": tensor " + name + ": " + what);
  };
  if (!value.is_object() || !value.contains("dtype") ||
      !value.contains("shape") || !value.contains("data_offsets") ||
      !value["dtype"].is_string() || !value["shape"].is_array() ||
      !value["data_offsets"].is_array() || value["data_offsets"].size() != 2)
    refuse("expected {dtype, shape, data_offsets: [begin, end]}");

  Safetensors::Entry entry;
  entry.name = name;
  const auto type_text = value["dtype"].get<std::string>();
  const auto* type =
      std::find_if(std::begin(kTypes), std::end(kTypes),
                   [&](StoredType t) { return type_text == type_name(t); });
  if (type == std::end(kTypes))
    refuse("dtype " + type_text + "; expected one of: F32, F64, I64, U8");
  entry.type = *type;
  for (const auto& n : value["shape"]) {
    if (!n.is_number_unsigned()) refuse("shape with " + n.dump());
    entry.shape.push_back(n.get<int64_t>());
  }
  size_t offsets[2];
  for (int i = 0; i < 2; ++i) {
    const auto& offset = value["data_offsets"][i];
    if (!offset.is_number_unsigned())
      refuse("data_offsets with " + offset.dump());
    offsets[i] = offset.get<size_t>();
  }
  size_t size = 0;
  if (!byte_size(entry.type, entry.shape, size))
    refuse("impossible shape " + shape_text(entry.shape));
  if (offsets[0] > offsets[1] || offsets[1] > data_size)
    refuse(concat("data_offsets [", offsets[0], ",", offsets[1], "] in ",
                  data_size, " bytes of data"));
  if (offsets[1] - offsets[0] != size)
    refuse(concat(offsets[1] - offsets[0], " bytes for ", type_text,
                  shape_text(entry.shape), ", expected ", size));
  entry.offset = begin + offsets[0];
  entry.size = size;
  return entry;
}

}  // namespace

Safetensors::Safetensors(std::string bytes, std::string file)
    : bytes_(std::move(bytes)), file_(std::move(file)) {
  size_t begin = 0;
  const auto header = read_header(bytes_, file_, begin);
  for (const auto& [name, value] : header.items()) {
    if (name != "__metadata__") {
      entries_.push_back(
          read_entry(name, value, file_, begin, bytes_.size() - begin));
      continue;
    }
    if (!value.is_object()) fail(file_, "__metadata__ is not an object");
    for (const auto& [key, entry] : value.items()) {
      if (!entry.is_string())
        fail(file_, "__metadata__." + key + " is no string");
      metadata_[key] = entry.get<std::string>();
    }
  }
  std::stable_sort(
      entries_.begin(), entries_.end(), [](const Entry& a, const Entry& b) {
        return a.offset != b.offset ? a.offset < b.offset : a.size < b.size;
      });
  size_t at = begin;
  for (size_t i = 0; i < entries_.size(); ++i) {
    if (entries_[i].offset != at)
      throw DataError(concat(
          file_, ": tensor ", entries_[i].name, ": starts at byte ",
          entries_[i].offset - begin, " of the data, expected ", at - begin,
          entries_[i].offset < at ? " (overlap)" : " (gap)"));
    at += entries_[i].size;
    by_name_[entries_[i].name] = i;
  }
  if (at != bytes_.size())
    fail(file_, concat(bytes_.size() - at, " bytes after the last tensor"));
}

const Safetensors::Entry* Safetensors::find(const std::string& name) const {
  const auto it = by_name_.find(name);
  return it == by_name_.end() ? nullptr : &entries_[it->second];
}

void Safetensors::copy_f32(const std::string& name,
                           const std::vector<int64_t>& shape,
                           float* out) const {
  const auto* entry = find(name);
  if (!entry) throw DataError(file_ + ": tensor " + name + " is missing");
  if (entry->type != StoredType::f32 || entry->shape != shape)
    throw DataError(file_ + ": tensor " + name + ": " + type_name(entry->type) +
                    shape_text(entry->shape) + ", expected F32" +
                    shape_text(shape));
  if (entry->size) std::memcpy(out, bytes_.data() + entry->offset, entry->size);
}

}  // namespace protean
