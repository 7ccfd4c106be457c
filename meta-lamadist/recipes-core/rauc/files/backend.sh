#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# RAUC's custom boot loader backend for Tegra: its firmware keeps two slots of its own, counts tries and falls back.
# usage: get-current | get-primary | set-primary A|B | get-state A|B | set-state A|B good|bad (RAUC's documentation, "Custom")
set -eu
efivars=${LAMADIST_EFIVARS:-/sys/firmware/efi/efivars}

number() {
  case $1 in A) echo 0 ;; B) echo 1 ;; *) echo "Cannot find boot slot \"$1\": there are A and B" >&2; exit 1 ;; esac
}

# named KIND: the slot that nvbootctrl says this of.
named() {
  slot=$(nvbootctrl dump-slots-info | sed -n "s/^$1 bootloader slot: \([AB]\).*/\1/p")
  [ -n "$slot" ] || { echo "Cannot find the slot: nvbootctrl calls none \"$1\"" >&2; exit 1; }
  echo "$slot"
}

case $1 in
  # Nothing on Tegra's command line tells the slots apart.
  get-current) named Current ;;
  # The slot that the next boot takes: the one that was made active, or the one that runs.
  get-primary) named Active ;;
  set-primary)
    slot=$(number "$2")
    # A slot that had no tries left stays shut out until this is taken back; what is in it now is new.
    status=$efivars/RootfsStatusSlot$2-781e084c-a330-417c-b678-38e696380cb9
    if [ -e "$status" ]; then
      chattr -i "$status"
      # Kept over power cycles, for boot and run time; then "normal".
      printf '\007\000\000\000\000\000\000\000' >"$status"
    fi
    nvbootctrl set-active-boot-slot "$slot"
    ;;
  get-state)
    slot=$(number "$2")
    # Of the root, which has tries of its own.
    status=$(nvbootctrl -t rootfs dump-slots-info | sed -n "s/^slot: $slot,.*status: *\([a-z]*\).*/\1/p")
    if [ "$status" = normal ]; then echo good; else echo bad; fi
    ;;
  set-state)
    # The firmware can be told that a slot is good, and only while it runs. Bad is what it finds out by counting: another
    # slot is made primary instead, which is what RAUC does next.
    if [ "$3" = good ]; then nvbootctrl verify; fi
    ;;
  *) echo "usage: get-current | get-primary | set-primary SLOT | get-state SLOT | set-state SLOT STATE" >&2; exit 2 ;;
esac
