#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Tries the migration of QEMU's edu device, by its sample driver, on two of them.
cd "$(dirname "$0")" || exit 1

skip()
{
	echo "1..0 # SKIP $*"
	exit 4
}

modprobe -q vfio-pci
modprobe -q edu_vfio_pci || skip "the sample edu_vfio_pci is not there"
devices=
for dev in /sys/bus/pci/devices/*; do
	[ "$(cat "$dev/vendor" "$dev/device" | xargs)" = "0x1234 0x11e8" ] || continue
	[ "$(ls "$dev/iommu_group/devices" | wc -l)" = 1 ] || continue
	echo edu-vfio-pci > "$dev/driver_override"
	[ ! -e "$dev/driver" ] || echo "${dev##*/}" > "$dev/driver/unbind"
	echo "${dev##*/}" > /sys/bus/pci/drivers_probe
	# The first is the one that is reset again and again.
	if [ -e "$dev/reset" ]; then
		devices="${dev##*/} $devices"
	else
		devices="$devices ${dev##*/}"
	fi
done

# shellcheck disable=SC2086
set -- $devices
[ $# -ge 2 ] || skip "no two edu devices that are alone in their groups"
[ -e "/sys/bus/pci/devices/$1/reset" ] || skip "no edu can be reset"
./migration_test "$1" "$2"
status=$?
for dev; do
	echo > "/sys/bus/pci/devices/$dev/driver_override"
	echo "$dev" > /sys/bus/pci/drivers/edu-vfio-pci/unbind
done
exit $status
