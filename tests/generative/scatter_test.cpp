#include "protean/generative/analysis/scatter.h"

#include "protean/core/error.h"

#include "support/catch.h"
#include "support/toy_tasks.h"

using namespace protean;

namespace {

size_t count(const std::string& text, const std::string& what) {
  size_t n = 0;
  for (size_t at = 0; (at = text.find(what, at)) != std::string::npos; ++at)
    ++n;
  return n;
}

}  // namespace

TEST_CASE("a map shows points as dots, or as the pictures given",
          "[generative]") {
  const auto points = noise({4, 2}, 1);
  const auto labels = at::tensor({0, 1, 1, 0}, at::kLong);
  const std::vector<std::string> names{"a", "b & <c>"};
  const auto dots = scatter_svg(points, labels, names, "title");
  CHECK(count(dots, "<circle") == 4 + 2);  // and two of the list
  CHECK(count(dots, "<image") == 0);
  CHECK(count(dots, "b &amp; &lt;c>") == 1);
  const auto mixed =
      scatter_svg(points, labels, names, "title", {"", "foobar", "", "foo"});
  CHECK(count(mixed, "<circle") == 2 + 2);
  CHECK(count(mixed, "<image") == 2);
  CHECK(count(mixed, "data:image/png;base64,Zm9vYmFy\"") == 1);
  CHECK(count(mixed, "data:image/png;base64,Zm9v\"") == 1);
  CHECK_THROWS_WITH(scatter_svg(points, labels, names, "title", {"foo"}),
                    contains("1 pictures of 4 points"));
}

TEST_CASE("the principal plane is that of the two widest directions",
          "[generative]") {
  const auto wide = noise({300, 2}, 2) * at::tensor({9.0, 5.0});
  const auto turn = std::get<0>(at::linalg_qr(noise({4, 4}, 3)));
  const auto x =
      at::mm(at::cat({wide, 0.1 * noise({300, 2}, 4)}, 1), turn) + 50;
  const auto plane = principal_plane(x);
  CHECK(plane.explained > 0.999);
  const auto spread = plane.points.std(0);
  CHECK(spread[0].item<double>() == Approx(9).epsilon(0.1));
  CHECK(spread[1].item<double>() == Approx(5).epsilon(0.1));
  CHECK_THROWS_AS(principal_plane(x.narrow(0, 0, 2)), Error);
}
