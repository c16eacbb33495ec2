#!/usr/bin/env bash
# Who may include what (src/README.md, "Modules"):
#   1. mpi.h and nccl.h in src/comm alone, Boost.Program_options in src/cli alone
#      (tests of the communicator may see mpi.h);
#   2. modules include downwards only, and the two columns never each other;
#   3. what lies in src/<module> is that module's own: others, and their tests, see
#      include/protean/<module> alone (tests of every communicator see src/comm).
# Prints every include that breaks a rule; exits 1 if there is one.
#
#   includes_test.sh SOURCE_FOLDER
set -euo pipefail
cd "$1"
broken=0

only_in() {  # what, pattern, folders that may
  local what=$1 pattern=$2 found
  shift 2
  found=$(grep -rnE "^[[:space:]]*#[[:space:]]*include[[:space:]]*[<\"]$pattern" src include tests \
    --include='*.h' --include='*.cpp' --include='*.in' | grep -vE "^($(IFS='|'; echo "$*"))/" || true)
  if [ -n "$found" ]; then
    echo "$what is included outside $*:"
    printf '%s\n' "$found"
    broken=1
  fi
}
only_in mpi.h 'mpi(-ext|cxx)?\.h' src/comm tests/comm tests/contract tests/support
only_in nccl.h 'nccl\.h' src/comm tests/comm tests/contract
only_in Boost.Program_options 'boost/program_options' src/cli tests/cli

# src/<module>/ and include/protean/<module>/ may include their own module and
# those listed here.
rules='
core:
data: core
tasks: core data
models: core
learners: core data tasks models
generative: core data tasks models learners
rl: core data tasks models learners
comm: core
run: core
coordinator: core comm run
experiment: core data tasks models learners generative rl comm run coordinator
trainer: core data tasks models learners generative rl comm run coordinator experiment
evaluation: core data tasks models learners generative rl comm run coordinator experiment trainer
tools: core data tasks models learners generative rl comm run coordinator experiment trainer
cli: core data tasks models learners generative rl comm run coordinator experiment trainer evaluation tools
python: core data tasks models learners generative rl comm run coordinator experiment trainer evaluation tools
'
while IFS=: read -r module below; do
  [ -n "$module" ] || continue
  folders=()
  for folder in "src/$module" "include/protean/$module"; do
    [ -d "$folder" ] && folders+=("$folder")
  done
  [ ${#folders[@]} -gt 0 ] || continue
  above=""
  while IFS=: read -r other _; do
    case " $module $below " in
      *" $other "*) ;;
      *) above+="${above:+|}$other" ;;
    esac
  done < <(sed '/^$/d' <<<"$rules")
  [ -n "$above" ] || continue
  # Public headers by "protean/<module>/", private ones of src by "<module>/".
  found=$(grep -rnE "^[[:space:]]*#[[:space:]]*include[[:space:]]*[<\"](protean/)?($above)/" "${folders[@]}" || true)
  if [ -n "$found" ]; then
    echo "$module may include: $module$below; but"
    printf '%s\n' "$found"
    broken=1
  fi
done <<<"$rules"

while read -r line; do
  file=${line%%:*}
  header=$(sed -E 's/.*"([^"]*)".*/\1/' <<<"$line")
  module=${header%%/*}
  [ -f "src/$header" ] || continue  # another folder's, such as tests/support
  own="src/$module tests/$module"
  [ "$module" != comm ] || own+=" tests/contract tests/support"
  case " $own " in
    *" $(cut -d/ -f1,2 <<<"$file") "*) continue ;;
  esac
  echo "src/$header is for $own alone; but"
  printf '%s\n' "$line"
  broken=1
done < <(grep -rnE '^[[:space:]]*#[[:space:]]*include[[:space:]]*"[a-z_]+/' src include tests \
  --include='*.h' --include='*.cpp' | grep -v '"protean/')
exit $broken
