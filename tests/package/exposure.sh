#!/bin/bash
# The sandbox as systemd rates it, from the file alone: no weaker than docs/operations/systemd.md says.
# usage: exposure.sh UNIT_FILE TENTHS
set -euo pipefail
command -v systemd-analyze >/dev/null || {
  echo "skipped: systemd-analyze is missing"
  exit 77
}
exec systemd-analyze security --offline=yes --threshold="$2" --no-pager "$1"
