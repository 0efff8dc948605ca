// SPDX-License-Identifier: GPL-2.0-only
/* Mapping and unmapping memory of a process; dirty bitmaps; the last group. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"

#define STRIDE		(2 * PAGE)	/* of many mappings: every second page is free */
#define MANY_BASE	(4 * GIB)
#define DIRTY_SIZE	(64 * MIB)
#define DIRTY_GETS	16
#define DETACH_SIZE	(256 * MIB)

void open_edu(struct vfio_dev *dev)
{
	const char *why = vfio_dev_get(dev, ID_EDU, PCI_ALONE, 0,
				       VFIO_TYPE1v2_IOMMU);

	if (why)
		die("%s", why);
}

static void map_and_unmap(enum memory_kind kind)
{
	const struct memory *m = memory(kind);
	const double npages = m->size / PAGE;
	__u64 start, mapped, unmapped;
	struct vfio_dev dev;
	char key[64];

	open_edu(&dev);
	start = ticks();
	MUST(type1_map(dev.container, m->iova, m->at, m->size, MAP_RW));
	mapped = ticks();
	MUST(type1_unmap(dev.container, m->iova, m->size, 0, NULL));
	unmapped = ticks();
	vfio_dev_close(&dev);

	snprintf(key, sizeof(key), "map_%s", memory_names[kind]);
	sample(key, (mapped - start) / npages);
	snprintf(key, sizeof(key), "unmap_%s", memory_names[kind]);
	sample(key, (unmapped - mapped) / npages);
}

static void huge(void)
{
	map_and_unmap(MEMORY_HUGE);
}

static void contiguous(void)
{
	map_and_unmap(MEMORY_CONTIGUOUS);
}

static void scattered(void)
{
	map_and_unmap(MEMORY_SCATTERED);
}

/* Mappings of one page each, with a free page behind each. */
void map_many(int container, const struct memory *m)
{
	__u64 i;

	for (i = 0; i < MANY; i++)
		MUST(type1_map(container, MANY_BASE + i * STRIDE,
			       m->at + i * PAGE, PAGE, MAP_RW));
}

/* IOVAs of free pages all over the mappings. */
__u64 free_slot(unsigned int nth)
{
	return MANY_BASE + nth * (MANY / FEW) * STRIDE + PAGE;
}

static void one_among_many(void)
{
	const struct memory *m = memory(MEMORY_CONTIGUOUS);
	__u64 start, mapped, unmapped, paired, all;
	struct vfio_dev dev;
	unsigned int i;

	open_edu(&dev);
	map_many(dev.container, m);

	start = ticks();
	for (i = 0; i < FEW; i++)
		MUST(type1_map(dev.container, free_slot(i), m->at + i * PAGE,
			       PAGE, MAP_RW));
	mapped = ticks();
	for (i = 0; i < FEW; i++)
		MUST(type1_unmap(dev.container, free_slot(i), PAGE, 0, NULL));
	unmapped = ticks();
	for (i = 0; i < FEW; i++) {
		MUST(type1_map(dev.container, free_slot(i), m->at + i * PAGE,
			       PAGE, MAP_RW));
		MUST(type1_unmap(dev.container, free_slot(i), PAGE, 0, NULL));
	}
	paired = ticks();
	MUST(type1_unmap(dev.container, 0, 0, VFIO_DMA_UNMAP_FLAG_ALL, NULL));
	all = ticks();
	vfio_dev_close(&dev);

	sample("map_one", (mapped - start) / (double)FEW);
	sample("unmap_one", (unmapped - mapped) / (double)FEW);
	sample("pair", (paired - unmapped) / (double)FEW);
	sample("unmap_all", (all - paired) / (double)MANY);
}

static int dirty_ioctl(int container, __u32 flags)
{
	struct vfio_iommu_type1_dirty_bitmap dirty = {
		.argsz = sizeof(dirty),
		.flags = flags,
	};

	return vioctl(container, VFIO_IOMMU_DIRTY_PAGES, &dirty);
}

static int dirty_get(int container, __u64 iova, __u64 size, void *bitmap)
{
	struct {
		struct vfio_iommu_type1_dirty_bitmap head;
		struct vfio_iommu_type1_dirty_bitmap_get get;
	} dirty = {
		.head.argsz = sizeof(dirty),
		.head.flags = VFIO_IOMMU_DIRTY_PAGES_FLAG_GET_BITMAP,
		.get.iova = iova,
		.get.size = size,
		.get.bitmap.pgsize = PAGE,
		.get.bitmap.size = size / PAGE / 8,
		.get.bitmap.data = bitmap,
	};

	return vioctl(container, VFIO_IOMMU_DIRTY_PAGES, &dirty);
}

static void dirty_bitmap(void)
{
	const struct memory *m = memory(MEMORY_HUGE);
	void *bitmap = calloc(1, DIRTY_SIZE / PAGE / 8);
	struct vfio_dev dev;
	__u64 start;
	int i, ret;

	open_edu(&dev);
	MUST(type1_map(dev.container, m->iova, m->at, DIRTY_SIZE, MAP_RW));
	ret = dirty_ioctl(dev.container, VFIO_IOMMU_DIRTY_PAGES_FLAG_START);
	if (ret) {
		missing("dirty_get", strerror(-ret));
	} else {
		MUST(dirty_get(dev.container, m->iova, DIRTY_SIZE, bitmap));
		start = ticks();
		for (i = 0; i < DIRTY_GETS; i++)
			MUST(dirty_get(dev.container, m->iova, DIRTY_SIZE, bitmap));
		sample("dirty_get", (ticks() - start) / (double)DIRTY_GETS);
		MUST(dirty_ioctl(dev.container, VFIO_IOMMU_DIRTY_PAGES_FLAG_STOP));
	}
	vfio_dev_close(&dev);
	free(bitmap);
}

/* The device's fd goes first: what is left is the container and the group. */
static void detach_last_group(void)
{
	static struct memory m;
	struct vfio_dev dev;
	__u64 start;

	if (!m.at)
		memory_make(&m, MEMORY_HUGE, DETACH_SIZE);
	open_edu(&dev);
	MUST(type1_map(dev.container, m.iova, m.at, m.size, MAP_RW));
	close(dev.fd);
	dev.fd = -1;
	start = ticks();
	MUST(vioctl(dev.group, VFIO_GROUP_UNSET_CONTAINER, NULL));
	sample("detach", ticks() - start);
	vfio_dev_close(&dev);
}

const struct work map_works[] = {
	{ "huge", 5, huge },
	{ "contiguous", 5, contiguous },
	{ "scattered", 5, scattered },
	{ "many", 3, one_among_many },
	{ "dirty", 5, dirty_bitmap },
	{ "detach", 3, detach_last_group },
	{}
};
