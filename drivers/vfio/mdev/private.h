/* SPDX-License-Identifier: GPL-2.0-only */
/* What the rooms of mdev.ko know of each other. */
#ifndef MDEV_PRIVATE_H
#define MDEV_PRIVATE_H

#include <linux/kobject.h>
#include <linux/mdev.h>

/**
 * enum mdev_state - Bits of &mdev_device.state
 * @MDEV_BUSY: the device is being created or removed. Whoever sets it is alone
 *	with the device; creation clears it with its last step.
 */
enum mdev_state {
	MDEV_BUSY,
};

/**
 * struct mdev_type_dir - A type's folder in sysfs
 *
 * Apart from the type, which its driver may free as soon as the parent is
 * unregistered: the folder's kobject may live on in somebody's hands.
 *
 * @kobj: the folder
 * @devices: the folder within, that links to the devices of the type
 * @type: the type; valid while files of the folder can be read or written
 */
struct mdev_type_dir {
	struct kobject kobj;
	struct kobject *devices;
	struct mdev_type *type;
};

/* bus.c */
extern const struct bus_type mdev_bus_type;

/* core.c: objects whose release is in this module's code; parents in use */
void mdev_object_born(void);
void mdev_object_gone(void);
bool mdev_parent_get(struct mdev_parent *parent);
void mdev_parent_put(struct mdev_parent *parent);

/* device.c */
int mdev_device_create(struct mdev_type *type, const guid_t *uuid);
int mdev_device_remove(struct mdev_device *mdev,
		       const struct device_attribute *from);
void mdev_device_remove_all(struct mdev_parent *parent);
unsigned int mdev_type_available(struct mdev_type *type);

/* sysfs.c */
extern const struct attribute_group *mdev_device_groups[];
int mdev_sysfs_add_types(struct mdev_parent *parent);
void mdev_sysfs_remove_types(struct mdev_parent *parent);
int mdev_sysfs_link_device(struct mdev_device *mdev);
void mdev_sysfs_unlink_device(struct mdev_device *mdev);

#endif /* MDEV_PRIVATE_H */
