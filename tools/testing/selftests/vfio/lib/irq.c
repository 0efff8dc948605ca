// SPDX-License-Identifier: GPL-2.0-only
/* VFIO_DEVICE_SET_IRQS in the forms that tests use. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "vfio_test.h"

#define TRIGGER		VFIO_IRQ_SET_ACTION_TRIGGER
#define EVENTFD		VFIO_IRQ_SET_DATA_EVENTFD
#define NONE		VFIO_IRQ_SET_DATA_NONE

/* Sends exactly @len bytes of data, whatever @argsz and @count claim. */
int irq_set_raw(int fd, __u32 argsz, __u32 flags, __u32 index,
		__u32 start, __u32 count, const void *data, size_t len)
{
	struct vfio_irq_set *set = calloc(1, sizeof(*set) + len);
	int ret;

	set->argsz = argsz;
	set->flags = flags;
	set->index = index;
	set->start = start;
	set->count = count;
	if (len)
		memcpy(set->data, data, len);
	ret = vioctl(fd, VFIO_DEVICE_SET_IRQS, set);
	free(set);
	return ret;
}

int irq_trigger_fds(int fd, __u32 index, __u32 start, __u32 count,
		    const int *fds)
{
	size_t len = count * sizeof(*fds);

	return irq_set_raw(fd, sizeof(struct vfio_irq_set) + len,
			   EVENTFD | TRIGGER, index, start, count, fds, len);
}

int irq_trigger_fd(int fd, __u32 index, __u32 start, int efd)
{
	return irq_trigger_fds(fd, index, start, 1, &efd);
}

/* Acts on lines without data: loopback, mask, unmask. */
int irq_action(int fd, __u32 index, __u32 action, __u32 start,
	       __u32 count)
{
	return irq_set_raw(fd, sizeof(struct vfio_irq_set), NONE | action,
			   index, start, count, NULL, 0);
}

int irq_unmask_fd(int fd, int efd)
{
	return irq_set_raw(fd, sizeof(struct vfio_irq_set) + sizeof(efd),
			   EVENTFD | VFIO_IRQ_SET_ACTION_UNMASK,
			   VFIO_PCI_INTX_IRQ_INDEX, 0, 1, &efd, sizeof(efd));
}

int irq_disable(int fd, __u32 index)
{
	return irq_action(fd, index, TRIGGER, 0, 0);
}

int irq_info(int fd, __u32 index, struct vfio_irq_info *info)
{
	*info = (struct vfio_irq_info) {
		.argsz = sizeof(*info),
		.index = index,
	};
	return vioctl(fd, VFIO_DEVICE_GET_IRQ_INFO, info);
}
