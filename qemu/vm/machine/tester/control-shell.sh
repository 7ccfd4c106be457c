# SPDX-License-Identifier: Apache-2.0
# The tester's way into the virtual machine, given to systemd as a credential of the machine: images do not carry it. Reads
# "ID USER SECONDS COMMAND INPUT" from a virtio port, the last two as base64 ("-" for nothing), any number at a time; answers
# "done ID EXIT-CODE STDOUT STDERR". Says first which boot it is, and once, that it has reached multi-user.target.
port=/dev/virtio-ports/control
journal=/dev/virtio-ports/journal
until [ -c "$port" ] && [ -c "$journal" ]; do sleep 1; done
# Out of the machine as it is written: what a boot that never ends, or that nobody gets back to, leaves behind.
journalctl --boot --follow --no-tail --output=short-iso >"$journal" &
folder=/run/lamadist-control
mkdir -p "$folder/bin"
cp /run/credentials/@system/efibootmgr-hold "$folder/bin/efibootmgr"
chmod 755 "$folder/bin/efibootmgr"
chcon -t bin_t "$folder/bin" "$folder/bin/efibootmgr"
read -r boot_id </proc/sys/kernel/random/boot_id
slot=$(tr ' ' '\n' </proc/cmdline | sed -n 's/^rauc\.slot=//p')
. /etc/os-release
exec 3<>"$port"

say() {
  { flock 9; printf '%s\n' "$*" >&3; } 9>"$folder/lock"
}

# Through pipes, which every domain may use that a command is in: files of ours it might not.
execute() {
  local id=$1 user=$2 seconds=$3 work=$folder/$1 as=() command input=
  mkdir "$work"
  [ "$5" = - ] || input=$5
  command=$(base64 -d <<<"$4")
  [ "$user" = root ] || as=(runuser -u "$user" --)
  {
    base64 -d <<<"$input" |
      "${as[@]}" timeout --kill-after=1 "$seconds" /bin/sh -c "$command" 2>&4 3>&- 4>&- |
      base64 -w0 >"$work/out"
    echo "${PIPESTATUS[1]}" >"$work/code"
  } 4>&1 >/dev/null | base64 -w0 >"$work/err"
  say "done $id $(<"$work/code") $(<"$work/out") $(<"$work/err")"
  rm -rf "$work"
}

# Whoever listens may have half a line of the boot before.
say ""
say "boot $boot_id $slot $IMAGE_VERSION"
mkfifo /run/reached
{ read -r </run/reached; say reached; } &
while read -r -u 3 id user seconds command input; do
  execute "$id" "$user" "$seconds" "$command" "$input" &
done
