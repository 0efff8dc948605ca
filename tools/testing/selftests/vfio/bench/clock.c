// SPDX-License-Identifier: GPL-2.0-only
/* Clocks and counters: ticks of the CPU, events of the kernel, memory it holds. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <linux/perf_event.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>

#include "bench.h"

#define TRACING		"/sys/kernel/tracing"

__u64 ticks(void)
{
#if defined(__x86_64__) || defined(__i386__)
	return __builtin_ia32_rdtsc();
#else
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ULL + t.tv_nsec;
#endif
}

/* Of a loop of two instructions; 1 where the machine counts instructions. */
double ticks_per_instruction(void)
{
#if defined(__x86_64__)
	__u64 start, took, least = ~0ULL;
	unsigned int i;

	/* The least of some: interrupts may come in between. */
	for (i = 0; i < 8; i++) {
		unsigned long n = 100000;

		start = ticks();
		asm volatile("1: dec %0; jnz 1b" : "+r"(n) :: "cc");
		took = ticks() - start;
		least = took < least ? took : least;
	}
	return least / 2e5;
#else
	return 0;
#endif
}

static const struct {
	const char *event;
	const char *filter;
} events[COUNTERS] = {
	[COUNT_FLUSHES]		= { "intel_iommu/qi_submit" },
	[COUNT_IOMMU_MAPS]	= { "iommu/map" },
	[COUNT_IOMMU_UNMAPS]	= { "iommu/unmap" },
	[COUNT_MMAP_WRITES]	= { "mmap_lock/mmap_lock_acquire_returned",
				    "write==1 && success==1" },
};

static int counters[COUNTERS];

static int counter_open(const char *event, const char *filter)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_TRACEPOINT,
		.size = sizeof(attr),
		.sample_period = 1,
		.disabled = 1,
	};
	char path[256], id[32];
	int fd;

	snprintf(path, sizeof(path), TRACING "/events/%s/id", event);
	if (file_read(path, id, sizeof(id)))
		return -ENOENT;
	attr.config = atoi(id);
	fd = syscall(SYS_perf_event_open, &attr, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (filter && ioctl(fd, PERF_EVENT_IOC_SET_FILTER, filter))
		die("filter %s of %s: %s", filter, event, strerror(errno));
	return fd;
}

/* Whether the kernel has any of them; those it has not are counted as 0. */
bool counters_open(void)
{
	bool any = false;
	unsigned int i;

	for (i = 0; i < COUNTERS; i++) {
		if (!counters[i])
			counters[i] = counter_open(events[i].event,
						   events[i].filter);
		any |= counters[i] > 0;
	}
	return any;
}

/* Counts what this thread does. */
void counters_start(void)
{
	unsigned int i;

	for (i = 0; i < COUNTERS; i++)
		if (counters[i] > 0 &&
		    (ioctl(counters[i], PERF_EVENT_IOC_RESET, 0) ||
		     ioctl(counters[i], PERF_EVENT_IOC_ENABLE, 0)))
			die("%s: %s", events[i].event, strerror(errno));
}

void counters_stop(__u64 counts[COUNTERS])
{
	unsigned int i;

	for (i = 0; i < COUNTERS; i++)
		if (counters[i] > 0)
			ioctl(counters[i], PERF_EVENT_IOC_DISABLE, 0);
	for (i = 0; i < COUNTERS; i++) {
		counts[i] = 0;
		if (counters[i] > 0 &&
		    read(counters[i], &counts[i], sizeof(counts[i])) < 0)
			die("%s: %s", events[i].event, strerror(errno));
	}
}

/* Give back what caches keep for later, so that only objects in use are left. */
static void shrink_caches(void)
{
	struct dirent **caches;
	char path[512];
	int i, n;

	n = scandir("/sys/kernel/slab", &caches, NULL, alphasort);
	for (i = 0; i < n; i++) {
		snprintf(path, sizeof(path), "/sys/kernel/slab/%s/shrink",
			 caches[i]->d_name);
		if (caches[i]->d_type == DT_DIR && caches[i]->d_name[0] != '.')
			file_write(path, "1");
		free(caches[i]);
	}
	if (n >= 0)
		free(caches);
}

/*
 * Bytes of objects of kmalloc() and of caches of VFIO's own, where the kernel does
 * not merge caches (slab_nomerge). Page tables of the IOMMU are not in it, and
 * nothing else that comes by whole pages.
 */
__s64 kernel_memory(void)
{
	unsigned long long active, size;
	char line[512], name[64];
	__s64 bytes = 0;
	FILE *f;

	shrink_caches();
	f = fopen("/proc/slabinfo", "r");
	if (!f)
		die("no /proc/slabinfo");
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%63s %llu %*u %llu", name, &active, &size) != 3)
			continue;
		if (!strncmp(name, "kmalloc", 7) || !strncmp(name, "vfio", 4))
			bytes += active * size;
	}
	fclose(f);
	return bytes;
}
