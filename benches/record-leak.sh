#!/usr/bin/env bash
# Records the patient's /health while it leaks into a memory limit, until the kernel kills it: one line
# per poll, {"seconds":…,"health":…}. healing-core's tests replay the recordings.
#
#   benches/record-leak.sh MINUTES FILE     as root: it creates a memory cgroup (v1 or v2)
#
# The leak is 1 MiB/s; the limit is set so that it is reached after MINUTES.
set -euo pipefail
cd "$(dirname "$0")/.."

fail() { echo "benches/record-leak.sh: $*" >&2; exit 1; }
[ $# -eq 2 ] || fail "usage: benches/record-leak.sh MINUTES FILE"
minutes=$1 file=$2
[[ $minutes =~ ^[1-9][0-9]*$ ]] || fail "MINUTES must be a whole number, not '$minutes'"
[ "$(id -u)" = 0 ] || fail "must be root, to create a cgroup with a memory limit"

cargo build --locked -q -p patient-app
app=${CARGO_TARGET_DIR:-target}/debug/patient-app
bytes=$(((minutes * 60 + 12) * 1024 * 1024)) # 12 MiB is the patient's own usage

if [ -f /sys/fs/cgroup/cgroup.controllers ]; then
  group=/sys/fs/cgroup/healing-leak-$$ limit=memory.max
  echo +memory >/sys/fs/cgroup/cgroup.subtree_control
else
  group=/sys/fs/cgroup/memory/healing-leak-$$ limit=memory.limit_in_bytes
fi
mkdir "$group"
echo "$bytes" >"$group/$limit"
# Without swap accounting a v1 group has no such file.
[ ! -f "$group/memory.swap.max" ] || echo 0 >"$group/memory.swap.max"

partial=$(mktemp "$file.XXXXXX")
pid= load=
cleanup() {
  [ -z "$load" ] || kill "$load" 2>/dev/null || true
  [ -z "$pid" ] || kill -KILL "$pid" 2>/dev/null || true
  wait 2>/dev/null || true
  rmdir "$group" 2>/dev/null || true
  rm -f "$partial"
}
trap cleanup EXIT

port=$((20000 + RANDOM % 10000)) care=$((30000 + RANDOM % 2000))
sh -c 'echo $$ >"$0/cgroup.procs"; exec "$@"' "$group" \
  "$app" --bind "127.0.0.1:$port" --care-bind "127.0.0.1:$care" >/dev/null 2>&1 &
pid=$!
for _ in $(seq 100); do
  curl -sf "http://127.0.0.1:$care/readyz" >/dev/null && break
  sleep 0.1
done
(while curl -s -o /dev/null "http://127.0.0.1:$port/data"; do sleep 0.2; done) &
load=$!

start=$(date +%s.%N)
leaking=
while health=$(curl -sf -m 2 -H 'Host: localhost' "http://127.0.0.1:$care/health"); do
  seconds=$(awk -v a="$start" -v b="$(date +%s.%N)" 'BEGIN { printf "%.3f", b - a }')
  printf '{"seconds":%s,"health":%s}\n' "$seconds" "$health" >>"$partial"
  # A healthy minute first, for the baseline.
  if [ -z "$leaking" ] && awk -v s="$seconds" 'BEGIN { exit !(s >= 60) }'; then
    curl -sf -X POST "http://127.0.0.1:$port/faults/leak?mib_per_second=1&max_mib=65536" >/dev/null
    leaking=$seconds
  fi
  sleep 5
done
wait "$pid" 2>/dev/null && code=0 || code=$?
pid=
[ -n "$leaking" ] || fail "the patient exited before it leaked (exit $code)"
[ "$code" = 137 ] || fail "the patient was not killed at its limit (exit $code)"
mv "$partial" "$file"
echo "$file: $(wc -l <"$file") polls, leaking from second $leaking, killed after second $(tail -1 "$file" | sed 's/{"seconds":\([0-9.]*\).*/\1/')"
