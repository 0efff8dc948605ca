// SPDX-License-Identifier: GPL-2.0-only
/*
 * Groups of devices: the registry, the node /dev/vfio/N and the DMA of each.
 *
 * A group is found or made when a device registers. Where an IOMMU stands
 * before the device the group is the IOMMU's; otherwise the core makes one that
 * holds this device only.
 *
 * With its last device a group loses its node, its container and its IOMMU
 * group, in this order. A file that is open then keeps an empty shell, which
 * answers -ENODEV: programs neither hold up the removal of hardware nor keep
 * what is behind it.
 */
#include <linux/export.h>
#include <linux/idr.h>
#include <linux/iommu.h>
#include <linux/pci.h>
#include <linux/platform_device.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/vfio.h>
#include <linux/wait.h>

#include "container.h"
#include "group.h"
#include "noiommu.h"
#include "trace.h"

static LIST_HEAD(groups);
static DEFINE_MUTEX(groups_lock);

static dev_t group_devt;
static DEFINE_IDA(group_minors);
static DECLARE_WAIT_QUEUE_HEAD(group_released);

static char *name_node(const struct device *dev, umode_t *mode)
{
	return kasprintf(GFP_KERNEL, "vfio/%s", dev_name(dev));
}

/* Not static: the driver core may need it longer than the module is there. */
static struct class *group_class;

int vfio_group_init(void)
{
	int ret;

	group_class = class_create("vfio");
	if (IS_ERR(group_class))
		return PTR_ERR(group_class);
	group_class->devnode = name_node;

	/* A count, so one more than the last minor. */
	ret = alloc_chrdev_region(&group_devt, 0, MINORMASK + 1, "vfio");
	if (ret)
		class_destroy(group_class);
	return ret;
}

void vfio_group_exit(void)
{
	/* release_group() is this module's. */
	wait_event(group_released, ida_is_empty(&group_minors));
	unregister_chrdev_region(group_devt, MINORMASK + 1);
	class_destroy(group_class);
	ida_destroy(&group_minors);
}

static void release_group(struct device *dev)
{
	struct vfio_group *group = container_of(dev, struct vfio_group, dev);
	int minor = MINOR(dev->devt);

	mutex_destroy(&group->device_lock);
	mutex_destroy(&group->lock);
	kfree(group);

	ida_free(&group_minors, minor);
	wake_up(&group_released);
}

/* A group without node or hardware yet; put_device() frees it. */
static struct vfio_group *new_group(int number, enum vfio_group_type type)
{
	struct vfio_group *group;
	int minor;

	group = kzalloc(sizeof(*group), GFP_KERNEL);
	if (!group)
		return ERR_PTR(-ENOMEM);

	minor = ida_alloc_max(&group_minors, MINORMASK, GFP_KERNEL);
	if (minor < 0) {
		kfree(group);
		return ERR_PTR(minor);
	}

	group->type = type;
	group->number = number;
	mutex_init(&group->lock);
	mutex_init(&group->device_lock);
	INIT_LIST_HEAD(&group->device_list);
	vfio_kvm_hint_init(&group->kvm);

	device_initialize(&group->dev);
	group->dev.devt = MKDEV(MAJOR(group_devt), minor);
	group->dev.class = group_class;
	group->dev.release = release_group;
	cdev_init(&group->cdev, &vfio_group_fops);
	group->cdev.owner = THIS_MODULE;
	return group;
}

/* Makes a group and, last, its node. Takes over the reference on success. */
static struct vfio_group *create_group(struct iommu_group *iommu_group,
				       enum vfio_group_type type)
{
	int number = iommu_group_id(iommu_group);
	struct vfio_group *group;
	int ret;

	lockdep_assert_held(&groups_lock);

	group = new_group(number, type);
	if (IS_ERR(group))
		return group;

	ret = dev_set_name(&group->dev, "%s%d",
			   type == VFIO_NO_IOMMU ? "noiommu-" : "", number);
	if (ret)
		goto out_put;

	group->iommu_group = iommu_group;
	ret = cdev_device_add(&group->cdev, &group->dev);
	if (ret)
		goto out_put;

	list_add(&group->registry_entry, &groups);
	return group;

out_put:
	put_device(&group->dev);
	return ERR_PTR(ret);
}

static struct vfio_group *find_group(struct iommu_group *iommu_group)
{
	struct vfio_group *group;

	lockdep_assert_held(&groups_lock);

