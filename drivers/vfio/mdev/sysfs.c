// SPDX-License-Identifier: GPL-2.0-only
/*
 * What users see of mediated devices: the files by which they are made and
 * unmade. Documentation/ABI/testing/sysfs-bus-vfio-mdev describes them.
 */
#include <linux/kstrtox.h>
#include <linux/slab.h>
#include <linux/sysfs.h>

#include "private.h"

/**
 * struct type_attribute - A file in a type's folder
 * @attr: name and mode
 * @show: reads it
 * @store: writes it
 */
struct type_attribute {
	struct attribute attr;
	ssize_t (*show)(struct mdev_type *type, char *buf);
	ssize_t (*store)(struct mdev_type *type, const char *buf, size_t count);
};

static struct mdev_type_dir *to_dir(struct kobject *kobj)
{
	return container_of(kobj, struct mdev_type_dir, kobj);
}

static struct type_attribute *to_type_attribute(struct attribute *attr)
{
	return container_of(attr, struct type_attribute, attr);
}

static ssize_t create_store(struct mdev_type *type, const char *buf,
			    size_t count)
{
	guid_t uuid;
	int ret;

	if (count != UUID_STRING_LEN &&
	    !(count == UUID_STRING_LEN + 1 && buf[UUID_STRING_LEN] == '\n'))
		return -EINVAL;

	ret = guid_parse(buf, &uuid);
	if (ret)
		return ret;

	ret = mdev_device_create(type, &uuid);
	return ret ?: count;
}

static ssize_t name_show(struct mdev_type *type, char *buf)
{
	return sysfs_emit(buf, "%s\n", type->pretty_name ?: type->sysfs_name);
}

static ssize_t device_api_show(struct mdev_type *type, char *buf)
{
	return sysfs_emit(buf, "%s\n", type->parent->mdev_driver->device_api);
}

static ssize_t available_instances_show(struct mdev_type *type, char *buf)
{
	return sysfs_emit(buf, "%u\n", mdev_type_available(type));
}

static ssize_t description_show(struct mdev_type *type, char *buf)
{
	return type->parent->mdev_driver->show_description(type, buf);
}

static struct type_attribute create_attr = __ATTR_WO(create);
static struct type_attribute name_attr = __ATTR_RO(name);
static struct type_attribute device_api_attr = __ATTR_RO(device_api);
static struct type_attribute available_attr = __ATTR_RO(available_instances);
static struct type_attribute description_attr = __ATTR_RO(description);

static struct attribute *type_attrs[] = {
	&create_attr.attr,
	&name_attr.attr,
	&device_api_attr.attr,
	&available_attr.attr,
	&description_attr.attr,
	NULL,
};

static umode_t type_attr_mode(struct kobject *kobj, struct attribute *attr,
			      int n)
{
	struct mdev_driver *drv = to_dir(kobj)->type->parent->mdev_driver;

	if (attr == &description_attr.attr && !drv->show_description)
		return 0;
	return attr->mode;
}

static const struct attribute_group type_group = {
	.attrs = type_attrs,
	.is_visible = type_attr_mode,
};

__ATTRIBUTE_GROUPS(type);

static ssize_t show_type_attr(struct kobject *kobj, struct attribute *attr,
			      char *buf)
{
	struct type_attribute *file = to_type_attribute(attr);

	return file->show ? file->show(to_dir(kobj)->type, buf) : -EIO;
}

static ssize_t store_type_attr(struct kobject *kobj, struct attribute *attr,
			       const char *buf, size_t count)
{
	struct type_attribute *file = to_type_attribute(attr);

	return file->store ? file->store(to_dir(kobj)->type, buf, count) : -EIO;
}

static const struct sysfs_ops type_sysfs_ops = {
	.show = show_type_attr,
	.store = store_type_attr,
};

static void release_dir(struct kobject *kobj)
{
	kfree(to_dir(kobj));
	mdev_object_gone();
}

static const struct kobj_type dir_ktype = {
	.sysfs_ops = &type_sysfs_ops,
	.release = release_dir,
	.default_groups = type_groups,
};

/*
 * The folder appears with its files, one of which creates devices: only within
 * the second step may users come, so "devices" must not be missing then. Who is
 * that fast waits for the parent's lock in vain, see mdev_sysfs_add_types().
 */
