#include "support/pretend_device.h"

#include <array>
#include <cstring>
#include <mutex>
#include <set>

#include <ATen/ATen.h>
#include <ATen/EmptyTensor.h>
#include <ATen/detail/PrivateUse1HooksInterface.h>
#include <ATen/native/CPUFallback.h>
#include <ATen/ops/_reshape_alias_native.h>
#include <ATen/ops/alias_native.h>
#include <ATen/ops/as_strided_native.h>
#include <ATen/ops/unfold_native.h>
#include <ATen/ops/view_native.h>
#include <c10/core/Allocator.h>
#include <c10/core/impl/DeviceGuardImplInterface.h>
#include <torch/library.h>

#include "support/pretend_memory.h"

namespace protean::pretend {
namespace {

constexpr auto kDevice = c10::DeviceType::PrivateUse1;
constexpr auto kKey = c10::DispatchKey::PrivateUse1;

int device_count = 0;
thread_local int current = 0;
// Above 0: an operator is at work, and what it copies is not the host's doing.
thread_local int inside = 0;

struct Inside {
  Inside() { ++inside; }
  ~Inside() { --inside; }
};

// --- counting ----------------------------------------------------------------

std::mutex counts_mutex;
Counts counted;

void count(int64_t Counts::*what) {
  if (inside) return;
  std::lock_guard lock(counts_mutex);
  ++(counted.*what);
}

void count_read(const std::string& by) {
  if (inside) return;
  std::lock_guard lock(counts_mutex);
  ++counted.reads;
  ++counted.read_by[by];
}

// On a GPU these wait for a size or a value.
bool waits(const std::string& name) {
  static const std::set<std::string> all = {"aten::nonzero",
                                            "aten::masked_select",
                                            "aten::_unique2",
                                            "aten::unique_dim",
                                            "aten::equal",
                                            "aten::bincount",
                                            "aten::unique_consecutive",
                                            "aten::_unique",
                                            "aten::multinomial"};
  return all.count(name) != 0;
}

bool is_mask(const c10::IValue& value) {
  if (!value.isList()) return false;
  for (const c10::IValue& v : value.toListRef()) {
    if (!v.isTensor() || !v.toTensor().defined()) continue;
    const auto type = v.toTensor().scalar_type();
    if (type == at::kBool || type == at::kByte) return true;
  }
  return false;
}

// --- memory ------------------------------------------------------------------

class DeviceAllocator final : public c10::Allocator {
 public:
  c10::DataPtr allocate(size_t bytes) override {
    const int index = current;
    void* p = pretend::allocate(bytes, index);
    TORCH_CHECK_WITH(OutOfMemoryError, p || bytes == 0,
                     "pretend out of memory. Tried to allocate ", bytes,
                     " bytes on device ", index);
    return {p, p, &pretend::release,
            c10::Device(kDevice, static_cast<c10::DeviceIndex>(index))};
  }
  c10::DeleterFnPtr raw_deleter() const override { return &pretend::release; }
  void copy_data(void* to, const void* from, size_t bytes) const override {
    std::memcpy(host_of(to), host_of(from), bytes);
  }
};

// Host memory from which copies need not wait.
class PinnedAllocator final : public c10::Allocator {
 public:
  c10::DataPtr allocate(size_t bytes) override {
    if (bytes == 0) return {nullptr, c10::Device(c10::kCPU)};
    void* p = std::malloc(bytes);
    std::lock_guard lock(mutex_);
    blocks_[static_cast<char*>(p)] = bytes;
    return {p, p, &release_pinned, c10::Device(c10::kCPU)};
  }
  c10::DeleterFnPtr raw_deleter() const override { return &release_pinned; }
  void copy_data(void* to, const void* from, size_t bytes) const override {
    std::memcpy(to, from, bytes);
  }
  bool owns(const void* p) const {
    std::lock_guard lock(mutex_);
    auto block = blocks_.upper_bound(static_cast<char*>(const_cast<void*>(p)));
    if (block == blocks_.begin()) return false;
    --block;
    return p < block->first + block->second;
  }

