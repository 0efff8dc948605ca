/* SPDX-License-Identifier: GPL-2.0-only */
/* Leaving a device set; joining one is in <linux/vfio.h>. */
#ifndef VFIO_DEVICE_SET_H
#define VFIO_DEVICE_SET_H

struct vfio_device;

void vfio_device_set_leave(struct vfio_device *device);

#endif /* VFIO_DEVICE_SET_H */
