// SPDX-License-Identifier: GPL-2.0-only
/* What devices do with memory: BARs as memory of others, pins and copies. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/mman.h>

#include "bench.h"
#include "vfio_emu.h"

#define BAR_SIZE	(512 * MIB)
#define BAR_IOVA	(64 * GIB)
#define LOOPS		64

/* The region and physical address of the large BAR. */
static bool find_bar(int fd, const char *name, __u32 *index, __u64 *phys)
{
	struct vfio_region_info info;
	char path[128], line[128];
	unsigned int i;
	FILE *f;

	for (*index = 0; *index < 6; ++*index)
		if (!region_info(fd, *index, &info) && info.size == BAR_SIZE)
			break;
	if (*index == 6)
		return false;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/resource", name);
	f = fopen(path, "r");
	if (!f)
		return false;
	for (i = 0; i <= *index; i++)
		if (!fgets(line, sizeof(line), f))
			line[0] = 0;
	fclose(f);
	*phys = strtoull(line, NULL, 16);
	return true;
}

/* Addresses that lie in a gigabyte as the physical ones do. */
static void *congruent(__u64 phys, size_t size)
{
	char *p = mmap(NULL, size + GIB, PROT_NONE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED)
		die("no room for a BAR");
	return p + (phys - (uintptr_t)p) % GIB;
}

static void bar(void)
{
	const double npages = BAR_SIZE / PAGE;
	struct vfio_region_info info;
	__u64 phys, iova, start, mapped, unmapped;
	struct vfio_dev edu, dev;
	char name[PCI_NAME_LEN];
	void *at, *p;
	__u32 index;

	vfio_dev_init(&dev);
	if (!pci_find(ID_PCI_TESTDEV, PCI_ALONE, 0, name) || pci_bind_vfio(name)) {
		missing("map_bar", "no pci-testdev");
		missing("unmap_bar", "no pci-testdev");
		return;
	}
	open_edu(&edu);
	MUST(vfio_dev_attach(&dev, name, edu.container));
	dev.fd = MUST(group_device(dev.group, dev.name));
	if (!find_bar(dev.fd, name, &index, &phys))
		die("%s has no BAR of %llu bytes", name, BAR_SIZE);
	MUST(config_command(dev.fd, 0, 2));

	MUST(region_info(dev.fd, index, &info));
	at = congruent(phys, BAR_SIZE);
	p = mmap(at, BAR_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
		 dev.fd, info.offset);
	if (p != at)
		die("mmap of a BAR: %s", strerror(errno));
	iova = BAR_IOVA + phys % GIB;

	start = ticks();
	MUST(type1_map(edu.container, iova, p, BAR_SIZE, MAP_RW));
	mapped = ticks();
	MUST(type1_unmap(edu.container, iova, BAR_SIZE, 0, NULL));
	unmapped = ticks();
	munmap(p, BAR_SIZE);
	vfio_dev_close(&dev);
	vfio_dev_close(&edu);

	sample("map_bar", (mapped - start) / npages);
	sample("unmap_bar", (unmapped - mapped) / npages);
}

/* An emulated device, its container's memory mapped at the memory's IOVA. */
static bool open_emulated(struct vfio_dev *dev, const struct memory *m)
{
	const char *why = NULL;

	if (access("/sys/module/vfio_emu", F_OK))
		why = emu_load(1);
	if (why) {
		fprintf(stderr, "vfio_bench: %s\n", why);
		return false;
	}
	MUST(emu_open(dev, 0, VFIO_TYPE1v2_IOMMU));
	MUST(type1_map(dev->container, m->iova, m->at, m->size, MAP_RW));
	return true;
}

static int time_it(int fd, __u32 work, __u64 iova, __u32 size, __u32 flags,
		   double took[2])
{
	struct vfio_emu_time arg = {
		.iova = iova,
		.work = work,
		.flags = flags,
		.size = size,
		.loops = LOOPS,
	};
	int ret = vioctl(fd, VFIO_EMU_TIME, &arg);

	took[0] = arg.ticks[0] / (double)LOOPS;
	took[1] = arg.ticks[1] / (double)LOOPS;
	return ret;
}

static void pin_by_device(void)
{
	static const unsigned int sizes[] = { 1, 16, 512 };
	const struct memory *m = memory(MEMORY_CONTIGUOUS);
	struct vfio_dev dev;
	double took[2];
	unsigned int i;
	char key[64];
	int ret;

	for (i = 0; i < 3; i++) {
		snprintf(key, sizeof(key), "pin_%u", sizes[i]);
		if (!open_emulated(&dev, m)) {
			missing(key, "no vfio_emu.ko");
			continue;
		}
		ret = time_it(dev.fd, VFIO_EMU_TIME_PIN, m->iova + MIB, sizes[i],
			      VFIO_EMU_READ | VFIO_EMU_WRITE, took);
		if (ret)
			missing(key, strerror(-ret));
		else
			sample(key, took[0] + took[1]);
		vfio_dev_close(&dev);
	}
}

static void copy_by_device(void)
{
	static const unsigned int sizes[] = { 8, 4096, 65536 };
	const struct memory *m = memory(MEMORY_CONTIGUOUS);
	struct vfio_dev dev;
	double from[2], to[2];
	unsigned int i;
	char key[64];
	int ret;

	for (i = 0; i < 3; i++) {
		snprintf(key, sizeof(key), "dma_rw_%u", sizes[i]);
		if (!open_emulated(&dev, m)) {
			missing(key, "no vfio_emu.ko");
			continue;
		}
		ret = time_it(dev.fd, VFIO_EMU_TIME_RW, m->iova + MIB, sizes[i],
			      0, from);
		if (!ret)
			ret = time_it(dev.fd, VFIO_EMU_TIME_RW, m->iova + MIB,
				      sizes[i], VFIO_EMU_WRITE, to);
		if (ret)
			missing(key, strerror(-ret));
		else
			sample(key, (from[0] + to[0]) / 2);
		vfio_dev_close(&dev);
	}
}

const struct work device_works[] = {
	{ "bar", 2, bar },
	{ "pin", 5, pin_by_device },
	{ "copy", 5, copy_by_device },
	{}
};
