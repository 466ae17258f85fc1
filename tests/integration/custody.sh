#!/bin/bash
# Plays what keys go through, with the real programs: an agent's key on each of two devices, rotation under load,
# a TPM that dies and comes back, keys that are lost with a cleared TPM and replaced. Fails unless every step comes
# out as told.
#   custody.sh BIN
set -euo pipefail

BIN="$(realpath "$1")"
readonly BIN
readonly MODULE=/usr/lib/softhsm/libsofthsm2.so
readonly AUDIENCE=https://api.example.org
readonly CLIENTS=4
readonly OVERLAP=8  # seconds; far longer than what the clients hold a chain for
# shellcheck source=tests/integration/telling.sh
source "$(dirname "${BASH_SOURCE[0]}")/telling.sh"

# shellcheck source=tests/integration/staging.sh
source "$(dirname "${BASH_SOURCE[0]}")/staging.sh"

# --- a place of its own, and its end

make_stage custody
readonly TPM="$WORK/tpm.sock"
tpm_pid='' client_pids=() noted=()

leave_stage() {
  local pid
  touch "$WORK/stop"  # the clients end after the request that they are at, which the daemon's end ends
  end "$daemon_pid"
  for pid in "${client_pids[@]}"; do wait "$pid" 2>/dev/null || true; done
  end "$tpm_pid"
}

# --- the devices

start_tpm() {
  start_swtpm "$WORK/tpm" "$1" "$WORK/tpm.log"
  tpm_pid=$swtpm_pid
}

stop_tpm() {
  kill "-${1:-TERM}" "$tpm_pid"
  wait "$tpm_pid" 2>/dev/null || true
  tpm_pid=
}

# Away from the usual socket, where the daemon would be first.
clear_tpm() {
  stop_tpm
  start_tpm "$WORK/aside.sock"
  clear_swtpm "$WORK/aside.sock"
  stop_tpm
  start_tpm "$TPM"
}

# A key in the token is two objects: SoftHSM keeps each in a file.
token_objects() { find "$WORK/tokens" -name '*.object' ! -name token.object | wc -l; }

# The wrapped private part of a key, in hexadecimal, as the daemon's database has it now.
wrapped_key() {
  python3 - "$WORK/state/chancery.db" "$1" <<'PYTHON'
import sqlite3, sys
store = sqlite3.connect(f"file:{sys.argv[1]}?mode=ro", uri=True)
print(store.execute("SELECT hex(blob) FROM keys WHERE thumbprint = ?", sys.argv[2:]).fetchone()[0])
PYTHON
}

# Whether these octets stand in any file of the state folder, the write-ahead log included.
state_holds() {
  python3 - "$WORK/state" "$1" <<'PYTHON'
import pathlib, sys
octets = bytes.fromhex(sys.argv[2])
assert len(octets) >= 64
sys.exit(not any(octets[:64] in file.read_bytes() for file in pathlib.Path(sys.argv[1]).iterdir() if file.is_file()))
PYTHON
}

# --- asking the daemon

chancery() { "$BIN/chancery" "$@"; }
owner_keys() { if [[ "$1" == issuer ]]; then chancery key list; else chancery key list "$1"; fi; }
newest_key() { owner_keys "$1" | sed -n 1p | cut -f1; }
key_state() { owner_keys "$1" | grep -F -e "$2" | cut -f2; }
key_is() { [[ "$(key_state "$1" "$2")" == "$3" ]]; }
agent_is() { [[ "$(chancery agent show "$1" --format json | field state)" == "$2" ]]; }
is_destroyed() { chancery key list "$1" --format json | tr '{' '\n' | grep -F -e "$2" | grep destroyed_at >/dev/null; }
is_ready() { chancery status >/dev/null 2>&1; }
missing() { { chancery status 2>/dev/null || true; } | sed -n 's/^ *missing */    /p'; }
lacks() { missing | grep -F -e "$1" >/dev/null; }
lacks_not() { ! lacks "$1"; }

