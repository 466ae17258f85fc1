#!/bin/bash
# Plays the main story with the real programs, and fails unless every step comes out as told.
#   demo.sh BIN [--keep|--stop]
set -euo pipefail

BIN="$(realpath "$1")"
readonly BIN
readonly MODE="${2:-}"
readonly AUDIENCE=https://api.example.org
readonly PRINCIPAL=user:alice@example.org

# shellcheck source=tests/integration/telling.sh
source "$(dirname "${BASH_SOURCE[0]}")/telling.sh"
# shellcheck source=tests/integration/staging.sh
source "$(dirname "${BASH_SOURCE[0]}")/staging.sh"

# --- one demo at a time, and what --keep leaves behind

# The demo's own folder has a name that nobody can guess. This one has a known name, so it must be where only we can
# write: what it says is sourced, and ended.
if [[ $(id -u) == 0 ]]; then
  KEPT=/run/chancery-demo
else
  KEPT="${XDG_RUNTIME_DIR:-${XDG_STATE_HOME:-${HOME:-/nonexistent}/.local/state}}/chancery-demo"
fi
readonly KEPT

is_ours() { [[ -d "$1" && ! -L "$1" && -O "$1" ]]; }

# Tells a process from a later one of the same number: field 22 of proc(5)'s stat, counted behind the name.
start_of() { sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | cut -d' ' -f20; }

kept_pid() {
  local pid start
  is_ours "$KEPT" && read -r pid start 2>/dev/null <"$KEPT/pid" || return 1
  [[ -n "$start" && "$(start_of "$pid")" == "$start" ]] || return 1
  printf '%s' "$pid"
}

stop_kept() {
  local pid work
  pid=$(kept_pid) || die "no demo is running"
  work=$(cat "$KEPT/work")
  kill "$pid"
  while kept_pid >/dev/null; do sleep 0.05; done
  rm -rf "$work" "$KEPT"
  good "the demo's daemon (process $pid) has ended"
}

keep() {
  local fault="cannot make $KEPT for --keep: set XDG_RUNTIME_DIR to a folder of your own"
  mkdir -p "$(dirname "$KEPT")" || die "$fault"
  if ! is_ours "$KEPT"; then mkdir "$KEPT" || die "$fault"; fi
  chmod 700 "$KEPT"
  printf '%s %s\n' "$daemon_pid" "$(start_of "$daemon_pid")" >"$KEPT/pid"
  printf '%s\n' "$WORK" >"$KEPT/work"
  {
    cat "$WORK/env"
    printf 'export CHANCERY_TRUST=%q\n' "$WORK/trust.json"
    # shellcheck disable=SC2016  # whoever sources it has a PATH of their own
    printf 'export PATH=%q:"$PATH"\n' "$BIN"
  } >"$KEPT/env"
  disown "$daemon_pid"
}

case "$MODE" in
  '' | --keep) ;;
  --stop)
    stop_kept
    exit 0
    ;;
  *) die "unknown option $MODE: use --keep or --stop" ;;
esac
if running=$(kept_pid); then
  die "a demo is running already, as process $running: './dev demo --stop' ends it, 'source $KEPT/env' uses it"
fi

# --- a place of its own; other users' agents must be able to run the program

umask 022
WORK=$(mktemp -d "${TMPDIR:-/tmp}/chancery-demo-XXXXXX")
readonly WORK

clean_up() {
  local code=$?
  if [[ -n "$daemon_pid" ]] && { [[ "$MODE" != --keep ]] || ((code != 0)); }; then
    kill "$daemon_pid" 2>/dev/null || true
    wait "$daemon_pid" 2>/dev/null || true
    if [[ "$MODE" == --keep ]]; then rm -rf "$KEPT"; fi
  fi
  if [[ "$MODE" != --keep ]] || ((code != 0)); then rm -rf "$WORK"; fi
  exit "$code"
}
trap clean_up EXIT
chmod 755 "$WORK"
cp "$BIN/chancery" "$WORK/chancery"

# --- running things as the operator and as agents

chancery() { "$WORK/chancery" "$@"; }

declare -A UID_OF=([orchestrator]=61001 [support]=61002 [lookup]=61003)

# Runs the command line as an agent: as root under its own uid, else as whoever we are.
as_agent() {
  local agent=$1
  shift
  if [[ $(id -u) == 0 ]]; then
    setpriv --reuid="${UID_OF[$agent]}" --regid="${UID_OF[$agent]}" --clear-groups -- \
      env "CHANCERY_SOCKET=$CHANCERY_SOCKET" NO_COLOR=1 "$WORK/chancery" "$@"
  else
    NO_COLOR=1 "$WORK/chancery" "$@"
  fi
}

