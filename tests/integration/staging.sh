# What the stories have in common that start daemons: a place of their own, its end, and steps that must succeed or be
# refused. Sourced by them after telling.sh, with BIN set.
# shellcheck shell=bash

daemon_pid='' swtpm_pid=''

# Makes the folder WORK. At the end, whatever brings it about, `leave_stage` (the story's own) ends what was started,
# and the folder is removed; after a step that failed, the last lines of its logs are shown.
make_stage() {
  umask 077
  WORK=$(mktemp -d "${TMPDIR:-/tmp}/chancery-$1-XXXXXX")
  readonly WORK
  trap clear_stage EXIT
  trap 'exit 129' HUP
  trap 'exit 130' INT
  trap 'exit 143' TERM
}

clear_stage() {
  local code=$?
  trap '' INT TERM HUP
  leave_stage
  if ((code == 1)); then
    tail -n 5 "$WORK"/*.log 2>/dev/null | sed 's/^/    /'
  fi >&2
  rm -rf "$WORK"
  exit "$code"
}

# Ends a process that the story started, and waits for it; without one there is nothing to do.
end() {
  [[ -n "${1:-}" ]] || return 0
  kill "$1" 2>/dev/null || true
  wait "$1" 2>/dev/null || true
}

# Waits until a command succeeds; what it was for is told when it does not.
until_true() {
  local what=$1 give_up=$((SECONDS + 30))
  shift
  until "$@"; do
    ((SECONDS < give_up)) || die "$what: not within 30 s"
    sleep 0.05
  done
}

dev_daemon_is_ready() {
  grep -q '^export CHANCERY_CACERT' "$1" && return
  kill -0 "$daemon_pid" 2>/dev/null || die "chanceryd ended: $(cat "$1")"
  return 1
}

# Starts chanceryd with a software TPM and a certificate of its own; FOLDER/env gets its `export` lines.
start_dev_daemon() {
  # Without our own output (3), or whoever reads it would wait for the end of a daemon that is kept.
  "$BIN/chanceryd" --dev >"$1/daemon.log" 2>&1 3>&- </dev/null &
  daemon_pid=$!
  until_true "chanceryd should be ready" dev_daemon_is_ready "$1/daemon.log"
  grep '^export ' "$1/daemon.log" >"$1/env"
}

# Prints the configuration of a daemon that has its socket, its state and a software TPM in WORK, for further sections.
configuration_in_work() {
  cat <<TOML
allow_root = true
[server]
socket = "$WORK/sock"
socket_group = ""
tls_listen = ""
[issuer]
trust_domain = "example.org"
url = "https://chancery.example.org"
backend = "tpm"
[state]
path = "$WORK/state"
[[backend]]
name = "tpm"
tcti = "swtpm:path=$WORK/tpm/s"
allow_simulator = true
TOML
}

# Starts chanceryd, without waiting for it: start_chanceryd CONFIGURATION LOG
start_chanceryd() {
  "$BIN/chanceryd" --config "$1" >>"$2" 2>&1 3>&- </dev/null &
  daemon_pid=$!
}

# Ends what start_chanceryd started last.
stop_daemon() {
  end "$daemon_pid"
  daemon_pid=''
}

# Runs what must be refused with these words, and shows how.
refused() {
  local wanted=$1 words
  shift
  if words=$("$@" 2>&1 >/dev/null); then die "that should have been refused"; fi
  printf '    %s\n' "$words"
  grep -qF -e "$wanted" <<<"$words" || die "refused, but for another reason than $wanted"
}

# What FUNCTION says of a chain must be WANTED: expect WANTED FUNCTION CHAIN
expect() {
  local found
  found=$("$2" "$3") || true
  [[ "$found" == "$1" ]] || die "$2 $(basename "$3"): expected $1, found $found"
}

# Starts a software TPM on the state in a folder; its process is in `swtpm_pid`: start_swtpm STATE SOCKET LOG
start_swtpm() {
  rm -f "$2"
  swtpm socket --tpm2 --tpmstate "dir=$1,mode=0600" --server "type=unixio,path=$2,mode=0600" \
    --ctrl "type=unixio,path=$2.ctrl,mode=0600" --flags not-need-init,startup-clear >>"$3" 2>&1 3>&- </dev/null &
  # shellcheck disable=SC2034 # the stories read it
  swtpm_pid=$!
  until_true "swtpm should start" test -S "$2"
}

# Makes a vendor of simulated TPMs in the folder vendor: a private authority, whose certificate is vendor/issuercert.pem
# once it has made a TPM.
make_vendor() {
  mkdir vendor
  cat >vendor/localca.conf <<CONF
statedir = $WORK/vendor
signingkey = $WORK/vendor/signkey.pem
issuercert = $WORK/vendor/issuercert.pem
certserial = $WORK/vendor/certserial
CONF
  printf -- '--platform-manufacturer Chancery\n--platform-version 2.1\n--platform-model Simulator\n' >vendor/localca.options
  cat >vendor/setup.conf <<CONF
create_certs_tool = /usr/bin/swtpm_localca
create_certs_tool_config = $WORK/vendor/localca.conf
create_certs_tool_options = $WORK/vendor/localca.options
active_pcr_banks = sha256
CONF
}

# Makes the state of a TPM whose EK that vendor certifies: make_certified_tpm STATE CERTIFICATES NAME
make_certified_tpm() {
  swtpm_setup --tpm2 --tpmstate "$1" --config vendor/setup.conf --create-ek-cert --lock-nvram --ecc --create-spk \
    --pcr-banks sha256 --vmid "$3" --write-ek-cert-files "$2" --logfile "$WORK/$3-setup.log" >/dev/null 2>&1 ||
    die "swtpm_setup failed: is swtpm-tools installed?"
}

# TPM2_Clear (TPM 2.0 Part 3, 24.6) by the lockout hierarchy, whose authorization is empty: clear_swtpm SOCKET
clear_swtpm() {
  python3 - "$1" <<'PYTHON'
import socket, sys, time
tpm = socket.socket(socket.AF_UNIX)
tpm.settimeout(10)
for attempt in range(200):
    try:
        tpm.connect(sys.argv[1])
        break
    except ConnectionRefusedError:  # bound, and does not listen yet
        time.sleep(0.01)
tpm.sendall(bytes.fromhex("8002 0000001B 00000126 4000000A 00000009 40000009 0000 00 0000"))
answer = tpm.recv(4096)
sys.exit(answer[6:10] != bytes(4))
PYTHON
}

# --- machines: each has a home folder, the CA certificate of the daemons and the socket of its own, if it has one, and
# nothing of the others

declare -A socket_of=()

enter() {
  machine=(env -i PATH=/usr/bin:/bin HOME="$WORK/$1" NO_COLOR=1 CHANCERY_CACERT="$ca_file"
    ${socket_of[$1]:+"CHANCERY_SOCKET=${socket_of[$1]}"} "$BIN/chancery")
}
at() {
  enter "$1"
  "${machine[@]}" "${@:2}"
}
is_ready() { at "$1" status >/dev/null 2>&1; }
show_at() {
  tell_command "$1\$" "${@:2}"
  at "$@"
}
