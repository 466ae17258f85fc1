#!/bin/bash
# Plays what it takes to run the daemon for years, with the real programs: what happened is traced and proved, a log that
# was tampered with is found out, an agent that behaves unlike itself is suspended, and a backup gives nothing back that was
# spent. Fails unless every step comes out as told.
#   operations.sh BIN
set -euo pipefail

BIN="$(realpath "$1")"
readonly BIN
readonly AUDIENCE=https://api.example.org
HERE="$(realpath "$(dirname "${BASH_SOURCE[0]}")")"
readonly HERE
# shellcheck source=tests/integration/telling.sh
source "$HERE/telling.sh"
# shellcheck source=tests/integration/staging.sh
source "$HERE/staging.sh"

# --- a place of its own, and its end

make_stage operations
cd "$WORK"
mkdir operator auditor tpm
readonly ca_file=''
socket_of[operator]="$WORK/sock"
tpm_pid=''

leave_stage() {
  end "$daemon_pid"
  end "$tpm_pid"
}

# --- the daemon, on a software TPM

write_configuration() {
  {
    configuration_in_work
    printf '%s\n' '[anomaly]' 'learning = "1s"' 'suspend = ["new_host"]'
  } >chancery.toml
}

answers() { at operator audit checkpoint >/dev/null 2>&1; }

# Starts the daemon and waits until the command succeeds that asks it something.
start_daemon() {
  start_chanceryd chancery.toml chanceryd.log
  until_true "the daemon should be there" "$@"
}

# --- actions

# Has the daemon decide an action under a chain: decide CHAIN SCOPE [NAME=VALUE…]
decide() {
  local param action=(--scope "$2")
  for param in "${@:3}"; do action+=(--param "$param"); done
  at operator proof "$1" --htm POST --htu "$AUDIENCE/do" "${action[@]}" >dpop || return
  at operator authorize "$1" --remote --proof dpop --htm POST --htu "$AUDIENCE/do" --audience "$AUDIENCE" \
    "${action[@]}"
}

tell_decision() { printf '    %-44s %s\n' "$1" "$(sed -n '1p' decision)"; }

expect_permit() {
  decide "$@" >decision || die "${*:2} should be permitted: $(<decision)"
  tell_decision "${*:2}"
}
expect_denial() {
  if decide "${@:2}" >decision; then die "${*:3} should be denied"; fi
  tell_decision "${*:3}"
  grep -qF -e "$1" decision || die "denied for another reason than: $1"
}

# --- the log

