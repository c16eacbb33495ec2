#include "tools/npz.h"

#include <zip.h>

#include "protean/core/error.h"

namespace protean {
namespace {

constexpr time_t kNoTime = 315532800;  // 1980-01-01, the least that zip knows

// The header of format version 1.0, padded so that the values are aligned.
std::string npy_header(const at::Tensor& values) {
  std::string shape;
  for (int64_t d : values.sizes()) shape += concat(d) + ", ";
  if (values.dim() > 1) shape.resize(shape.size() - 2);
  std::string text =
      concat("{'descr': '", values.scalar_type() == at::kLong ? "<i8" : "<f4",
             "', 'fortran_order': False, 'shape': (", shape, "), }");
  constexpr size_t kBefore = 10, kAligned = 64;
  text.append(kAligned - (kBefore + text.size() + 1) % kAligned, ' ');
  text += '\n';
  std::string header("\x93NUMPY\x01\x00", 8);
  header += static_cast<char>(text.size() & 0xff);
  header += static_cast<char>(text.size() >> 8);
  return header + text;
}

[[noreturn]] void failed(const char* what) {
  throw Error(concat("writing an npz file: ", what, " failed"));
}

}  // namespace

std::string npz(const std::vector<NamedArray>& arrays) {
  zip_error_t error;
  zip_source_t* buffer = zip_source_buffer_create(nullptr, 0, 0, &error);
  if (!buffer) failed("zip_source_buffer_create");
  zip_source_keep(buffer);
  zip_t* archive = zip_open_from_source(buffer, ZIP_TRUNCATE, &error);
  if (!archive) failed("zip_open_from_source");
  std::vector<std::string> files;  // read when the archive is closed
  files.reserve(arrays.size());
  for (const auto& array : arrays) {
    const auto values = array.values.contiguous();
    files.push_back(npy_header(values));
    files.back().append(static_cast<const char*>(values.const_data_ptr()),
                        values.nbytes());
    zip_source_t* source =
        zip_source_buffer(archive, files.back().data(), files.back().size(), 0);
    const auto at = zip_file_add(archive, (array.name + ".npy").c_str(), source,
                                 ZIP_FL_ENC_UTF_8);
    if (at < 0) failed("zip_file_add");
    const auto index = static_cast<zip_uint64_t>(at);
    if (zip_set_file_compression(archive, index, ZIP_CM_STORE, 0) ||
        zip_file_set_mtime(archive, index, kNoTime, 0))
      failed("zip_file_set_mtime");
  }
  if (zip_close(archive)) failed("zip_close");
  if (zip_source_open(buffer)) failed("zip_source_open");
  zip_source_seek(buffer, 0, SEEK_END);
  std::string bytes(static_cast<size_t>(zip_source_tell(buffer)), '\0');
  zip_source_seek(buffer, 0, SEEK_SET);
  if (zip_source_read(buffer, bytes.data(), bytes.size()) !=
      static_cast<zip_int64_t>(bytes.size()))
    failed("zip_source_read");
  zip_source_close(buffer);
  zip_source_free(buffer);
  return bytes;
}

}  // namespace protean
