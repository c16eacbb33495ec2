#include "protean/run/metrics_log.h"

#include <cmath>
#include <csignal>

#include <sys/resource.h>

#include "protean/core/atomic_file.h"
#include "protean/core/log.h"

#include "run/child.h"
#include "support/catch.h"
#include "support/temp_dir.h"

using namespace protean;
namespace fs = std::filesystem;

TEST_CASE("metrics are one object per line, appended", "[run]") {
  TempDir dir;
  const auto path = dir.path() / "metrics.jsonl";
  {
    MetricsLog log(path);
    CHECK(log.write({{"step", 1}, {"loss", 0.5}}));
    CHECK(log.write({{"step", 2}, {"loss", std::nan("")}}));
  }
  MetricsLog(path).write({{"step", 3}, {"host", "a\xff"}});
  CHECK(read_file(path) ==
        "{\"loss\":0.5,\"step\":1}\n{\"loss\":null,\"step\":2}\n"
        "{\"host\":\"a\xEF\xBF\xBD\",\"step\":3}\n");
}

TEST_CASE("metrics that cannot be written never throw", "[run]") {
  set_log_level(LogLevel::error);
  MetricsLog nowhere("/proc/metrics.jsonl");
  CHECK_FALSE(nowhere.write({{"step", 1}}));
  CHECK_FALSE(nowhere.write({{"step", 2}}));
  MetricsLog full("/dev/full");
  CHECK_FALSE(full.write({{"step", 1}}));
  set_log_level(LogLevel::info);
}

TEST_CASE("a half-written metrics line is taken back", "[run]") {
  TempDir dir;
  const auto path = dir.path() / "metrics.jsonl";
  const auto child = run_in_child([&]() -> std::string {
    set_log_level(LogLevel::error);
    ::signal(SIGXFSZ, SIG_IGN);
    MetricsLog log(path);
    log.write({{"step", 1}});
    const rlimit limit{15, RLIM_INFINITY};  // "{"step":1}\n" takes 11
    ::setrlimit(RLIMIT_FSIZE, &limit);
    const bool second = log.write({{"step", 2}});
    const rlimit none{RLIM_INFINITY, RLIM_INFINITY};
    ::setrlimit(RLIMIT_FSIZE, &none);
    log.write({{"step", 3}});
    return second ? "written" : "failed";
  });
  CHECK(child.text == "failed");
  CHECK(read_file(path) == "{\"step\":1}\n{\"step\":3}\n");
}

TEST_CASE("a resumed run's metrics end at the checkpoint", "[run]") {
  TempDir dir;
  const auto path = dir.path() / "metrics.jsonl";
  CHECK(cut_back(path, 5) == 0);
  CHECK_FALSE(fs::exists(path));
  const auto after = [&](const std::string& text, int64_t step) {
    write_file_synced(path, text);
    const auto dropped = cut_back(path, step);
    return std::to_string(dropped) + "|" + read_file(path);
  };
  const std::string one = "{\"step\":1}\n", two = "{\"step\":2}\n";
  CHECK(after(one + two, 2) == "0|" + one + two);
  CHECK(after(one + two, 1) == "1|" + one);
  CHECK(after(one + two, 0) == "2|");
  // Torn last lines, also one that is a whole object without its end of line.
  CHECK(after(one + "{\"step\":2", 9) == "1|" + one);
  CHECK(after(one + "{\"step\":2}", 9) == "1|" + one);
  CHECK(after(one + std::string(5, '\0'), 9) == "1|" + one);
  // Broken lines between whole ones; lines without a step follow the last.
  CHECK(after(one + "garbage\n[1]\n\n" + two, 9) == "2|" + one + two);
  const std::string event = "{\"event\":\"evaluation\"}\n";
  CHECK(after(event + one + event + two + event, 1) ==
        "2|" + event + one + event);
  CHECK_FALSE(fs::exists(path.string() + ".tmp"));
}

TEST_CASE("metrics that cannot be cut back are left as they are", "[run]") {
  TempDir dir;
  set_log_level(LogLevel::error);
  CHECK(cut_back(dir.path(), 5) == 0);  // a folder
  set_log_level(LogLevel::info);
  CHECK(fs::is_directory(dir.path()));
}
