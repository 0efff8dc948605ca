/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a driver needs to make devices out of a part of another one: the parent
 * it registers, the types of devices it offers, and the driver that binds to
 * the devices users create.
 *
 * The ideas are in Documentation/driver-api/vfio-mediated-device.rst.
 */
#ifndef MDEV_H
#define MDEV_H

#include <linux/atomic.h>
#include <linux/container_of.h>
#include <linux/device.h>
#include <linux/list.h>
#include <linux/rwsem.h>
#include <linux/types.h>
#include <linux/uuid.h>

struct kset;
struct mdev_parent;
struct mdev_type_dir;

/**
 * struct mdev_type - A kind of mediated device that a parent offers
 *
 * It stays the driver's memory, often embedded in what the driver knows of the
 * type. It must live until mdev_unregister_parent() has returned.
 *
 * @sysfs_name: second half of the folder's name in mdev_supported_types; set by
 *	the driver
 * @pretty_name: name for humans, or NULL for none but @sysfs_name; set by the
 *	driver
 * @parent: whose type it is; set by mdev_register_parent()
 */
struct mdev_type {
	const char *sysfs_name;
	const char *pretty_name;
	struct mdev_parent *parent;
	/* private: the core's alone */
	struct mdev_type_dir *dir;	/* the folder in sysfs */
};

/**
 * struct mdev_device - A mediated device
 *
 * @dev: the device on the mdev bus; its parent is &mdev_parent.dev
 * @uuid: the name that its creator gave it, unique in the machine
 * @type: what it is; valid while a driver is bound to the device
 */
struct mdev_device {
	struct device dev;
	guid_t uuid;
	struct mdev_type *type;
	/* private: the core's alone */
	struct mdev_driver *driver;	/* for bus.c; may be gone, only compared */
	struct list_head next;		/* all mediated devices; devices_lock */
	unsigned long state;		/* bits of enum mdev_state */
};

/**
 * struct mdev_driver - A driver for mediated devices
 *
 * @device_api: which VFIO_DEVICE_API_*_STRING its devices speak; mandatory
 * @max_instances: how many devices a parent can have, all types together,
 *	where there is no @get_available
 * @probe: a device was created: make its vfio_device and register it. Called
 *	with the device's lock held; never at once for one device, but for several
 *	devices of a parent.
 * @remove: undo @probe. The device may be open when this is called: it ends when
 *	its users have let go.
 * @get_available: how many more devices of the type could be created now. A
 *	driver that has it counts by itself: @probe claims what the device needs
 *	and fails when it is not there. Optional.
 * @show_description: text for the type's attribute "description", for sysfs;
 *	the attribute exists only with it. Optional.
 * @driver: for the driver core; the driver sets name, owner and dev_groups
 */
struct mdev_driver {
	const char *device_api;
	unsigned int max_instances;
	int (*probe)(struct mdev_device *dev);
	void (*remove)(struct mdev_device *dev);
	unsigned int (*get_available)(struct mdev_type *mtype);
	ssize_t (*show_description)(struct mdev_type *mtype, char *buf);
	struct device_driver driver;
};

/**
 * struct mdev_parent - A device that others can be made of
 *
 * Embedded by the parent's driver, which leaves all members to the core.
 *
 * @dev: the parent device
 * @mdev_driver: the driver of its mediated devices
 */
struct mdev_parent {
	struct device *dev;
	struct mdev_driver *mdev_driver;
	/* private: the core's alone */
	struct kset *types_kset;	/* the folder mdev_supported_types */
	/*
	 * Held for reading while a device of the parent is created or removed,
	 * for writing while the parent is unregistered. Readers only try: they
	 * come from sysfs files that unregistration waits for. An rwsem, for
	 * devices come and go side by side and removal may wait for users.
	 */
	struct rw_semaphore unreg_sem;
	struct mdev_type **types;
	unsigned int nr_types;
	atomic_t available_instances;	/* of max_instances; without get_available */
};

/**
 * mdev_dev() - The struct device of a mediated device
 * @mdev: the mediated device
 *
 * Return: its device, for messages and the like.
 */
static inline struct device *mdev_dev(struct mdev_device *mdev)
{
	return &mdev->dev;
}

/**
 * to_mdev_device() - The mediated device around a struct device
 * @dev: a device on the mdev bus
 *
 * Return: the mediated device.
 */
static inline struct mdev_device *to_mdev_device(struct device *dev)
{
	return container_of(dev, struct mdev_device, dev);
}

int mdev_register_parent(struct mdev_parent *parent, struct device *dev,
			 struct mdev_driver *mdev_driver,
			 struct mdev_type **types, unsigned int nr_types);
void mdev_unregister_parent(struct mdev_parent *parent);

int mdev_register_driver(struct mdev_driver *drv);
void mdev_unregister_driver(struct mdev_driver *drv);

#endif /* MDEV_H */
