#!/usr/bin/env python3
"""Which mistakes would the tests notice? Puts each mistake of a list into a copy of the
sources, builds what sees it, runs the tests that should fail, and prints who survived.

    tests/mutation/run.py [LIST...] [--like REGEX] [--copy DIR] [--results FILE.csv]
    tests/mutation/run.py --check        only: is every mistake still to be found?

A list (mistakes/NAME.txt; default: all) holds, per mistake, a line of what it is,

    @ FILE      its name, wherever it lies; if it was split, the text says where
    - TEXT      stands there once, whatever blanks and line ends are between its words
    + TEXT      what a tired person would have written (nothing: the text is left out)
    ! REGEX     optional: tests (by their names in ctest) that run before the usual ones

and a blank line. Equivalent mistakes, which no test could see, do not belong there.

Mistakes that can be switched on in a running program (two expressions, statements or
conditions) are all built at once and chosen by PROTEAN_MISTAKE, so that each costs its
tests alone; the others are built one by one. Nothing but the results is left behind; --copy DIR keeps the copy and its build, so that
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
    "core": [("test_core", r"^core\."), ("test_data test_run", r"^(data|run)\."),
             ("protean", r"^(decisions\..*|cli\.(run_logs|bad_keys|eval_study|eval_table))$")],
    "coordinator": [("test_coordinator", r"^coordinator\."), DECISIONS],
    "training": [("test_run test_experiment test_trainer", r"^(run|experiment|trainer)\."), DECISIONS,
                 ("protean", r"^(cli\.(kept_checkpoints|run_logs|eval_.*|bad_resume|generate_"
                             r"(mix|init_from|quality))|exact\.(maml|fixed|unequal|refreshed)|"
                             r"fault\.(dedicated|not_finite|diverges|stop_usr1|other_config|"
                             r"checkpoint_damaged))$")],
    "cli": [DECISIONS, ("protean", r"^cli\.(bad|eval|doctor|kept).*$"),
            ("protean", r"^(cli\.generate.*|fault\.other_config)$")],
    "evaluation": [("test_evaluation", r"^evaluation\."), DECISIONS, ("protean", r"^cli\.eval.*$"),
                   ("protean make_features", r"^cli\.generate_(augmentation|quality)$")],
    "data": [("test_data", r"^data\."), ("protean", r"^cli\.(eval|bad).*$")],
    "tasks": [("test_tasks", r"^tasks\."), ("protean", r"^(decisions\..*|cli\.eval.*)$")],
    "learners": [("test_learners", r"^learners\."), ("test_golden protean", r"^(golden|decisions)\b")],
    "models": [("test_models test_learners", r"^(models|learners)\."), ("test_golden", r"^golden\b")],
    "generative": [("test_generative", r"^generative\."), ("protean", r"^cli\.generate.*$")],
    "comm": [("test_comm", r"^comm\."), ("test_contract comm_fault_program", r"^(contract\.inproc|fault\.comm)"),
             ("protean", r"^(cli\.bad_ranks|fault\.(other_config|rank_throws|rank_exits))$")],
    "rl": [("test_rl", r"^rl\."), ("protean", r"^(cli\.eval_acting|exact\.acting)$")],
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
    # A file may have been split: then the text is sought in all.
    everywhere = [name for names in by_name.values() for name in names]
    for names in (by_name.get(mistake.file, []), everywhere):
        for name in names if not places else []:
            text = (top / name).read_text()
            places += [(name, text, m) for m in re.finditer(pattern, text)]
    if len(places) != 1:
        return None, f"{len(places)} places in {mistake.file} hold \"{mistake.old}\""
    name, text, at = places[0]
    return name, text[:at.start()] + mistake.new + text[at.end():]


SWITCH = """#include <cstdlib>
namespace protean_mistakes {
inline bool on(int n) {
  static const char* const chosen = std::getenv("PROTEAN_MISTAKE");
  static const int number = chosen ? std::atoi(chosen) : -1;
  return number == n;
}
}
"""


def is_statement(text):
    return text == "" or (text.endswith((";", "}")) and ";" in text
                          and text.count("{") == text.count("}")
                          and text.count("(") == text.count(")")
                          and not re.match(r"(const|auto|static|using|double|int\w*|size_t|"
                                           r"case|catch|else)\b", text))


def is_expression(text):
    """One that nothing around it can take apart: no comma, assignment or half of a ?:"""
    depth, plain = 0, ""
    for c in text:
        depth += (c in "([{<") - (c in ")]}>") if c not in "<>" else 0
        plain += c if depth == 0 else ""
    return (depth == 0 and text.count("(") == text.count(")") and "," not in plain
            and plain.count("?") == len(re.findall(r"(?<!:):(?!:)", plain))
            and not re.search(r"[;{}\"]|^return|(?<![=!<>])=(?!=)", text)
            and re.search(r"^[\w(!:*&-]", text) and re.search(r"[\w)\]]$", text))


def stands_alone(before, after):
    """Whether an expression between these texts keeps its meaning in brackets."""
    return (re.search(r"(^|[(,;{}=?\[]|[^:]:|&&|\|\||\breturn|\*)$", before.rstrip())
            and re.search(r"^([),;}\]?]|:[^:]|&&|\|\|)", after.lstrip()))


def switched(mistake, number, before, after):
    """The text with both, or None where a program cannot choose."""
    old, new = mistake.old, mistake.new
    ask = f"protean_mistakes::on({number})"
    condition = re.fullmatch(r"if \((.*)\)", old), re.fullmatch(r"if \((.*)\)", new)
    if all(condition) and all(c[1].count("(") == c[1].count(")") for c in condition):
        return f"if ({ask} ? ({condition[1][1]}) : ({condition[0][1]}))"
    if is_statement(old) and is_statement(new):
        return f"if ({ask}) {{ {new} }} else {{ {old} }}"
    if new and is_expression(old) and is_expression(new) and stands_alone(before, after):
        return f"({ask} ? ({new}) : ({old}))"
    return None


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

    def build(self, targets, keep_going=False):
        """None, or the compiler's last lines."""
        command = ["launch/build.sh", "-DPROTEAN_TESTS=ON", *self.options]
        if self.configured:
            command = ["cmake", "--build", "build"]
        for target in targets.split():
            command += ["--target", target]
        if keep_going and self.configured:
            command += ["--", "-k", "0"]
        done = subprocess.run(command, cwd=self.top, capture_output=True, text=True)
        self.configured = self.configured or (self.top / "build" / "build.ninja").exists()
        said = done.stdout + done.stderr
        return None if done.returncode == 0 else said if keep_going else said[-2000:]

    def test(self, names, mistake=-1):
        """The first test that fails, or None."""
        environment = dict(os.environ, PROTEAN_MISTAKE=str(mistake))
        done = subprocess.run(["ctest", "-R", names, "--stop-on-failure", "--no-tests=ignore",
                               "--timeout", "300"], cwd=self.top / "build",
                              capture_output=True, text=True, env=environment)
        if done.returncode == 0:
            return None
        failed = re.search(r"FAILED:\s+\d+ - (\S+)", done.stdout)
        return failed.group(1) if failed else "ctest"