uid_of() { if [[ $(id -u) == 0 ]]; then printf '%s' "${UID_OF[$1]}"; else id -u; fi; }

# Has the lists that a chain refers to fetched, as a verifier does each minute.
fetch_lists() {
  chancery status-list "$1" >"$WORK/lists.json"
  field uri <"$WORK/lists.json" >"$WORK/list.uri"
  field token <"$WORK/lists.json" | tr -d '\n' >"$WORK/list.jwt"
}

# What the three ways of verifying say of a chain. They must agree to the last octet.
judge() {
  local chain=$1 library cli rest
  fetch_lists "$chain"
  library=$("$BIN/example_verify" "$WORK/trust.json" "$chain" "$(<"$WORK/list.uri")" "$WORK/list.jwt" 2>&1) || true
  cli=$(chancery verify "$chain" --trust "$WORK/trust.json" --status-list "$WORK/lists.json" --format json) || true
  rest=$(CHANCERY_SOCKET='' chancery verify "$chain" --remote --format json) || true
  [[ "$library" == "$cli" && "$cli" == "$rest" ]] ||
    die "the three ways disagree: library $library, command line $cli, REST $rest"
  printf '%s' "$cli"
}

# A chain that must be denied with this outcome, and why, for people.
must_fail() {
  local outcome=$1 chain=$2 found
  shift 2
  fetch_lists "$chain"
  set -- --trust "${TRUST:-$WORK/trust.json}" --status-list "$WORK/lists.json" "$@"
  found=$(chancery verify "$chain" --format json "$@" | field outcome) || true
  chancery explain "$chain" "$@" | grep -E '^(A chain|Why|What would|     (expected|found))' |
    sed 's/^/    /' || true
  [[ "$found" == "$outcome" ]] || die "expected $outcome, found $found"
  good "denied: $bold$outcome$plain"
}