	/* Groups that lost their hardware are not listed any more. */
	list_for_each_entry(group, &groups, registry_entry)
		if (group->iommu_group == iommu_group)
			return group;
	return NULL;
}

/* Joins the group of an IOMMU group; takes over the reference in any case. */
static int join(struct vfio_device *device, struct iommu_group *iommu_group,
		enum vfio_group_type type)
{
	struct vfio_group *group;

	guard(mutex)(&groups_lock);

	group = find_group(iommu_group);
	if (group) {
		/* It holds a reference of its own. */
		iommu_group_put(iommu_group);
	} else {
		group = create_group(iommu_group, type);
		if (IS_ERR(group)) {
			iommu_group_put(iommu_group);
			return PTR_ERR(group);
		}
	}

	group->device_count++;
	WRITE_ONCE(device->group, group);
	return 0;
}

/* Makes an IOMMU group for a device that no IOMMU stands before. */
static struct iommu_group *make_iommu_group(struct device *dev,
					    const char *name)
{
	struct iommu_group *iommu_group;
	int ret;

	iommu_group = iommu_group_alloc();
	if (IS_ERR(iommu_group))
		return iommu_group;

	ret = iommu_group_set_name(iommu_group, name);
	if (!ret)
		ret = iommu_group_add_device(iommu_group, dev);
	if (ret) {
		iommu_group_put(iommu_group);
		return ERR_PTR(ret);
	}
	return iommu_group;
}

static int join_made_group(struct vfio_device *device, const char *name,
			   enum vfio_group_type type)
{
	struct iommu_group *iommu_group;
	int ret;

	iommu_group = make_iommu_group(device->dev, name);
	if (IS_ERR(iommu_group))
		return PTR_ERR(iommu_group);

	ret = join(device, iommu_group, type);
	if (ret)
		iommu_group_remove_device(device->dev);
	return ret;
}

static int join_unfenced(struct vfio_device *device)
{
	int ret;

	if (!vfio_noiommu_is_enabled()) {
		dev_warn(device->dev,
			 "no IOMMU stands before this device, so VFIO does not offer it\n");
		return -EINVAL;
	}

	ret = join_made_group(device, "vfio-noiommu", VFIO_NO_IOMMU);
	if (!ret)
		vfio_noiommu_taint(device->dev);
	return ret;
}

static int join_fenced(struct vfio_device *device)
{
	struct iommu_group *iommu_group = iommu_group_get(device->dev);

	if (!iommu_group)
		return join_unfenced(device);

	/*
	 * Users cannot flush the caches of memory they share with a device, so
	 * the IOMMU must be able to keep them coherent.
	 */
	if (!device_iommu_capable(device->dev, IOMMU_CAP_CACHE_COHERENCY)) {
		dev_warn(device->dev,
			 "the IOMMU cannot keep its DMA coherent, so VFIO does not offer it\n");
		iommu_group_put(iommu_group);
		return -EINVAL;
	}

	return join(device, iommu_group, VFIO_IOMMU);
}

/**
 * vfio_device_join_group() - Put a device into its group
 * @device: a device that is being registered
 * @type: VFIO_IOMMU or VFIO_EMULATED_IOMMU
 *
 * Users do not find the device in the group yet.
 *
 * Context: Process context. Takes and releases the registry's mutex. Pairs with
 * vfio_device_leave_group().
 * Return: 0; -EINVAL for a device without IOMMU, unless that is allowed, and for
 * an IOMMU that does not keep caches coherent; -ENOMEM; or an errno of making
 * the group.
 */
int vfio_device_join_group(struct vfio_device *device,
			   enum vfio_group_type type)
{
	if (type == VFIO_EMULATED_IOMMU)
		return join_made_group(device, "vfio-emulated", type);
	return join_fenced(device);
}

/* Takes a group out of users' reach when this was its last device. */
static bool leave_registry(struct vfio_group *group)
{
	guard(mutex)(&groups_lock);

	if (--group->device_count)
		return false;

	/* Under the lock, so that a group made next finds the name free. */
	list_del(&group->registry_entry);
	cdev_device_del(&group->cdev, &group->dev);
	return true;
}

/*
 * The hardware is going: no container may reach it any more. The user is not
 * waited for; a file that stays open has nothing left to ask for.
 */
static struct iommu_group *revoke_hardware(struct vfio_group *group)
{
	struct iommu_group *iommu_group;

