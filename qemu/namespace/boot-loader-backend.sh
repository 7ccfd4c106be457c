#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# RAUC's custom boot loader backend (RAUC's manual, "Custom bootloader backend interface") on the state of the boot loader
# that boots the node in namespaces: /run/nvram/state, whose format boot-loader-state.ts describes.
#
# A test stops the world in a phase of its choice with a file /run/nvram/hold/COMMAND[.BOOTNAME[.STATE]]: while it exists
# this script waits (at most two minutes), and says so in /run/nvram/held/.
set -eu
umask 022
nvram=/run/nvram
state=$nvram/state

hold() {
  held=
  ticks=0
  for name in "$1" "$1.${2:-}" "$1.${2:-}.${3:-}"; do
    while [ -e "$nvram/hold/$name" ] && [ "$ticks" -lt 1200 ]; do
      held=$nvram/held/$name
      : >"$held"
      sleep 0.1
      ticks=$((ticks + 1))
    done
  done
  if [ -n "$held" ]; then rm -f "$held"; fi
}

# The words after the first ones of a line of the state.
words() {
  sed -n "s/^$1 //p" "$state"
}

# Replaces lines: each argument is a sed script.
change() {
  for script in "$@"; do set -- "$@" -e "$script"; shift; done
  sed "$@" "$state" >"$state.backend"
  mv "$state.backend" "$state"
}

# good when the boot loader would boot it, which it would not while a trial's last try is being used.
bootable() {
  read -r verdict tries <<-EOT
	$(words "slot $1")
	EOT
  [ "$verdict" = good ] || { [ "$verdict" = trial ] && [ "$tries" -gt 0 ]; }
}

known() {
  words order | grep -qw -e "$1" || {
    echo "boot-loader-backend: no slot is called \"$1\"" >&2
    exit 2
  }
}

hold "$@"
case "$1" in
  get-primary)
    for name in $(words order); do
      if bootable "$name"; then
        echo "$name"
        exit 0
      fi
    done
    words last-good
    ;;
  set-primary)
    known "$2"
    others=$(words order | sed "s/\\b$2\\b//; s/^ *//; s/ *$//; s/  */ /g")
    change "s/^order .*/order $2 $others/" "s/^slot $2 \(bad\|trial\) .*/slot $2 trial $(words max-tries)/"
    ;;
  get-state)
    known "$2"
    if bootable "$2"; then echo good; else echo bad; fi
    ;;
  set-state)
    known "$2"
    case "$3" in
      good) change "s/^slot $2 .*/slot $2 good 0/" "s/^last-good .*/last-good $2/" ;;
      bad) change "s/^slot $2 .*/slot $2 bad 0/" ;;
      *) exit 2 ;;
    esac
    ;;
  get-current)
    sed -n 's/.*rauc\.slot=\([^ ]*\).*/\1/p' /proc/cmdline
    ;;
  *)
    echo "boot-loader-backend: unknown command \"$1\"" >&2
    exit 2
    ;;
esac
