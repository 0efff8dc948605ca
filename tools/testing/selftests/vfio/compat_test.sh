#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Runs the tests of each fd as a 32-bit caller.
cd "$(dirname "$0")" || exit 1

programs=""
for p in *_test_32; do
	[ -x "$p" ] && programs="$programs $p"
done

echo "TAP version 13"
if [ -z "$programs" ]; then
	echo "1..0 # SKIP the toolchain cannot build for 32 bits"
	exit 4
fi
# shellcheck disable=SC2086
set -- $programs
# A kernel without 32-bit support cannot even start them.
"./$1" -l > /dev/null 2>&1
if [ $? -ge 126 ]; then
	echo "1..0 # SKIP this system does not run 32-bit programs"
	exit 4
fi

echo "1..$#"
n=0
failed=0
for p in "$@"; do
	n=$((n + 1))
	if "./$p" > "/tmp/$p.$$" 2>&1; then
		verdict=ok
	else
		verdict="not ok"
		failed=1
	fi
	sed 's/^/# /' "/tmp/$p.$$"
	rm -f "/tmp/$p.$$"
	echo "$verdict $n $p"
done
exit $failed
