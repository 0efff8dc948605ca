// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reset of a whole slot or bus on the user's demand, after proof that all of it
 * is the user's.
 *
 * Two things are asked of every function that the reset hits. It must be in the
 * device set, that is, bound to a driver of vfio-pci-core and registered: so
 * nobody else drives it. And its user must be the caller: for devices opened by
 * groups, a file of its group is shown; for devices opened by their own nodes,
 * the iommufd is the same.
 */
#include <linux/file.h>
#include <linux/iommu.h>
#include <linux/slab.h>

#include "private.h"
#include "trace.h"

static int count_one(struct pci_dev *pdev, void *data)
{
	unsigned int *count = data;

	++*count;
	return 0;
}

static unsigned int count_hit(struct pci_dev *pdev)
{
	unsigned int count = 0;

	vfio_pci_visit_hit(pdev, count_one, &count);
	return count;
}

/* The list for the user while it is made; dev_set->lock. */
struct hit_list {
	struct vfio_pci_core_device *vdev;
	struct vfio_pci_dependent_device *devices;
	unsigned int room;
	unsigned int count;
	u32 flags;
	int err;
};

static int fill_group(struct pci_dev *pdev,
		      struct vfio_pci_dependent_device *entry)
{
	struct iommu_group *group = iommu_group_get(&pdev->dev);

	/* Nobody can show that they own what is in no group. */
	if (!group)
		return -EPERM;

	entry->group_id = iommu_group_id(group);
	iommu_group_put(group);
	return 0;
}

static void fill_devid(struct hit_list *list, struct pci_dev *pdev,
		       struct vfio_pci_dependent_device *entry)
{
	struct iommufd_ctx *ictx = vfio_iommufd_device_ictx(&list->vdev->vdev);
	struct vfio_device *device;
	int id = VFIO_PCI_DEVID_NOT_OWNED;

	device = vfio_find_device_in_devset(list->vdev->vdev.dev_set,
					    &pdev->dev);
	if (device)
		id = vfio_iommufd_get_dev_id(device, ictx);
	if (id == -ENOENT)
		id = VFIO_PCI_DEVID_OWNED;
	else if (id < 0)
		id = VFIO_PCI_DEVID_NOT_OWNED;

	if (id == VFIO_PCI_DEVID_NOT_OWNED)
		list->flags &= ~VFIO_PCI_HOT_RESET_FLAG_DEV_ID_OWNED;
	entry->devid = id;
}

static int fill_one(struct pci_dev *pdev, void *data)
{
	struct vfio_pci_dependent_device *entry;
	struct hit_list *list = data;

	if (list->count == list->room) {
		list->err = -EAGAIN;
		return 1;
	}

	entry = &list->devices[list->count++];
	entry->segment = pci_domain_nr(pdev->bus);
	entry->bus = pdev->bus->number;
	entry->devfn = pdev->devfn;
	if (list->flags & VFIO_PCI_HOT_RESET_FLAG_DEV_ID)
		fill_devid(list, pdev, entry);
	else
		list->err = fill_group(pdev, entry);
	return list->err;
}

static int fill_list(struct hit_list *list)
{
	struct vfio_device *core_vdev = &list->vdev->vdev;

	guard(mutex)(&core_vdev->dev_set->lock);

	if (vfio_device_cdev_opened(core_vdev))
		list->flags = VFIO_PCI_HOT_RESET_FLAG_DEV_ID |
			      VFIO_PCI_HOT_RESET_FLAG_DEV_ID_OWNED;

	vfio_pci_visit_hit(list->vdev->pdev, fill_one, list);
	if (!list->err && list->count < list->room)
		return -EAGAIN;
	return list->err;
}

