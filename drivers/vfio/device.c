// SPDX-License-Identifier: GPL-2.0-only
/*
 * The life of a device: born, registered, unregistered, buried.
 *
 * Two references keep two things. A registration reference keeps the driver:
 * users who have the device open hold one each, and vfio_unregister_group_dev()
 * gives up the first and waits for all others. A reference on the embedded
 * struct device keeps the memory, the number and the inode; the driver core may
 * hold one for a while after everything else is over, and the last one calls
 * release_device(). Nothing of the driver is called then: its module may be gone.
 *
 * Nothing reaches a device before its last step of registration, and from the
 * first step of unregistration nobody new can find it.
 */
#include <linux/export.h>
#include <linux/fs.h>
#include <linux/idr.h>
#include <linux/iommu.h>
#include <linux/pid.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/vfio.h>
#include <linux/wait.h>

#include "backend.h"
#include "debugfs.h"
#include "device.h"
#include "device_set.h"
#include "dma_logging.h"
#include "group.h"
#include "inode.h"
#include "migration.h"
#include "trace.h"

/* How long a user gets between two requests to let go of a device. */
#define REQUEST_INTERVAL	(10 * HZ)

static DEFINE_IDA(device_ida);

static DECLARE_WAIT_QUEUE_HEAD(device_released);

/* Not static: the driver core may need it longer than the module is there. */
static struct class *device_class;

int vfio_device_init(void)
{
	device_class = class_create("vfio-dev");
	return PTR_ERR_OR_ZERO(device_class);
}

void vfio_device_exit(void)
{
	/* release_device() is this module's. */
	wait_event(device_released, ida_is_empty(&device_ida));
	class_destroy(device_class);
	ida_destroy(&device_ida);
}

/* The last reference on the embedded struct device is gone. */
static void release_device(struct device *dev)
{
	struct vfio_device *device = container_of(dev, struct vfio_device,
						  device);
	int index = device->index;

	iput(device->inode);
	if (device->core_owns_memory)
		kvfree(device);
	else
		complete(&device->released);

	ida_free(&device_ida, index);
	wake_up(&device_released);
}

/**
 * vfio_init_group_dev() - Make an object of a device's memory
 * @device: the device, embedded in its driver's struct, whose memory stays the
 *	driver's; what the driver set of the public members is kept
 * @dev: the device of the bus
 * @ops: the driver's operations; none is called before the device is registered,
 *	and ->init() and ->release() are never called
 *
 * Context: Process context. Pairs with vfio_uninit_group_dev().
 * Return: 0, -ENOMEM, or -ENOSPC when all device numbers are taken.
 */
int vfio_init_group_dev(struct vfio_device *device, struct device *dev,
			const struct vfio_device_ops *ops)
{
	struct inode *inode;
	int index;

	index = ida_alloc_max(&device_ida, MINORMASK, GFP_KERNEL);
	if (index < 0)
		return index;

	inode = vfio_inode_new();
	if (IS_ERR(inode)) {
		ida_free(&device_ida, index);
		return PTR_ERR(inode);
	}

	device->dev = dev;
	device->ops = ops;
	device->dev_set = NULL;
	INIT_LIST_HEAD(&device->dev_set_list);
	device->kvm = NULL;

	device->index = index;
	device->inode = inode;
	device->core_owns_memory = false;
	device->registered = false;
	device->debug_root = NULL;
	device->open_count = 0;
	device->opener = NULL;
	device->put_kvm = NULL;
	device->cdev_opened = false;
#if IS_ENABLED(CONFIG_VFIO_GROUP)
	device->group = NULL;
	INIT_LIST_HEAD(&device->group_next);
	INIT_LIST_HEAD(&device->iommu_entry);
	device->in_sight = false;
#endif
	refcount_set(&device->refcount, 0);
	init_completion(&device->unregistered);
	init_completion(&device->released);

	memset(&device->device, 0, sizeof(device->device));
	device_initialize(&device->device);
	device->device.parent = dev;
	device->device.class = device_class;
	device->device.release = release_device;
	return 0;
}
EXPORT_SYMBOL_GPL(vfio_init_group_dev);

/**
 * vfio_uninit_group_dev() - Bury a device of vfio_init_group_dev()
 * @device: the device; it was unregistered, or never registered
 *
 * When this returns nothing refers to the device any more and the driver may
 * free its memory.
 *
 * Context: Process context. Waits for whoever still holds a reference on the
 * embedded struct device. Takes and releases the lock of the device's set.
 */