def stages_of(mistake, most):
    stages = STAGES[mistake.list][:most]
    if mistake.tests:
        of_program = re.search(r"decisions|cli|exact|fault", mistake.tests)
        stages.insert(0, ("protean" if of_program else STAGES[mistake.list][0][0], mistake.tests))
    return stages


class Together:
    """All mistakes of a copy that can be switched; `chosen` is what was built."""

    def __init__(self, copy, numbered, by_name, most_stages):
        self.copy, self.chosen, self.places = copy, {}, collections.defaultdict(list)
        for number, m in numbered:
            found = find(m, by_name, TOP)
            if found[0] is None:
                continue
            original = (TOP / found[0]).read_text()
            pattern = r"\s+".join(re.escape(word) for word in m.old.split())
            at = re.search(pattern, original)
            text = switched(m, number, original[:at.start()], original[at.end():])
            if not text:
                continue
            # Two in one place cannot be switched apart.
            if any(a < at.end() and at.start() < b for a, b, *_ in self.places[found[0]]):
                continue
            self.places[found[0]].append((at.start(), at.end(), text, number))
            self.chosen[number] = m
        targets = sorted({t for m in self.chosen.values() for built, _ in stages_of(m, most_stages)
                          for t in built.split()})
        self.write()
        for _ in range(20):
            error = copy.build(" ".join(targets), keep_going=True)
            if not error:
                return
            bad = {int(n) for n in re.findall(r"protean_mistakes::on\((\d+)\)", error)}
            bad |= self.at_lines(re.findall(r"((?:src|include)/\S+?):(\d+):\d+: error", error))
            bad &= self.chosen.keys()
            if not bad:
                raise SystemExit(f"the copy with its switches does not build:\n{error[-3000:]}")
            for number in bad:
                del self.chosen[number]
            self.write()
        raise SystemExit("the copy with its switches does not build")

    def at_lines(self, errors):
        """Numbers of the switches on these lines, or of all in the file."""
        out = set()
        for name, line in errors:
            lines = (self.copy.top / name).read_text().split("\n") if name in self.places else []
            here = lines[int(line) - 1] if int(line) <= len(lines) else ""
            found = re.findall(r"protean_mistakes::on\((\d+)\)", here)
            out |= {int(n) for n in found} or {p[3] for p in self.places.get(name, [])}
        return out

    def write(self):
        for name, places in self.places.items():
            text = (TOP / name).read_text()
            kept = [p for p in sorted(places, reverse=True) if p[3] in self.chosen]
            for begin, end, new, _ in kept:
                text = text[:begin] + new + text[end:]
            text = (SWITCH if kept else "") + text
            path = self.copy.top / name
            if path.read_text() != text:
                path.write_text(text)

    def restore(self):
        self.chosen = {}
        self.write()


