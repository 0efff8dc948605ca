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

# Names that were seen, each between bars: looking one up takes no process, and
# there are hundreds.
entries="|"
listed="|"
programs="|"

# What the harness lists, on its standard error.
list_tests()
{
	programs="$programs$1|"
	[ -x "./$1" ] || return
	for word in $("./$1" -l 2>&1 | tr . ' '); do
		listed="$listed$1 $word|"
	done
}

has_test()
{
	case "$programs" in
	*"|$1|"*) ;;
	*) list_tests "$1" ;;
	esac
	case "$listed" in
	*"|$1 $2|"*) return 0 ;;
	esac
	program=./$1
	if [ "$1" = compat_test ]; then
		program=./compat_test_32
		# Not every toolchain can build it.
		[ -x "$program" ] || [ -f compat_test.c ] || return 0
	fi
	# A program of another word size may not start here.
	[ -x "$program" ] && grep -qaF "$2" "$program" && return 0
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
		entries="$entries$entry|"
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

is_listed()
{
	case "$entries" in
	*"|$1|"*) check 0 "$1 is listed" ;;
	*) check 1 "$1 is listed" ;;
	esac
}

check_names "$list"
check_names errors.list

for section in $whole; do
	letter=${section%%:*}
	last=${section##*:}
	i=1
	while [ "$i" -le "$last" ]; do
		entry=$letter$i
		[ "$i" -gt 9 ] || entry=${letter}0$i
		is_listed "$entry"
		i=$((i + 1))
	done
done

for entry in $worst; do
	is_listed "$entry"
done

echo "TAP version 13"
echo "1..$n$out"
exit $failed
