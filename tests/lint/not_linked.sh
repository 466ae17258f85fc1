#!/bin/bash
# not_linked.sh PROGRAM NAME OTHER: fails if PROGRAM has a symbol with NAME in it. OTHER, which has one, shows that the
# look would find it.
set -euo pipefail

has() { grep --fixed-strings --quiet -- "$2" <(nm --demangle "$1"); }

if ! has "$3" "$2"; then
  echo "$3 should have $2, and none is found: is it stripped?" >&2
  exit 1
fi
if has "$1" "$2"; then
  echo "$1 links $2: keys that are software must not be in it" >&2
  exit 1
fi
