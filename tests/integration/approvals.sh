#!/bin/bash
# Plays people who decide, with the real programs: a refund that waits for a person, a grant that the TPM does not sign
# without one, a kill switch, and an incident in one file. Fails unless every step comes out as told.
#   approvals.sh BIN
set -euo pipefail

BIN="$(realpath "$1")"
readonly BIN
# shellcheck source=tests/integration/calling.sh
source "$(dirname "${BASH_SOURCE[0]}")/calling.sh"

# --- a place of its own, and its end

make_stage approvals
cd "$WORK"
mkdir operator agent bob alice eve auditor runtime runtime/tools.d api tpm
readonly ca_file='' switch_key="$WORK/operator/switch.pem"
for who in operator agent bob alice eve; do socket_of[$who]="$WORK/sock"; done

# --- the gates

# As whom this user asks for grants: somebody whom no gate names. A gate takes nothing from a user whom the daemon does not know.
gates() {
  cat <<TOML
[console]
approvers = ["$(id -u)=user:operator@example.org"]
[grants]
scopes = ["payments.refund", "deploy.production"]
[freeze]
operator_key = "$WORK/switch.jwk"
[[gate]]
name = "refunds"
scopes = ["payments.refund"]
when = "above"
parameter = "amount"
above = 100
approvers = ["group:finance"]
[[gate]]
name = "production"
scopes = ["deploy.production"]
approvers = ["user:bob@example.org"]
enforcement = "tpm"
TOML
}

# --- what waits

# Has the agent call a tool, which must wait; the request's id is in `waiting`, and nothing may have reached the API.
expect_waiting() {
  expect_stopped approval_required "$@"
  [[ "$status" == 202 ]] || die "what waits is answered 202, this was $status"
  waiting=$(field approval <answer)
  [[ "$waiting" =~ ^[0-9a-f]{32}$ ]] || die "a request should have an id, this is '$waiting'"
}

refund_of() { printf '{"charge": "ch_1", "amount": %s}' "$1"; }

# How often the API was asked to give this amount back, by its own ledger: must be as often as told.
expect_refunded() {
  local times
  times=$(grep -cxF "POST /v1/charges/ch_1/refunds with the credential {\"amount\":$1}" api/log) || true
  [[ "$times" == "$2" ]] || die "the API's ledger should have $2 refunds of $1, it has $times: $(<api/log)"
}

expect_state() {
  local found
  # Without what was decided of one like it, which has a state too.
  found=$(at operator approval show "$1" --format json |
    python3 -c 'import json, sys; print(json.load(sys.stdin)["state"])') || true
  [[ "$found" == "$2" ]] || die "request $1 should be $2, it is $found"
}

# The document that somebody would decide about, as the daemon has it, into the file document; its SHA-256 is in `sha256`.
fetch_document() {
  at operator approval show "$1" --format json >shown.json
  python3 - <<'PYTHON'
import json
shown = json.load(open("shown.json"))
open("document", "w").write(json.dumps(shown["document"], separators=(",", ":"), sort_keys=True, ensure_ascii=False))
open("told", "w").write(shown["sha256"])
PYTHON
  sha256=$(sha256sum document | cut -d' ' -f1)
  [[ "$sha256" == "$(<told)" ]] || die "the document has another SHA-256 than is told"
}

# Somebody's program on a terminal, where the person types yes to what it asks.
answer_yes() {
  tell_command "$1\$" "${@:2}"
  enter "$1"
  python3 -IB "$HERE/cli/on_terminal.py" 'Type yes: ' yes -- "${machine[@]}" "${@:2}"
}

# --- the kill switch

prove_by_its_key() { at agent proof "$WORK/agent/chain" --htm GET --htu "$TOOLS/v1/tools"; }

# --- an incident

verify_incident() {
  at auditor incident verify "$WORK/$1" --key "$WORK/audit.keys" --trust "$WORK/trust.json"
}

# Copies of a bundle, each with one octet of what it tells changed, at places all over it.
change_octets() {
  python3 - "$1" "$2" <<'PYTHON'
import sys
bundle, count = open(sys.argv[1], "rb").read(), int(sys.argv[2])
start, end = bundle.index(b'{"evidence":') + len(b'{"evidence":'), bundle.index(b',"proof":{')
for number in range(count):
    place = start + (end - start) * (2 * number + 1) // (2 * count)
    octet = bytes([bundle[place] ^ 1])
    open(f"changed.{number}.json", "wb").write(bundle[:place] + octet + bundle[place + 1 :])
PYTHON
}

# --- the story

