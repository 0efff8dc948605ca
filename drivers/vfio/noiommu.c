// SPDX-License-Identifier: GPL-2.0-only
/*
 * No-IOMMU mode: who may use a device whose DMA nobody fences, and the backend
 * that maps nothing for it.
 *
 * Such a device can write to all memory, so the mode is off until the
 * administrator turns it on, every step needs CAP_SYS_RAWIO, and the kernel is
 * tainted as soon as there is such a device.
 */
#include <linux/capability.h>
#include <linux/device.h>
#include <linux/err.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/panic.h>
#include <linux/pid.h>
#include <linux/sched.h>
#include <uapi/linux/vfio.h>

#include "noiommu.h"

static bool is_enabled __read_mostly;
module_param_named(enable_unsafe_noiommu_mode, is_enabled, bool, 0644);
MODULE_PARM_DESC(enable_unsafe_noiommu_mode,
		 "Offer devices that no IOMMU stands in front of. A program that has one can read and write all memory: the kernel is tainted, CAP_SYS_RAWIO is needed and no mappings are offered. (default: N)");

/**
 * vfio_noiommu_is_enabled() - May devices without an IOMMU be offered now?
 *
 * Return: what the administrator chose.
 */
bool vfio_noiommu_is_enabled(void)
{
	return READ_ONCE(is_enabled);
}

/**
 * vfio_noiommu_check_user() - May the caller use a group of this type?
 * @type: the group's
 *
 * Return: 0, or -EPERM where that takes CAP_SYS_RAWIO.
 */
int vfio_noiommu_check_user(enum vfio_group_type type)
{
	if (type == VFIO_NO_IOMMU && !capable(CAP_SYS_RAWIO))
		return -EPERM;
	return 0;
}

/**
 * vfio_noiommu_taint() - Taint the kernel for a device without an IOMMU
 * @dev: the device
 */
void vfio_noiommu_taint(struct device *dev)
{
	add_taint(TAINT_USER, LOCKDEP_STILL_OK);
	dev_warn(dev, "no IOMMU fences this device, tainting the kernel\n");
}

/**
 * vfio_noiommu_tell_open() - Leave a trace of who opened such a device
 * @dev: the device
 */
void vfio_noiommu_tell_open(struct device *dev)
{
	dev_warn(dev, "vfio-noiommu device opened by user (%s:%d)\n",
		 current->comm, task_pid_nr(current));
}

static void *noiommu_open(unsigned long arg)
{
	if (arg != VFIO_NOIOMMU_IOMMU)
		return ERR_PTR(-EINVAL);
	if (!capable(CAP_SYS_RAWIO))
		return ERR_PTR(-EPERM);
	return NULL;
}

static void noiommu_release(void *iommu_data)
{
}

static long noiommu_ioctl(void *iommu_data, unsigned int cmd,
			  unsigned long arg)
{
	if (cmd != VFIO_CHECK_EXTENSION)
		return -ENOTTY;
	return arg == VFIO_NOIOMMU_IOMMU && vfio_noiommu_is_enabled();
}

static int noiommu_attach_group(void *iommu_data, struct iommu_group *group,
				enum vfio_group_type type)
{
	return 0;
}

static void noiommu_detach_group(void *iommu_data, struct iommu_group *group)
{
}

static const struct vfio_iommu_driver_ops noiommu_ops = {
	.name		= "vfio-noiommu",
	.owner		= THIS_MODULE,
	.open		= noiommu_open,
	.release	= noiommu_release,
	.ioctl		= noiommu_ioctl,
	.attach_group	= noiommu_attach_group,
	.detach_group	= noiommu_detach_group,
};

/**
 * vfio_noiommu_is_backend() - Are these the operations of this room's backend?
 * @ops: operations of a registered backend
 *
 * Return: true for the one backend that takes groups without an IOMMU.
 */
bool vfio_noiommu_is_backend(const struct vfio_iommu_driver_ops *ops)
{
	return ops == &noiommu_ops;
}

int vfio_noiommu_init(void)
{
	if (!IS_ENABLED(CONFIG_VFIO_CONTAINER))
		return 0;
	return vfio_register_iommu_driver(&noiommu_ops);
}

void vfio_noiommu_exit(void)
{
	if (IS_ENABLED(CONFIG_VFIO_CONTAINER))
		vfio_unregister_iommu_driver(&noiommu_ops);
}
