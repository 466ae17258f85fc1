#!/bin/bash
# Plays attestation with the real programs: a host proves to a verifier elsewhere which TPM it has, a chain proves token
# by token where its keys are, and what proves less, or nothing, is refused. The TPMs are simulators, which the story says
# wherever it matters. Fails unless every step comes out as told.
#   attestation.sh BIN
set -euo pipefail

BIN="$(realpath "$1")"
readonly BIN
readonly AUDIENCE=https://api.example.org
# shellcheck source=tests/integration/telling.sh
source "$(dirname "${BASH_SOURCE[0]}")/telling.sh"
# shellcheck source=tests/integration/staging.sh
source "$(dirname "${BASH_SOURCE[0]}")/staging.sh"

# --- a place of its own, and its end

make_stage attestation
cd "$WORK"
readonly ca_file="$WORK/tls.pem"
declare -A daemon=() tpm=() port_of=()

leave_stage() {
  local pid
  for pid in "${daemon[@]}" "${tpm[@]}"; do end "$pid"; done
}

# --- TPMs

make_tpm() {
  mkdir -p "$1/tpm" "$1/certificates"
  make_certified_tpm "$1/tpm" "$1/certificates" "$1"
}

start_tpm() {
  start_swtpm "$WORK/$1/tpm" "$WORK/$1/s" "$WORK/$1-tpm.log"
  tpm[$1]=$swtpm_pid
}

stop_tpm() {
  end "${tpm[$1]}"
  tpm[$1]=''
}

# Of the certificate that the vendor gave the EK, P-384
ek_fingerprint() {
  openssl x509 -in "$1/certificates/ek-secp384r1.crt" -noout -fingerprint -sha256 | cut -d= -f2 | tr -d : | tr 'A-F' 'a-f'
}

# --- daemons

free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

# Writes the configuration of a machine's daemon; further lines of its section [attestation] follow.
configure() {
  cat >"$1/chancery.toml" <<TOML
allow_root = true
[server]
socket = "$WORK/$1/sock"
socket_group = ""
tls_listen = "127.0.0.1:${port_of[$1]}"
tls_certificate = "$ca_file"
tls_key = "$WORK/tls.key"
[issuer]
trust_domain = "$1.example"
url = "https://localhost:${port_of[$1]}"
backend = "tpm"
[state]
path = "$WORK/$1/state"
[[backend]]
name = "tpm"
tcti = "swtpm:path=$WORK/$1/s"
allow_simulator = true
[attestation]
emulator_roots = "$WORK/roots"
TOML
  printf '%s\n' "${@:2}" >>"$1/chancery.toml"
}

start_daemon() {
  start_chanceryd "$1/chancery.toml" "$1.log"
  daemon[$1]=$daemon_pid
  until_true "the daemon of $1 should be ready" is_ready "$1"
}

# --- requests that no command makes: METHOD PATH [FILE], to the daemon of a machine, on its socket

call() {
  python3 - "${socket_of[$1]}" "${@:2}" <<'PYTHON'
import http.client, pathlib, socket, sys
class Daemon(http.client.HTTPConnection):
    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(30)
        self.sock.connect(sys.argv[1])
body = pathlib.Path(sys.argv[4]).read_text() if len(sys.argv) > 4 else None
daemon = Daemon("localhost")
daemon.request(sys.argv[2], sys.argv[3], body, {"Content-Type": "application/json"} if body else {})
answer = daemon.getresponse()
good = answer.status < 300
print(answer.read().decode(), file=sys.stdout if good else sys.stderr)
sys.exit(not good)
PYTHON
}

# Evidence for a key as `chancery attest key` makes it, in a file: a challenge of the verifier's, certified by the shop.
make_evidence() {
  printf '{"host":"shop"}' >ask.json
  call verifier POST /v1/attestation/challenge ask.json >challenge.json
  printf '{"nonce":"%s","pcrs":{}}' "$(field nonce <challenge.json)" >certify.json
  call shop POST "/v1/keys/$1/certify" certify.json >certified.json
  printf '{"challenge":"%s","key":%s}' "$(field challenge <challenge.json)" "$(<certified.json)" >"$2"
}

# The same with one bit of the TPM's statement flipped.
flip_bit() {
  python3 - "$1" "$2" <<'PYTHON'
import base64, json, sys
evidence = json.load(open(sys.argv[1]))
said = evidence["key"]["certification"]
octets = bytearray(base64.urlsafe_b64decode(said["attest"] + "=="))
octets[-1] ^= 1
said["attest"] = base64.urlsafe_b64encode(octets).decode().rstrip("=")
json.dump(evidence, open(sys.argv[2], "w"))
PYTHON
}

