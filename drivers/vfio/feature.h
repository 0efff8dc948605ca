/* SPDX-License-Identifier: GPL-2.0-only */
/* Decoding of VFIO_DEVICE_FEATURE: one table of the features the core knows. */
#ifndef VFIO_FEATURE_H
#define VFIO_FEATURE_H

#include <linux/types.h>

struct vfio_device;
struct vfio_device_feature;

/* Handles the ioctl; the device is open, its set's lock is not held. */
int vfio_device_ioctl_feature(struct vfio_device *device,
			      struct vfio_device_feature __user *arg);

#endif /* VFIO_FEATURE_H */