def judge(copy, mistake, name, text, most_stages):
    """State of the mistake, and the test that saw it."""
    path = copy.top / name
    original = path.read_text()
    stages = stages_of(mistake, most_stages)
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


def run_tests(copy, mistake, number, most_stages):
    """The same of one that is built already."""
    for _, names in stages_of(mistake, most_stages):
        by = copy.test(names, number)
        if by:
            return "killed", by
    return "survived", ""


def clean_tests(copy, lists, most_stages):
    """Tests that fail without a mistake would see every one."""
    for which in lists:
        for targets, names in STAGES[which][:most_stages]:
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
    parser.add_argument("--together", action="store_true",
                        help="only mistakes that are built at once")
    parser.add_argument("--stages", type=int, default=9, help="only the first of each list, beside those of '!'")
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
        table = []

        def one(m, judged):
            nonlocal table
            start = time.time()
            state, by = judged()
            print(f"{state:9} {m.list}: {m.what} ({m.file}){': ' + by if by else ''}", flush=True)
            table = rows.store(options.results, COLUMNS,
                               [[m.list, find(m, by_name, TOP)[0], m.what, state, by,
                                 round(time.time() - start), commit]], ["list", "mistake"])

        together = Together(copy, list(enumerate(mistakes)), by_name, options.stages)
        print(f"{len(together.chosen)} of {len(mistakes)} mistakes are built at once", flush=True)
        if not options.unproved:
            clean_tests(copy, names, options.stages)
        rest = [m for n, m in enumerate(mistakes) if n not in together.chosen]
        for number, m in together.chosen.items():
            one(m, lambda n=number, m=m: run_tests(copy, m, n, options.stages))
        together.restore()
        for m in rest:
            if not options.together and find(m, by_name, TOP)[0]:
                one(m, lambda m=m: judge(copy, m, *find(m, by_name, TOP), options.stages))
        summary(table)
    finally:
        if not options.copy:
            shutil.rmtree(folder, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
