// Bytes that stay put: a file mapped read-only, or a string.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace protean {

class Bytes {
 public:
  // Throws DataError naming the path and the cause.
  static Bytes map(const std::filesystem::path& path);
  explicit Bytes(std::string owned) : owned_(std::move(owned)) {}
  ~Bytes();
  Bytes(Bytes&& other) noexcept;
  Bytes& operator=(Bytes&&) = delete;
  Bytes(const Bytes&) = delete;

  const uint8_t* data() const {
    return mapped_ ? static_cast<const uint8_t*>(mapped_)
                   : reinterpret_cast<const uint8_t*>(owned_.data());
  }
  uint64_t size() const { return mapped_ ? size_ : owned_.size(); }

 private:
  Bytes() = default;
  void* mapped_ = nullptr;
  uint64_t size_ = 0;
  std::string owned_;
};

}  // namespace protean
