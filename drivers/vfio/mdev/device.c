// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mediated devices: how they come and go, and how many there may be.
 *
 * Creation claims before it builds: the UUID, then one of the parent's
 * instances. User space is told of a device with its last step, so nobody who
 * waits for events sees one that is not whole or that never came to be.
 * Whoever sets MDEV_BUSY is alone with the device: its creator, later the one
 * who removes it. Removal gives the UUID and the instance back when the driver
 * has let go, before it returns; the memory lives until the last reference.
 */
#include <linux/slab.h>

#include "private.h"

/* Guards the list below, and with it that a UUID is there only once. */
static DEFINE_MUTEX(devices_lock);
static LIST_HEAD(devices);

static bool driver_counts(struct mdev_parent *parent)
{
	return parent->mdev_driver->get_available;
}

static int claim_instance(struct mdev_parent *parent)
{
	if (driver_counts(parent))
		return 0;
	return atomic_dec_if_positive(&parent->available_instances) < 0 ?
	       -EUSERS : 0;
}

static void return_instance(struct mdev_parent *parent)
{
	if (!driver_counts(parent))
		atomic_inc(&parent->available_instances);
}

/*
 * How many more devices of the type could be created; to be called by who is in
 * one of the type's files.
 */
unsigned int mdev_type_available(struct mdev_type *type)
{
	struct mdev_parent *parent = type->parent;

	if (driver_counts(parent))
		return parent->mdev_driver->get_available(type);
	return atomic_read(&parent->available_instances);
}

static int claim_uuid(struct mdev_device *mdev)
{
	struct mdev_device *other;

	guard(mutex)(&devices_lock);

	list_for_each_entry(other, &devices, next)
		if (guid_equal(&other->uuid, &mdev->uuid))
			return -EEXIST;
	list_add(&mdev->next, &devices);
	return 0;
}

static void return_uuid(struct mdev_device *mdev)
{
	guard(mutex)(&devices_lock);

	list_del(&mdev->next);
}

/* The last reference is gone. Type and parent may be so for long. */
static void release_mdev(struct device *dev)
{
	kfree(to_mdev_device(dev));
	mdev_object_gone();
}

static struct mdev_device *new_mdev(struct mdev_type *type, const guid_t *uuid)
{
	struct mdev_device *mdev = kzalloc(sizeof(*mdev), GFP_KERNEL);

	if (!mdev)
		return NULL;

	mdev_object_born();
	guid_copy(&mdev->uuid, uuid);
	mdev->type = type;
	mdev->driver = type->parent->mdev_driver;
	__set_bit(MDEV_BUSY, &mdev->state);

	device_initialize(&mdev->dev);
	mdev->dev.parent = type->parent->dev;
	mdev->dev.bus = &mdev_bus_type;
	mdev->dev.release = release_mdev;
	mdev->dev.groups = mdev_device_groups;
	return mdev;
}

/* On the bus, bound, linked. Events wait, see announce(). */
static int add_mdev(struct mdev_device *mdev)
{
	struct device *dev = &mdev->dev;
	int ret;

	ret = dev_set_name(dev, "%pUl", &mdev->uuid);
	if (ret)
		return ret;

	dev_set_uevent_suppress(dev, true);
	ret = device_add(dev);
	if (ret)
		return ret;

	ret = device_driver_attach(&mdev->driver->driver, dev);
	if (ret)
		goto out_del;

	ret = mdev_sysfs_link_device(mdev);
	if (ret)
		goto out_del;
	return 0;

out_del:
	device_del(dev);
	return ret;
}

static void announce(struct mdev_device *mdev)
{
	dev_set_uevent_suppress(&mdev->dev, false);
	kobject_uevent(&mdev->dev.kobj, KOBJ_ADD);
	kobject_uevent(&mdev->dev.kobj, KOBJ_BIND);
	clear_bit_unlock(MDEV_BUSY, &mdev->state);
}

/* The half of mdev_device_create() with the parent held. */
static int create_locked(struct mdev_type *type, const guid_t *uuid)
{
	struct mdev_parent *parent = type->parent;
	struct mdev_device *mdev;
	int ret;

	lockdep_assert_held_read(&parent->unreg_sem);

	mdev = new_mdev(type, uuid);
	if (!mdev)
		return -ENOMEM;

	ret = claim_uuid(mdev);
	if (ret)
		goto out_put;

	ret = claim_instance(parent);
	if (ret)
		goto out_return_uuid;

	ret = add_mdev(mdev);
	if (ret)
		goto out_return_instance;

	announce(mdev);
	return 0;

out_return_instance:
	return_instance(parent);
out_return_uuid:
	return_uuid(mdev);
out_put:
	put_device(&mdev->dev);
	return ret;
}

/*
 * Creates a device, for who is in the type's file and by that keeps the parent.
 * Returns 0; -ENODEV when the parent is going; -EEXIST for a UUID that is taken;
 * -EUSERS when the parent has as many devices as it can; -ENOMEM; or what the
 * driver's probe gave.
 */
int mdev_device_create(struct mdev_type *type, const guid_t *uuid)
{
	struct mdev_parent *parent = type->parent;
	int ret;

	if (!mdev_parent_get(parent))
		return -ENODEV;
	ret = create_locked(type, uuid);
	mdev_parent_put(parent);
	return ret;
}

/* The device goes off the bus; waits for its driver, which waits for users. */
static void remove_locked(struct mdev_device *mdev)
{
	struct mdev_parent *parent = mdev->type->parent;

	lockdep_assert_held(&parent->unreg_sem);

	mdev_sysfs_unlink_device(mdev);
	device_del(&mdev->dev);
	return_instance(parent);
	return_uuid(mdev);
	put_device(&mdev->dev);
}

/*
 * Removes a device for who is in its file @from, or NULL for who keeps device
 * and parent by other means. Returns 0; -EAGAIN when somebody else is creating or
 * removing it; -ENODEV when its parent is going and will take it along.
 */
int mdev_device_remove(struct mdev_device *mdev,
		       const struct device_attribute *from)
{
	struct mdev_parent *parent = mdev->type->parent;
	struct kernfs_node *file = NULL;

	if (!mdev_parent_get(parent))
		return -ENODEV;
	if (test_and_set_bit_lock(MDEV_BUSY, &mdev->state)) {
		mdev_parent_put(parent);
		return -EAGAIN;
	}

	/*
	 * Removal waits until nobody is in the device's files, hence not for
	 * this one. What kept the parent so far is now done by the lock.
	 */
	if (from)
		file = sysfs_break_active_protection(&mdev->dev.kobj,
						     &from->attr);
	remove_locked(mdev);
	if (file)
		sysfs_unbreak_active_protection(file);

	mdev_parent_put(parent);
	return 0;
}

static int remove_child(struct device *dev, void *unused)
{
	if (dev->bus == &mdev_bus_type) {
		set_bit(MDEV_BUSY, &to_mdev_device(dev)->state);
		remove_locked(to_mdev_device(dev));
	}
	return 0;
}

/* Removes all devices of a parent: nobody creates or removes one meanwhile. */
void mdev_device_remove_all(struct mdev_parent *parent)
{
	lockdep_assert_held_write(&parent->unreg_sem);

	device_for_each_child_reverse(parent->dev, NULL, remove_child);
}
