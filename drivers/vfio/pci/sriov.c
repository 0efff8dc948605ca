// SPDX-License-Identifier: GPL-2.0-only
/*
 * Physical and virtual functions in the hands of different users.
 *
 * Whoever drives a physical function can watch and break its virtual ones, so
 * their users must trust each other. They show that by a token: a UUID that is
 * random at first, that the user of the physical function sets, and that nobody
 * can read. Every open of a virtual function has to name it; and so has an open
 * of the physical function while virtual ones are in use.
 *
 * Virtual functions of a physical function with VFIO never go to a host driver
 * by themselves: they are given to the driver of the physical one as they
 * appear.
 */
#include <linux/module.h>
#include <linux/pm_runtime.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uuid.h>
#include <kunit/visibility.h>

#include "private.h"

struct vfio_pci_vf_token {
	struct mutex lock;	/* both below; a leaf */
	uuid_t uuid;
	unsigned int users;	/* virtual functions that are open */
};

/* Physical functions whose virtual ones exist or are being made; a leaf. */
static DEFINE_MUTEX(pfs_lock);
static LIST_HEAD(pfs);

/*
 * The physical function of a virtual one, if it is with VFIO. It stays until
 * all its virtual functions are gone.
 */
void vfio_pci_sriov_init(struct vfio_pci_core_device *vdev)
{
	struct vfio_pci_core_device *cur;

	INIT_LIST_HEAD(&vdev->sriov_pfs_item);
	if (!vdev->pdev->is_virtfn)
		return;

	guard(mutex)(&pfs_lock);
	list_for_each_entry(cur, &pfs, sriov_pfs_item)
		if (cur->pdev == pci_physfn(vdev->pdev))
			vdev->sriov_pf_core_dev = cur;
}

/*
 * A name for each virtual function that is about to appear: it must not be lack
 * of memory that leaves one to a host driver.
 */
static int set_names_aside(struct vfio_pci_core_device *vdev, unsigned int count)
{
	guard(mutex)(&pfs_lock);

	vdev->vf_names = kcalloc(count, sizeof(*vdev->vf_names), GFP_KERNEL);
	if (!vdev->vf_names)
		return -ENOMEM;

	for (; vdev->nr_vf_names < count; vdev->nr_vf_names++) {
		char *name = kstrdup(vdev->vdev.ops->name, GFP_KERNEL);

		if (!name)
			return -ENOMEM;
		vdev->vf_names[vdev->nr_vf_names] = name;
	}
	return 0;
}

static const char *take_name(struct vfio_pci_core_device *vdev)
{
	guard(mutex)(&pfs_lock);
	return vdev->nr_vf_names ? vdev->vf_names[--vdev->nr_vf_names] : NULL;
}

static void drop_names(struct vfio_pci_core_device *vdev)
{
	guard(mutex)(&pfs_lock);

	while (vdev->nr_vf_names)
		kfree(vdev->vf_names[--vdev->nr_vf_names]);
	kfree(vdev->vf_names);
	vdev->vf_names = NULL;
}

/*
 * device_set_driver_override() allocates, and by now nothing but the override
 * keeps the host's drivers away. So a name that was set aside is put in place;
 * only where the platform adds virtual functions by itself there is none.
 */
static void capture(struct vfio_pci_core_device *vdev, struct pci_dev *vf)
{
	const char *name = take_name(vdev);

	if (name) {
		scoped_guard(spinlock, &vf->dev.driver_override.lock)
			swap(vf->dev.driver_override.name, name);
		kfree(name);
	} else if (device_set_driver_override(&vf->dev, vdev->vdev.ops->name)) {
		pci_err(vdev->pdev, "virtual function %s is left to host drivers\n",
			pci_name(vf));
		return;
	}
	pci_info(vdev->pdev, "virtual function %s goes to driver %s\n",
		 pci_name(vf), vdev->vdev.ops->name);
}

static int vf_notify(struct notifier_block *nb, unsigned long action,
		     void *data)
{
	struct vfio_pci_core_device *vdev =
		container_of(nb, struct vfio_pci_core_device, nb);
	struct pci_dev *vf = to_pci_dev(data);
	struct pci_driver *driver;

	if (!vf->is_virtfn || pci_physfn(vf) != vdev->pdev)
		return NOTIFY_DONE;

	if (action == BUS_NOTIFY_ADD_DEVICE) {
		capture(vdev, vf);
	} else if (action == BUS_NOTIFY_BOUND_DRIVER) {
		driver = pci_dev_driver(vf);
		if (driver && driver != pci_dev_driver(vdev->pdev))
			pci_warn(vdev->pdev,
				 "virtual function %s is bound to %s, which has to trust the user of this function\n",
				 pci_name(vf), driver->name);
	}
	return NOTIFY_OK;
}

