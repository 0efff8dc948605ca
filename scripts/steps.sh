# SPDX-License-Identifier: GPL-2.0-only
# Telling what a long program does, step by step with times. Sourced by bash.

# step [TEXT]: say how long the step before took and what comes now.
step()
{
	local now=${EPOCHREALTIME/[.,]/} took

	if [[ ${step_started-} ]]; then
		took=$(((now - step_started) / 100000))
		echo "    took $((took / 10)).$((took % 10)) s"
	fi
	step_started=
	if [[ ${1-} ]]; then
		step_started=$now
		echo "==> $1"
	fi
}
