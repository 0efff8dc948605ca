// SPDX-License-Identifier: GPL-2.0-only
/*
 * The limits beside the lines: what the kernel's primitives cost on the same
 * memory, by vfio_floor.ko.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"
#include "vfio_floor.h"

#define LOOPS		64
#define BAR_PAGES	(512 * MIB / PAGE)

static int open_floor(void)
{
	const char *folder = getenv("VFIO_TEST_MODULES");
	char command[512];
	int fd;

	snprintf(command, sizeof(command), "insmod %s/vfio_floor.ko",
		 folder ? folder : "modules");
	if (access("/dev/vfio_floor", F_OK) && system(command))
		die("no vfio_floor.ko (see VFIO_TEST_MODULES)");
	fd = open("/dev/vfio_floor", O_RDWR | O_CLOEXEC);
	if (fd < 0)
		die("/dev/vfio_floor: %s", strerror(errno));
	return fd;
}

/* By edu's IOMMU while no program has the device. */
static struct vfio_floor_leaves leaves(const void *at, __u64 size, __u64 leaf,
				       __u64 iova, __u32 flags, __u32 loops)
{
	struct vfio_floor_leaves arg = {
		.vaddr = (uintptr_t)at,
		.size = size,
		.leaf = leaf,
		.iova = iova,
		.flags = flags,
		.loops = loops,
	};
	int fd = open_floor();

	if (!pci_find(ID_EDU, PCI_ALONE, 0, arg.device))
		die("no edu");
	MUST(vioctl(fd, VFIO_FLOOR_LEAVES, &arg));
	close(fd);
	return arg;
}

static void floor_maps(void)
{
	enum memory_kind kind;
	char key[64];

	for (kind = 0; kind < MEMORY_KINDS; kind++) {
		const struct memory *m = memory(kind);
		const double npages = m->size / PAGE;
		struct vfio_floor_leaves arg =
			leaves(m->at, m->size, kind == MEMORY_HUGE ? HUGE_PAGE : PAGE,
			       m->iova, 0, 1);

		snprintf(key, sizeof(key), "floor_map_%s", memory_names[kind]);
		sample(key, (arg.ticks[VFIO_FLOOR_PIN] +
			     arg.ticks[VFIO_FLOOR_MAP]) / npages);
		snprintf(key, sizeof(key), "floor_pin_%s", memory_names[kind]);
		sample(key, arg.ticks[VFIO_FLOOR_PIN] / npages);
		snprintf(key, sizeof(key), "floor_unmap_%s", memory_names[kind]);
		sample(key, (arg.ticks[VFIO_FLOOR_UNMAP] +
			     arg.ticks[VFIO_FLOOR_UNPIN]) / npages);
		snprintf(key, sizeof(key), "floor_unpin_%s", memory_names[kind]);
		sample(key, arg.ticks[VFIO_FLOOR_UNPIN] / npages);
	}
}

/* An ioctl that copies its argument and does no more. */
static double empty_call(void)
{
	struct vfio_floor_leaves arg = {};
	int i, fd = open_floor();
	__u64 start = ticks();

	for (i = 0; i < LOOPS; i++)
		MUST(vioctl(fd, VFIO_FLOOR_NOTHING, &arg));
	start = ticks() - start;
	close(fd);
	return start / (double)LOOPS;
}

static void floor_one(void)
{
	const struct memory *m = memory(MEMORY_CONTIGUOUS);
	struct vfio_floor_leaves arg =
		leaves(m->at, PAGE, PAGE, free_slot(1), 0, LOOPS);
	double call = empty_call(), map, unmap;

	map = (arg.ticks[VFIO_FLOOR_PIN] + arg.ticks[VFIO_FLOOR_MAP]) /
	      (double)LOOPS;
	unmap = (arg.ticks[VFIO_FLOOR_UNMAP] + arg.ticks[VFIO_FLOOR_UNPIN]) /
		(double)LOOPS;
	sample("floor_map_one", call + map);
	sample("floor_unmap_one", call + unmap);
	sample("floor_unmap_all", unmap);
	sample("floor_pair", 2 * call + map + unmap);
	sample("floor_call", call);
}

static void floor_detach(void)
{
	static struct memory m;
	struct vfio_floor_leaves arg;

	if (!m.at)
		memory_make(&m, MEMORY_HUGE, 256 * MIB);
	arg = leaves(m.at, m.size, HUGE_PAGE, m.iova, VFIO_FLOOR_LEAVE, 1);
	sample("floor_detach", arg.ticks[VFIO_FLOOR_UNPIN] +
			       arg.ticks[VFIO_FLOOR_RELEASE]);
}

static void floor_bar(void)
{
	/* Any address will do that no memory has. */
	struct vfio_floor_leaves arg =
		leaves((void *)(512 * GIB), BAR_PAGES * PAGE, PAGE, 512 * GIB,
		       VFIO_FLOOR_PHYSICAL, 1);

	sample("floor_map_bar", arg.ticks[VFIO_FLOOR_MAP] / (double)BAR_PAGES);
	sample("floor_unmap_bar", arg.ticks[VFIO_FLOOR_UNMAP] / (double)BAR_PAGES);
}

static void floor_pins(void)
{
	static const unsigned int sizes[] = { 1, 16, 512 };
	const struct memory *m = memory(MEMORY_CONTIGUOUS);
	unsigned int i;
	char key[64];

	for (i = 0; i < 3; i++) {
		struct vfio_floor_leaves arg =
			leaves(m->at + MIB, sizes[i] * PAGE, PAGE, 0,
			       VFIO_FLOOR_NO_DOMAIN, LOOPS);

		snprintf(key, sizeof(key), "floor_pin_%u", sizes[i]);
		sample(key, (arg.ticks[VFIO_FLOOR_PIN] +
			     arg.ticks[VFIO_FLOOR_UNPIN]) / (double)LOOPS);
	}
}

static void floor_copies(void)
{
	static const unsigned int sizes[] = { 8, 4096, 65536 };
	const struct memory *m = memory(MEMORY_CONTIGUOUS);
	unsigned int i;
	char key[64];

	for (i = 0; i < 3; i++) {
		struct vfio_floor_copy arg = {
			.vaddr = (uintptr_t)m->at + MIB,
			.size = sizes[i],
			.loops = LOOPS,
		};
		int fd = open_floor();

		MUST(vioctl(fd, VFIO_FLOOR_COPY, &arg));
		close(fd);
		snprintf(key, sizeof(key), "floor_dma_rw_%u", sizes[i]);
		sample(key, arg.ticks / (2.0 * LOOPS));
	}
}

const struct work floor_works[] = {
	{ "floor_maps", 3, floor_maps },
	{ "floor_one", 3, floor_one },
	{ "floor_detach", 2, floor_detach },
	{ "floor_bar", 2, floor_bar },
	{ "floor_pins", 3, floor_pins },
	{ "floor_copies", 3, floor_copies },
	{}
};
