// SPDX-License-Identifier: GPL-2.0-only
/*
 * The file of a group, /dev/vfio/N: who may have it and what it is asked.
 *
 * A group has one open file at a time. To have it is to own the group, so the
 * file stands for the group wherever ownership is proved.
 */
#include <linux/array_size.h>
#include <linux/cleanup.h>
#include <linux/compat.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/iommu.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <linux/vfio.h>

#include "container.h"
#include "device_file.h"
#include "group.h"
#include "noiommu.h"
#include "trace.h"

static int claim_file(struct vfio_group *group, struct file *file)
{
	int ret;

	guard(mutex)(&group->lock);

	/* The node was opened while its last device left. */
	if (!group->iommu_group)
		return -ENODEV;

	ret = vfio_noiommu_check_user(group->type);
	if (ret)
		return ret;

	if (group->opened_file)
		return -EBUSY;

	group->opened_file = file;
	return 0;
}

static int group_file_open(struct inode *inode, struct file *file)
{
	struct vfio_group *group = container_of(inode->i_cdev,
						struct vfio_group, cdev);
	int ret = claim_file(group, file);

	trace_vfio_group_open(group->number, ret);
	if (!ret)
		file->private_data = group;
	return ret;
}

/* Open devices have the file too, so there are none. */
static int group_file_release(struct inode *inode, struct file *file)
{
	struct vfio_group *group = file->private_data;

	vfio_kvm_hint_set(&group->kvm, NULL);

	guard(mutex)(&group->lock);

	if (group->container)
		vfio_container_detach_group(group);
	group->opened_file = NULL;
	return 0;
}

static int get_status(struct vfio_group *group, u32 *flags)
{
	guard(mutex)(&group->lock);

	if (!group->iommu_group)
		return -ENODEV;

	*flags = 0;
	if (group->container)
		*flags = VFIO_GROUP_FLAGS_VIABLE |
			 VFIO_GROUP_FLAGS_CONTAINER_SET;
	else if (vfio_group_is_viable(group))
		*flags = VFIO_GROUP_FLAGS_VIABLE;
	return 0;
}

static long ioctl_get_status(struct vfio_group *group, void __user *arg)
{
	const size_t minsz = offsetofend(struct vfio_group_status, flags);
	struct vfio_group_status status = {};
	int ret;

	if (copy_from_user(&status, arg, minsz))
		return -EFAULT;
	if (status.argsz < minsz)
		return -EINVAL;

	ret = get_status(group, &status.flags);
	if (ret)
		return ret;

	return copy_to_user(arg, &status, minsz) ? -EFAULT : 0;
}

static int begin_to_join(struct vfio_group *group, struct file *file)
{
	struct vfio_container *container;
	int ret;

	guard(mutex)(&group->lock);

	if (group->container)
		return -EINVAL;
	if (!group->iommu_group)
		return -ENODEV;

	container = vfio_container_from_file(file);
	if (!container)
		return -EBADFD;

	ret = vfio_container_attach_group(container, group);
	group->is_joining = !ret;
	return ret;
}

/* The hardware may have gone meanwhile, and then the container with it. */
static int end_of_joining(struct vfio_group *group, int ret)
{
	guard(mutex)(&group->lock);

	group->is_joining = false;
	if (!group->container)
		return -ENODEV;
	if (ret)
		vfio_container_detach_group(group);
	return ret;
}

/*
 * Memory that is mapped already may have to be faulted in, which takes as long as
 * its owner likes. So no lock is held then, lest the removal of the hardware
 * wait for it. Until it is done the group neither leaves nor serves a device.
 */
static int set_container(struct vfio_group *group, int fd)
{
	int ret;

	CLASS(fd, f)(fd);
	if (fd_empty(f))
		return -EBADF;

	ret = begin_to_join(group, fd_file(f));
	if (ret)
		return ret;

	ret = vfio_container_populate(vfio_container_from_file(fd_file(f)));
	return end_of_joining(group, ret);
}