	guard(mutex)(&group->lock);

	if (group->container)
		vfio_container_detach_group(group);

	mutex_lock(&group->device_lock);
	iommu_group = group->iommu_group;
	group->iommu_group = NULL;
	mutex_unlock(&group->device_lock);
	return iommu_group;
}

/**
 * vfio_device_leave_group() - Take a device out of its group
 * @device: a device that nobody uses or finds any more
 *
 * The last device takes the group's node, its place in a container and its
 * ownership of DMA with it.
 *
 * Context: Process context. Takes and releases, one after the other, the lock of
 * the group's devices, the registry's mutex and the group's lock.
 */
void vfio_device_leave_group(struct vfio_device *device)
{
	struct vfio_group *group = device->group;
	struct iommu_group *iommu_group = NULL;
	bool is_made = group->type != VFIO_IOMMU;

	mutex_lock(&group->device_lock);
	list_del_init(&device->group_next);
	mutex_unlock(&group->device_lock);

	WRITE_ONCE(device->group, NULL);
	if (leave_registry(group)) {
		iommu_group = revoke_hardware(group);
		put_device(&group->dev);
	}

	if (is_made)
		iommu_group_remove_device(device->dev);
	iommu_group_put(iommu_group);
}

/**
 * vfio_device_enter_sight() - Let users find a device in its group
 * @device: a device whose registration is otherwise complete
 *
 * Context: Process context. Takes and releases a leaf lock. Pairs with
 * vfio_device_leave_sight().
 */
void vfio_device_enter_sight(struct vfio_device *device)
{
	struct vfio_group *group = device->group;

	guard(mutex)(&group->device_lock);

	device->in_sight = true;
	list_add_tail(&device->group_next, &group->device_list);
}

/**
 * vfio_device_leave_sight() - Let nobody find a device in its group any more
 * @device: a device that is to be unregistered
 *
 * It stays listed until its users are gone: they still have it, and what is asked
 * of the group is asked of it too.
 *
 * Context: Process context. Takes and releases a leaf lock.
 */
void vfio_device_leave_sight(struct vfio_device *device)
{
	guard(mutex)(&device->group->device_lock);

	device->in_sight = false;
}

static int match_name(struct vfio_device *device, char *name)
{
	if (device->ops->match)
		return device->ops->match(device, name);
	return !strcmp(dev_name(device->dev), name);
}

/*
 * The next device of a group that users may find, or the first, with a
 * registration reference. The one before has such a reference too, and with it
 * its place in the list.
 */
static struct vfio_device *next_in_sight(struct vfio_group *group,
					 struct vfio_device *previous)
{
	struct vfio_device *device;

	guard(mutex)(&group->device_lock);

	device = list_prepare_entry(previous, &group->device_list, group_next);
	list_for_each_entry_continue(device, &group->device_list, group_next)
		if (device->in_sight &&
		    vfio_device_try_get_registration(device))
			return device;
	return NULL;
}

/**
 * vfio_group_find_device() - Find the device that a user names
 * @group: the group
 * @name: what the user wrote; a driver may understand more than a name
 *
 * Context: Process context. Calls ->match() with no lock of the group's held.
 * Return: the device with a registration reference, or ERR_PTR() of -ENODEV or
 * of what ->match() refused the device with.
 */
struct vfio_device *vfio_group_find_device(struct vfio_group *group,
					   char *name)
{
	struct vfio_device *device = NULL, *previous;
	int ret;

	for (;;) {
		previous = device;
		device = next_in_sight(group, previous);
		if (previous)
			vfio_device_put_registration(previous);
		if (!device)
			return ERR_PTR(-ENODEV);

		ret = match_name(device, name);
		if (ret > 0)
			return device;
		if (ret < 0) {
			vfio_device_put_registration(device);
			return ERR_PTR(ret);
		}
	}
}

/* Did its bus claim DMA for the driver of this device? */
static bool driver_uses_dma_api(struct device *dev)
{
	/* Like dev_driver_string(), for a message: the driver may be leaving. */
	struct device_driver *driver = READ_ONCE(dev->driver);

	if (!driver)
		return false;
	if (dev_is_pci(dev))
		return !to_pci_driver(driver)->driver_managed_dma;
	if (dev_is_platform(dev))
		return !to_platform_driver(driver)->driver_managed_dma;
	return true;
}

