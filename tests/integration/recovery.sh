#!/bin/bash
# Plays docs/operations/recovery.md with the real programs: backup, tpm, host, operator, audit; all of them, or one.
# Fails unless every step comes out as told.
#   recovery.sh BIN [DRILL]
set -euo pipefail

BIN="$(realpath "$1")"
readonly BIN
readonly AUDIENCE=https://api.example.org
readonly DRILLS=(backup tpm host operator audit)
# shellcheck source=tests/integration/telling.sh
source "$(dirname "${BASH_SOURCE[0]}")/telling.sh"

# shellcheck source=tests/integration/staging.sh
source "$(dirname "${BASH_SOURCE[0]}")/staging.sh"

make_stage recovery
export NO_COLOR=1
tpm_pid=''

leave_stage() {
  end "$daemon_pid"
  end "$tpm_pid"
}

# --- one machine: a TPM, a state folder and a daemon, in the folder HERE

chancery() { "$BIN/chancery" "$@"; }

start_tpm() {
  start_swtpm "$HERE/tpm" "$HERE/tpm.sock" "$WORK/tpm.log"
  tpm_pid=$swtpm_pid
}
stop_tpm() {
  end "$tpm_pid"
  tpm_pid=
}

daemon_answers() {
  chancery agent list >/dev/null 2>&1 && return
  kill -0 "$daemon_pid" 2>/dev/null || die "chanceryd ended: $(tail -n 1 "$WORK/daemon.log")"
  return 1
}
start_daemon() {
  start_chanceryd "$HERE/chancery.toml" "$WORK/daemon.log"
  until_true "chanceryd should answer" daemon_answers
}
state_is() { [[ "$(chancery budget show --format json 2>/dev/null | field state)" == "$1" ]]; }

write_config() {
  cat >"$HERE/chancery.toml" <<TOML
allow_root = true
[server]
socket = "$HERE/s"
socket_group = ""
tls_listen = ""
[issuer]
trust_domain = "recovery.example"
url = "https://recovery.example"
backend = "tpm"
[state]
path = "$HERE/state"
[[backend]]
name = "tpm"
tcti = "swtpm:path=$HERE/tpm.sock"
allow_simulator = true
TOML
}

# A machine of that name, with nothing on it.
new_machine() {
  HERE="$WORK/$1"
  mkdir -p "$HERE/tpm"
  export CHANCERY_SOCKET="$HERE/s"
  write_config
  start_tpm
}
leave_machine() {
  stop_daemon
  stop_tpm
}

# One that has run for a while: an agent, and a chain for it.
used_machine() {
  new_machine "$1"
  start_daemon
  until_true "budgets should be spent" state_is open
  chancery agent create orchestrator --uid "$(id -u)" >/dev/null
  grant >"$HERE/chain"
}

grant() {
  chancery grant --for user:alice@example.org --agent orchestrator --audience "$AUDIENCE" --scope 'crm.*' --lifetime 30m
}
says() { chancery verify "$1" --remote --format json 2>/dev/null | field outcome; }
prove() { chancery proof "$1" --htm GET --htu "$AUDIENCE/"; }
log_name() { chancery audit keys | cut -d+ -f1; }
expect_verified_log() {
  chancery audit export --sign >"$HERE/log.jsonl"
  chancery audit keys >"$HERE/audit.keys"
  chancery audit verify "$HERE/log.jsonl" --key "$HERE/audit.keys" >/dev/null || die "the audit log should verify"
}

expect_halted() {
  state_is halted || die "the daemon should know that its state is an older copy"
  refused '(spending_halted)' grant
  refused '(spending_halted)' prove "$HERE/chain"
  expect status_unknown says "$HERE/chain"
  refused '--end-tokens' chancery budget accept
  good "nothing is issued or proved, and chains are of unknown status"
}

accept_and_begin_again() {
  show chancery budget accept --end-tokens >"$WORK/accepted.log" 2>&1
  show chancery issuer rotate >/dev/null
  [[ "$(says "$HERE/chain")" != valid ]] || die "the chain should have ended"
  grant >"$HERE/chain.new"
  expect valid says "$HERE/chain.new"
  prove "$HERE/chain.new" >/dev/null
  good "what was issued before has ended; new grants work"
}

# --- the drills

drill_backup() {
  chapter "A restored backup cannot give back what was revoked"
  used_machine backup
  local former
  former=$(log_name)
  show chancery backup "$HERE/backup" >/dev/null 2>&1
  say "a day passes: the chain is revoked"
  show chancery revoke --agent orchestrator >/dev/null
  expect revoked says "$HERE/chain"
  stop_daemon
  say "the database is lost"
  rm "$HERE/state/chancery.db"
  show chancery restore --check "$HERE/backup" | sed -n '1,3s/^/  /p'
  show chancery restore "$HERE/backup" --state "$HERE/state" >/dev/null 2>&1
  start_daemon
  expect_halted
  accept_and_begin_again
  [[ "$(log_name)" != "$former" ]] || die "the audit log should have another name"
  expect_verified_log
  good "the audit log goes on under another name, and verifies"
  leave_machine
}

clear_tpm() {
  stop_tpm
  start_tpm
  clear_swtpm "$HERE/tpm.sock"
  stop_tpm
  start_tpm
}

tpm_serves() { ! { chancery status 2>/dev/null || true; } | grep 'missing.*backend tpm' >/dev/null; }

