// SPDX-License-Identifier: GPL-2.0-only
/*
 * A variant of vfio-pci for QEMU's edu device: how to write such a driver.
 *
 * A variant does what vfio-pci does, by the same code, and adds what only the
 * one device has: here a table of factorials that edu is made to compute, shown
 * as a region (3) and governed by a feature (4). That the device can be moved to
 * another machine is in edu_migration.c. A device is given to the driver as to
 * vfio-pci, by driver_override.
 */
#include <linux/delay.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/uaccess.h>
#include <linux/vfio_pci_core.h>

#include "edu.h"

/*
 * What users have to know. Region types of a vendor carry its PCI id. Numbers
 * of features come from <uapi/linux/vfio.h>; a sample takes one from the end.
 */
#define EDU_REGION_TYPE		(VFIO_REGION_TYPE_PCI_VENDOR_TYPE | EDU_VENDOR)
#define EDU_REGION_FACTORIALS	1
#define EDU_FEATURE_FIRST	0xfff0	/* u32: n of the table's first entry */
#define EDU_FIRST_MAX		1000	/* the device multiplies n times */

/*
 * 2. What is added.
 *
 * Registers are reached by the core's helpers. With test_mem they refuse while
 * the user keeps the device's memory off or asleep, when an access would be an
 * error on the bus. Before the user is there the device is known to be on.
 */
static int compute_one(struct edu_vfio_device *edu, bool test_mem, u32 n,
		       u32 *result)
{
	struct vfio_pci_core_device *core = &edu->core;
	void __iomem *bar = core->barmap[EDU_BAR];
	unsigned int tries;
	u32 status;
	int ret;

	ret = vfio_pci_core_iowrite32(core, test_mem, n, bar + EDU_FACTORIAL);
	for (tries = 0; !ret && tries < EDU_TRIES; tries++) {
		ret = vfio_pci_core_ioread32(core, test_mem, &status,
					     bar + EDU_STATUS);
		if (!ret && !(status & EDU_STATUS_BUSY))
			return vfio_pci_core_ioread32(core, test_mem, result,
						      bar + EDU_FACTORIAL);
		usleep_range(100, 200);
	}
	/* A device is not believed: without a limit it could hang us. */
	return ret ? ret : -ETIMEDOUT;
}

/* Built aside, so that a failure leaves the table as it was. */
static int compute_table(struct edu_vfio_device *edu, bool test_mem, u32 first)
{
	__le32 table[EDU_TABLE_ENTRIES];
	u32 i, value;
	int ret;

	guard(mutex)(&edu->lock);

	for (i = 0; i < EDU_TABLE_ENTRIES; i++) {
		ret = compute_one(edu, test_mem, first + i, &value);
		if (ret)
			return ret;
		table[i] = cpu_to_le32(value);
	}

	memcpy(edu->factorials, table, sizeof(table));
	edu->first = first;
	return 0;
}

/*
 * 3. The region.
 *
 * The core has checked that there is such a region, and nothing more: offset
 * and count are the user's. User memory is touched without a lock held, since
 * a page fault may wait for whoever wants that lock.
 */
static ssize_t edu_region_rw(struct vfio_pci_core_device *core,
			     char __user *buf, size_t count, loff_t *ppos,
			     bool iswrite)
{
	struct edu_vfio_device *edu = to_edu(core);
	loff_t pos = *ppos & VFIO_PCI_OFFSET_MASK;
	__le32 table[EDU_TABLE_ENTRIES];

	if (iswrite || pos >= sizeof(table))
		return -EINVAL;
	count = min_t(size_t, count, sizeof(table) - pos);

	scoped_guard(mutex, &edu->lock)
		memcpy(table, edu->factorials, sizeof(table));

	if (copy_to_user(buf, (u8 *)table + pos, count))
		return -EFAULT;
	*ppos += count;
	return count;
}

static const struct vfio_pci_regops edu_regops = {
	.rw = edu_region_rw,
};

/*
 * 4. The feature.
 *
 * vfio_check_feature() knows the ways to ask for one: it says 1 to go on, 0
 * when the user only wants to know whether it is there, or an errno.
 */
static int edu_feature_first(struct edu_vfio_device *edu, u32 flags,
			     void __user *arg, size_t argsz)
{
	u32 first;
	int ret;

	ret = vfio_check_feature(flags, argsz, VFIO_DEVICE_FEATURE_GET |
				 VFIO_DEVICE_FEATURE_SET, sizeof(first));
	if (ret <= 0)
		return ret;

	if (flags & VFIO_DEVICE_FEATURE_GET) {
		scoped_guard(mutex, &edu->lock)
			first = edu->first;
		return copy_to_user(arg, &first, sizeof(first)) ? -EFAULT : 0;
	}

	if (copy_from_user(&first, arg, sizeof(first)))
		return -EFAULT;
	if (first > EDU_FIRST_MAX)
		return -EINVAL;
	return compute_table(edu, true, first);
}