base64url_decode() {
  local text=$1
  while ((${#text} % 4)); do text+='='; done
  printf '%s' "$text" | basenc --base64url -d
}
base64url_encode() { basenc --base64url -w0 | tr -d '='; }
tokens() { tr '~' '\n' <"$1"; }

# --- the story

chapter "1. A daemon with a TPM of its own"
started=$(date +%s%N)
start_dev_daemon "$WORK"
# shellcheck source=/dev/null
source "$WORK/env"
grep -F '*' "$WORK/daemon.log"
good "chanceryd --dev manufactured a swtpm with EK certificates and was ready in $((($(date +%s%N) - started) / 1000000)) ms"

chapter "2. The operator registers three agents; each key is made inside the TPM"
for agent in orchestrator support lookup; do
  show chancery agent create "$agent" --uid "$(uid_of "$agent")" | sed 's/^/    /'
done
XDG_CONFIG_HOME="$WORK/config" chancery trust add >/dev/null
cp "$WORK/config/chancery/trust.json" "$WORK/trust.json"
good "and notes the daemon's issuer key as trust anchor and its status key, for verifying offline"

chapter "3. $PRINCIPAL grants authority to the orchestrator"
show chancery grant --for "$PRINCIPAL" --agent orchestrator --audience "$AUDIENCE" --scope 'crm.*' \
  --scope payments.refund --constraint 'payments.refund#amount:max=500' --lifetime 30m --depth 3 >"$WORK/orchestrator.chain"
good "crm.*, and refunds of at most 500, for 30 minutes and three agents"

chapter "4. The orchestrator delegates to support, support to lookup, each with its own hardware key"
as_agent orchestrator delegate "$WORK/orchestrator.chain" --to support --scope crm.read --scope payments.refund \
  --constraint 'payments.refund#amount:max=100' >"$WORK/support.chain"
good "orchestrator → support: crm.read and refunds of at most 100"
as_agent support delegate "$WORK/support.chain" --to lookup --scope crm.read >"$WORK/lookup.chain"
good "support → lookup: crm.read"

chapter "5. The chain of three verifies in three ways that agree"
verdict=$(judge "$WORK/lookup.chain")
[[ "$(field outcome <<<"$verdict")" == valid ]] || die "the chain should be valid: $verdict"
good "the library in an example program, chancery verify offline, and POST /v1/chains/verify: ${bold}valid$plain"
chancery explain "$WORK/lookup.chain" --trust "$WORK/trust.json" --status-list "$WORK/lists.json" | sed 's/^/    /'

chapter "6. A proof of possession makes it a decision about one action"
as_agent support proof "$WORK/support.chain" --htm POST --htu "$AUDIENCE/refunds" >"$WORK/proof"
action=(--audience "$AUDIENCE" --scope payments.refund --proof "$WORK/proof" --htm POST --htu "$AUDIENCE/refunds")
fetch_lists "$WORK/support.chain"
chancery verify "$WORK/support.chain" --trust "$WORK/trust.json" --status-list "$WORK/lists.json" "${action[@]}" \
  --param amount=100 >/dev/null ||
  die "a refund of 100 should be permitted"
good "support may refund 100"
must_fail ceiling_exceeded "$WORK/support.chain" "${action[@]}" --param amount=101

chapter "7. What must fail, fails"
say "${bold}A widened request$plain: support is asked for payments.* and refunds up to 1000"
as_agent orchestrator delegate "$WORK/orchestrator.chain" --to support --scope crm.read --scope 'payments.*' \
  --constraint 'payments.refund#amount:max=1000' >"$WORK/narrowed.chain" 2>"$WORK/narrowed.txt"
sed 's/^/    /' "$WORK/narrowed.txt"
grep -q 'asked 1000, given 500' "$WORK/narrowed.txt" || die "the narrowing was not told"
[[ "$(field outcome <<<"$(judge "$WORK/narrowed.chain")")" == valid ]] || die "the narrowed chain should be valid"
good "granted, but narrowed to what the orchestrator itself may do"

say "${bold}A token widened by hand$plain: lookup edits its own token to crm.*"
IFS=. read -r header payload signature <<<"$(tokens "$WORK/lookup.chain" | tail -1)"
wider=$(base64url_decode "$payload" | sed 's/"crm\.read"/"crm.*"/' | base64url_encode)
{ tokens "$WORK/lookup.chain" | head -2; printf '%s.%s.%s\n' "$header" "$wider" "$signature"; } >"$WORK/widened.chain"
must_fail signature_invalid "$WORK/widened.chain"

say "${bold}A spliced parent$plain: the same children under another, broader grant to the same agent"
chancery grant --for "$PRINCIPAL" --agent orchestrator --audience "$AUDIENCE" --scope 'crm.*' --scope 'payments.*' \
  --lifetime 30m --depth 3 >"$WORK/broader.chain"
{ tokens "$WORK/broader.chain"; tokens "$WORK/lookup.chain" | tail -2; } >"$WORK/spliced.chain"
must_fail par_hash_mismatch "$WORK/spliced.chain"

say "${bold}A flipped bit$plain in the last signature"
middle=${signature:40:1}
if [[ "$middle" == A ]]; then flipped=B; else flipped=A; fi
{ tokens "$WORK/lookup.chain" | head -2; printf '%s.%s.%s\n' "$header" "$payload" "${signature:0:40}$flipped${signature:41}"; } >"$WORK/flipped.chain"
must_fail signature_invalid "$WORK/flipped.chain"

say "${bold}An expired chain$plain: the same chain, 31 minutes later"
must_fail expired "$WORK/lookup.chain" --now "$(($(date +%s) + 1860))"

say "${bold}A foreign root$plain: a verifier that trusts another key"
jwk=$(chancery agent show lookup --format json | grep -o '"jwk":{[^}]*}' | cut -d: -f2-)
printf '{"anchors":[{"keys":[%s]}]}\n' "$jwk" >"$WORK/foreign.json"
TRUST="$WORK/foreign.json" must_fail signature_invalid "$WORK/lookup.chain"

if [[ $(id -u) == 0 ]]; then
  say "${bold}Another agent's key$plain: lookup, under its own uid, tries to delegate what support holds"
  refusal=$(as_agent lookup delegate "$WORK/support.chain" --to lookup --scope crm.read 2>&1) && die "that should have been refused"
  printf '    %s\n' "$refusal"
  grep -q 'not the agent that holds' <<<"$refusal" || die "refused for another reason"
  good "refused: the kernel says who calls"
else
  say "Not shown: that one agent cannot use another's key. Every agent runs as you here; as root each gets its own uid."
fi

chapter "What to try next"
if [[ "$MODE" == --keep ]]; then
  keep
  say "The daemon goes on as process $daemon_pid. Chains are in $WORK."
  say "  source $KEPT/env"
  say "  chancery explain $WORK/lookup.chain"
  say "  chancery agent list"
  say "  ./dev demo --stop"
else
  say "  ./dev demo --keep                       the same, and leaves the daemon running"
  say "  build/bin/chanceryd --dev               a daemon of your own; then paste its export lines"
  say "  build/bin/chancery --help"
  say "  build/bin/example_orchestrator          thirty lines of an orchestrator that delegates: sdk/examples"
fi
printf '\n'
