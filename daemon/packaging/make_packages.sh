#!/bin/bash
# Packs a finished build into Debian packages.
# usage: make_packages.sh SOURCE_FOLDER BUILD_FOLDER OUTPUT_FOLDER [VERSION]
set -euo pipefail

source="$(realpath "$1")"
mkdir --parents "$3"
output="$(realpath "$3")"
CHANCERY_BUILD="$(realpath "$2")"
export CHANCERY_BUILD
grep --quiet '^CMAKE_INSTALL_PREFIX:PATH=/usr$' "$CHANCERY_BUILD/CMakeCache.txt" || {
  echo "$CHANCERY_BUILD is set up for another place than /usr: cmake --preset release" >&2
  exit 1
}
version="${4:-$(sed --quiet 's/^CMAKE_PROJECT_VERSION:STATIC=//p' "$CHANCERY_BUILD/CMakeCache.txt")-1}"

# Whoever builds the same commit twice gets the same date.
SOURCE_DATE_EPOCH="${SOURCE_DATE_EPOCH:-$(git -C "$source" log -1 --format=%ct 2>/dev/null || date +%s)}"
export SOURCE_DATE_EPOCH

command -v dh >/dev/null || {
  echo "skipped: debhelper is missing: ./dev install"
  exit 77
}

tree="$(mktemp --directory)"
trap 'rm --recursive --force "$tree"' EXIT
mkdir "$tree/chancery"
cp --recursive "$source/daemon/packaging/debian" "$tree/chancery/debian"
cp "$source/CHANGELOG.md" "$tree/chancery"
cat >"$tree/chancery/debian/changelog" <<TEXT
chancery ($version) unstable; urgency=medium

  * See changelog.gz.

 -- Chancery maintainers <maintainers@chancery.invalid>  $(date --utc --rfc-email --date="@$SOURCE_DATE_EPOCH")
TEXT

cd "$tree/chancery"
dpkg-buildpackage --build=binary --no-sign --no-check-builddeps >"$tree/log" 2>&1 || {
  tail --lines=40 "$tree/log" >&2
  exit 1
}

rm --force "$output"/{chancery,libchancery}*.deb # of an earlier version
mv "$tree"/*.deb "$output"