chapter "1. Refunds above 100 are for people to decide, and so is what goes to production"
make_credential
at operator freeze key "$switch_key" >switch.jwk
write_configurations "$(gates)"
make_vendor
make_certified_tpm "$WORK/tpm" "$WORK/vendor" production
start_programs
show_at operator gate list | sed 's/^/  /'
show_at operator freeze arm --key "$switch_key" --yes | sed 's/^/  /'
for agent in tools support; do show_at operator agent create "$agent" --uid "$(id -u)" >/dev/null; done
at operator vault put payments-api --type api_key --scope payments.refund --tool refund --stdin <api/key.txt >/dev/null
declare_refund
start_runtime
show_at operator grant --for user:alice@example.org --agent support --audience "$TOOLS" --lifetime 30m \
  --scope payments.refund --constraint 'payments.refund#amount:max_subtree=1000' >agent/chain
start_agent
good "alice lets support refund 1000 in all"

chapter "2. Who decides: Bob is the first, and vouches for Alice"
show_at bob approver enroll user:bob@example.org --group finance --first | sed 's/^/  /'
show_at alice approver enroll user:alice@example.org --group finance --out "$WORK/alice.json" 2>alice.told
refused '(conflict)' at alice approver enroll user:alice@example.org --group finance --first
answer_yes bob approver enroll --document "$WORK/alice.json" | tee vouched | sed 's/^/  /'
digest=$(sed -n 's/^  sha256 *\([0-9a-f]\{64\}\)$/\1/p' vouched)
grep -qF "${digest:-none}" alice.told || die "Bob should have seen the SHA-256 that Alice was told: $(<alice.told)"
[[ "$(at operator approver list --format json | grep -o '"principal"' | wc -l)" == 2 ]] || die "there should be two approvers"
show_entry approver.enroll 'user:alice@example.org' 'user:bob@example.org'
good "Alice's key is enrolled by Bob's signature; the operator's word was good for the first alone"

chapter "3. A refund of 99 passes, one of 101 waits"
expect_done refund "$(refund_of 99)"
expect_refunded 99 1
expect_waiting refund "$(refund_of 101)"
request=$waiting
show_entry approval.request "$request" '"scope":"payments.refund"'
expect_waiting refund "$(refund_of 101)"
[[ "$waiting" == "$request" ]] || die "the same refund should wait as the same request"
good "it waits, once, however often it is asked for"

chapter "4. Who may not decide"
fetch_document "$request"
refused 'give --sha256' show_at alice approve "$request" --yes
refused '(forbidden)' show_at alice approve "$request" --yes --sha256 "$sha256"
say "the refund is on Alice's behalf: somebody else has to look at it"
at eve freeze key "$WORK/eve/key.pem" >/dev/null
refused '(forbidden)' show_at eve approve "$request" --as user:bob@example.org --key "$WORK/eve/key.pem" --yes --sha256 "$sha256"
say "Eve signs in Bob's name, by a key that is not his"
show_entry approval.decide '"outcome":"refused"'
expect_state "$request" pending
expect_waiting refund "$(refund_of 101)"
good "it waits on"

chapter "5. Bob looks at what would be done, and approves that"
fetch_document "$request"
answer_yes bob approve "$request" | tee approved | sed 's/^/  /'
for words in 'amount = 101' 'charge = "ch_1"' user:alice@example.org payments.refund "$sha256" software-enforced; do
  grep -qF -e "$words" approved || die "what Bob was shown should have: $words"
done
expect_state "$request" approved
show_entry approval.approve "$request" user:bob@example.org "$sha256"
expect_refunded 101 0
good "his key has signed the SHA-256 of what he saw; nothing is done by that alone"

chapter "6. What was approved is done once, and nothing else is"
expect_waiting refund "$(refund_of 102)"
changed=$waiting
[[ "$changed" != "$request" ]] || die "another amount should be another request"
expect_state "$request" approved
good "one more, and it is another refund: nobody has approved that"
expect_done refund "$(refund_of 101)"
expect_refunded 101 1
expect_state "$request" used
show_entry approval.use "$request"
expect_waiting refund "$(refund_of 101)"
[[ "$waiting" != "$request" ]] || die "an approval that was used up should not be waited for"
expect_refunded 101 1
at operator approval cancel "$waiting" >/dev/null
good "101 were refunded once, by the ledger of the API; a second time takes a second approval"
show_at operator trace "$request" >trace.txt
sed 's/^/  /' trace.txt
for action in token.grant tool.attempt approval.request approval.approve approval.use; do
  grep -qF "$action" trace.txt || die "the trace should tell: $action"
done

chapter "7. Bob denies the other one"
fetch_document "$changed"
refused '--sha256' show_at bob deny "$changed" --reason "not what was agreed" --sha256 "${sha256//[0-7]/8}" --yes
show_at bob deny "$changed" --reason "not what was agreed" --sha256 "$sha256" --yes >denied
grep -qE '^  state +denied$' denied || die "the request should be denied: $(<denied)"
show_entry approval.deny "$changed" 'not what was agreed'
expect_stopped approval_denied refund "$(refund_of 102)"
expect_refunded 102 0
refused 'waits for nobody any more' show_at bob approve "$changed" --yes --sha256 "$sha256"
good "denied, and not asked about again"

