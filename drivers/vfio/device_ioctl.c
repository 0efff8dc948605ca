// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ioctls of a device file: a table of those the core handles, the driver
 * behind it for all others. The device is awake during each.
 */
#include <linux/array_size.h>
#include <linux/device.h>
#include <linux/pm_runtime.h>
#include <linux/vfio.h>

#include "device_file.h"
#include "feature.h"

static long ioctl_feature(struct vfio_device *device, void __user *arg)
{
	return vfio_device_ioctl_feature(device, arg);
}

static const struct {
	unsigned int cmd;
	long (*handle)(struct vfio_device *device, void __user *arg);
} device_ioctls[] = {
	{ VFIO_DEVICE_FEATURE, ioctl_feature },
};

static long dispatch(struct vfio_device *device, unsigned int cmd,
		     unsigned long arg)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(device_ioctls); i++)
		if (device_ioctls[i].cmd == cmd)
			return device_ioctls[i].handle(device,
						       (void __user *)arg);

	if (!device->ops->ioctl)
		return -EINVAL;
	return device->ops->ioctl(device, cmd, arg);
}

/**
 * vfio_device_ioctl() - Wake a device up and do an ioctl of a file of it
 * @device: an open device
 * @cmd: the ioctl
 * @arg: its argument
 *
 * Context: Process context, no lock held.
 * Return: what the ioctl returns, or -EIO when the device cannot be resumed.
 */
long vfio_device_ioctl(struct vfio_device *device, unsigned int cmd,
		       unsigned long arg)
{
	/* A device without runtime power management is always awake. */
	bool has_pm = pm_runtime_enabled(device->dev);
	long ret;

	if (has_pm) {
		int err = pm_runtime_resume_and_get(device->dev);

		if (err) {
			dev_info_ratelimited(device->dev,
					     "cannot be resumed for a user: %d\n",
					     err);
			return -EIO;
		}
	}

	ret = dispatch(device, cmd, arg);

	if (has_pm)
		pm_runtime_put(device->dev);
	return ret;
}
