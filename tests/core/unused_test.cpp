#include "protean/core/unused.h"

#include "support/catch.h"

using namespace protean;

TEST_CASE("a setting that nothing looks at is refused by name and value",
          "[core]") {
  const Unused unused("learner.name = setvae", "learner.name = metagan");
  unused("generator.r1", 1.0, 1.0);
  CHECK_THROWS_WITH(
      unused("generator.r1", 2.5, 1.0),
      contains("generator.r1 = 2.5 does nothing with learner.name = setvae; "
               "expected its default, 1, or learner.name = metagan"));
  const Unused alone("a deformation model");
  CHECK_THROWS_WITH(alone("generator.encoder", false, true),
                    contains("generator.encoder = false does nothing with a "
                             "deformation model; expected its default, true"));
  CHECK_THROWS_WITH(alone("generator.pooling", std::string("attention"),
                          std::string("moments")),
                    contains("generator.pooling = \"attention\" does") &&
                        contains("default, \"moments\""));
}