show_keys() {
  local owner
  for owner in "$@"; do
    owner_keys "$owner" | while IFS=$'\t' read -r jkt state backend algorithm _ reason; do
      printf '    %-13s %s…  %-4s %-6s %s%s\n' "$owner" "${jkt:0:12}" "$backend" "$algorithm" "$bold$state$plain" \
        "${reason:+: $reason}"
    done
  done
}

grant() {
  chancery grant --for user:alice@example.org --agent orchestrator --audience "$AUDIENCE" --scope 'crm.*' \
    --lifetime 30m --depth 3
}
delegate() { chancery delegate "$1" --to "$2" --scope crm.read; }

# A chain from the orchestrator's key to support's; both have to sign something for it to be of use.
make_chain() {
  grant >"$1.root"
  delegate "$1.root" support >"$1"
}

daemon_says() { chancery verify "$1" --remote --format json 2>/dev/null | field outcome; }
offline_says() {
  chancery status-list "$1" >"$WORK/lists.json" 2>/dev/null
  chancery verify "$1" --trust "$WORK/chancery/trust.json" --status-list "$WORK/lists.json" --format json 2>/dev/null |
    field outcome
}
note_trust() { XDG_CONFIG_HOME="$WORK" chancery trust add >/dev/null; }

# --- load: clients that ask without end; every request leaves a line

request() {
  local what=$1 out=$2 words
  shift 2
  if words=$("$@" 2>&1 >"$out"); then echo "$what good"; else echo "$what failed: $words" && return 1; fi
}

# All of what keys are used for: the issuer's in a grant, the TPM's and the token's in delegations and proofs.
one_round() {
  request grant "$1.root" grant &&
    request delegate "$1.one" delegate "$1.root" support &&
    request delegate "$1.two" delegate "$1.one" orchestrator &&
    request proof "$1.p1" chancery proof "$1.root" --htm GET --htu "$AUDIENCE/" &&
    request proof "$1.p2" chancery proof "$1.one" --htm GET --htu "$AUDIENCE/" &&
    request verify "$1.verdict" chancery verify "$1.two" --remote
}

start_load() {
  local client
  rm -f "$WORK/stop" "$WORK"/load.*
  for ((client = 0; client < CLIENTS; client++)); do
    : >"$WORK/load.$client"
    while [[ ! -e "$WORK/stop" ]]; do one_round "$WORK/client.$client" || sleep 0.1; done >>"$WORK/load.$client" &
    client_pids+=($!)
  done
}

good_requests() { cat "$WORK"/load.* | grep -c ' good$' || true; }
bad_requests() { cat "$WORK"/load.* | grep -c ' failed: ' || true; }

# Whether each client got through three whole rounds since the numbers of its lines were noted.
note_load() { for ((i = 0; i < CLIENTS; i++)); do noted[i]=$(wc -l <"$WORK/load.$i"); done; }
load_went_on() {
  local i rounds
  for ((i = 0; i < CLIENTS; i++)); do
    rounds=$(tail -n "+$((noted[i] + 1))" "$WORK/load.$i" | grep -c '^verify good$') || true
    ((rounds >= 3)) || return 1
  done
}
wait_for_load() {
  note_load
  until_true "every client should get on" load_went_on
}

stop_load() {
  local pid
  touch "$WORK/stop"
  for pid in "${client_pids[@]}"; do wait "$pid"; done
  client_pids=()
}

# --- the story

