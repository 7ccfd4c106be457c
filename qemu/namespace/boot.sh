#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# PID 1 of a node in namespaces until it becomes systemd: does what firmware, kernel and initrd do on a real machine.
# Its environment is launch.sh's, with LOOP_A, LOOP_B, LOOP_VAR (its disks) and CONSOLE (the terminal to log to).
set -eu
umask 022
root=$NODE/root

# This /proc is still the host's, so this is the host's number for us; the launcher waits for it.
read -r pid _ </proc/self/stat

case $BOOTNAME in A) slot=$LOOP_A ;; B) slot=$LOOP_B ;; esac
mount -t erofs -o ro "$slot" "$root"
mount -t ext4 "$LOOP_VAR" "$root/var"
mount -t overlay -o "lowerdir=$root/etc,upperdir=$root/var/lib/etc/upper,workdir=$root/var/lib/etc/work" overlay "$root/etc"

mount -t proc -o nosuid,nodev,noexec proc "$root/proc"
mount -t sysfs -o ro,nosuid,nodev,noexec sysfs "$root/sys"
mount -t cgroup2 -o nosuid,nodev,noexec cgroup2 "$root/sys/fs/cgroup"
mount -t tmpfs -o mode=755,nosuid,nodev tmpfs "$root/run"
mount -t tmpfs -o nosuid,nodev tmpfs "$root/tmp"

mount -t tmpfs -o mode=755,nosuid tmpfs "$root/dev"
for device in "null 1 3" "zero 1 5" "full 1 7" "random 1 8" "urandom 1 9" "tty 5 0"; do
  # shellcheck disable=SC2086 # name, major and minor
  set -- $device
  mknod -m 666 "$root/dev/$1" c "$2" "$3"
done
mkdir "$root/dev/pts" "$root/dev/shm" "$root/dev/mqueue" "$root/dev/disk" "$root/dev/disk/by-partlabel"
mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5 devpts "$root/dev/pts"
mount -t tmpfs -o nosuid,nodev tmpfs "$root/dev/shm"
ln -s pts/ptmx "$root/dev/ptmx"
ln -s /proc/self/fd "$root/dev/fd"
ln -s /proc/self/fd/0 "$root/dev/stdin"
ln -s /proc/self/fd/1 "$root/dev/stdout"
ln -s /proc/self/fd/2 "$root/dev/stderr"
touch "$root/dev/console"
mount --bind "$CONSOLE" "$root/dev/console"

# RAUC mounts bundles through the next free loop device, whichever that is.
mknod -m 600 "$root/dev/loop-control" c 10 237
number=0
while [ "$number" -lt 128 ]; do
  mknod -m 600 "$root/dev/loop$number" b 7 "$number"
  number=$((number + 1))
done
if [ -e /dev/mapper/control ]; then
  mkdir "$root/dev/mapper"
  mount --rbind /dev/mapper "$root/dev/mapper"
fi
ln -s "../../${LOOP_A#/dev/}" "$root/dev/disk/by-partlabel/root-a"
ln -s "../../${LOOP_B#/dev/}" "$root/dev/disk/by-partlabel/root-b"
ln -s "../../${LOOP_VAR#/dev/}" "$root/dev/disk/by-partlabel/var"

mkdir "$root/run/nvram" "$root/run/swtpm" "$root/run/machine" "$root/run/media"
mount --bind "$NODE/nvram" "$root/run/nvram"
mount --bind "$NODE/tpm/sockets" "$root/run/swtpm"

# What the kernel would say of this boot, in the places where the product reads it.
command_line="rauc.slot=$BOOTNAME lamadist.machine=namespace"
if [ -e "$NODE/cmdline" ]; then command_line="$command_line $(cat "$NODE/cmdline")"; fi
echo "$command_line" >"$root/run/machine/cmdline"
echo "$BOOT_ID" >"$root/run/machine/boot_id"
mount --bind "$root/run/machine/cmdline" "$root/proc/cmdline"
mount --bind "$root/run/machine/boot_id" "$root/proc/sys/kernel/random/boot_id"
# ProtectProc= mounts a fresh /proc for its unit, without the two; and sysfs knows no label of a loop device, as it does of a
# partition, so that the links must tell.
mkdir -p "$root/run/systemd/system/lamadist-.service.d"
printf '[Service]\nBindReadOnlyPaths=/run/machine/cmdline:/proc/cmdline /run/machine/boot_id:/proc/sys/kernel/random/boot_id /dev/disk\n' \
  >"$root/run/systemd/system/lamadist-.service.d/machine.conf"

# The TPM is a socket here, and what the launcher measured into it is told by files of the node's folder.
mkdir "$root/run/measured"
mount --bind "$NODE/measured" "$root/run/measured"
mkdir -p "$root/run/systemd/system/lamadist-agent.service.d"
cat >"$root/run/systemd/system/lamadist-agent.service.d/tpm.conf" <<'UNIT'
[Service]
Environment=TPM2TOOLS_TCTI=swtpm:path=/run/swtpm/tpm.sock
OpenFile=
OpenFile=/run/systemd/notify:sdnotify
OpenFile=/run/measured/firmware:firmware-log:read-only,graceful
OpenFile=/run/measured/userspace:userspace-log:read-only,graceful
OpenFile=/run/measured/ima:ima-log:read-only,graceful
UNIT

# The kernel is the host's: what would change it is read-only or taken away.
for path in sys sysrq-trigger irq bus; do
  if [ -e "$root/proc/$path" ]; then
    mount --rbind "$root/proc/$path" "$root/proc/$path"
    mount -o remount,bind,ro,nosuid,nodev,noexec "$root/proc/$path"
  fi
done

echo "$pid" >"$NODE/pid.new"
mv "$NODE/pid.new" "$NODE/pid"

# A process in a chroot may make no user namespace (PrivateUsers=), so the node's root becomes the root of this mount
# namespace by pivot_root. That wants to start from the namespace's own root, which nsenter goes to even when the launcher
# itself runs in a chroot. What is called there must be found below the working directory, its libraries too: hence the
# loader by name, until the root has changed.
cd "$root"
loader=$(echo usr/lib/*-linux-gnu/ld-linux-*.so.*)
libraries=$(dirname "$loader")
bounds=-sys_time,-sys_module,-sys_rawio,-syslog,-mknod,-wake_alarm,-mac_admin,-mac_override
# Words that systemd does not know it leaves to the units: in a container ConditionKernelCommandLine= reads them here.
# shellcheck disable=SC2016,SC2086 # the inner shell expands the one, words are meant by the other
exec env -i container=other TERM=dumb PATH=/usr/sbin:/usr/bin \
  nsenter --mount=/proc/self/ns/mnt --wd=. "./$loader" --library-path "$libraries" ./usr/bin/dash -euc '
    "./$1" --library-path "$2" ./usr/sbin/pivot_root . mnt
    cd /
    umount -l /mnt
    bounds=$3
    shift 3
    exec setpriv --bounding-set="$bounds" /usr/lib/systemd/systemd "$@"
  ' - "$loader" "$libraries" "$bounds" --log-target=console --log-level=notice --show-status=yes $command_line
