# SPDX-License-Identifier: GPL-2.0-only
# A guest that two QEMUs inside the VM pass on from one to the other, together with
# its serial card (mtty) and its edu. Sourced by bash together with lib.sh.
# NESTED_KERNEL and NESTED_INITRD come from the host.

moving=$VM_RESULTS/moving
card_type=/sys/class/mdev_bus/mtty/mdev_supported_types/mtty-2
declare -A card=([source]=5e1f7e57-0000-4000-8000-000000000001
		 [destination]=5e1f7e57-0000-4000-8000-000000000002)
declare -A moving_pid moving_in moving_out

# Talk to this one's monitor from now on.
moving_use()
{
	qmp_in=${moving_in[$1]} qmp_out=${moving_out[$1]} qmp_events=
}

# moving_start source|destination EDU...: start a QEMU, the destination as one that
# waits for a guest at the socket.
moving_start()
{
	local who=$1 edu=$2 incoming=()

	[[ $who == source ]] || incoming=(-incoming "unix:/run/moving.socket")
	[[ -e /dev/kvm ]] || modprobe kvm_amd || return
	mkdir -p "$moving"
	rm -f /run/{monitor,console}."$who".{in,out}
	mkfifo /run/{monitor,console}."$who".{in,out}
	cat "/run/console.$who.out" > "$moving/console.$who" &
	# Without dirty tracking in the kernel all memory is sent again at the end. KVM
	# must not inject the card's INTx by itself: QEMU 10's q35 does not tell of routes
	# that came with the guest, and the destination's would go to another line.
	qemu-system-x86_64 -accel kvm -cpu host -machine q35 -m 192 \
		-nodefaults -display none \
		-kernel "$NESTED_KERNEL" -initrd "$NESTED_INITRD" -append "console=ttyS0 quiet" \
		-chardev "pipe,id=console,path=/run/console.$who" -serial chardev:console \
		-chardev "pipe,id=monitor,path=/run/monitor.$who" -mon chardev=monitor,mode=control \
		-device pcie-root-port,id=port1,chassis=1 \
		-device vfio-pci,id=edu,host="$edu",bus=port1,enable-migration=on \
		-device vfio-pci,id=card,sysfsdev="/sys/bus/mdev/devices/${card[$who]}",enable-migration=on,x-no-kvm-intx=on \
		"${incoming[@]}" > "$moving/output.$who" 2>&1 &
	moving_pid[$who]=$!
	exec {moving_console}<> "/run/console.$who.in"
	printf -v "console_$who" %s "$moving_console"
	# Under emulation on a busy machine it may take long to come up.
	qmp_open "/run/monitor.$who.in" "/run/monitor.$who.out" ||
		wait_for 300 eval '[[ $(qmp qmp_capabilities) == *"\"id\": "* ]]' || return
	moving_in[$who]=$qmp_in moving_out[$who]=$qmp_out
}

moving_running()
{
	kill -0 "${moving_pid[$1]}" 2> /dev/null
}

# The last round that the guest told of there, 0 for none.
moving_round()
{
	tr -d '\r' < "$moving/console.$1" | sed -n 's/^guest: round \([0-9]*\): .*/\1/p' | tail -n 1 | grep . || echo 0
}

# moving_rounds WHO N: it gets N rounds further, and no round has failed.
moving_rounds()
{
	local until=$(($(moving_round "$1") + $2))

	wait_for 300 eval '[[ $(moving_round '"$1"') -ge '"$until"' ]] || ! moving_running '"$1"
	[[ $(moving_round "$1") -ge $until ]] && ! grep -aq 'failed' "$moving/console.$1"
}

# moving_status WORD: whether the migration's status is that.
moving_status()
{
	[[ $(qmp query-migrate) == *"\"status\": \"$1\""* ]]
}

moving_over()
{
	moving_status completed || moving_status failed || moving_status cancelled
}

moving_stop()
{
	moving_use "$1"
	qmp quit > /dev/null
	wait_for 30 eval '! moving_running '"$1" || kill -KILL "${moving_pid[$1]}"
	wait "${moving_pid[$1]}" 2> /dev/null
	qmp_close
}

moving_explain()
{
	local who

	for who in source destination; do
		[[ -e $moving/output.$who ]] || continue
		echo "QEMU at the $who said:"
		cat "$moving/output.$who"
		echo "the guest's console there ended:"
		tail -n 12 "$moving/console.$who" | tr -d '\r'
		echo "its serial card is $(cat "/sys/kernel/debug/vfio/${card[$who]}/migration/state")"
	done
}