static int edu_device_feature(struct vfio_device *vdev, u32 flags,
			      void __user *arg, size_t argsz)
{
	struct edu_vfio_device *edu =
		container_of(vdev, struct edu_vfio_device, core.vdev);

	if ((flags & VFIO_DEVICE_FEATURE_MASK) == EDU_FEATURE_FIRST)
		return edu_feature_first(edu, flags, arg, argsz);
	return vfio_pci_core_ioctl_feature(vdev, flags, arg, argsz);
}

/*
 * 5. Opening.
 *
 * After vfio_pci_core_enable() the device is awake, reset and decodes memory;
 * after vfio_pci_core_finish_enable() the user may be there. Regions are added
 * in between. They go away at close, so they are added at each open.
 */
static int edu_open_device(struct vfio_device *vdev)
{
	struct edu_vfio_device *edu =
		container_of(vdev, struct edu_vfio_device, core.vdev);
	struct vfio_pci_core_device *core = &edu->core;
	int ret;

	ret = vfio_pci_core_enable(core);
	if (ret)
		return ret;

	ret = vfio_pci_core_setup_barmap(core, EDU_BAR);
	if (!ret)
		ret = compute_table(edu, false, 0);
	if (!ret)
		ret = vfio_pci_core_register_dev_region(core, EDU_REGION_TYPE,
							EDU_REGION_FACTORIALS, &edu_regops,
							sizeof(edu->factorials),
							VFIO_REGION_INFO_FLAG_READ, NULL);
	if (!ret)
		ret = edu_migration_open(edu);
	if (ret) {
		vfio_pci_core_disable(core);
		return ret;
	}

	vfio_pci_core_finish_enable(core);
	return 0;
}

/*
 * 6. The operations.
 *
 * The core's own wherever there is nothing to add. ->init() and ->release() are
 * the place for what lives as long as the driver's struct.
 */
static int edu_init_dev(struct vfio_device *vdev)
{
	struct edu_vfio_device *edu =
		container_of(vdev, struct edu_vfio_device, core.vdev);

	mutex_init(&edu->lock);
	edu_migration_init(edu);
	return vfio_pci_core_init_dev(vdev);
}

static void edu_release_dev(struct vfio_device *vdev)
{
	struct edu_vfio_device *edu =
		container_of(vdev, struct edu_vfio_device, core.vdev);

	vfio_pci_core_release_dev(vdev);
	edu_migration_destroy(edu);
	mutex_destroy(&edu->lock);
}

static const struct vfio_device_ops edu_ops = {
	.name		= "edu-vfio-pci",
	.init		= edu_init_dev,
	.release	= edu_release_dev,
	.bind_iommufd	= vfio_iommufd_physical_bind,
	.unbind_iommufd	= vfio_iommufd_physical_unbind,
	.attach_ioas	= vfio_iommufd_physical_attach_ioas,
	.detach_ioas	= vfio_iommufd_physical_detach_ioas,
	.open_device	= edu_open_device,
	.close_device	= edu_migration_close_device,
	.read		= vfio_pci_core_read,
	.write		= vfio_pci_core_write,
	.mmap		= vfio_pci_core_mmap,
	.ioctl		= edu_migration_ioctl,
	.device_feature	= edu_device_feature,
	.match		= vfio_pci_core_match,
	.request	= vfio_pci_core_request,
};

/*
 * 7. Probe and remove.
 *
 * Registering comes last, since users may come before it returns. The driver
 * data must be the core's device: the core's error handlers go by it.
 */
static int edu_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct edu_vfio_device *edu;
	int ret;

	edu = vfio_alloc_device(edu_vfio_device, core.vdev, &pdev->dev, &edu_ops);
	if (IS_ERR(edu))
		return PTR_ERR(edu);

	dev_set_drvdata(&pdev->dev, &edu->core);
	ret = vfio_pci_core_register_device(&edu->core);
	if (ret)
		vfio_put_device(&edu->core.vdev);
	return ret;
}

/* Waits until all users have let go. */
static void edu_remove(struct pci_dev *pdev)
{
	struct vfio_pci_core_device *core = pci_get_drvdata(pdev);

	vfio_pci_core_unregister_device(core);
	vfio_put_device(&core->vdev);
}

/* By this macro the driver binds only where driver_override says so. */
static const struct pci_device_id edu_ids[] = {
	{ PCI_DRIVER_OVERRIDE_DEVICE_VFIO(EDU_VENDOR, EDU_DEVICE) },
	{}
};
MODULE_DEVICE_TABLE(pci, edu_ids);

/* The user owns the DMA: the PCI core must not claim it for the kernel. */
static struct pci_driver edu_driver = {
	.name			= "edu-vfio-pci",
	.id_table		= edu_ids,
	.probe			= edu_probe,
	.remove			= edu_remove,
	.err_handler		= &edu_migration_err_handlers,
	.driver_managed_dma	= true,
};
module_pci_driver(edu_driver);

MODULE_DESCRIPTION("Sample variant of vfio-pci, for QEMU's edu device");
MODULE_LICENSE("GPL");
