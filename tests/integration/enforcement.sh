#!/bin/bash
# Plays enforcement with the real programs: an agent's processes join from elsewhere, act by session keys within what
# they share, and lose it again. Fails unless every step comes out as told.
#   enforcement.sh BIN
set -euo pipefail

BIN="$(realpath "$1")"
readonly BIN
readonly AUDIENCE=https://api.example.org
readonly WINDOW=8  # seconds of the drill; what is done within it takes less than one
# shellcheck source=tests/integration/telling.sh
source "$(dirname "${BASH_SOURCE[0]}")/telling.sh"
# shellcheck source=tests/integration/staging.sh
source "$(dirname "${BASH_SOURCE[0]}")/staging.sh"

# --- a place of its own, and its end

make_stage enforcement
cd "$WORK"
declare -A agent_pid request_line
drill_pid='' tpm_pid=''

leave_stage() {
  local pid
  for pid in "$drill_pid" "${agent_pid[@]}" "$daemon_pid" "$tpm_pid"; do end "$pid"; done
}

# --- agents' processes: each runs commands in its session, one for each line that it is told

write_agent_program() {
  cat >agent.sh <<'PROGRAM'
while read -r answer words; do
  read -ra arguments <<<"$words"
  "$1" "${arguments[@]}" >"$answer.out" 2>"$answer.err" </dev/null
  echo $? >"$answer.code.part"
  mv "$answer.code.part" "$answer.code"
done
PROGRAM
}

# Starts an agent's process on a machine of its own, which joins with the token that it finds there.
start_agent() {
  local name=$1 line
  mkdir -p "$name"
  mkfifo "$name/requests"
  exec {line}<>"$name/requests"
  request_line[$name]=$line
  enter "$name"
  "${machine[@]}" run --agent "$name" --chain "$name/chain" --join "$name/token" --addr "$address" \
    --cacert "$ca_file" -- bash "$WORK/agent.sh" "$BIN/chancery" <"$name/requests" >"$name.log" 2>&1 3>&- &
  agent_pid[$name]=$!
}

# Has an agent's process run a command in its session, and gives what that gave.
ask() {
  local answer="$WORK/$1/answer"
  rm -f "$answer".*
  printf '%s %s\n' "$answer" "${*:2}" >&"${request_line[$1]}"
  until_true "the process of $1 should answer" test -e "$answer.code"
  cat "$answer.err" >&2
  cat "$answer.out"
  return "$(<"$answer.code")"
}
show_ask() {
  tell_command "$1>" "${@:2}"
  ask "$@"
}

# Looks for the private keys that the process of an agent has in its sealed file, in its environment and arguments and
# in every file of all machines and of the daemon. Its public chain must be found by the same search.
search_for_keys() {
  python3 - "$1" "$2" "$WORK" "$(dirname "$ca_file")" <<'PYTHON'
import base64, pathlib, re, sys
process, chain = pathlib.Path("/proc") / sys.argv[1], pathlib.Path(sys.argv[2]).read_bytes().strip()
sealed = (process / "fd/3").read_bytes()
bodies = re.findall(rb"-----BEGIN PRIVATE KEY-----\n(.*?)-----END", sealed, re.S)
needles = []
for body in bodies:
    der = base64.b64decode(body)
    at = der.index(b"\x04\x20") + 2  # the private value of a P-256 key (RFC 5915), 32 octets
    needles += [line for line in body.split() if len(line) >= 32] + [der[at:at + 32], der[at:at + 32].hex().encode()]
places = [process / "environ", process / "cmdline"]
places += [file for root in sys.argv[3:] for file in pathlib.Path(root).rglob("*") if file.is_file()]
texts = [place.read_bytes() for place in places]
assert len(bodies) == 2, f"two keys should be in the sealed file, there are {len(bodies)}"
assert any(chain in text for text in texts), "the search finds nothing at all"
leaks = [str(place) for place, text in zip(places, texts) if any(needle in text for needle in needles)]
assert not leaks, f"a private key is in {leaks}"
print(f"{len(needles)} forms of its {len(bodies)} private keys are in none of {len(places)} places")
PYTHON
}

