#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs the installer on a console, with a command line, and with a /dev that holds no disk but those that are named: what it
# erases is nobody's. FOLDER gets `restarted` instead of the machine.
# usage: on a terminal, with mounts that nobody else sees: installation.sh INSTALLER COMMAND-LINE FOLDER MEDIUM|'' DEVICE…
set -eu
installer=$1 command_line=$2 folder=$3 medium=$4
shift 4
terminal=$(tty)

mkdir "$folder/dev" "$folder/bin"
mount -t tmpfs tmpfs "$folder/dev"
cp -a /dev/null "$@" "$folder/dev/"
touch "$folder/dev/console"
mount --bind "$terminal" "$folder/dev/console"
mkdir -p "$folder/dev/disk/by-label"
[ -z "$medium" ] || ln -s "$medium" "$folder/dev/disk/by-label/LAMADIST"

# shellcheck disable=SC2016 # the program that it writes expands it
printf '#!/bin/sh\n[ "$1" != reboot ] || touch "%s/restarted"\n' "$folder" >"$folder/bin/systemctl"
chmod +x "$folder/bin/systemctl"
# Of all disks, those of this machine, which are files; it may have none.
# shellcheck disable=SC2016 # as above
printf '#!/bin/sh\n[ "$1" = -dno ] || exec %s "$@"\n[ -z "%s" ] || %s "$@" %s | sed "s/loop$/disk/"\n' "$(command -v lsblk)" "$*" "$(command -v lsblk)" "$*" \
  >"$folder/bin/lsblk"
chmod +x "$folder/bin/lsblk"
PATH=$folder/bin:$PATH

mount --bind "$command_line" /proc/cmdline
mount --rbind "$folder/dev" /dev
mount -t tmpfs tmpfs /run
exec "$installer"