chapter "1. A daemon with two devices: a TPM (swtpm) and a PKCS#11 token (SoftHSM)"
mkdir "$WORK/tpm" "$WORK/tokens"
export SOFTHSM2_CONF="$WORK/softhsm2.conf"
printf 'directories.tokendir = %s\nobjectstore.backend = file\nlog.level = ERROR\n' "$WORK/tokens" >"$SOFTHSM2_CONF"
printf '%05d%05d\n' "$RANDOM" "$RANDOM" >"$WORK/pin"
softhsm2-util --init-token --free --label custody --pin "$(cat "$WORK/pin")" --so-pin "$(cat "$WORK/pin")" >/dev/null
serial=$(softhsm2-util --show-slots | grep -B4 'Label: *custody' | sed -n 's/.*Serial number: *//p' | tr -d ' ')
start_tpm "$TPM"
cat >"$WORK/chancery.toml" <<TOML
allow_root = true
[server]
socket = "$WORK/chancery.sock"
socket_group = ""
tls_listen = ""
[issuer]
trust_domain = "custody.example"
url = "https://custody.example"
backend = "tpm"
[state]
path = "$WORK/state"
[[backend]]
name = "tpm"
tcti = "swtpm:path=$TPM"
allow_simulator = true
[[backend]]
name = "hsm"
type = "pkcs11"
module = "$MODULE"
serial = "$serial"
pin_file = "$WORK/pin"
allow_simulator = true
TOML
start_chanceryd "$WORK/chancery.toml" "$WORK/daemon.log"
export CHANCERY_SOCKET="$WORK/chancery.sock" NO_COLOR=1
until_true "chanceryd should be ready" is_ready
good "chanceryd is ready, with [[backend]] tpm and [[backend]] hsm, and its issuer key in the TPM"

chapter "2. An agent's key on each"
show chancery agent create orchestrator --backend tpm --uid "$(id -u)" >/dev/null
show chancery agent create support --backend hsm --uid "$(id -u)" >/dev/null
[[ $(token_objects) == 2 ]] || die "the token should hold one pair of keys, it has $(token_objects) objects"
make_chain "$WORK/old.chain"
note_trust
expect valid daemon_says "$WORK/old.chain"
expect valid offline_says "$WORK/old.chain"
show_keys issuer orchestrator support
good "a chain from the orchestrator (TPM) to support (HSM) verifies, at the daemon and offline"

chapter "3. All three keys are rotated while $CLIENTS clients ask"
declare -A old_key
for owner in issuer orchestrator support; do old_key[$owner]=$(newest_key "$owner"); done
old_blob=$(wrapped_key "${old_key[orchestrator]}")
state_holds "$old_blob" || die "the orchestrator's wrapped key should be in the database"
start_load
wait_for_load
show chancery agent rotate orchestrator --overlap "${OVERLAP}s" >/dev/null
delegate "$WORK/old.chain.root" support >/dev/null || die "the old key should serve what it holds"
show chancery agent rotate support --overlap "${OVERLAP}s" >/dev/null
show chancery issuer rotate >/dev/null
[[ $(token_objects) == 4 ]] || die "the token should hold two pairs of keys, it has $(token_objects) objects"
wait_for_load
stop_load
(($(bad_requests) == 0)) || die "requests failed: $(grep -h ' failed: ' "$WORK"/load.* | head -3)"
good "$(good_requests) requests before, during and after, and none failed; chains of the old keys served on"
make_chain "$WORK/new.chain"
[[ "$(offline_says "$WORK/new.chain")" != valid ]] || die "nobody told the offline verifier of the new issuer key"
note_trust
expect valid offline_says "$WORK/new.chain"
good "whoever verifies offline had to take the issuer's new key first: chancery trust add"

chapter "4. The overlap ends: the old keys are destroyed in their devices"
for owner in orchestrator support; do
  until_true "the old key of $owner should be retired" key_is "$owner" "${old_key[$owner]}" retired
  until_true "the old key of $owner should be destroyed" is_destroyed "$owner" "${old_key[$owner]}"
