// SPDX-License-Identifier: GPL-2.0-only
/* Hot resets: who is hit, and the reset itself in the forms that tests use. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "vfio_test.h"

#define ROOM	64

/* The functions that a hot reset takes along; the caller frees it. NULL sets *ret. */
struct vfio_pci_hot_reset_info *hot_reset_info(int fd, int *ret)
{
	size_t size = sizeof(struct vfio_pci_hot_reset_info) +
		      ROOM * sizeof(struct vfio_pci_dependent_device);
	struct vfio_pci_hot_reset_info *info = calloc(1, size);

	info->argsz = size;
	*ret = vioctl(fd, VFIO_DEVICE_GET_PCI_HOT_RESET_INFO, info);
	if (!*ret)
		return info;
	free(info);
	return NULL;
}

/* Sends exactly @len bytes of descriptors, whatever @argsz and @count claim. */
int hot_reset_raw(int fd, __u32 argsz, __u32 flags, __u32 count, const int *fds,
		  size_t len)
{
	struct vfio_pci_hot_reset *reset = calloc(1, sizeof(*reset) + len);
	int ret;

	reset->argsz = argsz;
	reset->flags = flags;
	reset->count = count;
	if (len)
		memcpy(reset->group_fds, fds, len);
	ret = vioctl(fd, VFIO_DEVICE_PCI_HOT_RESET, reset);
	free(reset);
	return ret;
}

/* With these groups as the proof that all of it is the caller's. */
int hot_reset(int fd, const int *groups, unsigned int count)
{
	size_t len = count * sizeof(*groups);

	return hot_reset_raw(fd, sizeof(struct vfio_pci_hot_reset) + len, 0, count,
			     groups, len);
}

/* By its bus or slot; others may hold its memory for a moment. */
int hot_reset_wait(int fd, const int *groups, unsigned int count)
{
	int ret = -EBUSY;

	(void)UNTIL((ret = hot_reset(fd, groups, count)) != -EBUSY && ret != -EAGAIN,
		    WAIT_MS);
	return ret;
}
