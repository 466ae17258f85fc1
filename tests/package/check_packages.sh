#!/bin/bash
# Holds the packages against Debian's policy. usage: check_packages.sh PACKAGES_FOLDER
set -euo pipefail
command -v lintian >/dev/null || {
  echo "skipped: lintian is missing: ./dev install"
  exit 77
}
# That a first upload closes a bug is for packages that Debian takes in.
exec lintian --no-cfg --allow-root --fail-on error,warning --suppress-tags initial-upload-closes-no-bugs "$1"/*.deb