# --- who says what

jkt_of() { at shop agent show "$1" --format json | field jkt; }
attest_quietly() { at shop attest key "$1" --verifier "$verifier" --host shop >/dev/null 2>&1; }
attest_as() { show_at shop attest key "$2" --verifier "$verifier" --host "$1"; }
show_attest() { attest_as shop "$1"; }
says() { grep -qF -e "$1" "$2" || die "it should say: $1: $(<"$2")"; }

# Judges offline, on the relying party's machine: judged EXIT-CODE CHAIN-OR-BUNDLE REQUIREMENT
judged() {
  local code=0
  at shop status-list "$2" >api/lists.json
  show_at api verify "$2" --status-list api/lists.json --require "$3" >verdict 2>verdict.log || code=$?
  sed 's/^/    /' verdict
  [[ "$code" == "$1" ]] || die "expected exit status $1, found $code: $(<verdict.log)"
}

# --- the story

chapter "1. Two machines, each with a TPM of the same vendor; one runs agents, the other verifies"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 -subj /CN=localhost \
  -addext subjectAltName=DNS:localhost -keyout tls.key -out tls.pem 2>/dev/null
make_vendor
mkdir roots
for name in shop verifier; do
  make_tpm "$name"
  start_tpm "$name"
  port_of[$name]=$(free_port)
  socket_of[$name]="$WORK/$name/sock"
done
mkdir api
cp vendor/swtpm-localca-rootca-cert.pem vendor/issuercert.pem roots
for name in shop verifier; do
  configure "$name"
  start_daemon "$name"
done
verifier="https://localhost:${port_of[verifier]}"
good "the vendor is swtpm_localca: its TPMs are simulators, and the verifier knows its root as a simulator's"

chapter "2. The verifier's operator lets the shop's operator bring evidence, and nothing else"
show_at verifier init --name admin >/dev/null 2>&1
jkt=$(at shop context key shop/key.pem 2>/dev/null)
show_at verifier context delegate shop/chain --to-key="$jkt" --out shop/chain --lifetime 7d \
  --scope chancery.attestation.enroll --scope chancery.attestation.evidence \
  --constraint 'chancery.attestation.enroll#host:one_of=shop,copy' \
  --constraint 'chancery.attestation.evidence#host:one_of=shop,copy' >/dev/null 2>&1
show_at shop login verifier --addr "$verifier" --key shop/key.pem shop/chain >/dev/null 2>&1
refused '(forbidden)' show_at shop attest host list --context verifier

chapter "3. The shop enrols: it opens a credential that no other TPM can"
show_at shop host enroll "$verifier" --name shop >enrolled
sed 's/^/    /' enrolled
says ENROLLED enrolled
fingerprint=$(ek_fingerprint shop)
says "EK           $fingerprint" enrolled
says 'tpm-certified-emulated' enrolled
says 'proves nothing about hardware' enrolled
good "believed because the certificate of its EK leads to the vendor's root, and as a simulator because that is whose root it is"
refused '(conflict)' show_at shop host enroll "$verifier" --name copy
good "the same TPM does not enrol again under another name"

chapter "4. An orchestrator of the shop delegates to two agents"
for agent in orchestrator support billing; do
  show_at shop agent create "$agent" --uid "$(id -u)" >/dev/null
done
show_at shop grant --for user:alice@example.org --agent orchestrator --audience "$AUDIENCE" --scope 'crm.*' --lifetime 30m \
  --depth 3 >root.chain
for agent in support billing; do
  show_at shop delegate root.chain --to "$agent" --scope crm.read >"$agent.chain" 2>/dev/null
done
good "three keys, each made in the shop's TPM"

chapter "5. The verifier has each key certified by its TPM, over a nonce of its own, and signs what that proves"
for agent in orchestrator support; do
  show_attest "$agent" >attested
  says "$(jkt_of "$agent")" attested
  says 'tpm-certified-emulated: a simulator' attested
done
sed 's/^/    /' attested
refused '(forbidden' attest_as stranger support
good "and the shop's operator speaks for no other host"

chapter "6. A bundle: the chain, and what the verifier says of each of its keys"
show_at shop attest show support.chain --context verifier --bundle support.bundle | sed 's/^/    /'
at shop attest show billing.chain --context verifier --bundle billing.bundle >billing.shown 2>billing.log
says 'unproven' billing.shown
good "of billing's key nothing was proved, so its chain has a gap"

