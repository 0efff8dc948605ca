#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Checks that every test that regressions.list and errors.list name exists, and
# that regressions.list is whole.
cd "$(dirname "$0")" || exit 1

list=regressions.list
# The sections of known bugs that the list must cover from end to end.
whole="C:28 T:39 P:52 G:12 D:11 S:7 K:8"
# The worst of all, in their order.
worst="P03 P01 T11 P08 C02 P29 T17 T12 P22 P23 F01 F02 C01 C03 P05 P10 T01 T05 T13
T03 G01 G02 K01 K03 P12 P17 P16 P43 T31 D02"

n=0
failed=0
out=""

check()
{
	n=$((n + 1))
	if [ "$1" = 0 ]; then
		out="$out
ok $n $2"
	else
		failed=1
		out="$out
not ok $n $2"
	fi
}

has_test()
{
	program=./$1
	if [ "$1" = compat_test ]; then
		program=./compat_test_32
		# Not every toolchain can build it.
		[ -x "$program" ] || [ -f compat_test.c ] || return 0
	fi
	if [ -x "$program" ]; then
		# The harness lists its tests on its standard error.
		"$program" -l 2>&1 | grep -qE "(^|[ .])$2( |\$)" && return 0
		# A program of another word size may not start here.
		grep -qaF "$2" "$program" && return 0
	fi
	[ -f "$1.c" ] && grep -qE "TEST(_F|_F_TIMEOUT)?\\(([a-z0-9_]+, )?$2[,)]" "$1.c"
}

kunit=../../../../drivers/vfio/tests

check_names()
{
	while read -r entry kind rest; do
		case "$entry" in
		""|"#"*)
			continue ;;
		esac
		# shellcheck disable=SC2086
		case "$kind" in
		test)
			has_test $rest
			check $? "$entry $rest" ;;
		kunit)
			# Seen only beside the kernel's sources.
			[ ! -d "$kunit" ] || [ -f "$kunit/$rest" ]
			check $? "$entry $rest" ;;
		later|review)
			[ -n "$rest" ]
			check $? "$entry $kind" ;;
		*)
			check 1 "$entry: what is '$kind'?" ;;
		esac
	done < "$1"
}

check_names "$list"
check_names errors.list

for section in $whole; do
	letter=${section%%:*}
	last=${section##*:}
	i=1
	while [ "$i" -le "$last" ]; do
		entry=$(printf '%s%02d' "$letter" "$i")
		grep -q "^$entry " "$list"
		check $? "$entry is listed"
		i=$((i + 1))
	done
done

for entry in $worst; do
	grep -q "^$entry " "$list"
	check $? "$entry is listed"
done

echo "TAP version 13"
echo "1..$n$out"
exit $failed
