// SPDX-License-Identifier: GPL-2.0-only
/* Emulated devices of modules/vfio_emu.ko: loading, opening, telling what to do. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "vfio_emu.h"
#include "vfio_test.h"

#define EMU_DEVICE	"/sys/bus/platform/devices/vfio_emu.%u"

/* With so many devices, all closed. Returns why there are none, or NULL. */
const char *emu_load(unsigned int devices)
{
	const char *folder = getenv("VFIO_TEST_MODULES");
	static char why[512];
	char file[256], command[320];

	snprintf(file, sizeof(file), "%s/vfio_emu.ko", folder ? folder : "modules");
	if (access(file, R_OK)) {
		snprintf(why, sizeof(why), "no %s (see VFIO_TEST_MODULES)", file);
		return why;
	}
	if (vfio_load())
		return "vfio cannot be loaded";
	emu_unload();
	snprintf(command, sizeof(command), "insmod %s devices=%u 2>/dev/null", file,
		 devices);
	/* A kernel that frees objects late keeps the module's name for a while. */
	if (!UNTIL(!system(command), WAIT_MS / 3)) {
		snprintf(why, sizeof(why), "%s does not load", file);
		return why;
	}
	return NULL;
}

void emu_unload(void)
{
	if (!access("/sys/module/vfio_emu", F_OK) && system("rmmod vfio_emu"))
		fprintf(stderr, "# vfio_emu does not unload\n");
}

int emu_group(unsigned int nth)
{
	char path[256], target[512];
	const char *number;
	ssize_t got;

	snprintf(path, sizeof(path), EMU_DEVICE "/iommu_group", nth);
	got = readlink(path, target, sizeof(target) - 1);
	if (got < 0)
		return -errno;
	target[got] = 0;
	number = strrchr(target, '/');
	return atoi(number ? number + 1 : target);
}

/* Puts the device's group into a container that others may share; no fd yet. */
int emu_attach(struct vfio_dev *dev, unsigned int nth, int container)
{
	vfio_dev_init(dev);
	snprintf(dev->name, sizeof(dev->name), "vfio_emu.%u", nth);
	dev->group_id = emu_group(nth);
	if (dev->group_id < 0)
		return dev->group_id;
	return vfio_dev_join(dev, container);
}

/* Alone in a container of its own. */
int emu_open(struct vfio_dev *dev, unsigned int nth, unsigned long iommu)
{
	int container, ret;

	container = container_open();
	if (container < 0)
		return container;
	ret = emu_attach(dev, nth, container);
	dev->container = container;
	return ret ? ret : vfio_dev_begin(dev, iommu);
}

/* Gives the number of pages, or a negative errno. */
int emu_pin(int fd, __u64 iova, __u32 npages, __u32 flags, __u64 *pfns)
{
	struct vfio_emu_pin pin = {
		.iova = iova,
		.npages = npages,
		.flags = flags,
		.pfns = (uintptr_t)pfns,
	};

	return vioctl(fd, VFIO_EMU_PIN, &pin);
}

int emu_unpin(int fd, __u64 iova, __u32 npages, __u32 flags)
{
	struct vfio_emu_pin pin = {
		.iova = iova,
		.npages = npages,
		.flags = flags,
	};

	return vioctl(fd, VFIO_EMU_UNPIN, &pin);
}

static int copy(int fd, unsigned long cmd, __u64 iova, void *buf, __u32 len,
		__u32 flags)
{
	struct vfio_emu_rw rw = {
		.iova = iova,
		.buf = (uintptr_t)buf,
		.len = len,
		.flags = flags,
	};

	return vioctl(fd, cmd, &rw);
}

int emu_rw(int fd, __u64 iova, void *buf, __u32 len, __u32 flags)
{
	return copy(fd, VFIO_EMU_RW, iova, buf, len, flags);
}

int emu_access(int fd, __u64 iova, void *buf, __u32 len, __u32 flags)
{
	return copy(fd, VFIO_EMU_ACCESS, iova, buf, len, flags);
}

int emu_on_notice(int fd, __u32 action, __u64 iova)
{
	struct vfio_emu_notice what = { .action = action, .iova = iova };

	return vioctl(fd, VFIO_EMU_ON_NOTICE, &what);
}

int emu_state(int fd, struct vfio_emu_state *state)
{
	return vioctl(fd, VFIO_EMU_STATE, state);
}