static bool has_joined(struct vfio_group *group, struct device *dev)
{
	struct vfio_device *device;

	guard(mutex)(&group->device_lock);

	list_for_each_entry(device, &group->device_list, group_next)
		if (device->dev == dev)
			return true;
	return false;
}

static int name_if_blocking(struct device *dev, void *data)
{
	struct vfio_group *group = data;

	if (driver_uses_dma_api(dev) && !has_joined(group, dev))
		dev_warn_ratelimited(dev,
				     "keeps group %d from being used by VFIO: bound to driver %s\n",
				     group->number, dev_driver_string(dev));
	return 0;
}

/* Tells which devices and drivers keep a group from being viable. */
static void name_blockers(struct vfio_group *group)
{
	iommu_group_for_each_dev(group->iommu_group, group, name_if_blocking);
}

/**
 * vfio_group_is_viable() - Could a user own the DMA of a group?
 * @group: a group in no container, with hardware behind it
 *
 * A message names what stands in the way.
 *
 * Context: Process context, the group's lock held.
 * Return: true when nobody owns it.
 */
bool vfio_group_is_viable(struct vfio_group *group)
{
	bool is_viable;

	lockdep_assert_held(&group->lock);

	is_viable = group->type != VFIO_IOMMU ||
		    !iommu_group_dma_owner_claimed(group->iommu_group);
	trace_vfio_group_viable(group->number, is_viable ? 0 : -EBUSY);
	if (!is_viable)
		name_blockers(group);
	return is_viable;
}

/**
 * vfio_group_claim_dma() - Own the DMA of all devices in a group
 * @group: a group with hardware behind it
 *
 * From then on no native driver binds to any of them. Groups without an IOMMU
 * have no DMA to own. A message names what stands in the way.
 *
 * Context: Process context, the group's lock held. Pairs with
 * vfio_group_release_dma().
 * Return: 0, -EBUSY when somebody else owns it, or another errno of the IOMMU.
 */
int vfio_group_claim_dma(struct vfio_group *group)
{
	int ret;

	lockdep_assert_held(&group->lock);

	if (group->type != VFIO_IOMMU)
		return 0;

	ret = iommu_group_claim_dma_owner(group->iommu_group, group);
	/* The IOMMU's word for an owner that is there already. */
	if (ret == -EPERM)
		ret = -EBUSY;
	if (ret == -EBUSY)
		name_blockers(group);
	trace_vfio_group_viable(group->number, ret);
	return ret;
}

/**
 * vfio_group_release_dma() - Give the DMA of a group back
 * @group: a group that reaches no container's memory any more
 *
 * Context: Process context, the group's lock held.
 */
void vfio_group_release_dma(struct vfio_group *group)
{
	lockdep_assert_held(&group->lock);

	if (group->type == VFIO_IOMMU)
		iommu_group_release_dma_owner(group->iommu_group);
}

/**
 * vfio_group_get_iommu_group() - Get the IOMMU group behind a group
 * @group: the group, kept by its file or by a device of it
 *
 * Context: Process context. Takes and releases a leaf lock.
 * Return: it, with a reference for iommu_group_put(), or NULL when the hardware
 * is gone.
 */
struct iommu_group *vfio_group_get_iommu_group(struct vfio_group *group)
{
	guard(mutex)(&group->device_lock);

	if (!group->iommu_group)
		return NULL;
	return iommu_group_ref_get(group->iommu_group);
}

/**
 * vfio_group_enforces_coherency() - Is all DMA of a group kept coherent?
 * @group: the group, kept by its file
 *
 * Context: Process context. Takes and releases a leaf lock.
 * Return: false when a device of it could do DMA past the caches.
 */
bool vfio_group_enforces_coherency(struct vfio_group *group)
{
	struct vfio_device *device;

	guard(mutex)(&group->device_lock);

	list_for_each_entry(device, &group->device_list, group_next)
		if (!device_iommu_capable(device->dev,
					  IOMMU_CAP_ENFORCE_CACHE_COHERENCY))
			return false;
	return true;
}

/**
 * vfio_group_has_device() - Is a device in a group?
 * @group: the group, kept by its file
 * @device: a device whose memory stays during the call; it may be registered or
 *	unregistered meanwhile
 *
 * Context: Any context; takes no lock.
 * Return: true when it is.
 */
bool vfio_group_has_device(struct vfio_group *group,
			   struct vfio_device *device)
{
	return READ_ONCE(device->group) == group;
}