static long ioctl_set_container(struct vfio_group *group, void __user *arg)
{
	int __user *uarg = arg;
	int fd, ret;

	if (get_user(fd, uarg))
		return -EFAULT;

	ret = set_container(group, fd);
	trace_vfio_set_container(group->number, ret);
	return ret;
}

static long ioctl_unset_container(struct vfio_group *group, void __user *arg)
{
	guard(mutex)(&group->lock);

	if (!group->container)
		return -EINVAL;
	if (group->container_users || group->is_joining)
		return -EBUSY;

	vfio_container_detach_group(group);
	return 0;
}

static struct file *open_named_device(struct vfio_group *group, char *name)
{
	struct vfio_device *device;
	struct file *file;

	device = vfio_group_find_device(group, name);
	if (IS_ERR(device))
		return ERR_CAST(device);

	file = vfio_device_file_open(group, device);
	if (IS_ERR(file))
		vfio_device_put_registration(device);
	return file;
}

static int install_device(struct vfio_group *group, char *name)
{
	struct file *file;
	int fd;

	fd = get_unused_fd_flags(O_CLOEXEC);
	if (fd < 0)
		return fd;

	file = open_named_device(group, name);
	if (IS_ERR(file)) {
		put_unused_fd(fd);
		return PTR_ERR(file);
	}

	fd_install(fd, file);
	return fd;
}

static long ioctl_get_device_fd(struct vfio_group *group, void __user *arg)
{
	char *name = strndup_user(arg, PAGE_SIZE);
	int ret;

	if (IS_ERR(name))
		return PTR_ERR(name);

	ret = install_device(group, name);
	trace_vfio_get_device_fd(group->number, name, ret);
	kfree(name);
	return ret;
}

static const struct {
	unsigned int cmd;
	long (*handle)(struct vfio_group *group, void __user *arg);
} group_ioctls[] = {
	{ VFIO_GROUP_GET_STATUS,	ioctl_get_status },
	{ VFIO_GROUP_SET_CONTAINER,	ioctl_set_container },
	{ VFIO_GROUP_UNSET_CONTAINER,	ioctl_unset_container },
	{ VFIO_GROUP_GET_DEVICE_FD,	ioctl_get_device_fd },
};

static long group_file_ioctl(struct file *file, unsigned int cmd,
			     unsigned long arg)
{
	struct vfio_group *group = file->private_data;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(group_ioctls); i++)
		if (group_ioctls[i].cmd == cmd)
			return group_ioctls[i].handle(group,
						      (void __user *)arg);
	return -ENOTTY;
}

#ifdef CONFIG_PROC_FS
static void group_file_show_fdinfo(struct seq_file *m, struct file *file)
{
	struct vfio_group *group = file->private_data;
	struct vfio_device *device;

	seq_printf(m, "vfio-group:\t%d\n", group->number);

	guard(mutex)(&group->device_lock);

	list_for_each_entry(device, &group->device_list, group_next)
		seq_printf(m, "vfio-group-device:\t%s %s\n",
			   dev_name(device->dev),
			   READ_ONCE(device->open_count) ? "open" : "closed");
}
#endif

const struct file_operations vfio_group_fops = {
	.owner		= THIS_MODULE,
	.open		= group_file_open,
	.release	= group_file_release,
	.unlocked_ioctl	= group_file_ioctl,
	.compat_ioctl	= compat_ptr_ioctl,
#ifdef CONFIG_PROC_FS
	.show_fdinfo	= group_file_show_fdinfo,
#endif
};

/**
 * vfio_group_from_file() - Get the group behind a file
 * @file: any file, with a reference
 *
 * Context: Any context.
 * Return: the group, valid as long as @file is referenced, or NULL for other
 * files.
 */
struct vfio_group *vfio_group_from_file(struct file *file)
{
	return file->f_op == &vfio_group_fops ? file->private_data : NULL;
}
