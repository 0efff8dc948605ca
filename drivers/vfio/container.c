// SPDX-License-Identifier: GPL-2.0-only
/*
 * Containers, /dev/vfio/vfio: an address space for DMA that groups join.
 *
 * A container is kept by its file and by each group in it. With its first group
 * it may get a backend, by VFIO_SET_IOMMU; it loses it with its last group and
 * may get another one later.
 *
 * The backend at work is an object of its own, kept by the container and by
 * every call that is under way. No lock is held during a call, which may last
 * long (mapping memory) or come back by a driver (unpinning it). Where a call
 * outlives the container's use of the backend, the call's end releases it; all
 * groups have been detached by then.
 */
#include <linux/array_size.h>
#include <linux/cleanup.h>
#include <linux/compat.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/kref.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/rwsem.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/vfio.h>

#include "backend.h"
#include "container.h"
#include "group.h"
#include "noiommu.h"
#include "trace.h"

/**
 * struct vfio_container - An address space for the DMA of groups
 * @kref: held by the file and by each group
 * @lock: guards the members below and the groups' links; inside a group's
 *	lock, outside the registry's. An rwsem, because every ioctl of every thread
 *	looks @backend up.
 * @group_list: groups, linked by &vfio_group.container_entry
 * @backend: the backend at work, or NULL; it is set only while @group_list has
 *	members
 * @is_noiommu: the members are groups without an IOMMU
 */
struct vfio_container {
	struct kref kref;
	struct rw_semaphore lock;
	struct list_head group_list;
	struct vfio_backend *backend;
	bool is_noiommu;
};

static struct vfio_backend *get_backend(struct vfio_container *container)
{
	struct vfio_backend *backend;

	guard(rwsem_read)(&container->lock);

	backend = container->backend;
	if (backend)
		refcount_inc(&backend->users);
	return backend;
}

static void put_backend(struct vfio_backend *backend)
{
	struct module *owner;

	if (!backend || !refcount_dec_and_test(&backend->users))
		return;

	owner = backend->ops->owner;
	backend->ops->release(backend->data);
	kfree(backend);
	module_put(owner);
}

/* Sets a backend to work for the groups of a container. */
static struct vfio_backend *start_backend(struct vfio_container *container,
					  const struct vfio_iommu_driver_ops *ops,
					  unsigned long type)
{
	struct vfio_backend *backend;
	struct vfio_group *group;
	int ret;

	lockdep_assert_held_write(&container->lock);

	backend = kzalloc(sizeof(*backend), GFP_KERNEL_ACCOUNT);
	if (!backend)
		return ERR_PTR(-ENOMEM);

	refcount_set(&backend->users, 1);
	backend->ops = ops;
	backend->data = ops->open(type);
	if (IS_ERR(backend->data)) {
		ret = PTR_ERR(backend->data);
		goto out_free;
	}

	list_for_each_entry(group, &container->group_list, container_entry) {
		ret = ops->attach_group(backend->data, group->iommu_group,
					group->type);
		if (ret)
			goto out_detach;
	}
	return backend;

out_detach:
	list_for_each_entry_continue_reverse(group, &container->group_list,
					     container_entry)
		ops->detach_group(backend->data, group->iommu_group);
	ops->release(backend->data);
out_free:
	kfree(backend);
	return ERR_PTR(ret);
}

/*
 * May this backend serve the groups of the container? Whoever asks an empty
 * container what it could do is told of all.
 */
static bool fits_groups(struct vfio_container *container,
			const struct vfio_iommu_driver_ops *ops)
{
	guard(rwsem_read)(&container->lock);

	return list_empty(&container->group_list) ||
	       container->is_noiommu == vfio_noiommu_is_backend(ops);
}

