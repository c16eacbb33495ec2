// What the two losses of a GAN are called where they are told, by their
// numbers.
#pragma once

#include <array>

namespace protean {

constexpr std::array<const char*, 2> kGanLossNames = {"generator_loss",
                                                      "discriminator_loss"};

}  // namespace protean