# The number of the first entry of the exported log that has these words in it.
entry_with() { python3 -c '
import json, sys
for line in open("log.jsonl"):
    entry = json.loads(line)
    if "entry" in entry and all(word in line for word in sys.argv[1:]):
        sys.exit(print(entry["sequence"]))
sys.exit("no entry of the log has " + " ".join(sys.argv[1:]))' "$@"; }

# What the trace told must have these words.
told() { grep -qF -e "$1" trace.txt || die "the trace should tell: $1"; }

# A copy of the exported log, changed by a command that gets its lines, must be found out at this entry.
tampered() {
  local what=$1 wanted=$2
  shift 2
  "$@" <log.jsonl >tampered.jsonl
  if at auditor audit verify "$WORK/tampered.jsonl" --key "$WORK/audit.keys" >verdict.txt; then
    die "a log in which $what should not be sound"
  fi
  printf '    %-34s %s\n' "$what:" "$(sed -n '1s/^TAMPERED\t//p' verdict.txt)"
  grep -qF -e "$wanted" verdict.txt || die "found, but not as: $wanted"
}

# The line of an entry: behind the header and the checkpoints before it.
line_of() { grep -n "\"sequence\":$1}$" log.jsonl | cut -d: -f1; }

independent() { /usr/bin/python3 "$HERE/audit/verify_audit.py" "$(<audit.keys)" "$1"; }

# --- the story

chapter "1. A daemon with a TPM (swtpm), and what is asked of it"
start_swtpm "$WORK/tpm" "$WORK/tpm/s" "$WORK/tpm.log"
tpm_pid=$swtpm_pid
write_configuration
start_daemon is_ready operator
for agent in orchestrator support; do show_at operator agent create "$agent" --uid "$(id -u)" >/dev/null; done
show_at operator grant --for user:alice@example.org --agent orchestrator --audience "$AUDIENCE" --lifetime 30m \
  --depth 2 --scope crm.read --scope payments.refund --constraint 'payments.refund#amount:max_subtree=100' >root.txt
show_at operator delegate root.txt --to support --scope crm.read --scope payments.refund >support.txt 2>/dev/null
expect_permit support.txt crm.read
expect_permit support.txt payments.refund amount=40
decision=$(sed -n 's/^  decision *//p' decision)
expect_denial 'over its bound' support.txt payments.refund amount=70
good "each of these left an entry, written with what it did and before the answer"

keys_are_attested() { (($(at operator audit tail -n 100 | grep -c attestation.result) >= 3)); }

chapter "2. Where did that refund come from?"
until_true "the daemon should attest its keys" keys_are_attested
show_at operator trace "$decision" >trace.txt
sed 's/^/  /' trace.txt
told "action.authorize  permit"
told "token.grant"
told "for user:alice@example.org"
told "agent support"
told "attestation.result"
grant=$(at operator audit tail -n 100 --format json | grep '"token.grant"' | field token)
at operator trace "$grant" >trace.txt
told "token.delegate"
told "action.authorize  deny"
good "from the decision back to the grant, the principal and the keys; from the grant on to every decision"

chapter "3. The log, judged by somebody who does not trust the daemon"
at operator audit keys >audit.keys
show_at operator audit checkpoint --now >kept.note
show_at operator audit export --sign >log.jsonl
show_at auditor audit verify "$WORK/log.jsonl" --key "$WORK/audit.keys" --checkpoint "$WORK/kept.note" | sed 's/^/  /'
refund=$(entry_with '"permit"' payments.refund)
show_at operator audit prove "$refund" --key audit.keys >refund.tlog-proof
at auditor audit verify "$WORK/refund.tlog-proof" --key "$WORK/audit.keys" | sed -n '1,3s/^/  /p'
say "and by a verifier in Python that has nothing of Chancery's:"
independent log.jsonl | sed 's/^/    /'
independent refund.tlog-proof | sed 's/^/    /'

chapter "4. Somebody with the disk tampers with it"
denial=$(entry_with '"deny"' payments.refund)
tampered "a denial is made a permit" "entry $denial is not what was logged" \
  sed "$(line_of "$denial")s/\"deny\"/\"permit\"/"
tampered "an entry is deleted" "entry $refund is not where it belongs" sed "$(line_of "$refund")d"
tampered "an entry is inserted" "where entry $((refund + 1)) belongs" sed "$(line_of "$refund")p"
tampered "two entries change places" "entry $refund is not where it belongs" \
  sed "$(line_of "$refund"){h;d};$(line_of "$((refund + 1))"){G}"
tampered "the log is another one" "this is another log" sed '1s|/audit/|/audits/|'
head -n "$(line_of "$refund")" log.jsonl >cut.jsonl
if at auditor audit verify "$WORK/cut.jsonl" --key "$WORK/audit.keys" --checkpoint "$WORK/kept.note" >verdict.txt; then
  die "a log that was cut should not be sound"
fi
printf '    %-34s %s\n' "the log is cut:" "$(sed -n '1s/^TAMPERED\t//p' verdict.txt)"
grep -qF "before entry $((refund + 1))" verdict.txt || die "the first missing entry should be named"
if independent tampered.jsonl >verdict.txt; then die "the verifier in Python should find it, too"; fi
good "each found out at the right entry, offline, by the key and a checkpoint that was kept"

chapter "5. An agent does what it never did: the daemon suspends it by itself"
suspension() { at operator anomaly list --format json | grep -o '"suspension":[0-9]*' | cut -d: -f2; }
is_suspended() { [[ -n "$(suspension)" ]]; }
say "the support agent is told, by a text that it reads, to send what it has to another host"
at operator proof support.txt --htm POST --htu https://collector.example.net/upload >/dev/null
until_true "the agent should be suspended" is_suspended
show_at operator anomaly list | sed 's/^/  /'
refused '(' show_at operator proof support.txt --htm POST --htu "$AUDIENCE/do"
at operator audit tail -n 100 | grep 'token.suspend' | sed 's/^/  /'
at operator audit tail -n 100 | grep -q 'token.suspend  by chanceryd' || die "the suspension should be in the audit log"
show_at operator lift "$(suspension)" >/dev/null
expect_permit support.txt crm.read
good "suspended of the daemon's own accord, recorded, and given back by a person"

chapter "6. A backup is restored, and gives nothing back"
show_at operator backup "$WORK/backup" >/dev/null 2>&1
expect_permit support.txt payments.refund amount=60
expect_denial 'over its bound' support.txt payments.refund amount=1
say "the budget of 100 is spent; then the daemon is stopped, and the backup of before put in its place"
stop_daemon
show_at operator restore "$WORK/backup" --state "$WORK/state" >/dev/null 2>&1
start_daemon answers
refused '(spending_halted)' show_at operator proof support.txt --htm POST --htu "$AUDIENCE/do"
refused '--end-tokens' show_at operator budget accept
good "the TPM's counter says that this is an older copy: nothing is spent, issued or signed from it"
show_at operator budget accept --end-tokens >/dev/null 2>&1
show_at operator issuer rotate >/dev/null
if decide support.txt payments.refund amount=60 >decision 2>&1; then die "what was spent should not be there again"; fi
good "what was issued before has ended, and the 60 cannot be spent a second time"
at operator audit export --sign >renewed.jsonl
at operator audit keys >renewed.keys
[[ "$(cut -d+ -f1 renewed.keys | sort -u)" != "$(cut -d+ -f1 audit.keys | sort -u)" ]] ||
  die "the log should go on under another name"
at auditor audit verify "$WORK/renewed.jsonl" --key "$WORK/renewed.keys" | sed 's/^/  /'
good "the log goes on under another name, so that nobody signs two continuations of one"

chapter "That was operations; docs/operations tells how it is done"
printf '\n'
