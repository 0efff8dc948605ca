# SPDX-License-Identifier: GPL-2.0-only
# A QEMU guest inside the VM that gets PCI and mediated devices by its vfio-pci.
# Sourced by bash together with lib.sh. NESTED_KERNEL, NESTED_INITRD and NESTED_SHA256
# come from the host (nested_guest in vm-lib.sh).

nested=$VM_RESULTS/nested

# How many of the addresses are devices of this VENDOR:DEVICE.
nested_count()
{
	local all wanted=$1

	shift
	all=$(pci_find "$wanted")
	printf '%s\n' "$@" | cut -d , -f 1 | grep -cxF "$all"
}

# nested_start once|stay ADDRESS|UUID[,PROPERTY=VALUE]...: start it with these PCI
# devices, and serial cards of mtty, each on a port of its own as id dev1, dev2...;
# "stay" keeps it up after its checks.
nested_start()
{
	local words="console=ttyS0 quiet nested.sha256=$NESTED_SHA256" devices=() n=0 serial=0 address

	[[ $1 == once ]] || words+=" nested.stay=1"
	shift
	words+=" nested.edu=$(nested_count 1234:11e8 "$@")"
	words+=" nested.nvme=$(nested_count 1b36:0010 "$@")"
	words+=" nested.vf=$(nested_count 8086:10ca "$@")"
	for address; do
		n=$((n + 1))
		case ${address%%,*} in
		*:*)	address=host=$address ;;
		*)	address=sysfsdev=/sys/bus/mdev/devices/$address serial=$((serial + 1)) ;;
		esac
		devices+=(-device "pcie-root-port,id=port$n,chassis=$n"
			  -device "vfio-pci,id=dev$n,$address,bus=port$n")
	done
	words+=" nested.serial=$serial"
	[[ -e /dev/kvm ]] || modprobe kvm_amd || return
	mkdir -p "$nested"
	: > "$nested/console"
	rm -f /run/monitor.{in,out}
	mkfifo /run/monitor.{in,out}
	qemu-system-x86_64 -accel kvm -cpu host -machine q35 -m 256 \
		-nodefaults -display none \
		-kernel "$NESTED_KERNEL" -initrd "$NESTED_INITRD" -append "$words" \
		-serial "file:$nested/console" \
		-chardev pipe,id=monitor,path=/run/monitor -mon chardev=monitor,mode=control \
		"${devices[@]}" > "$nested/output" 2>&1 &
	nested_pid=$!
	qmp_open /run/monitor.in /run/monitor.out
}

nested_running()
{
	kill -0 "$nested_pid" 2> /dev/null
}

# nested_done N: whether it has finished its checks for the Nth time.
nested_done()
{
	[[ $(grep -ac '^guest: done' "$nested/console") -ge $1 ]] || ! nested_running
}

# nested_lines [N]: what the guest told, in its Nth run of the checks only.
nested_lines()
{
	tr -d '\r' < "$nested/console" |
		awk -v wanted="${1-0}" -v run=1 '
			/^guest: / { if (!wanted || run == wanted) print }
			/^guest: done/ { run++ }'
}

# nested_ok N: whether all checks of the Nth run went well.
nested_ok()
{
	nested_lines "$1" | grep -qx 'guest: done: ok'
}

nested_stop()
{
	qmp quit > /dev/null
	wait_for 30 eval '! nested_running' || kill -KILL "$nested_pid"
	wait "$nested_pid"
	qmp_close
}

# Everything that tells why it did not work.
nested_explain()
{
	echo "QEMU said:"
	cat "$nested/output"
	echo "the guest's console ended:"
	tail -n 20 "$nested/console" | tr -d '\r'
}
