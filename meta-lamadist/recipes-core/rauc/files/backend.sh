#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# RAUC's custom boot loader backend for Tegra: its firmware keeps two slots of its own, counts tries and falls back.
# usage: get-primary | set-primary A|B | get-state A|B | set-state A|B good|bad (RAUC's documentation, "Custom")
set -eu

number() {
  case $1 in A) echo 0 ;; B) echo 1 ;; *) echo "Cannot find boot slot \"$1\": there are A and B" >&2; exit 1 ;; esac
}

case $1 in
  get-primary)
    # The slot that the next boot takes: the one that was made active, or the one that runs.
    active=$(nvbootctrl dump-slots-info | sed -n 's/^Active bootloader slot: \([AB]\).*/\1/p')
    [ -n "$active" ] || { echo "Cannot find the primary slot: nvbootctrl names none" >&2; exit 1; }
    echo "$active"
    ;;
  set-primary) nvbootctrl set-active-boot-slot "$(number "$2")" ;;
  get-state)
    status=$(nvbootctrl dump-slots-info | sed -n "s/^slot: $(number "$2"),.*status: *\([a-z]*\).*/\1/p")
    if [ "$status" = normal ]; then echo good; else echo bad; fi
    ;;
  set-state)
    # The firmware can be told that a slot is good, and only while it runs. Bad is what it finds out by counting: another
    # slot is made primary instead, which is what RAUC does next.
    if [ "$3" = good ]; then nvbootctrl verify; fi
    ;;
  *) echo "usage: get-primary | set-primary SLOT | get-state SLOT | set-state SLOT STATE" >&2; exit 2 ;;
esac
