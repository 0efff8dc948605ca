// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sets of devices that reset together, found by the key their drivers name.
 *
 * A set lives as long as it has members. The registry, an xarray keyed by
 * set_id, holds no reference: under its lock a set is found and counted up in
 * one step, or counted down to nothing and taken out in one step.
 *
 * The registry's lock is a leaf; it is never held while a set's mutex is taken.
 */
#include <linux/bug.h>
#include <linux/cleanup.h>
#include <linux/export.h>
#include <linux/slab.h>
#include <linux/vfio.h>
#include <linux/xarray.h>

#include "device_set.h"

static DEFINE_XARRAY(device_sets);

static struct vfio_device_set *new_set(void *set_id)
{
	struct vfio_device_set *dev_set = kzalloc(sizeof(*dev_set), GFP_KERNEL);

	if (!dev_set)
		return NULL;

	mutex_init(&dev_set->lock);
	INIT_LIST_HEAD(&dev_set->device_list);
	dev_set->set_id = set_id;
	return dev_set;
}

static void free_set(struct vfio_device_set *dev_set)
{
	mutex_destroy(&dev_set->lock);
	kfree(dev_set);
}

/* The set of a key with one more member counted, or NULL when there is none. */
static struct vfio_device_set *get_existing_set(void *set_id)
{
	struct vfio_device_set *dev_set;

	xa_lock(&device_sets);
	dev_set = xa_load(&device_sets, (unsigned long)set_id);
	if (dev_set)
		dev_set->device_count++;
	xa_unlock(&device_sets);
	return dev_set;
}

/* Publishes a set with one member, unless another of its key came first. */
static struct vfio_device_set *publish_set(struct vfio_device_set *fresh)
{
	unsigned long index = (unsigned long)fresh->set_id;
	struct vfio_device_set *dev_set;

	xa_lock(&device_sets);
	dev_set = __xa_cmpxchg(&device_sets, index, NULL, fresh, GFP_KERNEL);
	if (!dev_set)
		dev_set = fresh;
	if (!xa_is_err(dev_set))
		dev_set->device_count++;
	xa_unlock(&device_sets);

	if (dev_set != fresh)
		free_set(fresh);
	return xa_is_err(dev_set) ? ERR_PTR(xa_err(dev_set)) : dev_set;
}

static struct vfio_device_set *get_set(void *set_id)
{
	struct vfio_device_set *dev_set = get_existing_set(set_id);

	if (dev_set)
		return dev_set;

	dev_set = new_set(set_id);
	return dev_set ? publish_set(dev_set) : ERR_PTR(-ENOMEM);
}

static void put_set(struct vfio_device_set *dev_set)
{
	bool is_empty;

	xa_lock(&device_sets);
	is_empty = !--dev_set->device_count;
	if (is_empty)
		__xa_erase(&device_sets, (unsigned long)dev_set->set_id);
	xa_unlock(&device_sets);

	if (is_empty)
		free_set(dev_set);
}

/**
 * vfio_assign_device_set() - Put a device into the set it resets with
 * @device: an initialised device, not yet registered and in no set
 * @set_id: identity of the reset domain, such as a PCI bus. It must stay valid
 *	for as long as the device exists; it is only ever compared.
 *
 * A device whose driver names no set is alone in a set keyed by itself.
 *
 * Context: Process context. Takes and releases the set's lock.
 * Return: 0, -ENOMEM, or -EINVAL for a NULL @set_id and for a device that is
 * in a set already.
 */
int vfio_assign_device_set(struct vfio_device *device, void *set_id)
{
	struct vfio_device_set *dev_set;

	if (WARN_ON(!set_id) || WARN_ON(device->dev_set))
		return -EINVAL;

	dev_set = get_set(set_id);
	if (IS_ERR(dev_set))
		return PTR_ERR(dev_set);

	device->dev_set = dev_set;
	scoped_guard(mutex, &dev_set->lock)
		list_add_tail(&device->dev_set_list, &dev_set->device_list);
	return 0;
}
EXPORT_SYMBOL_GPL(vfio_assign_device_set);

/**
 * vfio_device_set_leave() - Take a device out of its set
 * @device: the device, which nobody uses any more; it may be in no set
 *
 * Pairs with vfio_assign_device_set().
 *
 * Context: Process context, of a driver being unbound: the lock of the bus's
 * device is held, if the device was ever registered. Takes and releases the
 * set's lock, see VFIO_DEVICE_SET_UNBIND.
 */
void vfio_device_set_leave(struct vfio_device *device)
{
	struct vfio_device_set *dev_set = device->dev_set;

	if (!dev_set)
		return;

	mutex_lock_nested(&dev_set->lock, VFIO_DEVICE_SET_UNBIND);
	list_del_init(&device->dev_set_list);
	mutex_unlock(&dev_set->lock);
	device->dev_set = NULL;
	put_set(dev_set);
}

/**
 * vfio_device_set_open_count() - Count the open files of a set's devices
 * @dev_set: the set
 *
 * A device counts itself from before ->open_device() until after
 * ->close_device(): one that is being closed as the last of its set sees 1.
 *
 * Context: Process context. @dev_set's lock must be held.
 * Return: the sum over all members.
 */
unsigned int vfio_device_set_open_count(struct vfio_device_set *dev_set)
{
	struct vfio_device *device;
	unsigned int count = 0;

	lockdep_assert_held(&dev_set->lock);

	list_for_each_entry(device, &dev_set->device_list, dev_set_list)
		count += device->open_count;
	return count;
}
EXPORT_SYMBOL_GPL(vfio_device_set_open_count);

/**
 * vfio_find_device_in_devset() - Find the member that stands for a device
 * @dev_set: the set
 * @dev: the device of the bus
 *
 * Context: Process context. @dev_set's lock must be held; the device is a
 * member until it is released.
 * Return: the member, or NULL.
 */
struct vfio_device *
vfio_find_device_in_devset(struct vfio_device_set *dev_set, struct device *dev)
{
	struct vfio_device *device;

	lockdep_assert_held(&dev_set->lock);

	list_for_each_entry(device, &dev_set->device_list, dev_set_list)
		if (device->dev == dev)
			return device;
	return NULL;
}
EXPORT_SYMBOL_GPL(vfio_find_device_in_devset);
