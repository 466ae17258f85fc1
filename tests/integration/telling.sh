# How the demos tell what they do; sourced by them.
# shellcheck shell=bash

if [[ -t 1 && -z "${NO_COLOR:-}" && "${TERM:-dumb}" != dumb ]]; then
  bold=$'\e[1m' dim=$'\e[2m' red=$'\e[31m' green=$'\e[32m' blue=$'\e[36m' plain=$'\e[0m'
else
  bold='' dim='' red='' green='' blue='' plain=''
fi

chapter() { printf '\n%s%s%s\n' "$bold$blue" "$*" "$plain"; }
say() { printf '  %s\n' "$*"; }
good() { printf '  %s✓%s %s\n' "$green" "$plain" "$*"; }
die() {
  printf '  %s✗ %s%s\n' "$red" "$*" "$plain" >&2
  exit 1
}

# Shows a command, then runs it; its own output may be redirected.
exec 3>&1
show() {
  printf '  %s$ %s%s\n' "$dim" "$*" "$plain" >&3
  "$@"
}

# The same of a command that runs somewhere else: tell_command PROMPT WORDS…
tell_command() { printf '  %s%s chancery %s%s\n' "$dim" "$1" "${*:2}" "$plain" >&3; }

# The first member of that name in a JSON text, when it is a string.
field() { grep -o "\"$1\":\"[^\"]*\"" | sed -n 1p | cut -d'"' -f4; }