 private:
  static void release_pinned(void* p);
  mutable std::mutex mutex_;
  std::map<char*, size_t> blocks_;
};

DeviceAllocator device_allocator;
PinnedAllocator pinned_allocator;

void PinnedAllocator::release_pinned(void* p) {
  {
    std::lock_guard lock(pinned_allocator.mutex_);
    pinned_allocator.blocks_.erase(static_cast<char*>(p));
  }
  std::free(p);
}

struct OnDevice {
  explicit OnDevice(int index) { current = index; }
  ~OnDevice() { current = before; }
  int before = current;
};

int index_in(std::optional<at::Device> device) {
  return device && device->has_index() ? device->index() : current;
}

at::Tensor empty(c10::SymIntArrayRef size, std::optional<at::ScalarType> type,
                 std::optional<at::Layout>, std::optional<at::Device> device,
                 std::optional<bool>, std::optional<at::MemoryFormat> format) {
  const OnDevice on(index_in(device));
  return at::detail::empty_generic(C10_AS_INTARRAYREF_SLOW(size),
                                   &device_allocator, c10::DispatchKeySet(kKey),
                                   type.value_or(at::kFloat), format);
}

at::Tensor empty_strided(c10::SymIntArrayRef size, c10::SymIntArrayRef stride,
                         std::optional<at::ScalarType> type,
                         std::optional<at::Layout>,
                         std::optional<at::Device> device,
                         std::optional<bool>) {
  const OnDevice on(index_in(device));
  return at::detail::empty_strided_generic(
      C10_AS_INTARRAYREF_SLOW(size), C10_AS_INTARRAYREF_SLOW(stride),
      &device_allocator, c10::DispatchKeySet(kKey), type.value_or(at::kFloat));
}

// --- copies ------------------------------------------------------------------

// The same values at the address where the device finds them.
at::Tensor host_view(const at::Tensor& t) {
  if (t.is_cpu()) return t;
  return at::for_blob(host_of(t.data_ptr()), t.sizes())
      .strides(t.strides())
      .options(at::device(at::kCPU).dtype(t.dtype()))
      .make_tensor();
}

at::Tensor copy_from(const at::Tensor& from, const at::Tensor& to,
                     bool non_blocking) {
  if (to.is_cpu())
    count_read("a tensor copied to the host");
  else if (from.is_cpu())
    count(non_blocking && pinned_allocator.owns(from.data_ptr())
              ? &Counts::uploads
              : &Counts::waited_uploads);
  else
    count(&Counts::operators);
  const Inside work;
  if (from.numel()) host_view(to).copy_(host_view(from));
  return to;
}

at::Tensor copy_from_and_resize(const at::Tensor& from, const at::Tensor& to) {
  if (to.sizes() != from.sizes()) to.resize_(from.sizes());
  return copy_from(from, to, false);
}

at::Scalar local_scalar(const at::Tensor& t) {
  count_read("a value read by the host");
  const Inside work;
  return at::_local_scalar_dense(host_view(t));
}

// --- views -------------------------------------------------------------------

at::Tensor as_strided(const at::Tensor& t, c10::SymIntArrayRef size,
                      c10::SymIntArrayRef stride,
                      std::optional<c10::SymInt> offset) {
  return at::native::as_strided_tensorimpl(
      t, C10_AS_INTARRAYREF_SLOW(size), C10_AS_INTARRAYREF_SLOW(stride),
      offset ? std::optional(offset->expect_int()) : std::nullopt);
}
at::Tensor view(const at::Tensor& t, c10::SymIntArrayRef size) {
  return at::native::view(t, C10_AS_INTARRAYREF_SLOW(size));
}
at::Tensor reshape_alias(const at::Tensor& t, c10::SymIntArrayRef size,
                         c10::SymIntArrayRef stride) {
  return at::native::_reshape_alias(t, C10_AS_INTARRAYREF_SLOW(size),
                                    C10_AS_INTARRAYREF_SLOW(stride));
}

const at::Tensor& resize(const at::Tensor& t, c10::SymIntArrayRef size,
                         std::optional<at::MemoryFormat>) {
  const auto sizes = C10_AS_INTARRAYREF_SLOW(size);
  int64_t n = t.storage_offset();
  n += c10::multiply_integers(sizes);
  const size_t bytes = static_cast<size_t>(n) * t.element_size();
  auto* storage = t.storage().unsafeGetStorageImpl();
  if (storage->nbytes() < bytes) {
    const OnDevice on(t.device().index());
    auto larger = device_allocator.allocate(bytes);
    if (storage->nbytes() > 0)
      std::memcpy(host_of(larger.get()), host_of(storage->mutable_data()),
                  storage->nbytes());
    storage->set_data_ptr(std::move(larger));
    storage->set_nbytes(bytes);
  }
  t.unsafeGetTensorImpl()->set_sizes_contiguous(sizes);
  return t;
}

// --- all other operators -----------------------------------------------------

// The one device of an operator's tensors, -1: none of them is on one.
class Placement {
 public:
  explicit Placement(const c10::OperatorHandle& op)
      : name_(op.schema().name()) {}
  void add(const c10::IValue& value) {
    if (value.isTensor())
      add(value.toTensor());
    else if (value.isList())
      for (const c10::IValue& v : value.toListRef()) add(v);
    else if (value.isDevice() && value.toDevice().type() == kDevice)
      index_ = index_in(value.toDevice());
  }
  int index() const {
    TORCH_CHECK(index_ < 0 || !on_host_, "Expected all tensors of ", name_,
                " to be on the same device, but found one of ", host_size_,
                " on the CPU beside pretend device ", index_);
    return index_;
  }

