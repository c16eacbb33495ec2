// From images to packs.
#include <cstring>

#include "protean/core/error.h"
#include "protean/core/log.h"
#include "protean/data/image_codec.h"
#include "protean/data/pack.h"

#include "data/image_source.h"
#include "data/pack_writer.h"

namespace protean {
namespace {

namespace fs = std::filesystem;

constexpr uint32_t kOmniglotSide = 105;

// "dir/omniglot/" and "dir/omniglot" are both "omniglot".
std::string last_name(const fs::path& path) {
  const fs::path whole = fs::absolute(path).lexically_normal();
  return (whole.has_filename() ? whole : whole.parent_path())
      .filename()
      .string();
}

// Dark pixels are ink, 1.
std::vector<uint8_t> omniglot_record(const Image& image, uint32_t side,
                                     const std::string& path) {
  if (image.width != kOmniglotSide || image.height != kOmniglotSide ||
      image.channels != 1)
    throw DataError(concat(path, ": ", image.width, "x", image.height, " with ",
                           image.channels,
                           " channels; expected a 105x105 grey drawing"));
  const Image small = resize(image, side, Filter::nearest);
  std::vector<uint8_t> bits((small.pixels.size() + 7) / 8);
  for (size_t i = 0; i < small.pixels.size(); ++i)
    if (small.pixels[i] < 128)
      bits[i / 8] |= static_cast<uint8_t>(0x80 >> i % 8);
  return bits;
}

// Feeds the SHA-256 of a folder: names and bytes of its images in order.
struct FolderHash {
  Sha256 sha;
  void add(const SourceClass& cls, const std::string& file,
           const std::string& bytes) {
    const std::string name =
        concat(cls.full_name(), "/", file, " ", bytes.size(), "\n");
    sha.add(name.data(), name.size());
    sha.add(bytes.data(), bytes.size());
  }
};

template <typename Encode>
void write_pack(ImageSource& source, const PackContent& content, PackSink& sink,
                const Encode& encode) {
  PackWriter writer(content, sink);
  FolderHash hash;
  for (const auto& cls : source.classes())
    for (const auto& file : cls.files) {
      const std::string bytes = source.read(file.index);
      const std::string path = source.path(file.index);
      if (source.file_sha256().empty()) hash.add(cls, file.name, bytes);
      const auto record = encode(decode_image(bytes, path), path);
      writer.add(record.data(), record.size());
    }
  writer.finish(source.file_sha256().empty() ? hash.sha.hex()
                                             : source.file_sha256());
}

void build_omniglot(const fs::path& path, uint32_t side, PackSink& sink) {
  const auto source = open_omniglot(path);
  PackContent content;
  content.shape = {1, side, side};
  content.encoding = Encoding::bit1;
  content.classes = source->classes();
  content.preparation = {
      {"side", std::to_string(side)}, {"filter", "nearest"}, {"ink", "1"}};
  content.source = last_name(path);
  write_pack(*source, content, sink,
             [&](const Image& image, const std::string& name) {
               return omniglot_record(image, side, name);
             });
}

bool has_colour(const Image& image) {
  if (image.channels != 3) return false;
  for (size_t i = 0; i < image.pixels.size(); i += 3)
    if (image.pixels[i] != image.pixels[i + 1] ||
        image.pixels[i] != image.pixels[i + 2])
      return true;
  return false;
}

// 3 as soon as one image has colour.
uint32_t own_channels(ImageSource& source) {
  for (const auto& cls : source.classes())
    for (const auto& file : cls.files) {
      const std::string bytes = source.read(file.index);
      if (has_colour(decode_image(bytes, source.path(file.index)))) return 3;
    }
  return 1;
}

// Images in which nothing is to be seen, so far.
class Blank {
 public:
  void look_at(const Image& image, const std::string& path) {
    ++images_;
    if (!nearly_constant(image)) return;
    ++blank_;
    if (blank_ <= kNamed) names_ += (blank_ > 1 ? ", " : "") + path;
  }
  void report(const fs::path& path) const {
    if (blank_ == 0) return;
    const auto text =
        concat(path.string(), ": ", blank_, " of ", images_,
               " images are of one colour once they are read: ", names_,
               blank_ > kNamed ? ", ..." : "");
    if (blank_ == images_)
      throw DataError(text + "; expected something to see");
    log_shared_warning(text);
  }

 private:
  static constexpr uint64_t kNamed = 3;
  uint64_t images_ = 0, blank_ = 0;
  std::string names_;
};

void build_folder(const fs::path& path, const PackOptions& options,
                  PackSink& sink) {
  const Filter filter = parse_filter(options.filter, "data.filter");
  const Fit how = parse_fit(options.fit, "data.fit");
  const auto source = open_folder(path);
  PackContent content;
  const uint32_t channels =
      options.channels ? options.channels : own_channels(*source);
  content.shape = {channels, options.side, options.side};
  content.encoding = Encoding::u8;
  content.classes = source->classes();
  content.preparation = {{"side", std::to_string(options.side)},
                         {"filter", options.filter},
                         {"channels", std::to_string(channels)}};
  // Packs of earlier builds, all stretched, keep their checksum.
  if (how != Fit::stretch) content.preparation["fit"] = options.fit;
  content.source = last_name(path);
  content.skipped = source->skipped();
  Blank blank;
  write_pack(*source, content, sink, [&](Image image, const std::string& name) {
    const auto small = fit_square(to_channels(std::move(image), channels),
                                  options.side, filter, how);
    blank.look_at(small, name);
    return planes(small);
  });
  blank.report(path);
}

void build(const fs::path& source, const PackOptions& options, PackSink& sink) {
  if (options.side < 1 || options.side > 1024)
    throw ConfigError(
        concat("data.side = ", options.side, "; expected 1 to 1024 pixels"));
  if (options.channels != 0 && options.channels != 1 && options.channels != 3)
    throw ConfigError(
        concat("data.channels = ", options.channels, "; expected 0, 1 or 3"));
  if (options.source != "auto" && options.source != "omniglot" &&
      options.source != "folder")
    throw ConfigError(concat("data.source = \"", options.source,
                             "\"; expected one of: auto, omniglot, folder"));
  if (options.source == "omniglot" ||
      (options.source == "auto" && looks_like_omniglot(source)))
    build_omniglot(source, options.side, sink);
  else
    build_folder(source, options, sink);
}

}  // namespace

void pack_dataset(const fs::path& source, const fs::path& path,
                  const PackOptions& options) {
  FileSink sink(path);
  build(source, options, sink);
  sink.commit();
}

std::string pack_in_memory(const fs::path& source, const PackOptions& options) {
  MemorySink sink;
  build(source, options, sink);
  return sink.take();
}

}  // namespace protean
