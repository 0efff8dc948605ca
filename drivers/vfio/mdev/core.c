// SPDX-License-Identifier: GPL-2.0-only
/*
 * Parents: devices of which parts can be handed out, and the module as such.
 *
 * A parent's lock, unreg_sem, is what creation, removal and unregistration
 * meet at. Users reach the first two through sysfs files, whose removal waits
 * for those who are in them; so these only try to get the lock, and find the
 * parent going (-ENODEV) when they cannot. Unregistration holds it to the end.
 */
#include <linux/export.h>
#include <linux/module.h>
#include <linux/rcupdate.h>
#include <linux/wait_bit.h>

#include "private.h"

/*
 * /sys/class/mdev_bus, which links to all parents. Made with the module, not
 * with the first parent: two of them may be registered at once.
 */
static struct class_compat *parents_class;

/* Devices and folders that somebody may still hold, whatever became of them. */
static atomic_t objects;

void mdev_object_born(void)
{
	atomic_inc(&objects);
}

void mdev_object_gone(void)
{
	/* Looks at nothing of this module once the count is 0. */
	if (atomic_dec_and_test(&objects))
		wake_up_var(&objects);
}

/**
 * mdev_parent_get() - Keep a parent from being unregistered
 * @parent: a parent that cannot be unregistered while this runs
 *
 * Only tries, see the top of this file.
 *
 * Return: whether it can be used, until mdev_parent_put().
 */
bool mdev_parent_get(struct mdev_parent *parent)
{
	return down_read_trylock(&parent->unreg_sem);
}

/**
 * mdev_parent_put() - Undo mdev_parent_get()
 * @parent: the parent; may be gone when this returns
 *
 * Letting go of an rwsem may look at it again after the writer has got it, and
 * the writer frees it: RCU keeps it until then. Pairs with synchronize_rcu() in
 * mdev_unregister_parent().
 */
void mdev_parent_put(struct mdev_parent *parent)
{
	rcu_read_lock();
	up_read(&parent->unreg_sem);
	rcu_read_unlock();
}

/* Tools wait for this to create their devices. */
static void announce_parent(struct mdev_parent *parent, char *state)
{
	char *env[2] = { state };

	kobject_uevent_env(&parent->dev->kobj, KOBJ_CHANGE, env);
}

/**
 * mdev_register_parent() - Offer to make devices out of a part of a device
 * @parent: the parent, memory of the caller until mdev_unregister_parent()
 * @dev: the device
 * @mdev_driver: a registered driver, for all mediated devices of the parent
 * @types: what kinds of devices there are; array and types stay the caller's
 * @nr_types: number of @types
 *
 * Users may create devices before this returns.
 *
 * Context: Process context, usually in probe of the parent's driver.
 * Return: 0; -EINVAL for a parent without types or a type without name; -EEXIST
 * for two types of one name, or a device that is a parent already; -ENOMEM.
 */
int mdev_register_parent(struct mdev_parent *parent, struct device *dev,
			 struct mdev_driver *mdev_driver,
			 struct mdev_type **types, unsigned int nr_types)
{
	int ret;

	if (!nr_types)
		return -EINVAL;

	parent->dev = dev;
	parent->mdev_driver = mdev_driver;
	parent->types = types;
	parent->nr_types = nr_types;
	parent->types_kset = NULL;
	init_rwsem(&parent->unreg_sem);
	atomic_set(&parent->available_instances, mdev_driver->max_instances);

	ret = class_compat_create_link(parents_class, dev, NULL);
	if (ret)
		return ret;

	/* Whoever is told of a type finds the parent whole. */
	ret = mdev_sysfs_add_types(parent);
	if (ret) {
		class_compat_remove_link(parents_class, dev, NULL);
		return ret;
	}

	dev_info(dev, "offers mediated devices\n");
	announce_parent(parent, "MDEV_STATE=registered");
	return 0;
}
EXPORT_SYMBOL(mdev_register_parent);

/**
 * mdev_unregister_parent() - Take a parent and all that was made of it away
 * @parent: a registered parent
 *
 * All its mediated devices are removed. When this returns no callback of the
 * driver runs for the parent or its types, and none will.
 *
 * Context: Process context, usually in remove of the parent's driver. Takes and
 * releases the parent's lock. Waits without bound for users who have one of its
 * devices open.
 */
void mdev_unregister_parent(struct mdev_parent *parent)
{
	down_write(&parent->unreg_sem);
	class_compat_remove_link(parents_class, parent->dev, NULL);
	mdev_device_remove_all(parent);
	mdev_sysfs_remove_types(parent);
	up_write(&parent->unreg_sem);

	announce_parent(parent, "MDEV_STATE=unregistered");
	/* Who removed a device just now may be in up_read() yet. */
	synchronize_rcu();
}
EXPORT_SYMBOL(mdev_unregister_parent);

static int __init mdev_init(void)
{
	int ret;

	ret = bus_register(&mdev_bus_type);
	if (ret)
		return ret;

	parents_class = class_compat_register("mdev_bus");
	if (!parents_class) {
		bus_unregister(&mdev_bus_type);
		return -ENOMEM;
	}
	return 0;
}

static void __exit mdev_exit(void)
{
	/* Their release is code of this module, up to its last instruction. */
	wait_var_event(&objects, !atomic_read(&objects));
	synchronize_rcu_tasks();
	class_compat_unregister(parents_class);
	bus_unregister(&mdev_bus_type);
}

/* Built in, parents are registered by module_init() too and may come first. */
subsys_initcall(mdev_init);
module_exit(mdev_exit);

MODULE_DESCRIPTION("VFIO devices made of a part of another device");
MODULE_LICENSE("GPL");
