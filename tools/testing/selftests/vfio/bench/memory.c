// SPDX-License-Identifier: GPL-2.0-only
/* Memory of the kinds that mapping treats differently. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/mman.h>

#include "bench.h"

#define PAGES_PER_HUGE	(HUGE_PAGE / PAGE)
#define PFN_MASK	((1ULL << 55) - 1)

const char *const memory_names[MEMORY_KINDS] = {
	[MEMORY_HUGE]		= "huge",
	[MEMORY_CONTIGUOUS]	= "contig",
	[MEMORY_SCATTERED]	= "scattered",
};

static __u64 *read_frames(const char *at, size_t npages)
{
	__u64 *frames = calloc(npages, sizeof(*frames));
	size_t i, len = npages * sizeof(*frames);
	int fd;

	fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	if (fd < 0 || !frames ||
	    pread(fd, frames, len, (uintptr_t)at / PAGE * 8) != (ssize_t)len)
		die("pagemap: %s", strerror(errno));
	close(fd);
	for (i = 0; i < npages; i++)
		frames[i] &= PFN_MASK;
	return frames;
}

/* Stretches of neighbours in physical memory. */
unsigned long memory_runs(const struct memory *memory)
{
	size_t i, npages = memory->size / PAGE;
	__u64 *frames = read_frames(memory->at, npages);
	unsigned long runs = 1;

	for (i = 1; i < npages; i++)
		runs += frames[i] != frames[i - 1] + 1;
	free(frames);
	return runs;
}

/*
 * An IOVA at which small pages cannot get huge entries of the IOMMU: the frame
 * of no page lies as its IOVA does within a huge page.
 */
static __u64 small_iova(const struct memory *memory)
{
	size_t i, npages = memory->size / PAGE;
	__u64 *frames = read_frames(memory->at, npages);
	unsigned int users[PAGES_PER_HUGE] = {};
	unsigned int shift, best = 0;

	for (i = 0; i < npages; i++)
		users[(frames[i] - i) % PAGES_PER_HUGE]++;
	for (shift = 0; shift < PAGES_PER_HUGE; shift++)
		if (users[shift] < users[best])
			best = shift;
	free(frames);
	return GIB + best * PAGE;
}

/* Neighbours are touched one after the other, strangers as far apart as can be. */
static void touch(const struct memory *memory, enum memory_kind kind)
{
	size_t i, npages = memory->size / PAGE;
	size_t step = kind == MEMORY_SCATTERED ? npages / 2 + 63 : 1;

	/* An odd step visits each page of a power of two of them once. */
	for (i = 0; i < npages; i++)
		memory->at[i * step % npages * PAGE] = 1;
}

void memory_make(struct memory *memory, enum memory_kind kind, size_t size)
{
	memory->size = size;
	memory->at = huge_pages(size, false);
	if (!memory->at)
		die("no memory");
	if (kind != MEMORY_HUGE)
		madvise(memory->at, size, MADV_NOHUGEPAGE);
	touch(memory, kind);
	memory->iova = kind == MEMORY_HUGE ? GIB : small_iova(memory);
}

void memory_free(struct memory *memory)
{
	munmap(memory->at, memory->size);
	memory->at = NULL;
}

/* MEMORY_SIZE of it, made when first asked for. */
const struct memory *memory(enum memory_kind kind)
{
	static struct memory all[MEMORY_KINDS];
	struct memory *m = &all[kind];
	char key[64];

	if (!m->at) {
		memory_make(m, kind, MEMORY_SIZE);
		snprintf(key, sizeof(key), "runs_of_%s_memory", memory_names[kind]);
		remark(key, "%lu", memory_runs(m));
	}
	return m;
}