# One metric of the daemon's, as it has it on its socket; 0 when it is not there.
metric() {
  python3 - "$socket" "$1" <<'PYTHON'
import socket, sys
daemon = socket.socket(socket.AF_UNIX)
daemon.settimeout(10)
daemon.connect(sys.argv[1])
daemon.sendall(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
text = b"".join(iter(lambda: daemon.recv(65536), b"")).decode()
print(next((line.rsplit(" ", 1)[1] for line in text.splitlines() if line.startswith(sys.argv[2] + " ")), 0))
PYTHON
}

# --- actions: an agent shows its session, and the API asks the daemon

# The action that follows, as options: SCOPE [NAME=VALUE…]
read_action() {
  local param
  action=(--scope "$1")
  for param in "${@:2}"; do action+=(--param "$param"); done
}

show_session() {
  read_action "${@:2}"
  ask "$1" present --htm POST --htu "$AUDIENCE/do" "${action[@]}" --format json >"$1.shown"
  field proof <"$1.shown" >"$1.proof"
}

# Asks for a decision on what an agent has shown. Further terms of the request are in `terms`.
terms=()
decide() {
  read_action "${@:2}"
  at api authorize --remote "$1.shown" --proof "$1.proof" --htm POST --htu "$AUDIENCE/do" --audience "$AUDIENCE" \
    "${action[@]}" --ada "${terms[@]}"
}

tell_decision() { printf '    %-8s %-48s %s\n' "$1" "$2" "$(sed -n '1p' decision) $(sed -n 's/^ *why */— /p' decision)"; }

is_permitted() {
  decide "$@" >decision || return 1
  grep -qx PERMITTED decision && grep -q '^  decision ' decision
}
expect_permit() {
  show_session "$@"
  is_permitted "$@" || die "$1 should be permitted ${*:2}: $(<decision)"
  tell_decision "$1" "${*:2}"
}

# What was shown already is denied: expect_denied_again OUTCOME WHY AGENT ACTION…
expect_denied_again() {
  local code=0
  decide "${@:3}" >decision || code=$?
  tell_decision "$3" "${*:4}"
  [[ "$code" == 1 && "$(head -n 1 decision)" == "DENIED: $1" ]] || die "expected exit status 1 and $1, found $code"
  grep -qF -e "$2" decision || die "denied for another reason than: $2"
}
expect_denial() {
  show_session "${@:3}"
  expect_denied_again "$@"
}

# A decision for another audience than the API's own.
decide_for() {
  at api authorize --remote "$2.shown" --proof "$2.proof" --htm POST --htu "$AUDIENCE/do" --audience "$1" \
    --scope "${@:3}"
}

has_joined() { [[ "$(readlink "/proc/${agent_pid[$1]}/fd/3")" == /memfd:chancery-session* ]]; }
jkt_of() { at api inspect "$1" --format json | grep -o '"jkt":"[^"]*"' | tail -n 1; }
daemon_says() { at api verify "$1" --remote --format json | field outcome; }
fetch_lists() { at api status-list "$1" >lists.json; }
offline_says() { at api verify "$1" --status-list lists.json --format json | field outcome; }

# --- the story

chapter "1. A daemon with a TPM (swtpm), and TLS for callers from elsewhere"
start_dev_daemon "$WORK"
# shellcheck source=/dev/null
source ./env
socket=$CHANCERY_SOCKET address=$CHANCERY_ADDR ca_file=$CHANCERY_CACERT
unset CHANCERY_SOCKET CHANCERY_ADDR CHANCERY_CACERT
mkdir operator api orchestrator support billing
write_agent_program
good "chanceryd is ready at $address"

chapter "2. An operator, whose key is in the TPM of a machine of its own, and who calls over TLS from now on"
mkdir operator/tpm
start_swtpm "$WORK/operator/tpm" "$WORK/operator/tpm/s" "$WORK/operator-tpm.log"
tpm_pid=$swtpm_pid
show_at operator init --socket "$socket" --name admin --key-in tpm --tcti "swtpm:path=$WORK/operator/tpm/s" \
  --allow-simulator 2>init.told | sed 's/^/  /'
sed 's/^chancery: /    /' init.told
stored=operator/.config/chancery/contexts/default
[[ ! -e "$stored/key.pem" && "$(stat -c %a "$stored/key.json")" == 600 ]] || die "the key should be in the TPM alone"
if grep -rq 'PRIVATE KEY' "$stored"; then die "no private key should be in the operator's files"; fi
for agent in orchestrator support billing; do
  # Their processes are on other machines: no process of this one is of that uid.
  show_at operator agent create "$agent" --uid 61001 >/dev/null
done
[[ $(at operator agent list | wc -l) == 3 ]] || die "the daemon should list three agents"
good "three agents, whose keys were made in the TPM"
refused '(unauthenticated)' show_at api agent list --addr "$address"

chapter "3. An enforcement point: it may ask for decisions, for one audience, and nothing else"
jkt=$(show_at api context key api/key.pem 2>/dev/null)
show_at operator context delegate api --to-key="$jkt" --out api/chain --lifetime 7d --scope chancery.authorize \
  --constraint "chancery.authorize#audience:one_of=$AUDIENCE" 2>&1 | sed 's/^/    /'
show_at api login crm --addr "$address" --key api/key.pem api/chain >/dev/null 2>&1
refused '(forbidden)' show_at api agent list
at api trust add >/dev/null

chapter "4. Authority for the orchestrator: refunds of 100 in all, whoever makes them"
show_at operator grant --for user:alice@example.org --agent orchestrator --audience "$AUDIENCE" --lifetime 30m --depth 2 \
  --scope crm.read --scope payments.refund --constraint 'payments.refund#amount:max_subtree=100' \
  --constraint 'payments.refund#currency:one_of=EUR' >orchestrator/chain

chapter "5. Its process joins from another machine, with a secret that is good once"
show_at operator join-token orchestrator --out orchestrator/token 2>/dev/null
chmod 644 orchestrator/token
refused 'others may read it' show_at orchestrator run --agent orchestrator --chain orchestrator/chain \
  --join orchestrator/token --addr "$address" -- true
chmod 600 orchestrator/token
start_agent orchestrator
show_ask orchestrator agent show orchestrator | sed -n '1,2p' | sed 's/^/  /'
refused '(forbidden)' show_ask orchestrator agent show support
good "it uses its own agent's key, which stays in the TPM, and no other's"
cp orchestrator/chain orchestrator/token support
refused '(forbidden)' show_at support run --agent orchestrator --chain support/chain --join support/token \
  --addr "$address" -- true
[[ "$(metric chancery_join_token_reuses_total)" == 1 ]] || die "the second use should have raised an alarm"
good "a second use of the secret is refused, and counted as an alarm"

chapter "6. What it was given is nowhere but in a sealed file in memory"
pid=${agent_pid[orchestrator]}
say "its process:      $(ps -o args= -p "$pid" | sed "s|$WORK/||g")"
say "its environment:  $(tr '\0' ' ' <"/proc/$pid/environ" | sed "s|$WORK|…|g")"
say "its descriptor 3: $(readlink "/proc/$pid/fd/3")"
[[ "$(readlink "/proc/$pid/fd/3")" == '/memfd:chancery-session (deleted)' ]] || die "descriptor 3 should be in memory"
if { echo x >>"/proc/$pid/fd/3"; } 2>/dev/null; then die "nobody should be able to write into it"; fi
found=$(search_for_keys "$pid" orchestrator/chain) || die "the search for its keys should have found none"
good "$found"

chapter "7. In its session it delegates to two more, who join likewise"
for agent in support billing; do
  show_ask orchestrator delegate orchestrator/chain --to "$agent" --scope crm.read --scope payments.refund >"$agent/chain" 2>/dev/null
  at operator join-token "$agent" --out "$agent/token" 2>/dev/null
  start_agent "$agent"
  until_true "$agent should join" has_joined "$agent"
done
good "two siblings, each with a hardware key of its own and a session key in memory"

chapter "8. An action, shown by the session's key and permitted by the daemon"
issued=$(metric chancery_tokens_total)
expect_permit support crm.read
[[ "$(metric chancery_tokens_total)" == "$issued" ]] || die "no token should have been needed"
[[ "$(jkt_of support.shown)" != "$(jkt_of support/chain)" ]] || die "the session should have a key of its own"
good "the session's key signed the proof; the agent's hardware was not asked"
expect_denied_again holder_binding_failed 'used before' support crm.read
good "the same proof again is denied"
show_session support crm.read
expect_denied_again holder_binding_failed 'another action' support payments.refund amount=60 currency=EUR
good "a proof that was made for one action is none for another"
show_session support crm.read
refused '(forbidden)' decide_for https://other.example.org support crm.read
good "and this enforcement point asks for no other audience"

chapter "9. A budget of 100, spent by two siblings"
expect_permit support payments.refund amount=60 currency=EUR
expect_denial ceiling_exceeded 'over its bound' billing payments.refund amount=60 currency=EUR
terms=(--reserve 5m)
expect_permit billing payments.refund amount=40 currency=EUR
terms=()
decision=$(sed -n 's/^  decision *//p' decision)
good "60, then 40 that are reserved: all of it"
expect_denial ceiling_exceeded 'over its bound' support payments.refund amount=1 currency=EUR
[[ "$(show_at api settle "$decision" --used amount=25)" == settled ]] || die "the reservation should be settled"
good "of the 40 only 25 were needed: 15 are there again"
expect_permit support payments.refund amount=15 currency=EUR
expect_denial ceiling_exceeded 'over its bound' billing payments.refund amount=1 currency=EUR
refused '(conflict)' show_at api release "$decision"
expect_denial ceiling_exceeded 'outside its bound' billing payments.refund amount=0 currency=USD
good "another bound of the chain: refunds are in EUR"

chapter "10. What would a revocation of the orchestrator end?"
show_at operator impact --agent orchestrator >impact.txt
sed 's/^/  /' impact.txt
for agent in orchestrator support billing; do
  grep -qE "agent $agent  *[1-9][0-9]* tokens, last used" impact.txt || die "the impact on $agent should be told"
done

chapter "11. A drill: support is suspended for $WINDOW s, and what broke is told"
: >drill.log
drill=(drill --agent support --window "${WINDOW}s")
tell_command 'operator$' "${drill[@]}"
enter operator
"${machine[@]}" "${drill[@]}" >drill.txt 2>drill.log 3>&- &
drill_pid=$!
until_true "the drill should begin" grep -q 'is under way' drill.log
expect_denial revoked 'suspended' support crm.read
expect_permit billing crm.read
wait "$drill_pid" || die "the drill should end well"
drill_pid=''
sed 's/^/  /' drill.txt
grep -qE '^  \+[0-9]+ s +.*support denied [1-9][0-9]* times' drill.txt || die "the report should tell of the denial"
grep -q 'restored' drill.txt || die "the report should tell of the end"
expect_permit support crm.read
good "suspended, denied, restored, reported"

chapter "12. The orchestrator is revoked, and with it all that it delegated"
for agent in support billing; do
  expect valid daemon_says "$agent/chain"
  fetch_lists "$agent/chain"
  expect valid offline_says "$agent/chain"
done
show_session support crm.read
show_at operator revoke --agent orchestrator --reason "host compromised" | sed 's/^/  /'
expect_denied_again revoked 'revoked' support crm.read
expect_denial revoked 'revoked' billing crm.read
for agent in orchestrator support billing; do
  expect revoked daemon_says "$agent/chain"
  fetch_lists "$agent/chain"
  expect revoked offline_says "$agent/chain"
done
good "denied at the daemon as soon as the command had returned, and offline with the status list"
refused '(parent_denied)' show_ask support delegate support/chain --to billing --scope crm.read
good "what was revoked cannot be used to delegate"

chapter "That was enforcement; docs/protocol/control-plane.md and authorization.md tell how it works"
printf '\n'
