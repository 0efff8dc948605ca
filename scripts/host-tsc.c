// SPDX-License-Identifier: GPL-2.0-only
/* Prints how fast this processor's time stamp counter counts, in kHz. */
#include <stdio.h>
#include <time.h>
#include <x86intrin.h>

#define LOOKS		1000
#define APART_NS	100000000

struct look {
	unsigned long long ns;
	unsigned long long ticks;
	unsigned long long took;
};

static unsigned long long now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC_RAW, &t);
	return t.tv_sec * 1000000000ULL + t.tv_nsec;
}

/* At clock and counter at once: the one of many looks that nothing came into. */
static struct look look(void)
{
	struct look best = { .took = ~0ULL };
	int i;

	for (i = 0; i < LOOKS; i++) {
		unsigned long long before = now_ns(), ticks = __rdtsc(), took = now_ns() - before;

		if (took < best.took)
			best = (struct look){ before + took / 2, ticks, took };
	}
	return best;
}

int main(void)
{
	const struct timespec apart = { .tv_nsec = APART_NS };
	struct look first = look(), second;

	nanosleep(&apart, NULL);
	second = look();
	printf("%.0f\n", (second.ticks - first.ticks) * 1e6 / (second.ns - first.ns));
	return 0;
}
