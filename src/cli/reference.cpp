#include "cli/reference.h"

#include "protean/core/settings_text.h"

namespace protean {
namespace {

constexpr const char* kIntro = R"(# Keys

Every setting of Protean is a key. It is given on the command line
(`--task.ways 20`), or in an INI file that `--config FILE` names:

```ini
[task]
ways = 20   # classes per task
```

Flags win over files, later files over earlier ones, files over what a run has
stored, and that over the defaults. A run keeps all its values in
`config.ini`. A key that nothing in a configuration reads is refused, unless it
has its default.

The folders here hold one configuration per result that is reported, and
`omniglot/quickstart.ini` for a first run of a few minutes.

This page is written by `protean config --reference`; `protean config --explain
KEY` prints the part about one key.
)";

const std::vector<Chapter> kChapters = {
    {"data", "Data: where tasks come from",
     "Nothing needs to be set for the shipped part of Omniglot. For images of "
     "your own: data.source = folder, data.path, data.split."},
    {"task", "Tasks: what a learner is given",
     "A task shows a few support examples and asks about query examples. "
     "Evaluation takes the same sizes unless eval.* says otherwise."},
    {"learner", "Learner: the algorithm and its inner loop",
     "Which keys count depends on learner.name; each key says by whom it is "
     "read."},
    {"model", "Model: the network",
     "Generative models have networks of their own, under generator.*."},
    {"optim", "Outer optimiser: what a meta-step does",
     "The meta-gradient is the mean over task.meta_batch tasks."},
    {"run", "Run: length, seed, threads, what is written",
     "Everything that a run writes is in run.dir."},
    {"eval", "Evaluation: validation during training, and `protean eval`",
     "Validation keeps the best checkpoints, and may end training."},
    {"generator", "Generative models, and tasks that they make",
     "For learner.name = setvae, metavae, metagan and deform; the keys from "
     "generator.from on are for other learners that train on made tasks."},
    {"policy", "Learners that act",
     "For learner.name = promp and mamlpg, with data.source = point or "
     "bandit."},
    {"comm", "Ranks: several processes, hosts or GPUs",
     "The result does not depend on the number of ranks with comm.reduction = "
     "exact. Launchers set what is needed; see launch/."},
    {"coordinator", "Coordinator: who computes what, and who is alive",
     "All keys here may change from start to start."},
    {"checkpoint", "Checkpoints: what survives a stop",
     "Written in the background, checksummed; a broken one is passed over."},
    {"bench", "Bench: keys of `protean bench` alone",
     "They are no part of a run."},
};

}  // namespace

std::string reference(const Settings& settings) {
  return reference_page(settings, kIntro, kChapters);
}

}  // namespace protean