void vfio_uninit_group_dev(struct vfio_device *device)
{
	WARN_ON(device->registered);

	vfio_device_set_leave(device);
	put_device(&device->device);
	wait_for_completion(&device->released);
}
EXPORT_SYMBOL_GPL(vfio_uninit_group_dev);

/**
 * _vfio_alloc_device() - The half of vfio_alloc_device() behind the types
 * @size: bytes of the driver's struct, which begins with the device
 * @dev: the device of the bus
 * @ops: the driver's operations
 *
 * Context: Process context. Calls ->init(). Pairs with vfio_put_device().
 * Return: the device, or ERR_PTR() of -EINVAL for a @size too small, -ENOMEM,
 * -ENOSPC when all device numbers are taken, or what ->init() gave.
 */
struct vfio_device *_vfio_alloc_device(size_t size, struct device *dev,
				       const struct vfio_device_ops *ops)
{
	struct vfio_device *device;
	int ret;

	if (WARN_ON(size < sizeof(*device)))
		return ERR_PTR(-EINVAL);

	device = kvzalloc(size, GFP_KERNEL);
	if (!device)
		return ERR_PTR(-ENOMEM);

	ret = vfio_init_group_dev(device, dev, ops);
	if (ret)
		goto out_free;

	if (ops->init) {
		ret = ops->init(device);
		if (ret)
			goto out_uninit;
	}

	device->core_owns_memory = true;
	return device;

out_uninit:
	vfio_uninit_group_dev(device);
out_free:
	kvfree(device);
	return ERR_PTR(ret);
}
EXPORT_SYMBOL_GPL(_vfio_alloc_device);

/**
 * vfio_put_device() - Bury a device of vfio_alloc_device()
 * @device: the device; it was unregistered, or never registered
 *
 * The driver's part ends with ->release(), before this returns. The memory is
 * freed with the last reference on the embedded struct device.
 *
 * Context: Process context. Takes and releases the lock of the device's set.
 */
void vfio_put_device(struct vfio_device *device)
{
	WARN_ON(device->registered);

	vfio_device_set_leave(device);
	if (device->ops->release)
		device->ops->release(device);
	put_device(&device->device);
}
EXPORT_SYMBOL_GPL(vfio_put_device);

/* Refuses a driver whose operations do not belong together. */
static int check_driver(struct vfio_device *device)
{
	const struct vfio_device_ops *ops = device->ops;
	int ret;

	if (WARN_ON(device->registered))
		return -EINVAL;

	if (IS_ENABLED(CONFIG_IOMMUFD) &&
	    WARN_ON(!ops->bind_iommufd || !ops->unbind_iommufd ||
		    !ops->attach_ioas || !ops->detach_ioas))
		return -EINVAL;

	ret = vfio_migration_check(device);
	if (ret)
		return ret;

	return vfio_dma_logging_check(device);
}

static int register_device(struct vfio_device *device,
			   enum vfio_group_type type)
{
	int ret;

	ret = check_driver(device);
	if (ret)
		return ret;

	if (!device->dev_set) {
		ret = vfio_assign_device_set(device, device);
		if (ret)
			return ret;
	}

	ret = dev_set_name(&device->device, "vfio%d", device->index);
	if (ret)
		return ret;

	ret = vfio_device_join_group(device, type);
	if (ret)
		return ret;

	ret = device_add(&device->device);
	if (ret) {
		vfio_device_leave_group(device);
		return ret;
	}

	/* Nothing fails from here on. */
	vfio_debugfs_add_device(device);
	device->registered = true;
	refcount_set(&device->refcount, 1);
	vfio_device_enter_sight(device);
	return 0;
}

/**
 * vfio_register_group_dev() - Offer a device that an IOMMU fences
 * @device: an initialised device
 *
 * Every operation may be called before this returns: it is the last thing that
 * a driver's probe does.
 *
 * Context: Process context, usually in probe with the device's lock held.
 * Pairs with vfio_unregister_group_dev().
 * Return: 0; -EINVAL when the IOMMU cannot keep DMA coherent with the caches,
 * when no IOMMU stands before the device (unless the administrator turned
 * no-IOMMU mode on), or when the driver lacks operations that belong together;
 * -ENOMEM; or another errno of creating the group or the device's node.
 */
int vfio_register_group_dev(struct vfio_device *device)
{
	int ret = register_device(device, VFIO_IOMMU);

	trace_vfio_device_register(device->dev, ret);
	return ret;
}
EXPORT_SYMBOL_GPL(vfio_register_group_dev);