static long ask_all_backends(struct vfio_container *container,
			     unsigned long extension)
{
	struct vfio_iommu_driver *driver = NULL;
	long ret = 0;

	while ((driver = vfio_iommu_driver_next(driver))) {
		if (!fits_groups(container, driver->ops))
			continue;

		ret = driver->ops->ioctl(NULL, VFIO_CHECK_EXTENSION, extension);
		if (ret > 0) {
			module_put(driver->ops->owner);
			break;
		}
	}
	return ret;
}

static long ioctl_get_api_version(struct vfio_container *container,
				  unsigned long arg)
{
	return VFIO_API_VERSION;
}

static long ioctl_check_extension(struct vfio_container *container,
				  unsigned long arg)
{
	struct vfio_backend *backend = get_backend(container);
	long ret;

	if (!backend)
		return ask_all_backends(container, arg);

	ret = backend->ops->ioctl(backend->data, VFIO_CHECK_EXTENSION, arg);
	put_backend(backend);
	return ret;
}

/* Tries all backends that say they are of a type, until one takes the groups. */
static int set_iommu(struct vfio_container *container, unsigned long type)
{
	struct vfio_iommu_driver *driver = NULL;
	struct vfio_backend *backend;
	int ret = -ENODEV;

	guard(rwsem_write)(&container->lock);

	if (list_empty(&container->group_list) || container->backend)
		return -EINVAL;

	while ((driver = vfio_iommu_driver_next(driver))) {
		const struct vfio_iommu_driver_ops *ops = driver->ops;

		if (container->is_noiommu != vfio_noiommu_is_backend(ops) ||
		    ops->ioctl(NULL, VFIO_CHECK_EXTENSION, type) <= 0)
			continue;

		backend = start_backend(container, ops, type);
		if (!IS_ERR(backend)) {
			/* It keeps the reference on its module. */
			container->backend = backend;
			return 0;
		}
		ret = PTR_ERR(backend);
	}
	return ret;
}

static long ioctl_set_iommu(struct vfio_container *container,
			    unsigned long arg)
{
	int ret = set_iommu(container, arg);

	trace_vfio_set_iommu(arg, ret);
	return ret;
}

static const struct {
	unsigned int cmd;
	long (*handle)(struct vfio_container *container, unsigned long arg);
} container_ioctls[] = {
	{ VFIO_GET_API_VERSION, ioctl_get_api_version },
	{ VFIO_CHECK_EXTENSION, ioctl_check_extension },
	{ VFIO_SET_IOMMU,	ioctl_set_iommu },
};

/* What the core does not know is the backend's. */
static long forward_ioctl(struct vfio_container *container, unsigned int cmd,
			  unsigned long arg)
{
	struct vfio_backend *backend = get_backend(container);
	long ret;

	if (!backend)
		return -EINVAL;

	ret = backend->ops->ioctl(backend->data, cmd, arg);
	put_backend(backend);
	return ret;
}

static long container_ioctl(struct file *file, unsigned int cmd,
			    unsigned long arg)
{
	struct vfio_container *container = file->private_data;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(container_ioctls); i++)
		if (container_ioctls[i].cmd == cmd)
			return container_ioctls[i].handle(container, arg);

	return forward_ioctl(container, cmd, arg);
}

static void free_container(struct kref *kref)
{
	kfree(container_of(kref, struct vfio_container, kref));
}

static int container_open(struct inode *inode, struct file *file)
{
	struct vfio_container *container;

	container = kzalloc(sizeof(*container), GFP_KERNEL_ACCOUNT);
	if (!container)
		return -ENOMEM;

	kref_init(&container->kref);
	init_rwsem(&container->lock);
	INIT_LIST_HEAD(&container->group_list);
	file->private_data = container;
	return 0;
}

static int container_release(struct inode *inode, struct file *file)
{
	struct vfio_container *container = file->private_data;

	kref_put(&container->kref, free_container);
	return 0;
}

#ifdef CONFIG_PROC_FS
static void show_groups(struct seq_file *m, struct vfio_container *container)
{
	struct vfio_group *group;

	guard(rwsem_read)(&container->lock);

	list_for_each_entry(group, &container->group_list, container_entry)
		seq_printf(m, "vfio-container-group:\t%d\n", group->number);
}

