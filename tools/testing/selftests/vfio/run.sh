#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Runs the programs given, or all that a set of devices is for, and prints TAP.
# Arguments:
#
#   [-d none|basic|full|noiommu] [-p K/N] [PROGRAM...]
#
# A set includes those before it: "-d full" runs what none, basic and full want.
# "-p K/N" runs the K-th of N parts of that, for N machines at once.
cd "$(dirname "$0")" || exit 1

devices=full
if [ "$1" = -d ]; then
	devices=$2
	shift 2
fi

part=1/1
if [ "$1" = -p ]; then
	part=$2
	shift 2
fi

case "$devices" in
none)		sets="none" ;;
basic)		sets="none basic" ;;
full)		sets="none basic full" ;;
noiommu)	sets="noiommu" ;;
*)		echo "$0: no set of devices is called $devices" >&2; exit 2 ;;
esac

if [ $# = 0 ]; then
	programs=$(grep -v '^#' devices.list | while read -r program wants _; do
		case " $sets " in
		*" $wants "*) echo "$program" ;;
		esac
	done | awk -v k="${part%/*}" -v n="${part#*/}" 'NR % n == k % n')
	# shellcheck disable=SC2086
	set -- $programs
fi

limit=$(sed -n 's/^timeout=//p' settings)
result=$(mktemp) || exit 1
trap 'rm -f "$result"' EXIT
n=0
failed=0

echo "TAP version 13"
echo "1..$#"
for program in "$@"; do
	n=$((n + 1))
	# The program's own TAP, as remarks of this one.
	{
		timeout "${limit:-600}" "./$program" 2>&1
		echo $? > "$result"
	} | sed -u 's/^/# /'
	status=$(cat "$result")
	case $status in
	0)	echo "ok $n $program" ;;
	4)	echo "ok $n $program # SKIP" ;;
	124)	echo "not ok $n $program # TIMEOUT after ${limit:-600} seconds"
		failed=1 ;;
	*)	echo "not ok $n $program # exit status $status"
		failed=1 ;;
	esac
done
exit $failed
