# SPDX-License-Identifier: GPL-2.0-only
# What tests inside the VM need again and again: PCI devices, VFIO's modules
# and QEMU monitors. Sourced by bash.

# Wait for a condition, polling; fails when it did not come in that time.
wait_for()
{
	local end=$((SECONDS + $1))
	shift

	until "$@" > /dev/null 2>&1; do
		[[ $SECONDS -lt $end ]] || return 1
		sleep 0.1
	done
}

# pci_find VENDOR:DEVICE: addresses of all such devices, one a line.
pci_find()
{
	local dev vendor device

	for dev in /sys/bus/pci/devices/*; do
		read -r vendor < "$dev/vendor"
		read -r device < "$dev/device"
		[[ ${vendor#0x}:${device#0x} == "$1" ]] && echo "${dev##*/}"
	done
}

# pci_driver ADDRESS: name of the driver it is bound to, if any.
pci_driver()
{
	basename "$(readlink "/sys/bus/pci/devices/$1/driver")"
}

# pci_group ADDRESS: number of its IOMMU group.
pci_group()
{
	basename "$(readlink "/sys/bus/pci/devices/$1/iommu_group")"
}

pci_unbind()
{
	local dev=/sys/bus/pci/devices/$1

	[[ ! -e $dev/driver ]] || echo "$1" > "$dev/driver/unbind"
}

# pci_bind ADDRESS DRIVER: give the device to this driver and no other.
pci_bind()
{
	echo "$2" > "/sys/bus/pci/devices/$1/driver_override" &&
		pci_unbind "$1" && echo "$1" > /sys/bus/pci/drivers_probe &&
		[[ $(pci_driver "$1") == "$2" ]]
}

# pci_release ADDRESS: let the device go back to the driver made for it.
pci_release()
{
	echo > "/sys/bus/pci/devices/$1/driver_override" &&
		pci_unbind "$1" && echo "$1" > /sys/bus/pci/drivers_probe
}

# module_file NAME: the file of that module that VM_MODULES means, if any. The
# project's own tree kernel has but one of each; Debian's has ours beside it.
module_file()
{
	local file name

	if [[ $VM_MODULES == ours && ! -L /lib/modules/$(uname -r) ]]; then
		for file in "$VM_REPO"/build/{modules,samples}/*.ko; do
			name=${file##*/}
			name=${name%.ko}
			[[ ${name//-/_} == "${1//-/_}" ]] && echo "$file" && return
		done
		return 1
	fi
	modinfo -n "$1" 2> /dev/null
}

module_loaded()
{
	[[ -e /sys/module/${1//-/_} ]]
}

# Build-id of a loaded module, and of a module's file.
loaded_build_id()
{
	od -An -tx1 -v -w64 -j 16 "/sys/module/${1//-/_}/notes/.note.gnu.build-id" | tr -d ' '
}

file_build_id()
{
	local copy=$1

	if [[ $1 == *.xz ]]; then
		copy=/run/${1##*/}
		xz -dc "$1" > "$copy"
	fi
	readelf -n "$copy" | sed -n 's/.*Build ID: //p'
}

# qmp_open PATH [PATH]: open a QEMU monitor that is written to and read from
# at these paths, or at one; qmp and qmp_event then talk to it. A monitor that
# was opened before is ready already and says so by an error.
qmp_open()
{
	exec {qmp_in}<> "$1" || return
	qmp_out=$qmp_in
	[[ $# -lt 2 ]] || exec {qmp_out}<> "$2" || return
	qmp_events=
	[[ $(qmp qmp_capabilities) == *'"id": '* ]]
}

qmp_close()
{
	[[ $qmp_out == "$qmp_in" ]] || exec {qmp_out}<&-
	exec {qmp_in}<&-
}

# The monitor of the VM itself; who opens it must be the only one.
qmp_open_vm()
{
	local port

	for port in /sys/class/virtio-ports/*; do
		[[ $(cat "$port/name") == qmp ]] && qmp_open "/dev/${port##*/}" && return
	done
	return 1
}

# qmp COMMAND [ARGUMENTS]: run a command, ARGUMENTS being a JSON object, and
# print the reply's line; fails on an error. Events passed by are kept.
qmp()
{
	local line id=$BASHPID-$EPOCHREALTIME

	printf '{"execute": "%s", "arguments": %s, "id": "%s"}\n' \
		"$1" "${2-{\}}" "$id" >&"$qmp_in"
	while read -r -t 120 line <&"$qmp_out"; do
		[[ $line == *'"event": '* ]] && qmp_events+=$line$'\n'
		[[ $line == *'"id": "'"$id"'"'* ]] || continue
		echo "${line%$'\r'}"
		[[ $line != *'"error": '* ]]
		return
	done
	echo "no answer to $1"
	return 1
}

# qmp_event SECONDS TEXT: wait for an event whose line holds this text.
qmp_event()
{
	local line end=$((SECONDS + $1))

	[[ ${qmp_events-} == *"$2"* ]] && return
	while [[ $SECONDS -lt $end ]]; do
		read -r -t 1 line <&"$qmp_out" || continue
		[[ $line == *'"event": '*"$2"* ]] && return
	done
	return 1
}