chapter "7. Who relies on it judges offline: it trusts the shop to grant, and the verifier to say where keys are"
call verifier GET /.well-known/attestation-jwks.json >api/verifier-keys.json
show_at api trust add "https://localhost:${port_of[shop]}" --attestation-verifier api/verifier-keys.json --yes >/dev/null 2>&1
judged 0 support.bundle tpm-certified-emulated
says VALID verdict
[[ $(grep -c 'tpm-certified-emulated, vouched for by' verdict) == 2 ]] || die "both keys should be vouched for"
good "valid: of each token it is said where its key is, and who says it"
judged 2 support.bundle hardware
says custody_unproven verdict
says 'nothing about hardware' verdict
good "where hardware is demanded, emulation is refused in so many words"
judged 2 support.chain tpm-certified-emulated
says custody_unproven verdict
judged 2 billing.bundle tpm-certified-emulated
says custody_unproven verdict
good "a chain without results, or with a gap, proves nothing"
at shop attest key support --verifier "$verifier" --host shop --out support.result >/dev/null
show_at api attest verify support.result --keys api/verifier-keys.json >judged-result
says VALID judged-result
code=0
show_at api attest verify support.result --keys api/verifier-keys.json --require hardware >judged-result || code=$?
[[ "$code" == 2 ]] || die "expected exit status 2, found $code"
says 'emulation' judged-result
good "a result by itself is judged in the same way"

chapter "8. Evidence with one bit flipped, evidence that was used before, another host's"
jkt=$(jkt_of support)
make_evidence "$jkt" evidence.json
flip_bit evidence.json tampered.json
refused '"check":"signature"' call verifier POST /v1/attestation/evidence tampered.json
good "one bit flipped: refused, and the check that it failed is named"
refused '"code":"not_found"' call verifier POST /v1/attestation/evidence evidence.json
good "and the challenge is used up, so that nobody has a second try"
make_evidence "$jkt" evidence.json
call verifier POST /v1/attestation/evidence evidence.json >accepted.json
says '"custody":"tpm-certified-emulated"' accepted.json
refused '"code":"not_found"' call verifier POST /v1/attestation/evidence evidence.json
good "good evidence counts once: replayed, it is refused"
make_evidence "$jkt" evidence.json
make_evidence "$jkt" later.json
sed "s/\"challenge\":\"[^\"]*\"/\"challenge\":\"$(field challenge <later.json)\"/" evidence.json >mixed.json
refused '"check":"nonce"' call verifier POST /v1/attestation/evidence mixed.json
good "evidence for another challenge is refused"

chapter "9. A daemon that demands hardware gives no authority to keys in a simulator"
end "${daemon[shop]}"
configure shop 'require = "hardware"'
start_daemon shop
refused '(custody_unproven)' show_at shop grant --for user:alice@example.org --agent orchestrator --audience "$AUDIENCE" \
  --scope crm.read --lifetime 30m
refused '(custody_unproven)' show_at shop delegate root.chain --to billing --scope crm.read
end "${daemon[shop]}"
configure shop 'require = "tpm-certified-emulated"'
start_daemon shop
show_at shop grant --for user:alice@example.org --agent orchestrator --audience "$AUDIENCE" --scope crm.read \
  --lifetime 30m >/dev/null
good "no grant and no delegation; with a demand that a simulator can meet, there are both"

chapter "10. An old copy of the shop's TPM state comes back: its time went backwards"
cp -r shop/tpm shop/tpm.old
for _ in 1 2; do
  stop_tpm shop
  start_tpm shop
done
until_true "the shop's key should be attested after its TPM was restarted" attest_quietly support
stop_tpm shop
rm -r shop/tpm
mv shop/tpm.old shop/tpm
start_tpm shop
until_true "the shop should be ready again" is_ready shop
refused 'check rollback' show_attest support
show_at verifier attest host show shop >shown
sed 's/^/    /' shown
says quarantined shown
refused '(forbidden)' show_attest support
at shop attest show support.chain --context verifier >shown
[[ $(grep -c unproven shown) == 2 ]] || die "nothing that it proved before should count: $(<shown)"
good "quarantined: a chip cannot do that, so there are two of it or an old copy, and nothing that it proved counts"
show_at verifier attest host remove shop >/dev/null
show_at shop host enroll "$verifier" --name shop >/dev/null
show_attest support >/dev/null
good "its operators have looked into it: it enrols anew"

chapter "That was attestation; docs/protocol/attestation.md tells what is proved, docs/operations/attestation.md what to do"
printf '\n'