/**
 * vfio_register_emulated_iommu_dev() - Offer a device whose driver does its DMA
 * @device: an initialised device that does no DMA but what its driver checks
 *	and does for it, by vfio_pin_pages() and vfio_dma_rw()
 *
 * The device gets a group of its own, with no IOMMU behind it.
 *
 * Context: Process context, usually in probe with the device's lock held.
 * Pairs with vfio_unregister_group_dev().
 * Return: 0; -EINVAL when the driver lacks operations that belong together;
 * -ENOMEM; or another errno of creating the group or the device's node.
 */
int vfio_register_emulated_iommu_dev(struct vfio_device *device)
{
	int ret = register_device(device, VFIO_EMULATED_IOMMU);

	trace_vfio_device_register(device->dev, ret);
	return ret;
}
EXPORT_SYMBOL_GPL(vfio_register_emulated_iommu_dev);

/**
 * vfio_device_try_get_registration() - Keep a device registered for a while
 * @device: a device whose memory cannot go during the call
 *
 * A driver brackets with it what events do to the device, so that none comes
 * when the device is gone. vfio_unregister_group_dev() waits for the bracket's
 * end.
 *
 * Context: Any context.
 * Return: true with a reference, for vfio_device_put_registration(); false when
 * the device is not registered, or not any more.
 */
bool vfio_device_try_get_registration(struct vfio_device *device)
{
	return refcount_inc_not_zero(&device->refcount);
}
EXPORT_SYMBOL_GPL(vfio_device_try_get_registration);

/**
 * vfio_device_put_registration() - Drop a registration reference
 * @device: the device, which may be gone when this returns
 *
 * Context: Any context. Pairs with vfio_device_try_get_registration().
 */
void vfio_device_put_registration(struct vfio_device *device)
{
	if (refcount_dec_and_test(&device->refcount))
		complete(&device->unregistered);
}
EXPORT_SYMBOL_GPL(vfio_device_put_registration);

/* Says on whom the unbinding of a driver waits. */
static void tell_holder(struct vfio_device *device)
{
	struct task_struct *task = NULL;
	struct pid *pid;

	mutex_lock_nested(&device->dev_set->lock, VFIO_DEVICE_SET_UNBIND);
	pid = get_pid(device->opener);
	mutex_unlock(&device->dev_set->lock);

	if (pid)
		task = get_pid_task(pid, PIDTYPE_TGID);

	if (task)
		dev_warn(device->dev,
			 "still in use, opened by %s (%d): the driver stays until the device is closed, signals are ignored from now on\n",
			 task->comm, task_tgid_nr(task));
	else
		dev_warn(device->dev,
			 "still in use: the driver stays until the device is closed, signals are ignored from now on\n");

	if (task)
		put_task_struct(task);
	put_pid(pid);
}

static long wait_interruptibly(struct vfio_device *device)
{
	struct completion *done = &device->unregistered;

	return wait_for_completion_interruptible_timeout(done,
							 REQUEST_INTERVAL);
}

/*
 * Asks the users to let go, again and again, until they have. The request is
 * made while this task is running: a driver may sleep in it.
 */
static void wait_for_users(struct vfio_device *device)
{
	bool was_signalled = false;
	unsigned int asked = 0;
	long left = 0;

	if (try_wait_for_completion(&device->unregistered))
		return;

	while (left <= 0) {
		if (device->ops->request)
			device->ops->request(device, asked++);

		if (!was_signalled) {
			left = wait_interruptibly(device);
			if (left >= 0)
				continue;
			was_signalled = true;
			tell_holder(device);
		}

		left = wait_for_completion_timeout(&device->unregistered,
						   REQUEST_INTERVAL);
	}
}

/**
 * vfio_unregister_group_dev() - Take a device back from users
 * @device: a registered device
 *
 * From the start nobody new finds the device. Then ->request() is called at once
 * and every ten seconds until the last user has let go. When this returns no
 * operation is running, none will be called any more, and no container reaches
 * the device: its native driver may have it.
 *
 * Context: Process context, usually in remove with the device's lock held. May
 * wait for users without bound; a signal ends the wait no sooner but leaves a
 * message that tells who is waited for.
 */
void vfio_unregister_group_dev(struct vfio_device *device)
{
	if (WARN_ON(!device->registered))
		return;

	trace_vfio_device_unregister(device->dev);

	vfio_device_leave_sight(device);
	vfio_debugfs_remove_device(device);

	vfio_device_put_registration(device);
	wait_for_users(device);
	device->registered = false;

	device_del(&device->device);
	vfio_device_leave_group(device);
}
EXPORT_SYMBOL_GPL(vfio_unregister_group_dev);
