#!/bin/bash
# Boots a fresh Debian with nothing of Chancery in it, and has inside.sh install, use, upgrade and purge the packages there.
# The system is made once (debootstrap, and what the packages depend on, downloaded and not installed) and kept as an archive.
# usage: booted.sh OLDER_PACKAGES PACKAGES CACHE_FOLDER
# Exit status 77 where this machine cannot do it, with the reason.
set -euo pipefail

here="$(cd -P "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
readonly here older="$1" packages="$2" cache="$3"

skip() {
  echo "skipped: $*"
  exit 77
}

# A system that boots, and the packages of others that ours need in the cache of its apt, so that a second run needs no network.
make_system() {
  local system="$work/making"
  debootstrap --variant=minbase --include="$others" bookworm "$system" \
    >"$system.log" 2>&1 || skip "debootstrap could not make a system, is there a network? $(tail --lines=1 "$system.log")"
  mkdir "$system/packages"
  cp "$packages"/*.deb "$system/packages"
  chroot "$system" sh -c 'apt-get --quiet --yes --no-install-recommends --download-only install /packages/*.deb' \
    >"$system.log" 2>&1 ||
    skip "what the packages depend on could not be downloaded: $(tail --lines=1 "$system.log")"
  rm --recursive --force "$system/packages"
  mkdir --parents "$cache"
  tar --create --directory "$system" --file "$archive.part" .
  mv "$archive.part" "$archive"
  rm --recursive --force "$system"
}

((EUID == 0)) || skip "only root boots a system"
for program in debootstrap systemd-nspawn; do
  command -v "$program" >/dev/null || skip "$program is missing: ./dev install"
done

work="$(mktemp --directory)"
readonly work
trap 'rm --recursive --force --one-file-system "$work"' EXIT
readonly others=systemd,systemd-sysv,dbus,libpam-systemd,swtpm,softhsm2,procps
# Another set of dependencies takes another system.
depends() { for package in "$packages"/*.deb; do dpkg-deb --field "$package" Depends; done; }
needs="$({ echo "$others"; depends; } | sha256sum | cut --characters=1-16)"
readonly archive="$cache/system-$needs.tar"
[[ -f "$archive" ]] || make_system

readonly system="$work/system"
mkdir "$system"
tar --extract --directory "$system" --file "$archive"
chmod 0755 "$system"
mkdir "$system"/{older,packages,test}
cp "$older"/*.deb "$system/older"
cp "$packages"/*.deb "$system/packages"
cp "$here/inside.sh" "$here/inside.toml" "$here/http.pl" "$system/test"
cat >"$system/etc/systemd/system/inside.service" <<'UNIT'
[Unit]
SuccessAction=exit
FailureAction=exit
[Service]
Type=oneshot
ExecStart=/test/inside.sh
StandardOutput=file:/test/log
StandardError=file:/test/log
UNIT

# @memlock: the container's own filter would keep the daemon from locking its secrets.
boot() {
  timeout 300 systemd-nspawn --quiet --directory="$system" --register=no --keep-unit --private-network \
    --console=pipe --system-call-filter=@memlock --boot systemd.wants=inside.service </dev/null >"$work/console" 2>&1
}
status=0
boot || status=$?
if [[ ! -f "$system/test/log" ]]; then
  skip "systemd-nspawn cannot boot here: $(tail --lines=1 "$work/console")"
fi
cat "$system/test/log"
exit "$status"
