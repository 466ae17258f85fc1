#!/bin/bash
# The life of the packages on a system of their own; booted.sh starts it there, as root.
set -euo pipefail
export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 HOME=/root

say() { printf '== %s\n' "$*"; }
fail() {
  printf 'FAILED: %s\n' "$*"
  journalctl --boot --no-pager --unit chanceryd.service --unit chanceryd.socket --unit chancery-runtime.service | tail --lines=40
  exit 1
}
# A command that has to fail.
refused() { if "$@" >/tmp/refused 2>&1; then fail "$* was not refused"; fi; }
has() { grep --quiet --fixed-strings -- "$1" "$2" || fail "$2 says nothing of: $1"; }
property() { systemctl show --property "$1" --value "${2:-chanceryd.service}"; }
apt_get() { apt-get --quiet --yes --no-install-recommends "$@" >/tmp/apt 2>&1 || { cat /tmp/apt; fail "apt-get $*"; }; }
install_from() { apt_get install "/$1"/chancery_*.deb "/$1"/chancery-daemon_*.deb "/$1"/chancery-runtime_*.deb; }
await() {
  local tries
  for ((tries = 0; tries < 200; tries++)); do
    if "$@" >/dev/null 2>&1; then return; fi
    read -r -t 0.05 <> <(:) || true
  done
  fail "never came true: $*"
}

# Everything by our names, but for what this test put there.
ours() {
  find / -xdev \( -path /proc -o -path /sys -o -path /test -o -path /older -o -path /packages -o -path /var/log -o \
    -path /var/cache -o -path /var/lib/apt -o -path /tmp \) -prune -o -iname '*chancery*' -print
}

say "installing the older packages"
ours >/tmp/before
[[ ! -s /tmp/before ]] || fail "the system is not fresh: $(cat /tmp/before)"
install_from older
older="$(dpkg-query --show --showformat='${Version}' chancery-daemon)"
[[ "$(systemctl is-active chanceryd.service)" == inactive ]] || fail "it started without a configuration"
[[ "$(systemctl is-enabled chanceryd.service || true)" == disabled ]] || fail "it is enabled without a configuration"
id chanceryd >/dev/null && getent group chancery chancery-operators >/dev/null
[[ "$(stat --format='%a %U %G' /etc/chancery)" == "750 root chanceryd" ]] || fail "/etc/chancery: $(stat /etc/chancery)"
systemd-analyze verify --man=no chanceryd.service chanceryd.socket chanceryd-tls.socket chancery-runtime.service
[[ "$(systemctl is-active chancery-runtime.service)" == inactive ]] || fail "the runtime started without a configuration"
[[ "$(systemctl is-enabled chancery-runtime.service || true)" == disabled ]] || fail "the runtime is enabled without a configuration"
id chancery-runtime >/dev/null && getent group chancery-tools >/dev/null
[[ "$(stat --format='%a %U %G' /etc/chancery/tools.d)" == "750 root chancery-runtime" ]] || fail "tools.d: $(stat /etc/chancery/tools.d)"
[[ "$(stat --format='%a %U %G' /run/chancery-runtime)" == "750 chancery-runtime chancery-tools" ]] || fail "the folder of the runtime's socket"

say "a TPM, a certificate, the master secret as an encrypted credential"
cat >/etc/systemd/system/swtpm.service <<'UNIT'
[Service]
RuntimeDirectory=swtpm
StateDirectory=swtpm
ExecStart=swtpm socket --tpm2 --tpmstate dir=/var/lib/swtpm --server type=unixio,path=/run/swtpm/socket \
  --ctrl type=unixio,path=/run/swtpm/control --flags not-need-init,startup-clear
UNIT
systemctl start swtpm.service
await test -S /run/swtpm/socket
chgrp tss /run/swtpm/socket
chmod 0660 /run/swtpm/socket
install --owner root --group chanceryd --mode 0640 /test/inside.toml /etc/chancery/chancery.toml
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -days 1 -subj /CN=localhost \
  -addext subjectAltName=DNS:localhost,IP:127.0.0.1 -keyout /etc/chancery/tls.key -out /etc/chancery/tls.crt 2>/dev/null
chgrp chanceryd /etc/chancery/tls.key
chmod 0640 /etc/chancery/tls.key
mkdir --parents /etc/credstore.encrypted
head --bytes=32 /dev/urandom |
  systemd-creds encrypt --with-key=host --name=chancery.master - /etc/credstore.encrypted/chancery.master 2>/dev/null