static void container_show_fdinfo(struct seq_file *m, struct file *file)
{
	struct vfio_container *container = file->private_data;
	struct vfio_backend *backend = get_backend(container);

	show_groups(m, container);
	if (!backend)
		return;

	seq_printf(m, "vfio-container-backend:\t%s\n", backend->ops->name);
	if (backend->ops->show_fdinfo)
		backend->ops->show_fdinfo(backend->data, m);
	put_backend(backend);
}
#endif

static const struct file_operations container_fops = {
	.owner		= THIS_MODULE,
	.open		= container_open,
	.release	= container_release,
	.unlocked_ioctl	= container_ioctl,
	.compat_ioctl	= compat_ptr_ioctl,
#ifdef CONFIG_PROC_FS
	.show_fdinfo	= container_show_fdinfo,
#endif
};

/* Opening it gives no rights: those come with a group. */
static struct miscdevice container_dev = {
	.minor	  = VFIO_MINOR,
	.name	  = "vfio",
	.fops	  = &container_fops,
	.nodename = "vfio/vfio",
	.mode	  = 0666,
};

int vfio_container_init(void)
{
	return misc_register(&container_dev);
}

void vfio_container_exit(void)
{
	misc_deregister(&container_dev);
}

/**
 * vfio_container_from_file() - Get the container behind a file
 * @file: any file, with a reference
 *
 * Context: Any context.
 * Return: the container, valid as long as @file is referenced, or NULL for other
 * files.
 */
struct vfio_container *vfio_container_from_file(struct file *file)
{
	return file->f_op == &container_fops ? file->private_data : NULL;
}

/**
 * vfio_container_attach_group() - Put a group into a container
 * @container: the container, kept by its file during the call
 * @group: the group, in no container, with hardware behind it
 *
 * What is mapped already need not be within the group's reach yet; for that
 * vfio_container_populate() is called afterwards, without the group's lock.
 *
 * Context: Process context, the group's lock held. Takes and releases the
 * container's. Pairs with vfio_container_detach_group().
 * Return: 0; -EPERM for groups with and without IOMMU in one container, or
 * without CAP_SYS_RAWIO where that is needed; -EBUSY when the group is not
 * viable; or an errno of the backend.
 */
int vfio_container_attach_group(struct vfio_container *container,
				struct vfio_group *group)
{
	bool is_noiommu = group->type == VFIO_NO_IOMMU;
	struct vfio_backend *backend;
	int ret;

	lockdep_assert_held(&group->lock);

	ret = vfio_noiommu_check_user(group->type);
	if (ret)
		return ret;

	guard(rwsem_write)(&container->lock);

	if (!list_empty(&container->group_list) &&
	    container->is_noiommu != is_noiommu)
		return -EPERM;

	ret = vfio_group_claim_dma(group);
	if (ret)
		return ret;

	backend = container->backend;
	if (backend) {
		ret = backend->ops->attach_group(backend->data,
						 group->iommu_group,
						 group->type);
		if (ret) {
			vfio_group_release_dma(group);
			return ret;
		}
	}

	kref_get(&container->kref);
	container->is_noiommu = is_noiommu;
	list_add_tail(&group->container_entry, &container->group_list);
	group->container = container;
	return 0;
}

/**
 * vfio_container_populate() - Bring memory within reach of a group that came in
 * @container: the container, kept by its file during the call
 *
 * Context: Process context with no lock held: may fault user memory, and so wait
 * for users. Takes locks of the backend.
 * Return: 0, also when there is no backend any more; or an errno of the backend,
 * after which the caller takes the group out again.
 */
int vfio_container_populate(struct vfio_container *container)
{
	struct vfio_backend *backend = get_backend(container);
	int ret = 0;

	if (!backend)
		return 0;

	if (backend->ops->populate)
		ret = backend->ops->populate(backend->data);
	put_backend(backend);
	return ret;
}