/* VFIO_DEVICE_GET_PCI_HOT_RESET_INFO */
long vfio_pci_get_hot_reset_info(struct vfio_pci_core_device *vdev,
				 void __user *uarg)
{
	const size_t minsz = offsetofend(struct vfio_pci_hot_reset_info, count);
	struct hit_list list = { .vdev = vdev };
	struct vfio_pci_hot_reset_info hdr;
	int ret;

	ret = vfio_uarg_get(&hdr, sizeof(hdr), minsz, uarg);
	if (ret)
		return ret;
	if (!vfio_pci_can_reset_bus(vdev->pdev))
		return -ENODEV;

	hdr.flags = 0;
	hdr.count = count_hit(vdev->pdev);
	if ((hdr.argsz - minsz) / sizeof(*list.devices) < hdr.count)
		return copy_to_user(uarg, &hdr, minsz) ? -EFAULT : -ENOSPC;

	list.room = hdr.count;
	list.devices = kcalloc(list.room, sizeof(*list.devices),
			       GFP_KERNEL_ACCOUNT);
	if (!list.devices)
		return -ENOMEM;

	ret = fill_list(&list);
	if (!ret) {
		hdr.flags = list.flags;
		if (copy_to_user(uarg, &hdr, minsz) ||
		    copy_to_user(uarg + minsz, list.devices,
				 array_size(list.count, sizeof(*list.devices))))
			ret = -EFAULT;
	}
	kfree(list.devices);
	return ret;
}

/* What the caller shows to prove that devices are its own. */
struct proof {
	struct file **groups;
	unsigned int count;		/* 0: by iommufd */
	struct iommufd_ctx *ictx;
};

static bool owns(const struct proof *proof, struct vfio_device *device)
{
	unsigned int i;
	int id;

	for (i = 0; i < proof->count; i++)
		if (vfio_file_has_dev(proof->groups[i], device))
			return true;
	if (proof->count)
		return false;

	id = vfio_iommufd_get_dev_id(device, proof->ictx);
	return id > 0 || id == -ENOENT;
}

static bool owns_set(struct vfio_pci_core_device *vdev,
		     const struct proof *proof)
{
	struct vfio_device_set *dev_set = vdev->vdev.dev_set;
	struct vfio_pci_core_device *cur;

	lockdep_assert_held(&dev_set->lock);

	vfio_pci_for_each_in_set(cur, dev_set) {
		if (!owns(proof, &cur->vdev)) {
			trace_vfio_pci_refuse_reset(vdev->pdev, cur->pdev,
						    true);
			pci_info_ratelimited(cur->pdev,
					     "no reset of its slot or bus: not shown to belong to whoever asks\n");
			return false;
		}
	}
	return true;
}

static void unlock_before(struct vfio_device_set *dev_set,
			  struct vfio_pci_core_device *cur)
{
	list_for_each_entry_continue_reverse(cur, &dev_set->device_list,
					     vdev.dev_set_list)
		vfio_pci_memory_write_unlock(cur);
}

/*
 * Everybody out of the memory of all devices. By trylock, since a user may
 * have its threads wait for them in any order.
 */
static int lock_set(struct vfio_device_set *dev_set)
{
	struct vfio_pci_core_device *cur;

	lockdep_assert_held(&dev_set->lock);

	vfio_pci_for_each_in_set(cur, dev_set) {
		if (!vfio_pci_memory_try_write_lock(cur)) {
			unlock_before(dev_set, cur);
			return -EBUSY;
		}
	}
	return 0;
}

static int reset_set_locked(struct vfio_pci_core_device *vdev)
{
	struct vfio_device_set *dev_set = vdev->vdev.dev_set;
	struct vfio_pci_core_device *cur;
	int ret;

	lockdep_assert_held(&dev_set->lock);

	ret = lock_set(dev_set);
	if (ret)
		return ret;

	vfio_pci_for_each_in_set(cur, dev_set)
		vfio_pci_set_power_state(cur, PCI_D0);

	ret = pci_reset_bus(vdev->pdev);

	vfio_pci_for_each_in_set(cur, dev_set) {
		if (!ret)
			cur->needs_reset = false;
		vfio_pci_intx_sync(cur);
		vfio_pci_memory_write_unlock(cur);
	}
	return ret;
}