say "starting"
systemctl enable --quiet --now chanceryd.service || fail "it does not start"
[[ "$(property StatusText)" == serving ]] || fail "status: $(property StatusText)"
[[ ! -e /var/lib/chancery/master.key ]] || fail "the credential was not used"
[[ "$(stat --format='%a %U %G' /run/chancery/chancery.sock)" == "660 root chancery" ]] || fail "the socket's owner"
chancery doctor >/tmp/doctor || fail "doctor: $(cat /tmp/doctor)"
has "64 KiB of 64 KiB for secrets locked" /tmp/doctor
has "off, no debugger of the same user" /tmp/doctor
chancery doctor --unit >/tmp/unit || fail "doctor --unit: $(cat /tmp/unit)"
has "as tight as the packaged one" /tmp/unit
exposure="$(systemd-analyze security chanceryd.service | sed --quiet 's/.*exposure level.*: \([0-9.]*\).*/\1/p')"
say "exposure $exposure"
awk -v exposure="$exposure" 'BEGIN { exit !(exposure <= 1.6) }' || fail "the sandbox became weaker: $exposure"

# Where it is, neither programs of the system run nor what somebody puts into its folder, but itself.
inside() { nsenter --target "$(property MainPID)" --mount -- "$@"; }
for program in /bin/true /usr/lib/systemd/systemd-sysctl; do
  refused inside "$program" --help
  has "Permission denied" /tmp/refused
done
for folder in /var/lib/chancery /tmp /var/tmp /dev/shm; do
  cp /bin/true "/proc/$(property MainPID)/root$folder/true" || fail "nothing can be put into $folder"
  refused inside "$folder/true" --help
  has "Permission denied" /tmp/refused
  rm "/proc/$(property MainPID)/root$folder/true"
done
inside /usr/sbin/chanceryd --help >/dev/null || fail "the sandbox would not run the daemon"
if property SystemCallFilter | grep --quiet --word-regexp memfd_create; then fail "a program may be made in memory"; fi

# No debugger of its own user reads it.
refused runuser --user chanceryd -- cat "/proc/$(property MainPID)/environ"

say "the story under the sandbox"
chancery agent create orchestrator --uid 0 >/dev/null
chancery agent create support --uid 0 >/dev/null
chancery trust add >/dev/null
chancery grant --for user:alice@example.org --agent orchestrator --audience https://api.example.org \
  --scope 'crm.*' --lifetime 30m --depth 3 >/tmp/alice.chain
chancery delegate /tmp/alice.chain --to support --scope crm.read >/tmp/support.chain
chancery status-list /tmp/support.chain >/tmp/lists.json
chancery verify /tmp/support.chain --status-list /tmp/lists.json >/dev/null || fail "the chain is not valid"
chancery proof /tmp/support.chain --htm GET --htu https://api.example.org/ >/dev/null || fail "no proof"
chancery agent rotate support >/dev/null
chancery revoke --agent support --reason "compromised" >/dev/null
refused chancery verify /tmp/support.chain --remote
refused runuser --user nobody -- chancery status # not in the group
as_member() { runuser --user nobody --group "$1" --supp-group "$2" -- chancery "${@:3}"; }
as_member chancery nogroup status >/dev/null || fail "a member of the socket's group cannot connect"
refused as_member chancery nogroup agent list # connects, and is no operator
has "only the operator may do this" /tmp/refused
refused as_member chancery-operators nogroup agent list # is one, and cannot connect
has "may not open the daemon's socket" /tmp/refused
as_member chancery chancery-operators agent list >/dev/null || fail "a member of both groups is no operator"
sed 's/^group = .*/group = "chancery"/' /etc/chancery/chancery.toml >/tmp/all.toml
refused chanceryd --config /tmp/all.toml --check # everybody who connects would be one
has "operator.group must not be server.socket_group" /tmp/refused

say "reloading"
sed --in-place 's/^\[operator\]/[grants]\nmax_depth = 2\n\n[operator]/' /etc/chancery/chancery.toml
systemctl reload chanceryd.service || fail "it does not reload"
await sh -c 'journalctl --boot --unit chanceryd.service | grep --quiet "changed=grants.max_depth"'
refused chancery grant --for user:alice@example.org --agent orchestrator --scope crm.read --depth 3
cp /etc/chancery/chancery.toml /tmp/good.toml
echo 'max_depht = 2' >>/etc/chancery/chancery.toml
refused systemctl reload chanceryd.service
cp /tmp/good.toml /etc/chancery/chancery.toml
[[ "$(systemctl is-active chanceryd.service)" == active ]] || fail "a wrong file ended it"

