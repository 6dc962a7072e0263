#!/bin/bash
# run.sh [TARGET…]: every reader of outside data, or these, guided by coverage; as many at once as there are cores.
# RUNS: executions of each (default 10,000,000). FUZZ_TIME: seconds of each instead.
# The last line is JSON: what was executed. Exit code 1 where a target failed; what it failed on is named.
set -euo pipefail
cd "$(dirname "$0")"
export RUSTC_BOOTSTRAP=1
ends=${FUZZ_TIME:+-max_total_time=$FUZZ_TIME}
export ENDS=${ends:--runs=${RUNS:-10000000}}
triple=$(rustc -vV | sed -n 's/^host: //p')
export triple LOGS=$PWD/target/logs
mkdir -p "$LOGS"

# Readers of text and pictures compare so much that noting every comparison takes three quarters of the time; their seeds know the words.
compares() { [ "$1" = gate ] || echo --no-trace-compares; }
# A folder for each way of building: neither throws the other away.
into() { [ "$1" = gate ] && echo "$PWD/target" || echo "$PWD/target/quick"; }

wanted=()
for crate in config models gate; do
  own=()
  for target in $(cargo fuzz list --fuzz-dir $crate); do
    # The list is of the whole workspace.
    [ -e "$crate/fuzz_targets/$target.rs" ] || continue
    [ $# -eq 0 ] || [[ " $* " == *" $target "* ]] || continue
    own+=("$crate/$target")
  done
  [ ${#own[@]} -eq 0 ] && continue
  echo "==> building the targets of $crate"
  cargo fuzz build --fuzz-dir $crate -s none $(compares $crate) --target-dir "$(into $crate)"
  wanted+=("${own[@]}")
done
[ ${#wanted[@]} -gt 0 ] || { echo "no fuzz target is called $*; there are: $(ls ./*/fuzz_targets | sed -n 's/\.rs$//p' | xargs)"; exit 1; }

one() {
  crate=${1%/*} target=${1#*/}
  corpus=$PWD/$crate/corpus/$target artifacts=$PWD/$crate/artifacts/$target/
  mkdir -p "$corpus" "$artifacts"
  if "$(into "$crate")/$triple/release/$target" "$corpus" "$ENDS" -artifact_prefix="$artifacts" -timeout=20 -rss_limit_mb=4096 \
    -print_final_stats=1 -verbosity=0 > "$LOGS/$target" 2>&1; then
    echo "$target: $(sed -n 's/^stat::number_of_executed_units: *//p' "$LOGS/$target") executions"
  else
    touch "$LOGS/$target.failed"
    echo "$target FAILED:"
    grep -vE '^(INFO|Dictionary|#|")' "$LOGS/$target" | head -60
    return 1
  fi
}
export -f one into
rm -f "$LOGS"/*.failed
failed=0
printf '%s\n' "${wanted[@]}" | xargs -P "$(nproc)" -I{} bash -c 'one {}' || failed=1

executions=
for target in "${wanted[@]#*/}"; do
  done=$(sed -n 's/^stat::number_of_executed_units: *//p' "$LOGS/$target")
  executions+="${executions:+,}\"$target\":${done:-0}"
done
ended=("$LOGS"/*.failed)
[ -e "${ended[0]}" ] || ended=()
echo "{\"soak\":\"fuzz\",\"targets\":${#wanted[@]},\"failed\":${#ended[@]},\"executions\":{$executions}}"
exit $failed
