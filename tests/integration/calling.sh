# What the stories have in common in which an agent calls tools: an API that wants a credential, the daemon, the runtime, and
# an agent's process that does what it is told. Sourced by them with BIN set; its functions are called in WORK, where the
# folders operator, agent, runtime/tools.d, api and tpm are.
# shellcheck shell=bash disable=SC2154 # staging.sh and telling.sh set what is used here

readonly TOOLS=https://tools.example.org
HERE="$(realpath "$(dirname "${BASH_SOURCE[0]}")")"
readonly HERE
# shellcheck source=tests/integration/telling.sh
source "$HERE/telling.sh"
# shellcheck source=tests/integration/staging.sh
source "$HERE/staging.sh"

tpm_pid='' api_pid='' runtime_pid='' agent_pid='' requests='' answers=0 status=''

leave_stage() {
  local pid
  for pid in "$agent_pid" "$runtime_pid" "$daemon_pid" "$api_pid" "$tpm_pid"; do end "$pid"; done
}

# --- the daemon, the runtime and the API

# Writes both configurations; the daemon's goes on with these lines.
write_configurations() {
  {
    configuration_in_work
    printf '%s\n' '[runtime]' 'agents = ["tools"]' "url = \"$TOOLS\"" "$1"
  } >chancery.toml
  cat >runtime/runtime.toml <<TOML
[runtime]
url = "$TOOLS"
daemon = "$WORK/sock"
tools = "$WORK/runtime/tools.d"
socket = "$WORK/runtime/sock"
TOML
}

# The company's credential for its API. The API keeps a ledger of what it was asked, api/log.
make_credential() { python3 -c 'import secrets; print("psp-" + secrets.token_hex(16))' >api/key.txt; }

start_programs() {
  python3 -IB "$HERE/runtime/demo_api.py" api/key.txt api/log >api.log 2>&1 3>&- </dev/null &
  api_pid=$!
  start_swtpm "$WORK/tpm" "$WORK/tpm/s" "$WORK/tpm.log"
  tpm_pid=$swtpm_pid
  start_chanceryd chancery.toml chanceryd.log
  until_true "the daemon should be there" is_ready operator
  until_true "the API should be there" test -e api/log.port
}

start_runtime() {
  "$BIN/chancery-runtime" --config runtime/runtime.toml >>runtime.log 2>&1 3>&- </dev/null &
  runtime_pid=$!
  until_true "the runtime should be there" test -S runtime/sock
}

# --- tools

api_address() { printf 'http://127.0.0.1:%s' "$(<api/log.port)"; }

# Declares a tool: declare_tool NAME DESCRIPTION SCOPE ARGUMENTS REQUEST ALLOWED. What has the scope of refunds needs the
# company's credential.
declare_tool() {
  local credential='' place=''
  if [[ "$3" == payments.refund ]]; then
    credential='credential = "payments-api"' place='credential_in = "header:Authorization: Bearer {}"'
  fi
  cat >"runtime/tools.d/$1.toml" <<TOML
[tool]
name = "$1"
description = "$2"
scope = "$3"
risk = "high"
$credential
[tool.arguments]
type = "object"
$4
[tool.http]
$5
$place
allow_addresses = ["127.0.0.1/32"]
[tool.response]
allow = [$6]
TOML
}

# What a tool about a refund takes.
refund_arguments() {
  cat <<'TOML'
required = ["charge", "amount"]
properties.charge = { type = "string", pattern = "^ch_[0-9]+$" }
properties.amount = { type = "number", exclusiveMinimum = 0 }
[[tool.constraint]]
argument = "/amount"
parameter = "amount"
as = "number"
TOML
}

declare_refund() {
  declare_tool refund "Gives a customer money back." payments.refund "$(refund_arguments)" "method = \"POST\"
url = \"$(api_address)/v1/charges/{charge}/refunds\"
body = \"json\"" '"/id", "/amount"'
}

# --- the agent: its process does what it is told, and answers into a file

start_agent() {
  mkfifo agent/requests
  exec {requests}<>agent/requests
  enter agent
  "${machine[@]}" run --agent support --chain agent/chain -- python3 -IB "$HERE/runtime/demo_agent.py" "$BIN/chancery" \
    "$WORK/runtime/sock" "$TOOLS" <agent/requests >agent.log 2>&1 3>&- &
  agent_pid=$!
}

# Has the agent call a tool: the status is in `status`, the body in the file `answer`: ask TOOL ARGUMENTS
ask() {
  local file="$WORK/agent/answer.$((answers += 1))"
  printf '%s %s %s\n' "$file" "$1" "${2:-{\}}" >&"$requests"
  until_true "the agent should answer" test -e "$file"
  status=$(sed -n 1p "$file")
  sed 1d "$file" >answer
  rm "$file"
}
show_ask() {
  printf '  %sagent> %s %s%s\n' "$dim" "$1" "$2" "$plain"
  ask "$@"
  printf '    %s %s\n' "$status" "$(told_answer)"
}
told_answer() { python3 -c '
import json, sys
answer = json.load(open("answer"))
told = {name: answer[name] for name in ("outcome", "code", "result", "message", "approval") if name in answer}
print(json.dumps(told, ensure_ascii=False))'; }

expect_done() {
  show_ask "$@"
  [[ "$status" == 200 ]] || die "that should have been done"
}
# expect_stopped CODE TOOL ARGUMENTS: and nothing of it may have reached the API.
expect_stopped() {
  local before
  before=$(wc -l <api/log)
  show_ask "${@:2}"
  [[ "$status" != 200 && "$(field code <answer)" == "$1" ]] || die "that should have been stopped as $1"
  [[ "$(wc -l <api/log)" == "$before" ]] || die "something of it reached the API"
}

# --- the audit log

# Shows the last entry of the log of that action, which must have these words, and be another than was shown before.
show_entry() {
  local word line
  line=$(at operator audit tail -n 200 | grep -F "  $1  " | tail -n 1) || die "the audit log has no $1"
  printf '    audit: %s\n' "$line"
  at operator audit tail -n 200 --format json | grep -F "\"action\":\"$1\"" | tail -n 1 >entry
  if [[ -e shown ]] && grep -qxF -f entry shown; then die "the audit log has no new $1"; fi
  cat entry >>shown
  for word in "${@:2}"; do grep -qF -e "$word" entry || die "the entry should say: $word"; done
}
