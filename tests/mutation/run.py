#!/usr/bin/env python3
"""Which mistakes would the tests notice? Puts each mistake of a list into a copy of the
sources, builds what sees it, runs the tests that should fail, and prints who survived.

    tests/mutation/run.py [LIST...] [--like REGEX] [--copy DIR] [--results FILE.csv]
    tests/mutation/run.py --check        only: is every mistake still to be found?

A list (mistakes/NAME.txt; default: all) holds, per mistake, a line of what it is,

    @ FILE      its name, wherever it lies
    - TEXT      stands there once, whatever blanks and line ends are between its words
    + TEXT      what a tired person would have written (nothing: the text is left out)
    ! REGEX     optional: tests (by their names in ctest) that run before the usual ones

and a blank line. Equivalent mistakes, which no test could see, do not belong there.
Nothing but the results is left behind; --copy DIR keeps the copy and its build, so that
the next call need not build everything. Sources are those that git knows, as they are in
the working tree. The build takes what launch/build.sh takes from the environment.
"""
import argparse
import collections
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "accuracy"))
import rows  # noqa: E402

HERE = pathlib.Path(__file__).parent
TOP = HERE.parent.parent
COLUMNS = ["list", "file", "mistake", "state", "by", "seconds", "commit"]

# Per list: what is built and which tests run, one stage after the other until one fails.
DECISIONS = ("protean", r"^decisions\.")
STAGES = {
    "core": [("test_core", "^core$"), ("test_data test_trainer_files", "^(data|trainer_files)$"),
             ("protean", r"^(decisions\..*|cli\.(run_logs|bad_keys|eval_study|eval_table))$")],
    "coordinator": [("test_coordinator", "^coordinator$"), DECISIONS],
    "training": [("test_trainer_files test_trainer", "^trainer(_files)?$"), DECISIONS,
                 ("protean", r"^(cli\.(kept_checkpoints|run_logs|eval_.*|bad_resume|generate_"
                             r"(mix|init_from|quality))|exact\.(maml|fixed|unequal|refreshed)|"
                             r"fault\.(dedicated|not_finite|diverges|stop_usr1|other_config|"
                             r"checkpoint_damaged))$")],
    "cli": [DECISIONS, ("protean", r"^cli\.(bad|eval|doctor|kept).*$"),
            ("protean", r"^(cli\.generate.*|fault\.other_config)$")],
    "evaluation": [("test_evaluation", "^evaluation$"), DECISIONS, ("protean", r"^cli\.eval.*$"),
                   ("protean make_features", r"^cli\.generate_(augmentation|quality)$")],
    "data": [("test_data", "^data(_files)?$"), ("protean", r"^cli\.(eval|bad).*$")],
    "tasks": [("test_tasks", "^tasks$"), ("protean", r"^(decisions\..*|cli\.eval.*)$")],
    "learners": [("test_learners", "^learners$"), ("test_golden protean", "^(golden|decisions.*)$")],
    "models": [("test_models test_learners", "^(models|learners)$"), ("test_golden", "^golden$")],
    "generative": [("test_generative", "^generative$"), ("protean", r"^cli\.generate.*$")],
    "comm": [("test_comm", "^comm$"), ("test_contract comm_fault", r"^(contract|fault\.comm.*)$"),
             ("protean", r"^(cli\.bad_ranks|fault\.(other_config|rank_throws|rank_exits))$")],
    "rl": [("test_rl", "^rl$"), ("protean", r"^(cli\.eval_acting|exact\.acting)$")],
}

Mistake = collections.namedtuple("Mistake", "list what file old new tests")


def read_list(path):
    mistakes = []
    for block in path.read_text().split("\n\n"):
        lines = block.strip("\n").split("\n")
        if lines == [""]:
            continue
        part = {line[0]: line[1:].strip() for line in lines[1:]}
        if not lines[0] or not {"@", "-", "+"} <= part.keys() or not part["-"]:
            raise SystemExit(f"{path}: \"{lines[0]}\"; expected what it is, then @, - and +")
        mistakes.append(Mistake(path.stem, lines[0], part["@"], part["-"], part["+"],
                                part.get("!")))
    return mistakes


def sources(top):
    listed = subprocess.run(["git", "ls-files", "src", "include"], cwd=top, check=True,
                            capture_output=True, text=True).stdout.split()
    by_name = collections.defaultdict(list)
    for name in listed:
        by_name[os.path.basename(name)].append(name)
    return by_name


def find(mistake, by_name, top):
    """The file's path and its text with the mistake; None and why not."""
    pattern = r"\s+".join(re.escape(word) for word in mistake.old.split())
    places = []
    for name in by_name.get(mistake.file, []):
        text = (top / name).read_text()
        places += [(name, text, m) for m in re.finditer(pattern, text)]
    if len(places) != 1:
        return None, f"{len(places)} places in {mistake.file} hold \"{mistake.old}\""
    name, text, at = places[0]
    return name, text[:at.start()] + mistake.new + text[at.end():]


