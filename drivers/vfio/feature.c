// SPDX-License-Identifier: GPL-2.0-only
/*
 * VFIO_DEVICE_FEATURE, decoded once for all drivers: the features that the core
 * implements are rows of a table, all others go to the driver with their
 * payload only.
 */
#include <linux/array_size.h>
#include <linux/nospec.h>
#include <linux/uaccess.h>
#include <linux/vfio.h>

#include "dma_logging.h"
#include "feature.h"
#include "migration.h"
#include "trace.h"

typedef int (*vfio_feature_fn)(struct vfio_device *device, u32 flags,
			       void __user *arg, size_t argsz);

static const vfio_feature_fn core_features[] = {
	[VFIO_DEVICE_FEATURE_MIGRATION] = vfio_feature_migration,
	[VFIO_DEVICE_FEATURE_MIG_DEVICE_STATE] = vfio_feature_mig_device_state,
	[VFIO_DEVICE_FEATURE_MIG_DATA_SIZE] = vfio_feature_mig_data_size,
	[VFIO_DEVICE_FEATURE_DMA_LOGGING_START] = vfio_feature_dma_logging_start,
	[VFIO_DEVICE_FEATURE_DMA_LOGGING_STOP] = vfio_feature_dma_logging_stop,
	[VFIO_DEVICE_FEATURE_DMA_LOGGING_REPORT] = vfio_feature_dma_logging_report,
};

static vfio_feature_fn find_feature(struct vfio_device *device, u32 flags)
{
	u32 index = flags & VFIO_DEVICE_FEATURE_MASK;

	if (index < ARRAY_SIZE(core_features)) {
		index = array_index_nospec(index, ARRAY_SIZE(core_features));
		if (core_features[index])
			return core_features[index];
	}
	return device->ops->device_feature;
}

/*
 * Unknown bits are refused, one direction is needed unless the user only
 * probes, and both at once can only be probed for.
 */
static int check_feature_flags(u32 flags)
{
	const u32 both = VFIO_DEVICE_FEATURE_GET | VFIO_DEVICE_FEATURE_SET;
	const u32 known = VFIO_DEVICE_FEATURE_MASK | both |
			  VFIO_DEVICE_FEATURE_PROBE;

	if (flags & ~known)
		return -EINVAL;
	if (flags & VFIO_DEVICE_FEATURE_PROBE)
		return 0;
	if (!(flags & both) || (flags & both) == both)
		return -EINVAL;
	return 0;
}

/**
 * vfio_device_ioctl_feature() - Handle VFIO_DEVICE_FEATURE of an open device
 * @device: the device
 * @arg: the user's header, with the payload behind it
 *
 * Context: Process context, may sleep; no lock held.
 * Return: what the feature returned; or -EFAULT, -EINVAL (argsz shorter than
 * the header, flags), -ENOTTY where nobody knows the feature.
 */
int vfio_device_ioctl_feature(struct vfio_device *device,
			      struct vfio_device_feature __user *arg)
{
	struct vfio_device_feature hdr;
	vfio_feature_fn feature;
	int ret;

	ret = vfio_uarg_get(&hdr, sizeof(hdr), sizeof(hdr), arg);
	if (ret)
		return ret;

	ret = check_feature_flags(hdr.flags);
	if (!ret) {
		feature = find_feature(device, hdr.flags);
		ret = feature ? feature(device, hdr.flags, arg->data,
					hdr.argsz - sizeof(hdr)) : -ENOTTY;
	}
	trace_vfio_feature(device->dev, hdr.flags, ret);
	return ret;
}