chapter "8. A grant that the TPM does not sign without Bob"
deployment=(grant --for user:alice@example.org --agent support --audience https://deploy.example.org --lifetime 10m
  --scope deploy.production)
if show_at operator "${deployment[@]}" >granted 2>grant.told; then die "the grant should have waited"; fi
sed 's/^/    /' grant.told
request=$(grep -o 'chancery approve [0-9a-f]\{32\}' grant.told | cut -d' ' -f3) || die "it should say what waits"
refused '--without-evidence' show_at bob gate pin production --yes
answer_yes bob gate pin production --emulator-roots "$WORK/vendor/issuercert.pem" | tee pinned | sed 's/^/  /'
grep -qE '^  evidence +tpm-certified-emulated' pinned || die "the TPM should have proved where the key is: $(<pinned)"
say "the TPM has proved to Bob's own program that it made the key and that his key opens it; it is a simulator, by its root"
answer_yes bob approve "$request" | tee approved | sed 's/^/  /'
grep -qE '^  enforcement +tpm-enforced$' approved || die "this should be enforced by the TPM: $(<approved)"
show_at operator "${deployment[@]}" >granted
[[ "$(at operator verify "$WORK/granted" --remote --format json | field outcome)" == valid ]] || die "the grant should be good"
refused 'chancery approve' at operator "${deployment[@]}"
good "its key is in the TPM, which takes Bob's own signature for this token and for no other"

chapter "9. The agent asks and asks: its key is frozen, in the TPM"
prove_by_its_key >/dev/null
show_at operator agent freeze support --reason "asks for refunds that were denied" | tee frozen | sed 's/^/  /'
grep -qE '^  enforcement +tpm:' frozen || die "the TPM should enforce that: $(<frozen)"
refused '(forbidden)' prove_by_its_key
expect_stopped agent_frozen refund "$(refund_of 6)"
expect_refunded 6 0
show_entry tool.permit '"frozen_agent":"support"'
say "the session that it opened before has its key in the agent's memory: the daemon permits it nothing, either"
show_entry agent.freeze '"planned":"tpm"'
show_entry freeze.told '"enforcement":"tpm"' '"told":true'
at eve freeze key "$WORK/eve/switch.pem" >/dev/null
refused '(forbidden)' show_at eve agent unfreeze support --key "$WORK/eve/switch.pem" --yes
refused '--key' show_at operator agent unfreeze support
refused '(forbidden)' prove_by_its_key
good "nobody unfreezes it without the operator's key, and the daemon has only the public half"
answer_yes operator agent unfreeze support --key "$switch_key" | tee unfrozen | sed 's/^/  /'
grep -qE '^  stay frozen +slots none' unfrozen || die "the operator should have seen what stays frozen: $(<unfrozen)"
prove_by_its_key >/dev/null
good "the operator has looked at what stays frozen, and by that signature it signs again"

chapter "10. An incident: what the agent was and did, in one file"
at operator audit keys >audit.keys
at operator trust add --yes >/dev/null
cp operator/.config/chancery/trust.json trust.json
expect_done refund "$(refund_of 7)"
show_at operator incident open support --reason "asks for refunds that were denied" --out "$WORK/incident.json" 2>incident.told |
  sed 's/^/  /'
expect_stopped revoked refund "$(refund_of 8)"
refused 'the token was revoked' prove_by_its_key
at operator agent show support >agent.txt
grep -q 'asks for refunds that were denied' agent.txt || die "the agent should be frozen again: $(<agent.txt)"
[[ "$(stat -c %a incident.json)" == 600 ]] || die "the bundle should be its owner's alone"
good "frozen and revoked: its session does nothing any more, either"
stop_daemon
say "the daemon is stopped; an auditor has the file, and the log's key from before"
tell_command 'auditor$' incident verify incident.json --key audit.keys --trust trust.json
verify_incident incident.json | tee verdict | sed 's/^/  /'
grep -qx SOUND verdict || die "the bundle should be sound"
for words in ', 3 chains verify' '3 by their approvers' 'tool refund (payments.refund): 3 times'; do
  grep -qF -e "$words" verdict || die "the verdict should tell: $words"
done
change_octets incident.json 12
for file in changed.*.json; do
  if verify_incident "$file" >verdict 2>&1; then die "$file has another octet, and was found sound"; fi
done
say "$(sed -n 1p verdict)"
good "it verifies offline; with one octet changed, at any of 12 places, it does not"

chapter "Those were people who decide; docs/how-to/approvals.md tells how it is set up"
printf '\n'
