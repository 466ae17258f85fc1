#!/bin/bash
# Manual pages that the formatter has nothing to say against, and completions that complete.
# usage: pages.sh PAGES_FOLDER
set -euo pipefail

readonly pages="$1"

fail() {
  echo "$*" >&2
  exit 1
}

if command -v man >/dev/null; then
  for page in chancery.man chanceryd.8 chancery.toml.5 chancery-runtime.8; do
    said="$(LC_ALL=C.UTF-8 man --warnings --local-file --encoding=UTF-8 "$pages/$page" 2>&1 >/dev/null)"
    [[ -z "$said" ]] || fail "$page: $said"
  done
fi

# shellcheck source=/dev/null
source "$pages/chancery.bash"
completes() {
  local want="$1"
  COMP_WORDS=("${@:2}")
  COMP_CWORD=$(($# - 2))
  COMPREPLY=()
  _chancery
  [[ " ${COMPREPLY[*]} " == *" $want "* ]] || fail "bash: ${*:2} is not completed with $want: ${COMPREPLY[*]}"
}
completes agent chancery ag
completes create chancery agent cr
completes --uid chancery agent create support --u
completes --uid chancery --format json agent create --
completes --format chancery --f
completes --unit chancery doctor --u
if [[ " ${COMPREPLY[*]} " == *" reference "* ]]; then fail "bash: what is hidden is offered"; fi

# Each shell's own words for "chancery", and what it must offer for the last of them.
if command -v fish >/dev/null; then
  offers() {
    local want="$1" line="$2"
    fish --command "source $pages/chancery.fish; complete --do-complete '$line'" | cut --fields=1 |
      grep --quiet --line-regexp -- "$want" || fail "fish: $line is not completed with $want"
  }
  offers agent 'chancery ag'
  offers create 'chancery agent cr'
  offers --uid 'chancery agent create support --u'
  offers --unit 'chancery doctor --u'
fi
if command -v zsh >/dev/null; then
  # Outside of an editor nothing shows what the function adds: here it is written.
  offers() {
    local want="$1"
    shift
    zsh -c '_describe() { print -l -- ${(P)2%%:*}; }; _files() { :; }
            file=$1; shift; words=("$@"); CURRENT=$#; source $file' zsh "$pages/chancery.zsh" "$@" |
      grep --quiet --line-regexp -- "$want" || fail "zsh: $* is not completed with $want"
  }
  offers agent chancery ag
  offers create chancery agent cr
  offers --uid chancery agent create support --u
  offers --unit chancery doctor --u
fi