class Copy:
    """The sources elsewhere, with a build of their own."""

    def __init__(self, folder, options):
        self.top = pathlib.Path(folder)
        self.options = options
        listed = subprocess.run(["git", "ls-files"], cwd=TOP, check=True, capture_output=True,
                                text=True).stdout.split("\n")
        for name in filter(None, listed):
            to = self.top / name
            if not (TOP / name).is_file():
                continue
            data = (TOP / name).read_bytes()
            if to.is_file() and to.read_bytes() == data:
                continue
            to.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(TOP / name, to)
        self.configured = False

    def build(self, targets):
        """None, or the compiler's last lines."""
        command = ["launch/build.sh", "-DPROTEAN_TESTS=ON", *self.options]
        if self.configured:
            command = ["cmake", "--build", "build"]
        for target in targets.split():
            command += ["--target", target]
        done = subprocess.run(command, cwd=self.top, capture_output=True, text=True)
        self.configured = self.configured or done.returncode == 0
        return None if done.returncode == 0 else (done.stdout + done.stderr)[-2000:]

    def test(self, names):
        """The first test that fails, or None."""
        done = subprocess.run(["ctest", "-R", names, "--stop-on-failure", "--no-tests=ignore",
                               "--timeout", "300"], cwd=self.top / "build",
                              capture_output=True, text=True)
        if done.returncode == 0:
            return None
        failed = re.search(r"FAILED:\s+\d+ - (\S+)", done.stdout)
        return failed.group(1) if failed else "ctest"


def judge(copy, mistake, name, text):
    """State of the mistake, and the test that saw it."""
    path = copy.top / name
    original = path.read_text()
    stages = list(STAGES[mistake.list])
    if mistake.tests:
        stages.insert(0, (stages[0][0] + " protean", mistake.tests))
    path.write_text(text)
    try:
        for targets, names in stages:
            error = copy.build(targets)
            if error:
                return "not built", re.sub(r"\s+", " ", error)[-300:]
            by = copy.test(names)
            if by:
                return "killed", by
        return "survived", ""
    finally:
        path.write_text(original)


def clean_tests(copy, lists):
    """Tests that fail without a mistake would see every one."""
    for which in lists:
        for targets, names in STAGES[which]:
            error = copy.build(targets)
            if error:
                raise SystemExit(f"the copy does not build:\n{error}")
            by = copy.test(names)
            if by:
                raise SystemExit(f"{by} fails without any mistake")


def summary(table):
    by_list = collections.defaultdict(collections.Counter)
    for row in table:
        by_list[row["list"]][row["state"]] += 1
        by_list["all"][row["state"]] += 1
    for which, count in sorted(by_list.items(), key=lambda item: (item[0] == "all", item[0])):
        tried = count["killed"] + count["survived"]
        print(f"{which:12} {count['killed']:4} of {tried:4} found"
              + (f" ({100 * count['killed'] / tried:.0f} %)" if tried else "")
              + "".join(f", {n} {state}" for state, n in count.items()
                        if state not in ("killed", "survived")))


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("list", nargs="*", help="names of lists; default: all")
    parser.add_argument("--like", default="", help="only mistakes whose words match this")
    parser.add_argument("--copy", help="folder of the copy, kept")
    parser.add_argument("--results", default=str(HERE / "results" / "mistakes.csv"))
    parser.add_argument("--cmake", action="append", help="option of the copy's configuration; "
                        "default: -DPROTEAN_WERROR=OFF, since a mistake may leave names unused")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--unproved", action="store_true",
                        help="do not first run the tests without a mistake")
    options = parser.parse_args()
    names = options.list or sorted(p.stem for p in (HERE / "mistakes").glob("*.txt"))
    mistakes = [m for name in names for m in read_list(HERE / "mistakes" / f"{name}.txt")
                if re.search(options.like, f"{m.file}: {m.what}")]
    by_name = sources(TOP)
    lost = [f"{m.list}: {m.what}: {why}" for m in mistakes
            for name, why in [find(m, by_name, TOP)] if name is None]
    print("".join(line + "\n" for line in lost), end="")
    if options.check:
        print(f"{len(mistakes)} mistakes, {len(lost)} not to be found")
        return 1 if lost else 0

    os.nice(19)
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=TOP, check=True,
                            capture_output=True, text=True).stdout.strip()
    os.makedirs(os.path.dirname(options.results), exist_ok=True)
    folder = options.copy or tempfile.mkdtemp(prefix="mistakes-")
    try:
        copy = Copy(folder, options.cmake or ["-DPROTEAN_WERROR=OFF"])
        if not options.unproved:
            clean_tests(copy, names)
        elif not copy.configured:
            copy.build("test_core")
        for m in mistakes:
            name, text = find(m, by_name, TOP)
            if name is None:
                continue
            start = time.time()
            state, by = judge(copy, m, name, text)
            print(f"{state:9} {m.list}: {m.what} ({m.file}){': ' + by if by else ''}", flush=True)
            table = rows.store(options.results, COLUMNS,
                               [[m.list, name, m.what, state, by, round(time.time() - start), commit]],
                               ["list", "mistake"])
        summary(table)
    finally:
        if not options.copy:
            shutil.rmtree(folder, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