say "the drop-ins"
chancery agent create tool --uid 65534 --executable /usr/bin/chancery >/dev/null
chancery grant --for user:alice@example.org --agent tool --audience https://api.example.org --scope crm.read \
  --lifetime 30m --depth 1 >/tmp/tool.chain
as_tool() { runuser --user nobody --group chancery -- chancery proof /tmp/tool.chain --htm GET --htu https://api.example.org/; }
refused as_tool # another user's program is not shown to a daemon without the capability
mkdir --parents /etc/systemd/system/chanceryd.service.d
cp /usr/share/doc/chancery-daemon/examples/*.conf /etc/systemd/system/chanceryd.service.d
systemctl daemon-reload
systemctl restart chanceryd.service || fail "it does not start with the drop-ins"
as_tool >/dev/null || fail "selectors by executable do not work with the drop-in"
has "0000000000080000" <(grep CapEff "/proc/$(property MainPID)/status") # CAP_SYS_PTRACE alone
chancery doctor --unit >/tmp/unit || fail "doctor --unit: $(cat /tmp/unit)"
has "CapabilityBoundingSet: cap_sys_ptrace" /tmp/unit
has "ExecPaths: " /tmp/unit
systemd-analyze verify --man=no chanceryd.service
for setting in Wants After; do
  property "$setting" | grep --quiet --word-regexp dev-tpmrm0.device || fail "tpm.conf does not wait for the TPM ($setting)"
done
say "a token whose PIN is an encrypted credential"
install --directory --owner chanceryd --group chanceryd --mode 0700 /var/lib/vendor
echo 'directories.tokendir = /var/lib/vendor' >/etc/chancery/softhsm2.conf
pin="$(head --bytes=12 /dev/urandom | base64)"
runuser --user chanceryd -- env SOFTHSM2_CONF=/etc/chancery/softhsm2.conf softhsm2-util --init-token --free \
  --label chancery --so-pin 01234567 --pin "$pin" >/tmp/token 2>&1 || fail "no token: $(cat /tmp/token)"
printf '%s' "$pin" |
  systemd-creds encrypt --with-key=host --name=chancery.pin.hsm - /etc/credstore.encrypted/chancery.pin.hsm 2>/dev/null
printf '[Service]\nEnvironment=SOFTHSM2_CONF=/etc/chancery/softhsm2.conf\n' \
  >/etc/systemd/system/chanceryd.service.d/token.conf
cat >>/etc/chancery/chancery.toml <<'TOML'

[[backend]]
name = "hsm"
type = "pkcs11"
module = "/usr/lib/softhsm/libsofthsm2.so"
uri = "pkcs11:token=chancery"
isolate = true
allow_simulator = true
TOML
systemctl daemon-reload
systemctl restart chanceryd.service || fail "it does not start with a token"
chancery agent create vendor --uid 0 --backend hsm >/dev/null || fail "the token makes no key"
chancery grant --for user:alice@example.org --agent vendor --audience https://api.example.org --scope crm.read \
  --lifetime 30m --depth 1 >/tmp/vendor.chain
chancery proof /tmp/vendor.chain --htm GET --htu https://api.example.org/ >/dev/null || fail "the token does not sign"
if grep --recursive --quiet --fixed-strings -- "$pin" /etc /var/lib /run/chancery /run/systemd /tmp; then fail "the PIN is on the disk"; fi
journalctl --boot | grep --quiet --fixed-strings -- "$pin" && fail "the PIN is in the journal"
cp /tmp/good.toml /etc/chancery/chancery.toml
rm --recursive /etc/chancery/softhsm2.conf /etc/credstore.encrypted/chancery.pin.hsm
rm --recursive /etc/systemd/system/chanceryd.service.d
systemctl daemon-reload
systemctl restart chanceryd.service

say "the tool runtime"
runtime() { property "$1" chancery-runtime.service; }
ask() { perl /test/http.pl /run/chancery-runtime/runtime.sock "$@" 2>&1; }
# Not counted among the starts that a unit may have in ten seconds.
restart_runtime() { systemctl reset-failed chancery-runtime.service && systemctl restart chancery-runtime.service; }
ready() { [[ "$(ask GET /readyz)" == '200 {"missing":[],"ready":true,"tools":'*'}' ]]; }
chancery agent create tools --uid "$(id --user chancery-runtime)" >/dev/null
cat >/etc/systemd/system/upstream.service <<'UNIT'
[Service]
ExecStart=perl /test/http.pl serve 8081
UNIT
systemctl start upstream.service
cat >/etc/chancery/tools.d/ticket.toml <<'TOML'
[tool]
name = "ticket"
description = "Reads a ticket."
scope = "tickets.read"
risk = "low"
[tool.arguments]
type = "object"
required = ["ticket"]
[tool.arguments.properties]
ticket = { type = "string" }
[tool.http]
method = "GET"
url = "http://127.0.0.1:8081/tickets/{ticket}"
allow_addresses = ["127.0.0.1/32"]
[tool.response]
allow = ["/id", "/status"]
TOML
chancery-runtime --check >/tmp/check || fail "what is packaged is not good: $(cat /tmp/check)"
systemctl enable --quiet --now chancery-runtime.service || fail "the runtime does not start"
await ready
exposure="$(systemd-analyze security chancery-runtime.service | sed --quiet 's/.*exposure level.*: \([0-9.]*\).*/\1/p')"
say "the runtime's exposure $exposure"
awk -v exposure="$exposure" 'BEGIN { exit !(exposure <= 2.0) }' || fail "the runtime's sandbox became weaker: $exposure"
chancery grant --for user:alice@example.org --agent orchestrator --audience https://tools.example.org:8444 \
  --scope tickets.read --lifetime 30m --depth 1 >/tmp/tickets.chain
called() {
  ask POST "/v1/tools/$1" "Authorization: DPoP $(tr --delete '\n' </tmp/tickets.chain)" "DPoP: $(chancery proof /tmp/tickets.chain \
    --htm POST --htu "https://tools.example.org:8444/v1/tools/$1" --scope tickets.read --param ticket=T-7)" '{"arguments":{"ticket":"T-7"}}'
}
called ticket >/tmp/called
has '"result":{"id":"9007199254740993","status":"open"}' /tmp/called
permit="$(sed --quiet 's/.*"permit":"\([0-9a-f]*\)".*/\1/p' /tmp/called | head --bytes=32)"
await sh -c "perl /test/http.pl /run/chancery-runtime/runtime.sock GET /v1/receipts/$permit | grep --quiet '^200 .*signed'"
chancery trace "$permit" >/tmp/trace || fail "no trace of the call: $(cat /tmp/trace)"

# Who may reach it, and what it may reach.
as_caller() { runuser --user nobody --group "$1" -- perl /test/http.pl /run/chancery-runtime/runtime.sock GET "$2"; }
refused as_caller nogroup /healthz
has "Permission denied" /tmp/refused
[[ "$(as_caller chancery-tools /healthz)" == 200* ]] || fail "a member of chancery-tools cannot connect"
[[ "$(as_caller chancery-tools /metrics)" == 403* ]] || fail "an agent reads metrics"
[[ "$(ask GET /metrics)" == *chancery_runtime_calls_total* ]] || fail "root reads no metrics"
as_runtime() { runuser --user chancery-runtime -- "$@"; }
as_runtime cat /etc/chancery/runtime.toml /etc/chancery/tools.d/ticket.toml >/dev/null || fail "it cannot read what is its own"
for file in chancery.toml tls.key; do
  refused as_runtime cat "/etc/chancery/$file"
  has "Permission denied" /tmp/refused
done
refused as_runtime ls /etc/chancery
refused as_runtime touch /etc/chancery/tools.d/mine.toml
refused as_runtime cat "/proc/$(runtime MainPID)/environ"
in_runtime() { nsenter --target "$(runtime MainPID)" --mount -- "$@"; }
[[ -z "$(in_runtime ls --almost-all /var/lib/chancery)" ]] || fail "the runtime sees the daemon's state"
cp /bin/true "/proc/$(runtime MainPID)/root/tmp/true"
refused in_runtime /tmp/true
has "Permission denied" /tmp/refused

# A program that is a tool gets namespaces of its own under the unit, and no others.
mkdir --parents /etc/systemd/system/chancery-runtime.service.d
if runuser --user nobody -- unshare --user --map-current-user --pid --net --fork true; then
  printf '[Service]\nExecStartPre=unshare --user --map-current-user --pid --net --fork true\n' \
    >/etc/systemd/system/chancery-runtime.service.d/namespaces.conf
  systemctl daemon-reload
  restart_runtime || fail "the unit forbids what contains tools"
else
  say "this machine makes no user namespaces: what contains tools is not tried"
fi
printf '[Service]\nExecStartPre=unshare --user --map-current-user --mount true\n' \
  >/etc/systemd/system/chancery-runtime.service.d/namespaces.conf
systemctl daemon-reload
refused restart_runtime
cp /usr/share/doc/chancery-runtime/examples/http-only.conf /etc/systemd/system/chancery-runtime.service.d/namespaces.conf
systemctl daemon-reload
restart_runtime || fail "it does not start with the drop-in"
await ready
[[ "$(called ticket)" == 200* ]] || fail "no tool is called with the drop-in: $(called ticket)"
refused in_runtime /bin/true
rm --recursive /etc/systemd/system/chancery-runtime.service.d
systemctl daemon-reload
restart_runtime
await ready

say "the tool runtime reads its configuration again"
sed 's/"ticket"$/"other"/' /etc/chancery/tools.d/ticket.toml >/etc/chancery/tools.d/other.toml
systemctl reload chancery-runtime.service || fail "the runtime does not reload"
await sh -c "perl /test/http.pl /run/chancery-runtime/runtime.sock GET /readyz | grep --quiet '\"tools\":2'"
[[ "$(called other)" == 200* ]] || fail "the new tool is not served"
echo 'risk = "none"' >>/etc/chancery/tools.d/other.toml
refused systemctl reload chancery-runtime.service
[[ "$(called other)" == 200* ]] || fail "a wrong declaration ended one that was good"
rm /etc/chancery/tools.d/other.toml
systemctl reload chancery-runtime.service || fail "the runtime does not reload"

say "what is killed comes back"
pid="$(property MainPID)"
kill -KILL "$pid"
await sh -c "chancery status && test \"\$(systemctl show --property MainPID --value chanceryd.service)\" != $pid"

say "what is stuck is killed, and comes back"
mkdir --parents /etc/systemd/system/chanceryd.service.d
printf '[Service]\nWatchdogSec=1s\nTimeoutAbortSec=1s\n' >/etc/systemd/system/chanceryd.service.d/quick.conf
systemctl daemon-reload
systemctl restart chanceryd.service
pid="$(property MainPID)"
kill -STOP "$pid"
await sh -c "test \"\$(systemctl show --property MainPID --value chanceryd.service)\" -gt 0 &&
  test \"\$(systemctl show --property MainPID --value chanceryd.service)\" != $pid && chancery status"
journalctl --boot --unit chanceryd.service | grep --quiet "Watchdog timeout" || fail "it was not the watchdog"
rm --recursive /etc/systemd/system/chanceryd.service.d
systemctl daemon-reload

say "the TLS port by its unit"
systemctl --quiet stop chanceryd.service 2>/dev/null # that the socket may start it again is known
systemctl start chanceryd-tls.socket chanceryd.service || fail "it does not start"
chancery --addr https://127.0.0.1:8443 --cacert /etc/chancery/tls.crt status >/tmp/tls 2>&1 || fail "nobody answers there: $(cat /tmp/tls)"
[[ "$(systemctl is-active chanceryd-tls.socket)" == active ]] || fail "the unit does not have it"

say "upgrading"
pid="$(property MainPID)"
runtime_pid="$(runtime MainPID)"
cp /etc/chancery/runtime.toml /tmp/runtime.toml
socket="$(stat --format=%i /run/chancery/chancery.sock)"
install_from packages
[[ "$(dpkg-query --show --showformat='${Version}' chancery-daemon)" != "$older" ]] || fail "it is $older still"
[[ "$(property MainPID)" != "$pid" ]] || fail "it was not restarted"
[[ "$(stat --format=%i /run/chancery/chancery.sock)" == "$socket" ]] || fail "its socket was opened anew"
await chancery status
chancery agent show orchestrator >/dev/null || fail "its agents are gone"
cmp --quiet /tmp/good.toml /etc/chancery/chancery.toml || fail "its configuration was overwritten"
[[ "$(runtime MainPID)" != "$runtime_pid" ]] || fail "the runtime was not restarted"
cmp --quiet /tmp/runtime.toml /etc/chancery/runtime.toml || fail "the runtime's configuration was overwritten"
await ready

say "purging"
rm /etc/chancery/tls.key /etc/chancery/tls.crt /etc/credstore.encrypted/chancery.master
rm --recursive --force /root/.config/chancery
rm /etc/chancery/tools.d/ticket.toml
apt_get purge chancery-runtime chancery-daemon chancery
has "Removing /var/lib/chancery" /tmp/apt
if systemctl --quiet is-active chanceryd.socket; then fail "its socket is open"; fi
ours >/tmp/after
[[ ! -s /tmp/after ]] || fail "left behind: $(cat /tmp/after)"
if getent passwd chanceryd chancery-runtime ||
  getent group chanceryd chancery chancery-operators chancery-runtime chancery-tools; then
  fail "a user or group was left"
fi
say "installed, started, reloaded, upgraded and purged"