 private:
  void add(const at::Tensor& t) {
    if (!t.defined()) return;
    if (t.is_cpu()) {
      // Scalars travel with the launch.
      if (t.dim() > 0) host_size_ = c10::str(t.sizes());
      on_host_ |= t.dim() > 0;
      return;
    }
    const int index = t.device().index();
    TORCH_CHECK(index_ < 0 || index == index_, "Expected all tensors of ",
                name_, " to be on the same device, but found pretend devices ",
                index_, " and ", index);
    index_ = index;
  }
  std::string name_, host_size_;
  int index_ = -1;
  bool on_host_ = false;
};

void run_on_cpu(const c10::OperatorHandle& op, torch::jit::Stack* stack) {
  const auto& name = op.schema().name();
  const size_t n = op.schema().arguments().size();
  // Reading by a mask asks for nonzero() by itself, writing does so inside.
  const bool indexes = name.starts_with("aten::_index_put_impl_");
  Placement placement(op);
  bool mask = false;
  for (const auto& value : torch::jit::last(*stack, n)) {
    if (indexes && is_mask(value)) mask = true;
    placement.add(value);
  }
  count(&Counts::operators);
  if (mask || waits(name)) count_read(name);
  const int index = placement.index();
  const OnDevice on(index < 0 ? current : index);
  const Inside work;
  at::native::cpu_fallback(op, stack, true);
}

at::Tensor convolution(const at::Tensor& x, const at::Tensor& w,
                       const std::optional<at::Tensor>& b,
                       c10::SymIntArrayRef stride, c10::SymIntArrayRef padding,
                       c10::SymIntArrayRef dilation, bool transposed,
                       c10::SymIntArrayRef output_padding, c10::SymInt groups) {
  count(&Counts::operators);
  const OnDevice on(x.device().index());
  const Inside work;
  std::optional<at::Tensor> bias;
  if (b && b->defined()) bias = b->cpu();
  return at::convolution(
             x.cpu(), w.cpu(), bias, C10_AS_INTARRAYREF_SLOW(stride),
             C10_AS_INTARRAYREF_SLOW(padding),
             C10_AS_INTARRAYREF_SLOW(dilation), transposed,
             C10_AS_INTARRAYREF_SLOW(output_padding), groups.expect_int())
      .to(x.device());
}

std::tuple<at::Tensor, at::Tensor, at::Tensor> convolution_backward(
    const at::Tensor& gy, const at::Tensor& x, const at::Tensor& w,
    c10::SymIntArrayRef stride, c10::SymIntArrayRef padding,
    c10::SymIntArrayRef dilation, bool transposed,
    c10::SymIntArrayRef output_padding, c10::SymInt groups,
    std::array<bool, 3> mask) {
  count(&Counts::operators);
  const OnDevice on(x.device().index());
  const Inside work;
  const auto bias = at::IntArrayRef(w.sizes().data() + (transposed ? 1 : 0), 1);
  const auto [gx, gw, gb] = at::convolution_backward(
      gy.cpu(), x.cpu(), w.cpu(), bias, C10_AS_INTARRAYREF_SLOW(stride),
      C10_AS_INTARRAYREF_SLOW(padding), C10_AS_INTARRAYREF_SLOW(dilation),
      transposed, C10_AS_INTARRAYREF_SLOW(output_padding), groups.expect_int(),
      mask);
  const auto there = [&](const at::Tensor& t) {
    return t.defined() ? t.to(x.device()) : t;
  };
  return {there(gx), there(gw), there(gb)};
}

TORCH_LIBRARY_IMPL(aten, PrivateUse1, m) {
  m.impl("empty.memory_format", empty);
  m.impl("empty_strided", empty_strided);
  m.impl("_copy_from", copy_from);
  m.impl("_copy_from_and_resize", copy_from_and_resize);
  m.impl("_local_scalar_dense", local_scalar);
  m.impl("as_strided", as_strided);
  m.impl("view", view);
  m.impl("_reshape_alias", reshape_alias);
  m.impl("alias", at::native::alias);
  m.impl("unfold", at::native::unfold);
  m.impl("resize_", resize);
  m.impl("convolution_overrideable", convolution);
  m.impl("convolution_backward_overrideable", convolution_backward);
}

TORCH_LIBRARY_IMPL(_, PrivateUse1, m) {
  m.fallback(torch::CppFunction::makeFromBoxedFunction<&run_on_cpu>());
}

// --- what LibTorch asks of a device ------------------------------------------

class Guard final : public c10::impl::DeviceGuardImplInterface {
 public:
  c10::DeviceType type() const override { return kDevice; }
  c10::Device exchangeDevice(c10::Device d) const override {
    const auto old = getDevice();
    setDevice(d);
    return old;
  }
  c10::Device getDevice() const override {
    return {kDevice, static_cast<c10::DeviceIndex>(current)};
  }
  void setDevice(c10::Device d) const override {
    set_current_device(d.index());
  }
  void uncheckedSetDevice(c10::Device d) const noexcept override {
    current = d.index();
  }
  c10::Stream getStream(c10::Device d) const override {
    return c10::Stream(c10::Stream::DEFAULT, d);
  }
  c10::Stream exchangeStream(c10::Stream s) const override { return s; }
  c10::DeviceIndex deviceCount() const noexcept override {
    return static_cast<c10::DeviceIndex>(device_count);
  }
  void record(void** event, const c10::Stream&, const c10::DeviceIndex,
              const c10::EventFlag) const override {
    *event = const_cast<Guard*>(this);
  }
  void block(void*, const c10::Stream&) const override {}
  bool queryEvent(void*) const override { return true; }
  void destroyEvent(void*, const c10::DeviceIndex) const noexcept override {}
  bool queryStream(const c10::Stream&) const override { return true; }
  void synchronizeStream(const c10::Stream&) const override {
    count_read("a stream waited for");
  }
  void synchronizeEvent(void*) const override {
    count_read("an event waited for");
  }
  void synchronizeDevice(const c10::DeviceIndex) const override {
    count_read("a device waited for");
  }
};

class Hooks final : public at::PrivateUse1HooksInterface {
 public:
  bool isBuilt() const override { return true; }
  bool isAvailable() const override { return true; }
  bool hasPrimaryContext(c10::DeviceIndex) const override { return true; }
  c10::DeviceIndex deviceCount() const override {
    return static_cast<c10::DeviceIndex>(device_count);
  }
  c10::DeviceIndex getCurrentDevice() const override {
    return static_cast<c10::DeviceIndex>(current);
  }
  void setCurrentDevice(c10::DeviceIndex i) const override {
    set_current_device(i);
  }
  c10::DeviceIndex exchangeDevice(c10::DeviceIndex i) const override {
    const auto old = getCurrentDevice();
    set_current_device(i);
    return old;
  }
  c10::DeviceIndex maybeExchangeDevice(c10::DeviceIndex i) const override {
    return i < 0 ? getCurrentDevice() : exchangeDevice(i);
  }
  bool isPinnedPtr(const void* p) const override {
    return pinned_allocator.owns(p);
  }
  c10::Allocator* getPinnedMemoryAllocator() const override {
    return &pinned_allocator;
  }
  at::Device getDeviceFromPtr(void* p) const override {
    return {kDevice, static_cast<c10::DeviceIndex>(index_of(p))};
  }
};

C10_REGISTER_GUARD_IMPL(PrivateUse1, Guard);

}  // namespace

void install(int devices) {
  TORCH_CHECK(device_count == 0 && devices >= 1 && devices <= kMostDevices,
              "pretend::install(", devices, "); expected once, 1 to 16");
  device_count = devices;
  static Hooks hooks;
  c10::register_privateuse1_backend("pretend");
  at::RegisterPrivateUse1HooksInterface(&hooks);
  c10::SetAllocator(kDevice, &device_allocator);
}

Counts counts() {
  std::lock_guard lock(counts_mutex);
  return counted;
}

void clear_counts() {
  std::lock_guard lock(counts_mutex);
  counted = {};
}

int current_device() { return current; }

void set_current_device(int index) {
  TORCH_CHECK(index >= 0 && index < device_count, "pretend: device ", index,
              " of ", device_count);
  current = index;
}

void limit_memory(int index, int64_t bytes) { memory_of(index).limit = bytes; }

}  // namespace protean::pretend
