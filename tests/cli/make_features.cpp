// Writes a TorchScript network that makes 16 features of an image, as a user's
// own would come.
#include <torch/csrc/jit/api/module.h>

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  torch::jit::Module module("features");
  module.define(R"(
    def forward(self, x):
      return torch.avg_pool2d(x, 7).flatten(1)
  )");
  module.save(argv[1]);
}
