// The pretend devices of a test program: eight, installed by the first caller.
#pragma once

#include <c10/core/Device.h>

#include "support/pretend_device.h"

namespace protean {

inline void pretend_devices() {
  static const bool once = [] {
    pretend::install(8);
    return true;
  }();
  static_cast<void>(once);
}

inline c10::Device pretend_at(int index) {
  return {c10::DeviceType::PrivateUse1, static_cast<c10::DeviceIndex>(index)};
}

}  // namespace protean