/* Before the device can be opened; undone by vfio_pci_sriov_unregister(). */
int vfio_pci_sriov_register(struct vfio_pci_core_device *vdev)
{
	struct vfio_pci_vf_token *token;
	int ret;

	if (!vdev->pdev->is_physfn)
		return 0;

	token = kzalloc(sizeof(*token), GFP_KERNEL);
	if (!token)
		return -ENOMEM;
	mutex_init(&token->lock);
	uuid_gen(&token->uuid);

	vdev->nb.notifier_call = vf_notify;
	ret = bus_register_notifier(&pci_bus_type, &vdev->nb);
	if (ret) {
		kfree(token);
		return ret;
	}

	vdev->vf_token = token;
	return 0;
}

void vfio_pci_sriov_unregister(struct vfio_pci_core_device *vdev)
{
	if (!vdev->vf_token)
		return;

	bus_unregister_notifier(&pci_bus_type, &vdev->nb);
	WARN_ON_ONCE(vdev->vf_token->users);
	mutex_destroy(&vdev->vf_token->lock);
	kfree_sensitive(vdev->vf_token);
	vdev->vf_token = NULL;
}

/*
 * A step of opening: the physical function is told of users of its virtual
 * ones. It stays longer than they do.
 */
int vfio_pci_vf_token_open(struct vfio_pci_core_device *vdev)
{
	struct vfio_pci_core_device *pf = vdev->sriov_pf_core_dev;

	if (pf) {
		guard(mutex)(&pf->vf_token->lock);
		pf->vf_token->users++;
	}
	return 0;
}

void vfio_pci_vf_token_close(struct vfio_pci_core_device *vdev)
{
	struct vfio_pci_core_device *pf = vdev->sriov_pf_core_dev;

	if (pf) {
		guard(mutex)(&pf->vf_token->lock);
		pf->vf_token->users--;
	}
}

static int check_as_vf(struct vfio_pci_core_device *vdev, const uuid_t *given)
{
	struct vfio_pci_core_device *pf = vdev->sriov_pf_core_dev;

	/* A host driver has the physical function, and is trusted. */
	if (!pf)
		return given ? -EINVAL : 0;

	guard(mutex)(&pf->vf_token->lock);
	if (given && uuid_equal(given, &pf->vf_token->uuid))
		return 0;

	pci_info_ratelimited(vdev->pdev, "not opened: %s VF token\n",
			     given ? "wrong" : "no");
	return -EACCES;
}

static int check_as_pf(struct vfio_pci_core_device *vdev, const uuid_t *given)
{
	struct vfio_pci_vf_token *token = vdev->vf_token;

	guard(mutex)(&token->lock);
	if (!token->users) {
		if (given)
			uuid_copy(&token->uuid, given);
		return 0;
	}
	if (given && uuid_equal(given, &token->uuid))
		return 0;

	pci_info_ratelimited(vdev->pdev,
			     "not opened: %s VF token, and virtual functions are in use\n",
			     given ? "wrong" : "no");
	return -EACCES;
}

/*
 * Check the token that an opener gave, NULL for none. An opener of a physical
 * function that no virtual one depends on sets it instead.
 */
static int check_token(struct vfio_pci_core_device *vdev, const uuid_t *given)
{
	if (vdev->pdev->is_virtfn)
		return check_as_vf(vdev, given);
	if (vdev->vf_token)
		return check_as_pf(vdev, given);
	return given ? -EINVAL : 0;
}

/* Options behind a device's name; vf_token=UUID is the only one. */
VISIBLE_IF_KUNIT int vfio_pci_parse_options(const char *text, uuid_t *uuid,
					    bool *has_token)
{
	static const char key[] = "vf_token=";

	*has_token = false;
	for (text = skip_spaces(text); *text; text = skip_spaces(text)) {
		if (*has_token || !strstarts(text, key))
			return -EINVAL;
		text += strlen(key);

		if (strlen(text) < UUID_STRING_LEN || uuid_parse(text, uuid))
			return -EINVAL;
		text += UUID_STRING_LEN;
		*has_token = true;
	}
	return 0;
}

/**
 * vfio_pci_core_match() - Does a name mean this device, and may it be opened?
 * @core_vdev: the device
 * @buf: name given to VFIO_GROUP_GET_DEVICE_FD, perhaps followed by options
 *
 * The option is "vf_token=" and a UUID.
 *
 * Context: Process context.
 * Return: 1 when it does; 0 when not; -EINVAL for options that are malformed or
 * that the device does not take; -EACCES where a token is needed and none or
 * another one was given.
 */
