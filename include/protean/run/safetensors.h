// The safetensors format: named tensors in one file that Python and Rust read
// too (huggingface/safetensors).
//
//   8 bytes   length n of the header, little-endian
//   n bytes   JSON: {"__metadata__": {string: string},
//             NAME: {"dtype", "shape", "data_offsets": [begin, end)}}, padded
//             with spaces so that the data starts on a multiple of 8
//   the rest  the tensors, row-major, little-endian, without gaps
//
// Written to and read from memory; who writes the bytes to a file, and how, is
// the caller's business.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace protean {

enum class StoredType { f32, f64, i64, u8 };

const char* type_name(StoredType type);  // "F32"
size_t type_size(StoredType type);       // bytes per element

struct TensorToStore {
  std::string name;
  StoredType type = StoredType::f32;
  std::vector<int64_t> shape;  // {} = a single value
  const void* data = nullptr;  // contiguous, product of shape elements
};

// Tensors are stored in the order given, wider types first (which keeps every
// tensor aligned to its elements). Throws Error on a name that comes twice.
std::string to_safetensors(
    const std::vector<TensorToStore>& tensors,
    const std::map<std::string, std::string>& metadata = {});

// A file in memory, checked from end to end: the constructor throws DataError
// naming `file` and the tensor unless the header is whole, every type is known,
// and the tensors cover the data without a gap or an overlap.
class Safetensors {
 public:
  struct Entry {
    std::string name;
    StoredType type;
    std::vector<int64_t> shape;
    size_t offset;  // of its first byte, within the file
    size_t size;    // bytes
  };

  Safetensors(std::string bytes, std::string file);

  const std::vector<Entry>& entries() const { return entries_; }  // file order
  const std::map<std::string, std::string>& metadata() const {
    return metadata_;
  }
  // nullptr when there is no such tensor.
  const Entry* find(const std::string& name) const;
  std::string_view data(const Entry& entry) const {
    return std::string_view(bytes_).substr(entry.offset, entry.size);
  }
  // Copies a float32 tensor; DataError when it is missing or its type or shape
  // is another.
  void copy_f32(const std::string& name, const std::vector<int64_t>& shape,
                float* out) const;

 private:
  std::string bytes_, file_;
  std::vector<Entry> entries_;
  std::map<std::string, size_t> by_name_;  // -> index in entries_
  std::map<std::string, std::string> metadata_;
};

}  // namespace protean
