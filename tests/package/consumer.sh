#!/bin/bash
# Builds the project in outside/ against the packages of the libraries, found by CMake and by pkg-config, and has it verify
# a chain and redact a line. As root the packages are installed into a copy of this system that lasts as long as the test; otherwise they are unpacked.
# usage: consumer.sh PACKAGES_FOLDER
set -euo pipefail

here="$(cd -P "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
readonly here packages="$1"

# In a mount namespace of its own: a system of which nothing that is written stays.
install_into_copy() {
  local base=/mnt
  mount --types tmpfs tmpfs "$base"
  mkdir "$base"/{upper,work,system}
  mount --types overlay overlay --options "lowerdir=/,upperdir=$base/upper,workdir=$base/work" "$base/system"
  mount --rbind /proc "$base/system/proc"
  mount --rbind /dev "$base/system/dev"
  mkdir --parents "$base/system/test"/{packages,here,vectors}
  cp "$packages"/libchancery*.deb "$base/system/test/packages"
  cp --recursive "$here/." "$base/system/test/here"
  cp "$here/../vectors/data/vectors/delegation-chain.json" "$base/system/test/vectors"
  chroot "$base/system" /test/here/consumer.sh --installed
}

verify() {
  local program="$1" work="$2" now
  now="$(cat "$work/now")"
  [[ "$("$program" "$work/trust.json" "$work/chain.txt" "$now")" == valid ]]
  [[ "$("$program" "$work/trust.json" "$work/forged.txt" "$now")" == denied ]]
  ldd "$program" | grep 'libchancery\.so\.0' >/dev/null
}

redact() {
  local program="$1"
  [[ "$(echo "it is hunter22, in base64 aHVudGVyMjI" | "$program" hunter22)" == "it is [redacted], in base64 [redacted]" ]]
  ldd "$program" | grep 'libchancery-redaction\.so\.0' >/dev/null
}

# What is not declared in a public header is not there to be called.
check_exports() {
  local library="$1"
  if nm --dynamic --defined-only --demangle "$library" | grep --extended-regexp ' chancery::(json|wire|client|store|hsm|redaction)::'; then
    echo "$library exports what is internal" >&2
    return 1
  fi
}

# \param $1 the folder of vectors, $2 a folder below which the packages are unpacked, or nothing
build_and_verify() {
  local root="${2:-}" work
  work="$(mktemp --directory)"
  python3 -B "$here/vector.py" "$1/delegation-chain.json" "$work"
  cmake -S "$here/outside" -B "$work/cmake" -DCMAKE_PREFIX_PATH="$root/usr" >"$work/log"
  cmake --build "$work/cmake" >>"$work/log"
  verify "$work/cmake/outside" "$work"
  redact "$work/cmake/outside_log"
  # shellcheck disable=SC2046  # options, one a word
  g++ -std=c++20 "$here/outside/main.cpp" -o "$work/outside" $(pkg-config --cflags --libs chancery)
  verify "$work/outside" "$work"
  # shellcheck disable=SC2046
  g++ -std=c++20 "$here/outside/log.cpp" -o "$work/outside_log" $(pkg-config --cflags --libs chancery-redaction)
  redact "$work/outside_log"
  check_exports "$(find "$root/usr/lib" -name 'libchancery.so.0' -print -quit)"
  check_exports "$(find "$root/usr/lib" -name 'libchancery-redaction.so.0' -print -quit)"
  rm --recursive --force "$work"
}

if [[ "$packages" == --installed ]]; then
  dpkg --install /test/packages/*.deb >/dev/null
  build_and_verify /test/vectors
  dpkg --purge libchancery-dev libchancery0 libchancery-redaction0 >/dev/null
elif ((EUID == 0)); then
  export -f install_into_copy
  exec unshare --mount --propagation private bash -c "here='$here' packages='$packages'; set -euo pipefail; install_into_copy"
else
  unpacked="$(mktemp --directory)"
  trap 'rm --recursive --force "$unpacked"' EXIT
  for package in "$packages"/libchancery*.deb; do dpkg-deb --extract "$package" "$unpacked"; done
  library="$(dirname "$(find "$unpacked" -name libchancery.so)")"
  export LD_LIBRARY_PATH="$library" PKG_CONFIG_SYSROOT_DIR="$unpacked" PKG_CONFIG_PATH="$library/pkgconfig"
  build_and_verify "$here/../vectors/data/vectors" "$unpacked"
fi
echo "the libraries were found by CMake and by pkg-config, verified a chain and redacted a line"
