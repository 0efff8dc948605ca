# SPDX-License-Identifier: GPL-2.0-only
# What scripts/vm and the programs that prepare guests for it share: paths,
# kernels and initramfs images. Sourced by bash, on the host.

repo=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
vmdir=$repo/build/vm

die()
{
	echo "${0##*/}: $*" >&2
	exit 125
}

# Debian's newest installed 6.12 kernel, or the one that KVER names.
stock_release()
{
	local release=${KVER-}

	if [[ ! $release ]]; then
		release=$(cd /boot && printf '%s\n' vmlinuz-6.12*-amd64 |
			  grep -Ev -- '-(rt|cloud)-|\*' | sort -V | tail -n 1)
		release=${release#vmlinuz-}
	fi
	[[ $release && -r /boot/vmlinuz-$release ]] ||
		die "no 6.12 kernel in /boot (Debian's linux-image-6.12-amd64)"
	echo "$release"
}

# The release that the bzImage itself states: a string behind its header.
image_release()
{
	local offset

	offset=$(od -An -tu2 -j $((0x20e)) -N 2 "$1") || return
	dd if="$1" bs=1 skip=$((offset + 0x200)) count=128 status=none |
		tr '\0' '\n' | sed -n '1s/ .*//p'
}

# Modules to insert, as paths in loading order; a word with a slash is a path
# already, others are looked up with what they depend on.
module_paths()
{
	local release=$1 module
	shift

	for module; do
		if [[ $module == */* ]]; then
			echo "$module"
		else
			modprobe -S "$release" --show-depends "$module" |
				sed -n 's/^insmod \([^ ]*\).*/\1/p'
		fi
	done | awk '!seen[$0]++'
}

# initramfs RELEASE INIT [MODULE...]: print the path of an image with busybox,
# INIT as /init and the modules in /modules. Made once for the same contents.
initramfs()
{
	local release=$1 init=$2 busybox key image tmp path n=100
	shift 2

	busybox=$(command -v busybox) || die "busybox is missing (Debian's busybox-static)"
	mapfile -t paths < <(module_paths "$release" "$@")
	key=$(stat -c '%n %s %Y' "$busybox" "${paths[@]}" | cat - "$init" | sha256sum)
	image=$vmdir/initramfs-${key:0:16}.cpio
	if [[ ! -e $image ]]; then
		mkdir -p "$vmdir"
		tmp=$(mktemp -d "$vmdir/initramfs.XXXXXX")
		mkdir -p "$tmp"/root/{bin,dev,proc,sys,modules,lower,upper,newroot}
		cp "$busybox" "$tmp/root/bin/busybox"
		install -m 755 "$init" "$tmp/root/init"
		for path in "${paths[@]}"; do
			n=$((n + 1))
			case $path in
			*.xz)	xz -dc "$path" > "$tmp/root/modules/$n-$(basename "$path" .xz)" ;;
			*.zst)	zstd -qdc "$path" > "$tmp/root/modules/$n-$(basename "$path" .zst)" ;;
			*)	cp "$path" "$tmp/root/modules/$n-${path##*/}" ;;
			esac || die "cannot unpack $path"
		done
		(cd "$tmp/root" && find . | cpio --quiet -o -H newc -R 0:0) > "$tmp/image" ||
			die "cannot make an initramfs"
		mv "$tmp/image" "$image"
		rm -rf "$tmp"
	fi
	echo "$image"
}

# The disk that nvme shows, the same bytes everywhere; VMs never write to it.
disk_image()
{
	local image=$vmdir/disk.img tmp

	if [[ ! -e $image ]]; then
		mkdir -p "$vmdir"
		tmp=$(mktemp "$vmdir/disk.XXXXXX")
		seq 10000000 12097151 | head -c 16M > "$tmp"
		mv "$tmp" "$image"
	fi
	echo "$image"
}

# How fast this host's time stamp counter counts, in kHz: the emulator shows it to
# machines as it is. Measured once since the host was booted; nothing where it is no
# measure of time.
host_tsc_khz()
{
	local file tmp

	grep -qw constant_tsc /proc/cpuinfo || return
	file=$vmdir/tsc-khz.$(cat /proc/sys/kernel/random/boot_id)
	if [[ ! -e $file ]]; then
		mkdir -p "$vmdir"
		tmp=$(mktemp -d "$vmdir/tsc.XXXXXX")
		cc -O2 -o "$tmp/host-tsc" "$repo/scripts/host-tsc.c" && "$tmp/host-tsc" > "$tmp/khz" &&
			mv "$tmp/khz" "$file"
		rm -rf "$tmp"
	fi
	[[ ! -e $file ]] || cat "$file"
}

# A VM that runs KVM has one CPU: with two, two such runs in thirty hung under
# QEMU 10.0's emulator, with Debian's own modules, on a timer that did not fire
# or a 9p request without an answer. With one CPU it was never seen.
nested_vm=(--devices guest --smp 1 --modules none)

# Make what a nested guest boots from, and the words that tell guest/nested.sh
# of it: nested=(NAME=VALUE...). It runs Debian's kernel, with drivers of our own
# for edu and virtual functions of igb, built against the same headers.
nested_guest()
{
	local release headers dir=$repo/build/nested image

	release=$(stock_release) || return
	headers=/lib/modules/$release/build
	if [[ ! -d $headers/include ]]; then
		echo "headers of $release are missing (Debian's linux-headers-${release})"
		return 1
	fi
	mkdir -p "$dir"
	(
		flock 9
		cp -u "$repo/scripts/nested/"{Kbuild,*.c} "$dir/" &&
		    env -u MAKEFLAGS -u MAKELEVEL make -s -C "$headers" M="$dir" modules 9>&-
	) 9> "$dir/lock" || return
	image=$(initramfs "$release" "$repo/scripts/nested/init" nvme "$dir"/{edu,vf}_guest.ko) || return
	nested=(NESTED_KERNEL=/boot/vmlinuz-$release NESTED_INITRD="$image"
		NESTED_SHA256="$(sha256sum < "$(disk_image)" | cut -d ' ' -f 1)")
}
