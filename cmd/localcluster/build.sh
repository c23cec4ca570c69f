#!/bin/sh
# build.sh OUT builds localcluster to the file OUT. A first build compiles all
# of Kubernetes and takes minutes, so it says every 15 seconds how far it is;
# when nothing has changed it is quiet.
set -eu
if [ $# -ne 1 ]; then
	echo "build.sh: give the path of the binary to build, such as bin/localcluster" >&2
	exit 2
fi
case $1 in
/*) out=$1 ;;
*) out=$PWD/$1 ;;
esac
cd "$(dirname "$0")"
mkdir -p "$(dirname "$out")"
export CGO_ENABLED=0

log=$(mktemp)
trap 'rm -f "$log"' EXIT
# Kubernetes reads its version from the linker; charts ask the API server for it.
version=$(go list -m -f '{{.Version}}' k8s.io/kubernetes)
minor=${version#v1.}
stamp=k8s.io/component-base/version
ldflags="-s -w -X $stamp.gitVersion=$version -X $stamp.gitMajor=1 -X $stamp.gitMinor=${minor%%.*}"
go build -v -trimpath -ldflags="$ldflags" -o "$out" . >"$log" 2>&1 &
build=$!
# Without the kill an interrupted script would leave the compiler running.
trap 'kill "$build" 2>/dev/null; exit 130' INT TERM

# Packages are counted beside the build: -v prints the name of each package it
# compiles, so lines are progress. Packages in the cache are never printed.
began=$(date +%s)
total=
told=0
while kill -0 "$build" 2>/dev/null; do
	sleep 0.2
	spent=$(($(date +%s) - began))
	[ "$spent" -ge $((told + 15)) ] || continue
	told=$spent
	[ -n "$total" ] || total=$(go list -deps . 2>/dev/null | wc -l)
	compiled=$(grep -vc '^go: ' "$log" || true)
	fetched=$(grep -c '^go: downloading' "$log" || true)
	echo "build localcluster: $spent s, compiled $compiled of at most $total packages, fetched $fetched modules (the first build takes minutes)"
done
if ! wait "$build"; then
	echo "build.sh: go could not build localcluster:" >&2
	cat "$log" >&2
	exit 1
fi