/* Takes the group out; gives back the backend when that was its last group. */
static struct vfio_backend *remove_group(struct vfio_container *container,
					 struct vfio_group *group)
{
	struct vfio_backend *backend;

	guard(rwsem_write)(&container->lock);

	backend = container->backend;
	if (backend)
		backend->ops->detach_group(backend->data, group->iommu_group);
	vfio_group_release_dma(group);

	list_del(&group->container_entry);
	if (!list_empty(&container->group_list))
		return NULL;

	container->backend = NULL;
	return backend;
}

/**
 * vfio_container_detach_group() - Take a group out of its container
 * @group: a group in a container, which no open device relies on
 *
 * When this returns the group's devices reach nothing of the container.
 *
 * Context: Process context, the group's lock held. Takes and releases the
 * container's. Pairs with vfio_container_attach_group().
 */
void vfio_container_detach_group(struct vfio_group *group)
{
	struct vfio_container *container = group->container;

	lockdep_assert_held(&group->lock);
	WARN_ON(group->container_users);

	put_backend(remove_group(container, group));
	group->container = NULL;
	kref_put(&container->kref, free_container);
}

/**
 * vfio_container_use() - Keep a group in its container, for an open device
 * @group: the group
 *
 * Context: Process context, the group's lock held. Takes and releases the
 * container's. Pairs with vfio_container_unuse().
 * Return: 0, or -EINVAL when the group is in no container, has not fully joined
 * it, or the container has no backend.
 */
int vfio_container_use(struct vfio_group *group)
{
	struct vfio_container *container = group->container;

	lockdep_assert_held(&group->lock);

	if (!container || group->is_joining)
		return -EINVAL;

	/* The backend stays as long as this group does. */
	scoped_guard(rwsem_read, &container->lock)
		if (!container->backend)
			return -EINVAL;

	group->container_users++;
	return 0;
}

/**
 * vfio_container_unuse() - Let a group go from its container again
 * @group: the group
 *
 * Context: The group's lock held. Pairs with vfio_container_use().
 */
void vfio_container_unuse(struct vfio_group *group)
{
	lockdep_assert_held(&group->lock);

	if (!WARN_ON(!group->container_users))
		group->container_users--;
}

/**
 * vfio_device_backend() - Get the backend that serves a device
 * @device: a device between vfio_container_use() and vfio_container_unuse()
 *
 * Context: Any context. No lock is needed, see above.
 * Return: the backend, or NULL when the device was not opened by its group.
 */
struct vfio_backend *vfio_device_backend(struct vfio_device *device)
{
	struct vfio_container *container = device->group->container;

	return container ? container->backend : NULL;
}

/* Only devices that pin pages want to hear of unmaps. */
static bool wants_unmaps(struct vfio_device *device,
			 struct vfio_backend *backend)
{
	return device->ops->dma_unmap && backend->ops->register_device;
}

/**
 * vfio_container_register_device() - Have a device told of unmaps
 * @device: a device after vfio_container_use(), before ->open_device()
 *
 * Context: Process context, the lock of the device's set held. Takes locks of
 * the backend. Pairs with vfio_container_unregister_device().
 */
void vfio_container_register_device(struct vfio_device *device)
{
	struct vfio_backend *backend = vfio_device_backend(device);

	if (wants_unmaps(device, backend))
		backend->ops->register_device(backend->data, device);
}

/**
 * vfio_container_unregister_device() - Have a device not told any more
 * @device: a device after ->close_device(), before vfio_container_unuse()
 *
 * Context: Process context, the lock of the device's set held. Takes locks of
 * the backend, waits for a call of ->dma_unmap() that is under way.
 */
void vfio_container_unregister_device(struct vfio_device *device)
{
	struct vfio_backend *backend = vfio_device_backend(device);

	if (wants_unmaps(device, backend))
		backend->ops->unregister_device(backend->data, device);
}
