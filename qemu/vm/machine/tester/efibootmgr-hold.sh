#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Stands before efibootmgr(8) where RAUC looks for it, and waits for as long as a hold stands on what RAUC is
# about to do, or COMMAND.done on what it has just done: a file /var/lib/lamadist-control/hold/COMMAND. Says so in
# /run/lamadist-control/held/. After five minutes it waits no more, and the file is COMMAND.expired from then on.
holds=/var/lib/lamadist-control/hold
held=/run/lamadist-control/held
real=/usr/bin/efibootmgr

# number LABEL: of the boot entry.
number() { "$real" | sed -n "s/^Boot\([0-9A-F]\{4\}\)\*\{0,1\} $1\t.*/\1/p" | head -n 1; }

# The command, in the words of RAUC's interface for custom boot loaders.
command_of() {
  local order
  case "$*" in
    *--bootnext*)
      for slot in A B; do case "$*" in *"$(number $slot)"*) echo "set-primary.$slot" ;; esac; done
      ;;
    *--bootorder*)
      order=${*##*--bootorder}
      for slot in A B; do
        case $order in
          *"$(number $slot)"*) ;;
          *) echo "set-state.$slot.bad"; return ;;
        esac
      done
      order=${order//[ =]/}
      for slot in A B; do case $order in "$(number $slot)"*) echo "set-state.$slot.good" ;; esac; done
      ;;
    *) echo get-state ;;
  esac
}

wait_for() {
  local ticks=0
  while [ -e "$holds/$1" ]; do
    [ "$ticks" -lt 600 ] || mv "$holds/$1" "$holds/$1.expired"
    mkdir -p "$held"
    : >"$held/$1"
    sleep 0.5
    ticks=$((ticks + 1))
  done
  rm -f "$held/$1"
}

[ -n "$(ls -A "$holds" 2>/dev/null)" ] || exec "$real" "$@"
command=$(command_of "$@")
wait_for "$command"
"$real" "$@" || exit
wait_for "$command.done"
