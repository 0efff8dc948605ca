// SPDX-License-Identifier: GPL-2.0-only
/*
 * An open device: what its first open sets up, its last close takes down and
 * its files do.
 *
 * The first open and the last close of a device run under the lock of its set,
 * as two lists of the same steps. Between them the device holds its driver's
 * module and its VM, and is known to the backend if it may pin pages.
 *
 * A file holds a registration reference, so that the driver stays, the group's
 * file, and a use of the group's container, so that the group stays in it.
 */
#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/pid.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/vfio.h>

#include "container.h"
#include "device_file.h"
#include "group.h"
#include "kvm.h"
#include "map_addr.h"
#include "noiommu.h"
#include "trace.h"

/**
 * struct vfio_device_file - A file of a device
 * @device: the device, with a registration reference
 * @group: the group it was opened by; fixed
 * @group_file: the group's file, with a reference
 * @kvm: the VM this file was named to
 * @access_granted: the device is open for this file. Published by a release
 *	that pairs with the acquire in has_access().
 */
struct vfio_device_file {
	struct vfio_device *device;
	struct vfio_group *group;
	struct file *group_file;
	struct vfio_kvm_hint kvm;
	bool access_granted;
};

/* Every operation of a file passes here before it reaches the device. */
static bool has_access(struct vfio_device_file *df)
{
	/* Pairs with the release in vfio_device_file_open(). */
	return smp_load_acquire(&df->access_granted);
}

#if IS_ENABLED(CONFIG_VFIO_GROUP)
static bool get_driver_module(struct vfio_device *device)
{
	struct device_driver *driver = device->dev->driver;

	return !driver || try_module_get(driver->owner);
}

static void put_driver_module(struct vfio_device *device)
{
	struct device_driver *driver = device->dev->driver;

	if (driver)
		module_put(driver->owner);
}

/* The caller takes the VM back when this fails. */
static int first_open(struct vfio_device *device, struct vfio_group *group)
{
	int ret;

	lockdep_assert_held(&device->dev_set->lock);

	if (!get_driver_module(device))
		return -ENODEV;

	vfio_device_hold_kvm(device, &group->kvm);
	vfio_container_register_device(device);

	if (device->ops->open_device) {
		ret = device->ops->open_device(device);
		if (ret)
			goto out_unregister;
	}

	device->opener = get_task_pid(current, PIDTYPE_TGID);
	return 0;

out_unregister:
	vfio_container_unregister_device(device);
	put_driver_module(device);
	return ret;
}

/* The caller takes the VM back afterwards. */
static void last_close(struct vfio_device *device)
{
	lockdep_assert_held(&device->dev_set->lock);

	put_pid(device->opener);
	device->opener = NULL;

	if (device->ops->close_device)
		device->ops->close_device(device);

	vfio_container_unregister_device(device);
	put_driver_module(device);
}

/* Counts the device as open from before the driver opens it. */
static int open_device(struct vfio_device *device, struct vfio_group *group,
		       struct vfio_held_kvm *left_over)
{
	int ret;

	guard(mutex)(&device->dev_set->lock);

	WRITE_ONCE(device->open_count, device->open_count + 1);
	if (device->open_count > 1)
		return 0;

	ret = first_open(device, group);
	if (ret) {
		WRITE_ONCE(device->open_count, 0);
		*left_over = vfio_device_take_kvm(device);
	}
	return ret;
}

/* Counts the device as open until after the driver closed it. */
static void close_device(struct vfio_device *device,
			 struct vfio_held_kvm *left_over)
{
	guard(mutex)(&device->dev_set->lock);

	if (device->open_count == 1) {
		last_close(device);
		*left_over = vfio_device_take_kvm(device);
	}
	WRITE_ONCE(device->open_count, device->open_count - 1);
}

/* Keeps the group in its container and its file open, for this file. */
static int use_group(struct vfio_device_file *df)
{
	struct vfio_group *group = df->group;
	int ret;

	guard(mutex)(&group->lock);

	ret = vfio_container_use(group);
	if (!ret)
		df->group_file = get_file(group->opened_file);
	return ret;
}

/* The file itself is put by whoever is done with the group. */
static void unuse_group(struct vfio_device_file *df)
{
	guard(mutex)(&df->group->lock);

	vfio_container_unuse(df->group);
}

/*
 * The group's lock is not held while the driver opens and closes: a driver may
 * reset the slot of its device, and the removal of hardware, which waits for
 * such a reset, takes the group's lock.
 */
static int open_by_group(struct vfio_device_file *df)
{
	struct vfio_held_kvm left_over = {};
	int ret;

	ret = vfio_noiommu_check_user(df->group->type);
	if (ret)
		return ret;

	ret = use_group(df);
	if (ret)
		return ret;

	ret = open_device(df->device, df->group, &left_over);
	vfio_held_kvm_put(left_over);
	if (ret) {
		unuse_group(df);
		fput(df->group_file);
	}
	return ret;
}

static void close_by_group(struct vfio_device_file *df)
{
	struct vfio_held_kvm left_over = {};

	close_device(df->device, &left_over);
	vfio_held_kvm_put(left_over);
	unuse_group(df);
}
#else
static int open_by_group(struct vfio_device_file *df)
{
	return -ENODEV;
}

static void close_by_group(struct vfio_device_file *df)
{
}
#endif

