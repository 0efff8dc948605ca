# SPDX-License-Identifier: GPL-2.0-only
# What the build's shell scripts share; sourced by sh with the script's own name in $me.
cd "$(dirname "$0")/.."
top=$PWD
build=$top/build
mkdir -p "$build"

# Make's own words to its children are not meant for the kernel's make.
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES GNUMAKEFLAGS
jobs=${JOBS:-$(nproc)}
export CCACHE_BASEDIR="$top" CCACHE_SLOPPINESS=time_macros,locale,include_file_mtime
export KBUILD_BUILD_TIMESTAMP='Thu Jan  1 00:00:00 UTC 1970' KBUILD_BUILD_USER=vfio KBUILD_BUILD_HOST=vfio
ccache=
command -v ccache >/dev/null && ccache=ccache

say() { echo "$me: $*"; }
die() { echo "$me: $*" >&2; exit 1; }

# wanted COMMAND PACKAGE: stop when a program is missing, with the way to get it.
wanted() {
	command -v "$1" >/dev/null || die "$1 is missing: run 'make deps' (Debian package $2)"
}

# The release whose headers are used: KVER, or the newest 6.12 that is installed.
headers_release() {
	if [ -n "${KVER:-}" ]; then
		echo "$KVER"
		return
	fi
	for dir in /usr/src/linux-headers-6.12*-amd64; do
		case $dir in *\** | *-rt-amd64 | *-cloud-amd64) ;; *) echo "${dir#/usr/src/linux-headers-}" ;; esac
	done | sort -V | tail -n 1
}

# The folder to give to make -C for modules of a release.
headers_dir() {
	for dir in "/usr/src/linux-headers-$1" "/lib/modules/$1/build"; do
		if [ -e "$dir/Module.symvers" ]; then
			echo "$dir"
			return
		fi
	done
}

# The compiler that made a kernel, by the major version that its config states.
kernel_cc() {
	cc=gcc-$(sed -n 's/^CONFIG_GCC_VERSION=\([0-9]*\)[0-9]\{4\}$/\1/p' "$1/.config")
	command -v "$cc" >/dev/null || cc=gcc
	echo "$ccache $cc"
}

# alone: wait until no other run of this script is at work here.
alone() {
	exec 9>"$build/.$me.lock"
	flock -n 9 || { say "waiting for another run"; flock 9; }
}

# ticking LOG COMMAND...: run it, its output added to LOG, and tell now and then how far it is.
ticking() {
	log=$1
	shift
	(
		while sleep 20 >/dev/null 2>&1; do
			echo "$me: ... $(wc -l <"$log") lines of log, now: $(tail -n 1 "$log" | cut -c 1-60)"
		done
	) 9>&- &
	ticker=$!
	trap 'kill $ticker 2>/dev/null' EXIT
	status=0
	"$@" >>"$log" 2>&1 9>&- || status=$?
	kill $ticker 2>/dev/null
	trap - EXIT
	return $status
}

# logged LOG COMMAND...: the same with a fresh LOG; when it fails, show the errors and stop.
logged() {
	: >"$1"
	ticking "$@" && return
	grep -nE -A3 'error|Error|ERROR|undefined|No rule' "$log" | head -n 60 >&2
	die "failed, see ${log#"$top"/}"
}