static int add_type(struct mdev_parent *parent, struct mdev_type *type)
{
	struct mdev_type_dir *dir;
	int ret;

	if (!type->sysfs_name)
		return -EINVAL;

	dir = kzalloc(sizeof(*dir), GFP_KERNEL);
	if (!dir)
		return -ENOMEM;

	mdev_object_born();
	type->parent = parent;
	type->dir = dir;
	dir->type = type;
	dir->kobj.kset = parent->types_kset;
	ret = kobject_init_and_add(&dir->kobj, &dir_ktype, NULL, "%s-%s",
				   dev_driver_string(parent->dev),
				   type->sysfs_name);
	if (ret)
		goto out_put;

	dir->devices = kobject_create_and_add("devices", &dir->kobj);
	if (!dir->devices) {
		ret = -ENOMEM;
		goto out_del;
	}
	return 0;

out_del:
	kobject_del(&dir->kobj);
out_put:
	kobject_put(&dir->kobj);
	return ret;
}

/* When this returns nobody is in the folder's files, nor will be. */
static void remove_type(struct mdev_type *type)
{
	struct mdev_type_dir *dir = type->dir;

	kobject_put(dir->devices);
	kobject_del(&dir->kobj);
	kobject_put(&dir->kobj);
}

static void remove_types(struct mdev_parent *parent, unsigned int count)
{
	while (count--)
		remove_type(parent->types[count]);
	kset_unregister(parent->types_kset);
	parent->types_kset = NULL;
}

/*
 * Adds the folder mdev_supported_types with a folder for each type, all of them
 * or none. Users see files before the last folder is there; what they do in
 * them fails as if the parent were going, until it is all there.
 */
int mdev_sysfs_add_types(struct mdev_parent *parent)
{
	unsigned int i;
	int ret = 0;

	parent->types_kset = kset_create_and_add("mdev_supported_types", NULL,
						 &parent->dev->kobj);
	if (!parent->types_kset)
		return -ENOMEM;

	down_write(&parent->unreg_sem);
	for (i = 0; i < parent->nr_types; i++) {
		ret = add_type(parent, parent->types[i]);
		if (ret)
			break;
	}
	if (ret)
		remove_types(parent, i);
	up_write(&parent->unreg_sem);
	if (ret)
		return ret;

	for (i = 0; i < parent->nr_types; i++)
		kobject_uevent(&parent->types[i]->dir->kobj, KOBJ_ADD);
	return 0;
}

/* Removes what mdev_sysfs_add_types() added. */
void mdev_sysfs_remove_types(struct mdev_parent *parent)
{
	lockdep_assert_held_write(&parent->unreg_sem);

	remove_types(parent, parent->nr_types);
}

/* From the type to its device, and back. */
int mdev_sysfs_link_device(struct mdev_device *mdev)
{
	struct mdev_type_dir *dir = mdev->type->dir;
	int ret;

	ret = sysfs_create_link(dir->devices, &mdev->dev.kobj,
				dev_name(&mdev->dev));
	if (ret)
		return ret;

	ret = sysfs_create_link(&mdev->dev.kobj, &dir->kobj, "mdev_type");
	if (ret)
		sysfs_remove_link(dir->devices, dev_name(&mdev->dev));
	return ret;
}

void mdev_sysfs_unlink_device(struct mdev_device *mdev)
{
	sysfs_remove_link(&mdev->dev.kobj, "mdev_type");
	sysfs_remove_link(mdev->type->dir->devices, dev_name(&mdev->dev));
}

static ssize_t remove_store(struct device *dev, struct device_attribute *attr,
			    const char *buf, size_t count)
{
	bool is_wanted;
	int ret;

	ret = kstrtobool(buf, &is_wanted);
	if (ret)
		return ret;
	if (!is_wanted)
		return count;

	ret = mdev_device_remove(to_mdev_device(dev), attr);
	return ret ?: count;
}

static DEVICE_ATTR_WO(remove);

static struct attribute *device_files[] = {
	&dev_attr_remove.attr,
	NULL,
};

static const struct attribute_group device_folder = {
	.attrs = device_files,
};

const struct attribute_group *mdev_device_groups[] = {
	&device_folder,
	NULL,
};