static int device_file_release(struct inode *inode, struct file *file)
{
	struct vfio_device_file *df = file->private_data;
	struct file *group_file = df->group_file;
	struct vfio_device *device = df->device;

	close_by_group(df);
	trace_vfio_device_close(device->dev);
	kfree(df);

	vfio_device_put_registration(device);
	/* May be the group's last, which then leaves its container. */
	fput(group_file);
	return 0;
}

static long device_file_ioctl(struct file *file, unsigned int cmd,
			      unsigned long arg)
{
	struct vfio_device_file *df = file->private_data;

	if (!has_access(df))
		return -EINVAL;
	return vfio_device_ioctl(df->device, cmd, arg);
}

static ssize_t device_file_read(struct file *file, char __user *buf,
				size_t count, loff_t *ppos)
{
	struct vfio_device_file *df = file->private_data;
	struct vfio_device *device = df->device;

	if (!has_access(df) || !device->ops->read)
		return -EINVAL;
	return device->ops->read(device, buf, count, ppos);
}

static ssize_t device_file_write(struct file *file, const char __user *buf,
				 size_t count, loff_t *ppos)
{
	struct vfio_device_file *df = file->private_data;
	struct vfio_device *device = df->device;

	if (!has_access(df) || !device->ops->write)
		return -EINVAL;
	return device->ops->write(device, buf, count, ppos);
}

static int device_file_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct vfio_device_file *df = file->private_data;
	struct vfio_device *device = df->device;

	if (!has_access(df) || !device->ops->mmap)
		return -EINVAL;
	return device->ops->mmap(device, vma);
}

#ifdef CONFIG_PROC_FS
static void device_file_show_fdinfo(struct seq_file *m, struct file *file)
{
	struct vfio_device_file *df = file->private_data;
	char *path = kobject_get_path(&df->device->dev->kobj, GFP_KERNEL);

	if (!path)
		return;
	seq_printf(m, "vfio-device-syspath: /sys%s\n", path);
	kfree(path);
}
#endif

static const struct file_operations device_file_ops = {
	.owner		= THIS_MODULE,
	.release	= device_file_release,
	.read		= device_file_read,
	.write		= device_file_write,
	.unlocked_ioctl	= device_file_ioctl,
	.compat_ioctl	= compat_ptr_ioctl,
	.mmap		= device_file_mmap,
#ifdef CONFIG_MMU
	.get_unmapped_area = vfio_map_addr,
#endif
#ifdef CONFIG_PROC_FS
	.show_fdinfo	= device_file_show_fdinfo,
#endif
};

static struct vfio_device_file *new_device_file(struct vfio_group *group,
						struct vfio_device *device)
{
	struct vfio_device_file *df = kzalloc(sizeof(*df), GFP_KERNEL_ACCOUNT);

	if (!df)
		return NULL;

	df->device = device;
	df->group = group;
	vfio_kvm_hint_init(&df->kvm);
	return df;
}

static struct file *new_anon_file(struct vfio_device_file *df)
{
	struct file *file;

	file = anon_inode_getfile_fmode("[vfio-device]", &device_file_ops, df,
					O_RDWR, FMODE_PREAD | FMODE_PWRITE);
	if (!IS_ERR(file))
		file->f_mapping = df->device->inode->i_mapping;
	return file;
}

/**
 * vfio_device_file_open() - Open a device by its group
 * @group: the group, in an ioctl of its file
 * @device: a device of it, with a registration reference, which the file takes
 *	over and the caller keeps on failure
 *
 * Context: Process context. Takes and releases the group's lock, then the
 * set's, and calls ->open_device() under the latter for the first file of a
 * device.
 * Return: the file, or ERR_PTR() of -EPERM for a device without IOMMU and a
 * caller without CAP_SYS_RAWIO, -EINVAL for a group without a container that
 * has a backend, -ENODEV for a driver that is being unloaded, -ENOMEM, -ENFILE,
 * or what ->open_device() gave.
 */
struct file *vfio_device_file_open(struct vfio_group *group,
				   struct vfio_device *device)
{
	struct vfio_device_file *df;
	struct file *file;
	int ret;

	df = new_device_file(group, device);
	if (!df) {
		file = ERR_PTR(-ENOMEM);
		goto out_trace;
	}

	ret = open_by_group(df);
	if (ret) {
		file = ERR_PTR(ret);
		goto out_free;
	}

	file = new_anon_file(df);
	if (IS_ERR(file))
		goto out_close;

	/* Pairs with the acquire in has_access(). */
	smp_store_release(&df->access_granted, true);
	if (group->type == VFIO_NO_IOMMU)
		vfio_noiommu_tell_open(device->dev);
	trace_vfio_device_open(device->dev, 0);
	return file;

out_close:
	close_by_group(df);
	fput(df->group_file);
out_free:
	kfree(df);
out_trace:
	trace_vfio_device_open(device->dev, PTR_ERR(file));
	return file;
}

/**
 * vfio_device_from_file() - Get the device behind a file
 * @file: any file, with a reference
 *
 * Context: Any context.
 * Return: the device, registered as long as @file is referenced, or NULL for
 * other files.
 */
struct vfio_device *vfio_device_from_file(struct file *file)
{
	struct vfio_device_file *df = file->private_data;

	return file->f_op == &device_file_ops ? df->device : NULL;
}

/**
 * vfio_device_file_kvm() - Get where a device's file keeps the name of its VM
 * @file: a file of a device
 *
 * Context: Any context.
 * Return: the name, valid as long as @file is referenced.
 */
struct vfio_kvm_hint *vfio_device_file_kvm(struct file *file)
{
	struct vfio_device_file *df = file->private_data;

	return &df->kvm;
}