done
show_keys orchestrator support
[[ $(token_objects) == 2 ]] || die "the token should hold one pair of keys, it has $(token_objects) objects"
good "the token holds one pair of keys again"
! state_holds "$old_blob" || die "the old key's wrapped private part is still in the state folder"
good "no file of the state folder has what the TPM would need to load the orchestrator's old key"
refused '(retired)' show chancery delegate "$WORK/old.chain.root" --to support --scope crm.read
expect revoked daemon_says "$WORK/old.chain"
expect valid daemon_says "$WORK/new.chain"
good "the daemon denies the old chain (${bold}revoked$plain), the new one is valid"
expect revoked offline_says "$WORK/old.chain"
say "A verifier that is offline learns of it from the status list that the old tokens refer to."
say "The issuer's old key is published on, for what it granted, until its overlap of 8 hours ends or it is revoked:"
show chancery key revoke "${old_key[issuer]}" --reason "the demo has no 8 hours" >/dev/null
key_is issuer "${old_key[issuer]}" revoked || die "the issuer's old key should be revoked"
expect signature_invalid daemon_says "$WORK/old.chain"
show_keys issuer

chapter "5. The TPM dies in the middle of requests, and comes back"
{ owner_keys orchestrator; owner_keys issuer; } >"$WORK/keys.before"
start_load
wait_for_load
say "kill -9 $tpm_pid (swtpm)"
stop_tpm KILL
until_true "readiness should miss the TPM" lacks 'backend tpm'
missing
chancery proof "$WORK/new.chain" --htm GET --htu "$AUDIENCE/" >/dev/null || die "support's key, in the token, should serve"
good "support's key, which is in the token, signs meanwhile"
start_tpm "$TPM"
wait_for_load
stop_load
if grep -h ' failed: ' "$WORK"/load.* | grep -vE '\((device_unavailable|device_timeout|device_busy)\)'; then
  die "a request failed for another reason than the missing device"
fi
good "$(good_requests) requests were served, $(bad_requests) were told that the device is away; each client went on"
{ owner_keys orchestrator; owner_keys issuer; } >"$WORK/keys.after"
cmp -s "$WORK/keys.before" "$WORK/keys.after" || die "the keys changed: $(diff "$WORK/keys.before" "$WORK/keys.after")"
expect valid daemon_says "$WORK/new.chain"
good "with the same keys as before"

chapter "6. The TPM is cleared: its keys are lost, and nothing is made in their place"
lost_key=$(newest_key orchestrator)
say "TPM2_Clear, as somebody with the machine's firmware menu would"
clear_tpm
until_true "the orchestrator should be lost" agent_is orchestrator lost
until_true "the issuer's key should be lost" key_is issuer "$(newest_key issuer)" lost
show_keys issuer orchestrator support
[[ "$(newest_key orchestrator)" == "$lost_key" ]] || die "the orchestrator got another key by itself"
[[ "$(owner_keys orchestrator | wc -l; owner_keys issuer | wc -l)" == $'2\n2' ]] || die "keys were made by themselves"
agent_is support active || die "support, on the token, should be well"
missing
for what in 'backend tpm' 'agents: 1 with a lost' 'issuer key: lost'; do
  lacks "$what" || die "readiness should say: $what"
done
refused '(wrong_device)' show chancery delegate "$WORK/new.chain.root" --to support --scope crm.read
good "marked as lost, with the reason; readiness says so; support's key in the token is well"

chapter "7. The operator takes the device as it is now, and enrols anew"
show chancery backend adopt tpm | sed 's/^/    /'
until_true "the TPM should serve again" lacks_not 'backend tpm'
show chancery agent reenroll orchestrator --revoke >/dev/null
show chancery issuer rotate >/dev/null
show chancery status-key rotate >/dev/null
show chancery audit-key rotate >/dev/null
until_true "the daemon should be ready" is_ready
show_keys issuer orchestrator support
expect revoked daemon_says "$WORK/new.chain"
good "chains through the lost key are denied: ${bold}revoked$plain"
make_chain "$WORK/newest.chain"
note_trust
expect valid daemon_says "$WORK/newest.chain"
expect valid offline_says "$WORK/newest.chain"
start_load
wait_for_load
stop_load
(($(bad_requests) == 0)) || die "requests failed: $(grep -h ' failed: ' "$WORK"/load.* | head -3)"
good "new chains work, at the daemon and offline, and $(good_requests) more requests did"

chapter "That was a key's life; docs/operations/keys.md tells it to operators"
printf '\n'