int vfio_pci_core_match(struct vfio_device *core_vdev, char *buf)
{
	struct vfio_pci_core_device *vdev =
		container_of(core_vdev, struct vfio_pci_core_device, vdev);
	const char *name = pci_name(vdev->pdev);
	size_t len = strlen(name);
	bool has_token;
	uuid_t uuid;
	int ret;

	if (strncmp(name, buf, len) || (buf[len] && buf[len] != ' '))
		return 0;

	ret = vfio_pci_parse_options(buf + len, &uuid, &has_token);
	if (!ret)
		ret = check_token(vdev, has_token ? &uuid : NULL);
	return ret ? ret : 1;
}
EXPORT_SYMBOL_GPL(vfio_pci_core_match);

/* VFIO_DEVICE_FEATURE_PCI_VF_TOKEN: only set, never told */
int vfio_pci_set_vf_token(struct vfio_pci_core_device *vdev, u32 flags,
			  void __user *arg, size_t argsz)
{
	struct vfio_pci_vf_token *token = vdev->vf_token;
	uuid_t new;
	int ret;

	ret = token ? vfio_check_feature(flags, argsz,
					 VFIO_DEVICE_FEATURE_SET, sizeof(new)) :
		      -ENOTTY;
	if (ret <= 0)
		return ret;
	if (copy_from_user(&new, arg, sizeof(new)))
		return -EFAULT;

	scoped_guard(mutex, &token->lock)
		uuid_copy(&token->uuid, &new);
	return 0;
}

/* While it says true, the device stays awake, whatever its user writes. */
static void set_active(struct vfio_pci_core_device *vdev, bool is_active)
{
	vfio_pci_memory_write_lock(vdev);
	if (is_active)
		vfio_pci_set_power_state(vdev, PCI_D0);
	vdev->sriov_active = is_active;
	vfio_pci_memory_write_unlock(vdev);
}

static int list_pf(struct vfio_pci_core_device *vdev)
{
	guard(mutex)(&pfs_lock);
	if (!list_empty(&vdev->sriov_pfs_item))
		return -EINVAL;

	list_add_tail(&vdev->sriov_pfs_item, &pfs);
	return 0;
}

static void unlist_pf(struct vfio_pci_core_device *vdev)
{
	guard(mutex)(&pfs_lock);
	list_del_init(&vdev->sriov_pfs_item);
}

/*
 * No lock of ours is held while virtual functions appear: they are probed right
 * there, and look for their physical one.
 */
static int enable_vfs(struct vfio_pci_core_device *vdev, int count)
{
	struct pci_dev *pdev = vdev->pdev;
	int ret;

	ret = list_pf(vdev);
	if (ret)
		return ret;

	ret = pm_runtime_resume_and_get(&pdev->dev);
	if (ret)
		goto out_unlist;

	set_active(vdev, true);
	ret = set_names_aside(vdev, count);
	if (!ret)
		ret = pci_enable_sriov(pdev, count);
	drop_names(vdev);
	if (ret)
		goto out_inactive;
	return count;

out_inactive:
	set_active(vdev, false);
	pm_runtime_put(&pdev->dev);
out_unlist:
	unlist_pf(vdev);
	return ret;
}

/* Also for a device that has none, and for one that cannot have any. */
void vfio_pci_sriov_disable(struct vfio_pci_core_device *vdev)
{
	if (!vdev->sriov_active)
		return;

	/* Waits until all users of virtual functions have let go. */
	pci_disable_sriov(vdev->pdev);
	set_active(vdev, false);
	pm_runtime_put(&vdev->pdev->dev);
	unlist_pf(vdev);
}

/**
 * vfio_pci_core_sriov_configure() - Enable or disable virtual functions
 * @vdev: the physical function, registered
 * @nr_virtfn: how many; 0 to disable them
 *
 * For &pci_driver.sriov_configure. The virtual functions go to the driver of
 * the physical one.
 *
 * Context: Process context, device_lock held.
 * Return: @nr_virtfn; -EINVAL where some are enabled already, -ENOENT for a
 * device that has none, -ENOMEM, or what pci_enable_sriov() gave.
 */
int vfio_pci_core_sriov_configure(struct vfio_pci_core_device *vdev,
				  int nr_virtfn)
{
	device_lock_assert(&vdev->pdev->dev);

	if (!vdev->vf_token)
		return -ENOENT;
	if (nr_virtfn)
		return enable_vfs(vdev, nr_virtfn);

	vfio_pci_sriov_disable(vdev);
	return 0;
}
EXPORT_SYMBOL_GPL(vfio_pci_core_sriov_configure);
