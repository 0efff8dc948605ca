// SPDX-License-Identifier: GPL-2.0-only
/* Reading what a device shows: its configuration space and its registers. */
#include <string.h>
#include <unistd.h>

#include <linux/pci_regs.h>

#include "bench.h"

#define CONFIG_SIZE	4096
#define LOOPS		16

/* Reads @size bytes of a region, so many at a time; the time of it all. */
static void time_reads(int fd, const char *key, __u32 index, size_t size,
		       size_t width)
{
	struct vfio_region_info info;
	char buf[CONFIG_SIZE];
	unsigned int i;
	__u64 start;
	size_t at;

	MUST(region_info(fd, index, &info));
	start = ticks();
	for (i = 0; i < LOOPS; i++)
		for (at = 0; at < size; at += width)
			if (pread(fd, buf, width, info.offset + at) != width)
				die("%s: no read at %zu", key, at);
	sample(key, (ticks() - start) / (double)LOOPS);
}

static void registers(void)
{
	struct vfio_dev dev;
	const char *why;

	why = vfio_dev_get(&dev, ID_E1000E, PCI_ALONE, 0, VFIO_TYPE1v2_IOMMU);
	if (why) {
		missing("config_dump", why);
		missing("config_dwords", why);
		missing("bar_dword", why);
		return;
	}
	MUST(config_command(dev.fd, 0, PCI_COMMAND_MEMORY));
	time_reads(dev.fd, "config_dump", VFIO_PCI_CONFIG_REGION_INDEX, CONFIG_SIZE,
		   CONFIG_SIZE);
	time_reads(dev.fd, "config_dwords", VFIO_PCI_CONFIG_REGION_INDEX,
		   CONFIG_SIZE, 4);
	time_reads(dev.fd, "bar_dword", VFIO_PCI_BAR0_REGION_INDEX, 4, 4);
	vfio_dev_close(&dev);
}

const struct work register_works[] = {
	{ "registers", 5, registers },
	{}
};