static int reset_if_owned(struct vfio_pci_core_device *vdev,
			  const struct proof *proof)
{
	struct vfio_device_set *dev_set = vdev->vdev.dev_set;
	int ret;

	lockdep_assert_held(&dev_set->lock);

	if (!vfio_pci_set_covers_reset(vdev, true) || !owns_set(vdev, proof))
		return -EINVAL;

	ret = vfio_pci_set_wake(dev_set);
	if (ret)
		return ret;
	ret = reset_set_locked(vdev);
	vfio_pci_set_release(dev_set);
	return ret;
}

static void put_groups(struct file **groups, unsigned int count)
{
	while (count--)
		fput(groups[count]);
	kfree(groups);
}

/* Return: the files of count groups, or ERR_PTR() of -EBADF, -EINVAL, ... */
static struct file **get_groups(const s32 *fds, unsigned int count)
{
	struct file **groups;
	unsigned int i;
	int ret;

	groups = kcalloc(count, sizeof(*groups), GFP_KERNEL_ACCOUNT);
	if (!groups)
		return ERR_PTR(-ENOMEM);

	for (i = 0; i < count; i++) {
		ret = -EBADF;
		groups[i] = fget(fds[i]);
		if (!groups[i])
			goto out_put;

		ret = -EINVAL;
		if (!vfio_file_is_group(groups[i])) {
			i++;
			goto out_put;
		}
	}
	return groups;

out_put:
	put_groups(groups, i);
	return ERR_PTR(ret);
}

static int hot_reset_by_groups(struct vfio_pci_core_device *vdev,
			       const s32 __user *ufds, unsigned int count)
{
	struct proof proof = { .count = count };
	s32 *fds;
	int ret;

	/* More groups than functions prove nothing more. */
	if (count > count_hit(vdev->pdev))
		return -EINVAL;

	fds = memdup_array_user(ufds, count, sizeof(*fds));
	if (IS_ERR(fds))
		return PTR_ERR(fds);

	proof.groups = get_groups(fds, count);
	kfree(fds);
	if (IS_ERR(proof.groups))
		return PTR_ERR(proof.groups);

	mutex_lock(&vdev->vdev.dev_set->lock);
	ret = reset_if_owned(vdev, &proof);
	mutex_unlock(&vdev->vdev.dev_set->lock);

	put_groups(proof.groups, count);
	return ret;
}

static int hot_reset_by_iommufd(struct vfio_pci_core_device *vdev)
{
	struct proof proof = {};

	guard(mutex)(&vdev->vdev.dev_set->lock);

	/* None is bound: nothing says that anything is the caller's. */
	proof.ictx = vfio_iommufd_device_ictx(&vdev->vdev);
	if (!proof.ictx)
		return -EINVAL;
	return reset_if_owned(vdev, &proof);
}

/* How a device was opened does not change while the caller has it open. */
static bool is_opened_by_cdev(struct vfio_pci_core_device *vdev)
{
	guard(mutex)(&vdev->vdev.dev_set->lock);
	return vfio_device_cdev_opened(&vdev->vdev);
}

/* VFIO_DEVICE_PCI_HOT_RESET */
long vfio_pci_hot_reset(struct vfio_pci_core_device *vdev, void __user *uarg)
{
	const size_t minsz = offsetofend(struct vfio_pci_hot_reset, count);
	struct vfio_pci_hot_reset hdr;
	int ret;

	ret = vfio_uarg_get(&hdr, sizeof(hdr), minsz, uarg);
	if (ret)
		return ret;
	/* Groups are proof for what was opened by a group, and for that alone. */
	if (hdr.flags || !hdr.count != is_opened_by_cdev(vdev))
		return -EINVAL;
	if (!vfio_pci_can_reset_bus(vdev->pdev))
		return -ENODEV;

	if (hdr.count)
		ret = hot_reset_by_groups(vdev, uarg + minsz, hdr.count);
	else
		ret = hot_reset_by_iommufd(vdev);

	trace_vfio_pci_set_reset(vdev->pdev, ret);
	return ret;
}
