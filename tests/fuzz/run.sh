#!/usr/bin/env bash
# run.sh [SECONDS [FOLDER]]: fuzzes the readers of records, photographs and
# specs for so long each (600), under the address and undefined-behaviour
# sanitizers, from seeds of seeds.py. What they find and learn stays in FOLDER
# (build-fuzz); a second run goes on from there. Needs clang with libFuzzer
# (CLANG, clang++-14); not part of ctest. Fails when any of them does.
set -euo pipefail
top=$(realpath "$(dirname "${BASH_SOURCE[0]}")/../..")
seconds=${1:-600}
folder=${2:-$top/build-fuzz}
clang=${CLANG:-clang++-14}
mkdir -p "$folder"
"${PYTHON:-python3}" "$top/tests/fuzz/seeds.py" "$folder/seeds" "$top/configs/meta-dataset/specs"

# Only what the readers need, all of it under the sanitizers.
sources=("$top"/src/core/{hash,atomic_file,fault_points}.cpp "$top"/src/data/{exif,image_codec}.cpp
  "$top"/src/data/records/{tf_record,tf_example,photo,dataset_spec,class_graph}.cpp)
objects=()
for source in "${sources[@]}"; do
  object=$folder/$(basename "$source" .cpp).o
  objects+=("$object")
  [ "$object" -nt "$source" ] ||
    "$clang" -std=c++20 -O1 -g -fsanitize=fuzzer-no-link,address,undefined \
      -fno-sanitize-recover=undefined -I"$top/include" -I"$top/src" -c "$source" -o "$object"
done
failed=0
for name in record photo spec; do
  "$clang" -std=c++20 -O1 -g -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined \
    -I"$top/include" -I"$top/src" "$top/tests/fuzz/fuzz_$name.cpp" "${objects[@]}" \
    -ljpeg -lpng -lpthread -o "$folder/fuzz_$name"
  mkdir -p "$folder/corpus/$name"
  "$folder/fuzz_$name" -max_total_time="$seconds" -rss_limit_mb=1024 -timeout=20 -print_final_stats=1 \
    -artifact_prefix="$folder/$name-" "$folder/corpus/$name" "$folder/seeds/$name" \
    >"$folder/$name.log" 2>&1 || failed=1
  echo "$name: $(grep -E 'number_of_executed_units|SUMMARY' "$folder/$name.log" | tr -s ' \n' ' ')"
done
exit $failed