enrol_anew() {
  show chancery backend adopt tpm >/dev/null
  until_true "the TPM should serve again" tpm_serves
  show chancery budget accept --end-tokens >"$WORK/accepted.log" 2>&1
  show chancery agent reenroll orchestrator --revoke >/dev/null
  local key
  for key in issuer status-key audit-key; do show chancery "$key" rotate >/dev/null; done
  until_true "the daemon should be ready" chancery status >/dev/null 2>&1
  [[ "$(says "$HERE/chain")" != valid ]] || die "the chain should have ended"
  grant >"$HERE/chain.new"
  expect valid says "$HERE/chain.new"
  prove "$HERE/chain.new" >/dev/null
}

drill_tpm() {
  chapter "A TPM that was cleared has lost its keys, and the operator begins anew"
  used_machine tpm
  stop_daemon
  say "TPM2_Clear, as somebody with the machine's firmware menu would"
  clear_tpm
  start_daemon
  refused '(' grant
  enrol_anew
  good "the agent has another key, chains through the lost one are denied, new grants work"
  leave_machine
}

drill_host() {
  chapter "A host is lost: what a backup gives on another machine"
  used_machine host
  show chancery backup "$WORK/host.backup" >/dev/null 2>&1
  cp "$HERE/state/master.key" "$WORK/host.master"
  cp "$HERE/chain" "$WORK/host.chain"
  leave_machine
  say "another machine, with another TPM; the master secret was kept apart"
  new_machine host2
  mkdir -m 0700 "$HERE/state"
  install -m 0600 "$WORK/host.master" "$HERE/state/master.key"
  cp "$WORK/host.chain" "$HERE/chain"
  show chancery restore "$WORK/host.backup" --state "$HERE/state" >/dev/null 2>&1
  start_daemon
  state_is halted || state_is waiting || die "the daemon should not spend"
  refused '(' grant
  [[ "$(chancery agent show orchestrator --format json | field state)" == lost ]] || die "its keys should be lost"
  good "the records are there; the keys stayed in the other machine's TPM"
  enrol_anew
  expect_verified_log
  good "agents are enrolled anew under their names; the audit log goes on under another"
  leave_machine
}

drill_operator() {
  chapter "An operator's key is stolen"
  HERE="$WORK/operator"
  mkdir -p "$HERE" "$HERE/home"
  start_dev_daemon "$HERE"
  # shellcheck disable=SC1091 # made by the daemon
  source "$HERE/env"
  local socket=$CHANCERY_SOCKET ca_file=$CHANCERY_CACERT key
  unset CHANCERY_SOCKET CHANCERY_ADDR
  with_home() { env -i PATH=/usr/bin:/bin HOME="$1" NO_COLOR=1 CHANCERY_CACERT="$ca_file" "$BIN/chancery" "${@:2}"; }
  with_home "$HERE/home" init --socket "$socket" --name admin >/dev/null 2>&1
  with_home "$HERE/home" agent list >/dev/null
  say "somebody copies the operator's folder, and is the operator"
  cp -r "$HERE/home" "$HERE/thief"
  with_home "$HERE/thief" agent list >/dev/null || die "the copy should work: that is the threat"
  key=$(chancery inspect "$HERE/home/.config/chancery/contexts/default/chain.txt" --format json | field jkt)
  show chancery revoke --socket "$socket" --key "$key" --reason stolen >/dev/null
  refused '(' with_home "$HERE/thief" agent list
  good "the stolen key is refused at once, with all that it delegated"
  with_home "$HERE/home" init --socket "$socket" --name admin --as anew >/dev/null 2>&1
  with_home "$HERE/home" agent list >/dev/null
  say "what the key did stands in the audit log:"
  show chancery trace "$key" --socket "$socket" | sed -n '1,5s/^/  /p'
  good "the operator has another key, and goes on"
  stop_daemon
}

drill_audit() {
  chapter "An audit log that was tampered with"
  used_machine audit
  expect_verified_log
  local line
  line=$(grep -n '"agent.create"' "$HERE/log.jsonl" | cut -d: -f1)
  sed "${line}s/orchestrator/orchestratoz/" "$HERE/log.jsonl" >"$HERE/changed.jsonl"
  ! show chancery audit verify "$HERE/changed.jsonl" --key "$HERE/audit.keys" >"$HERE/verdict" || die "it was changed"
  sed 's/^/    /' "$HERE/verdict"
  grep -q "TAMPERED.*edited" "$HERE/verdict" || die "it should say that it was edited"
  grep -q "line *$line\$" "$HERE/verdict" || die "it should name line $line"
  good "an exported log that was changed is told from the other, at the entry"
  stop_daemon
  say "the same in the database itself"
  python3 - "$HERE/state/chancery.db" <<'PYTHON'
import sqlite3, sys
store = sqlite3.connect(sys.argv[1])
store.execute("DROP TRIGGER audit_keeps_contents")
store.execute("UPDATE audit SET entry = replace(entry, 'orchestrator', 'orchestratoz')")
store.commit()
PYTHON
  refused 'the audit log is not the one that was signed' show "$BIN/chanceryd" --config "$HERE/chancery.toml"
  good "the daemon does not start on it; the folder stays as it is, as evidence"
  leave_machine
}

chosen=("${@:2}")
((${#chosen[@]} > 0)) || chosen=("${DRILLS[@]}")
for name in "${chosen[@]}"; do
  [[ " ${DRILLS[*]} " == *" $name "* ]] || die "there is no drill \"$name\": ${DRILLS[*]}"
  "drill_$name"
done
printf '\n'
