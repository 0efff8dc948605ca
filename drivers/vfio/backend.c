// SPDX-License-Identifier: GPL-2.0-only
/*
 * The registry of IOMMU backends that containers choose from.
 */
#include <linux/bug.h>
#include <linux/cleanup.h>
#include <linux/export.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>

#include "backend.h"

/* Registered backends. */
static LIST_HEAD(iommu_drivers);
static DEFINE_MUTEX(iommu_drivers_lock);

static bool is_registered(const struct vfio_iommu_driver_ops *ops)
{
	struct vfio_iommu_driver *driver;

	lockdep_assert_held(&iommu_drivers_lock);

	list_for_each_entry(driver, &iommu_drivers, vfio_next)
		if (driver->ops == ops)
			return true;
	return false;
}

static bool is_complete(const struct vfio_iommu_driver_ops *ops)
{
	return ops->open && ops->release && ops->ioctl &&
	       ops->attach_group && ops->detach_group &&
	       !ops->register_device == !ops->unregister_device;
}

/**
 * vfio_register_iommu_driver() - Offer an IOMMU backend to containers
 * @ops: its operations
 *
 * Context: Process context. Takes and releases the registry's mutex.
 * Return: 0, -ENOMEM, or -EINVAL when @ops is registered already or lacks what
 * no backend can do without.
 */
int vfio_register_iommu_driver(const struct vfio_iommu_driver_ops *ops)
{
	struct vfio_iommu_driver *driver;

	if (WARN_ON(!is_complete(ops)))
		return -EINVAL;

	driver = kzalloc(sizeof(*driver), GFP_KERNEL);
	if (!driver)
		return -ENOMEM;
	driver->ops = ops;

	mutex_lock(&iommu_drivers_lock);
	if (is_registered(ops)) {
		mutex_unlock(&iommu_drivers_lock);
		kfree(driver);
		return -EINVAL;
	}
	list_add_tail(&driver->vfio_next, &iommu_drivers);
	mutex_unlock(&iommu_drivers_lock);
	return 0;
}
EXPORT_SYMBOL_GPL(vfio_register_iommu_driver);

/**
 * vfio_unregister_iommu_driver() - Withdraw an IOMMU backend
 * @ops: its operations; their module is going, so no container uses them
 *
 * Context: Process context. Takes and releases the registry's mutex.
 */
void vfio_unregister_iommu_driver(const struct vfio_iommu_driver_ops *ops)
{
	struct vfio_iommu_driver *driver;

	guard(mutex)(&iommu_drivers_lock);

	list_for_each_entry(driver, &iommu_drivers, vfio_next) {
		if (driver->ops == ops) {
			list_del(&driver->vfio_next);
			kfree(driver);
			return;
		}
	}
}
EXPORT_SYMBOL_GPL(vfio_unregister_iommu_driver);

/**
 * vfio_iommu_driver_next() - Walk over the registered backends
 * @previous: the backend before, which is put, or NULL to begin
 *
 * A backend that was given out keeps its module, and thereby its place in the
 * registry, until it is passed here again or module_put() ends the walk early.
 *
 * Context: Process context. Takes and releases the registry's mutex.
 * Return: the next backend, or NULL at the end.
 */
struct vfio_iommu_driver *
vfio_iommu_driver_next(struct vfio_iommu_driver *previous)
{
	struct vfio_iommu_driver *driver, *found = NULL;

	mutex_lock(&iommu_drivers_lock);
	driver = list_prepare_entry(previous, &iommu_drivers, vfio_next);
	list_for_each_entry_continue(driver, &iommu_drivers, vfio_next) {
		if (try_module_get(driver->ops->owner)) {
			found = driver;
			break;
		}
	}
	mutex_unlock(&iommu_drivers_lock);

	if (previous)
		module_put(previous->ops->owner);
	return found;
}
