#include "protean/core/base64.h"

#include "support/catch.h"

using namespace protean;

TEST_CASE("base64 of RFC 4648's examples, and of all bytes' bits", "[core]") {
  CHECK(base64("") == "");
  CHECK(base64("f") == "Zg==");
  CHECK(base64("fo") == "Zm8=");
  CHECK(base64("foo") == "Zm9v");
  CHECK(base64("foob") == "Zm9vYg==");
  CHECK(base64("fooba") == "Zm9vYmE=");
  CHECK(base64("foobar") == "Zm9vYmFy");
  CHECK(base64(std::string("\xff\xfe\0\x80", 4)) == "//4AgA==");
}
