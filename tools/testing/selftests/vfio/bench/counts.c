// SPDX-License-Identifier: GPL-2.0-only
/*
 * What costs next to nothing where instructions are counted, but much on
 * hardware: flushes of the IOTLB, write locks of address spaces, memory held.
 */
#include <stdio.h>
#include <string.h>

#include "bench.h"

/* Of all memory, at as many IOVAs: the more, the less other allocations matter. */
static const unsigned int copies[MEMORY_KINDS] = {
	[MEMORY_HUGE]		= 16,
	[MEMORY_CONTIGUOUS]	= 4,
	[MEMORY_SCATTERED]	= 4,
};

static void sample_counts(const char *what, const char *kind,
			  const __u64 counts[COUNTERS])
{
	static const char *const names[COUNTERS] = {
		[COUNT_FLUSHES]		= "flushes",
		[COUNT_IOMMU_MAPS]	= "iommu_maps",
		[COUNT_IOMMU_UNMAPS]	= "iommu_unmaps",
		[COUNT_MMAP_WRITES]	= "mmap_writes",
	};
	unsigned int i;
	char key[64];

	for (i = 0; i < COUNTERS; i++) {
		snprintf(key, sizeof(key), "%s_%s_%s", names[i], what, kind);
		sample(key, counts[i]);
	}
}

static void events_of_kind(enum memory_kind kind)
{
	const struct memory *m = memory(kind);
	__u64 counts[COUNTERS];
	struct vfio_dev dev;

	open_edu(&dev);
	counters_start();
	MUST(type1_map(dev.container, m->iova, m->at, m->size, MAP_RW));
	counters_stop(counts);
	sample_counts("map", memory_names[kind], counts);
	counters_start();
	MUST(type1_unmap(dev.container, m->iova, m->size, 0, NULL));
	counters_stop(counts);
	sample_counts("unmap", memory_names[kind], counts);
	vfio_dev_close(&dev);
}

static void events_of_many(void)
{
	__u64 counts[COUNTERS];
	struct vfio_dev dev;

	open_edu(&dev);
	counters_start();
	map_many(dev.container, memory(MEMORY_CONTIGUOUS));
	counters_stop(counts);
	sample_counts("map", "many", counts);
	counters_start();
	MUST(type1_unmap(dev.container, 0, 0, VFIO_DMA_UNMAP_FLAG_ALL, NULL));
	counters_stop(counts);
	sample_counts("unmap", "all", counts);
	vfio_dev_close(&dev);
}

static void count_events(void)
{
	enum memory_kind kind;

	if (!counters_open())
		die("the kernel has no trace events");
	for (kind = 0; kind < MEMORY_KINDS; kind++)
		events_of_kind(kind);
	events_of_many();
}

/* Bytes a mapping of one page holds. */
static void memory_of_many(void)
{
	struct vfio_dev dev;
	__s64 before;

	open_edu(&dev);
	before = kernel_memory();
	map_many(dev.container, memory(MEMORY_CONTIGUOUS));
	sample("held_one", (kernel_memory() - before) / (double)MANY);
	MUST(type1_unmap(dev.container, 0, 0, VFIO_DMA_UNMAP_FLAG_ALL, NULL));
	vfio_dev_close(&dev);
}

/* Bytes held for each 2 MiB, in mappings of that size and in large ones. */
static void memory_of_kind(enum memory_kind kind, size_t size, const char *name)
{
	const struct memory *m = memory(kind);
	const double pieces = copies[kind] * (m->size / (double)HUGE_PAGE);
	struct vfio_dev dev;
	__s64 before;
	char key[64];
	unsigned int copy;
	size_t at;

	open_edu(&dev);
	before = kernel_memory();
	for (copy = 0; copy < copies[kind]; copy++)
		for (at = 0; at < m->size; at += size)
			MUST(type1_map(dev.container,
				       m->iova + copy * GIB + at,
				       m->at + at, size, MAP_RW));
	snprintf(key, sizeof(key), "held_%s_%s", name, memory_names[kind]);
	sample(key, (kernel_memory() - before) / pieces);
	MUST(type1_unmap(dev.container, 0, 0, VFIO_DMA_UNMAP_FLAG_ALL, NULL));
	vfio_dev_close(&dev);
}

static void measure_memory(void)
{
	enum memory_kind kind;

	memory_of_many();
	for (kind = 0; kind < MEMORY_KINDS; kind++) {
		memory_of_kind(kind, HUGE_PAGE, "2m");
		memory_of_kind(kind, MEMORY_SIZE, "128m");
	}
}

const struct work count_works[] = {
	{ "events", 2, count_events },
	{ "memory", 1, measure_memory },
	{}
};
