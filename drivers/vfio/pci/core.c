// SPDX-License-Identifier: GPL-2.0-only
/*
 * Life of a PCI device with VFIO: init, registration and their undoing; and the
 * entries that the core, the PCI core and drivers call.
 */
#include <linux/debugfs.h>
#include <linux/module.h>
#include <linux/pm_runtime.h>
#include <linux/slab.h>

#include "private.h"

#define CREATE_TRACE_POINTS
#include "trace.h"

/* Copied into each device at init: a device keeps what it began with. */
static bool default_nointxmask;
static bool default_disable_vga;
static bool default_disable_idle_d3;

/**
 * vfio_pci_core_set_params() - Say what devices that come later begin with
 * @nointxmask: never mask INTx at the device
 * @is_disable_vga: do not offer VGA regions
 * @is_disable_idle_d3: keep unused devices awake
 *
 * Context: Any.
 */
void vfio_pci_core_set_params(bool nointxmask, bool is_disable_vga,
			      bool is_disable_idle_d3)
{
	WRITE_ONCE(default_nointxmask, nointxmask);
	WRITE_ONCE(default_disable_vga, is_disable_vga);
	WRITE_ONCE(default_disable_idle_d3, is_disable_idle_d3);
}
EXPORT_SYMBOL_GPL(vfio_pci_core_set_params);

/**
 * vfio_pci_core_init_dev() - Fill the core's part of a fresh device
 * @core_vdev: the device; what follows it in the driver's struct is zeroed
 *
 * For &vfio_device_ops.init. Pairs with vfio_pci_core_release_dev().
 *
 * Context: Process context.
 * Return: 0.
 */
int vfio_pci_core_init_dev(struct vfio_device *core_vdev)
{
	struct vfio_pci_core_device *vdev =
		container_of(core_vdev, struct vfio_pci_core_device, vdev);
	int i;

	vdev->pdev = to_pci_dev(core_vdev->dev);
	vdev->irq_type = VFIO_PCI_NUM_IRQS;
	vdev->nointxmask = READ_ONCE(default_nointxmask);
	vdev->disable_vga = READ_ONCE(default_disable_vga);
	vdev->disable_idle_d3 = READ_ONCE(default_disable_idle_d3);

	init_rwsem(&vdev->memory_lock);
	mutex_init(&vdev->config_lock);
	mutex_init(&vdev->irq_lock);
	mutex_init(&vdev->rom_lock);
	mutex_init(&vdev->ioeventfds_lock);
	INIT_LIST_HEAD(&vdev->ioeventfds_list);
	spin_lock_init(&vdev->intx.lock);
	xa_init(&vdev->ctx);
	for (i = 0; i < PCI_STD_NUM_BARS; i++)
		vdev->bar[i].err = -EINVAL;
	vfio_pci_sriov_init(vdev);
	return 0;
}
EXPORT_SYMBOL_GPL(vfio_pci_core_init_dev);

/**
 * vfio_pci_core_release_dev() - Undo vfio_pci_core_init_dev()
 * @core_vdev: the device, closed and unregistered
 *
 * For &vfio_device_ops.release.
 *
 * Context: Process context.
 */
void vfio_pci_core_release_dev(struct vfio_device *core_vdev)
{
	struct vfio_pci_core_device *vdev =
		container_of(core_vdev, struct vfio_pci_core_device, vdev);

	mutex_destroy(&vdev->ioeventfds_lock);
	mutex_destroy(&vdev->rom_lock);
	mutex_destroy(&vdev->irq_lock);
	mutex_destroy(&vdev->config_lock);
}
EXPORT_SYMBOL_GPL(vfio_pci_core_release_dev);

static bool has_whole_ops(const struct vfio_device *core_vdev)
{
	const struct vfio_migration_ops *mig = core_vdev->mig_ops;
	const struct vfio_log_ops *log = core_vdev->log_ops;

	if (mig && (!mig->migration_set_state || !mig->migration_get_state ||
		    !mig->migration_get_data_size ||
		    !(core_vdev->migration_flags & VFIO_MIGRATION_STOP_COPY)))
		return false;

	return !log || (log->log_start && log->log_stop &&
			log->log_read_and_clear);
}

/*
 * What resets together: functions of a slot that can be reset, else of a bus.
 * Virtual functions and what sits on a root bus are reset by themselves only.
 */
static int join_device_set(struct vfio_pci_core_device *vdev)
{
	struct pci_dev *pdev = vdev->pdev;
	void *set_id = pdev->bus;

	if (pdev->is_virtfn || pci_is_root_bus(pdev->bus))
		set_id = vdev;
	else if (!pci_probe_reset_slot(pdev->slot))
		set_id = pdev->slot;

	return vfio_assign_device_set(&vdev->vdev, set_id);
}

/* What was latched at init, in debugfs; vfio.ko takes it away with the device. */
static void show_params(struct vfio_pci_core_device *vdev)
{
	struct dentry *dir;

	if (!IS_ENABLED(CONFIG_VFIO_DEBUGFS))
		return;

	dir = debugfs_create_dir("pci", vdev->vdev.debug_root);
	debugfs_create_bool("nointxmask", 0400, dir, &vdev->nointxmask);
	debugfs_create_bool("disable_vga", 0400, dir, &vdev->disable_vga);
	debugfs_create_bool("disable_idle_d3", 0400, dir,
			    &vdev->disable_idle_d3);
}

/**
 * vfio_pci_core_register_device() - Offer a device to users
 * @vdev: the device, initialised, its address in the PCI device's driver data
 *
 * The last step of probe: users may come before it returns. Pairs with
 * vfio_pci_core_unregister_device().
 *
 * Context: Process context, device_lock held.
 * Return: 0; -EINVAL for driver data that is not @vdev, a device that is no
 * endpoint, or migration or logging operations that are not whole; -EBUSY for a
 * physical function whose virtual ones are enabled; -ENOMEM; or what
 * vfio_register_group_dev() gave.
 */
int vfio_pci_core_register_device(struct vfio_pci_core_device *vdev)
{
	struct pci_dev *pdev = vdev->pdev;
	int ret;

	/* Error callbacks and variant drivers go by it. */
	if (WARN_ON(vdev != pci_get_drvdata(pdev)))
		return -EINVAL;
	if (pdev->hdr_type != PCI_HEADER_TYPE_NORMAL ||
	    !has_whole_ops(&vdev->vdev))
		return -EINVAL;

	/* Its virtual functions would change owner under their drivers. */
	if (pci_num_vf(pdev)) {
		pci_warn(pdev, "not taken: its virtual functions are enabled\n");
		return -EBUSY;
	}

	ret = join_device_set(vdev);
	if (ret)
		return ret;
	ret = vfio_pci_sriov_register(vdev);
	if (ret)
		return ret;
	ret = vfio_pci_vga_register(vdev);
	if (ret)
		goto out_sriov;

	vfio_pci_power_register(vdev);
	ret = vfio_register_group_dev(&vdev->vdev);
	if (ret)
		goto out_power;
	show_params(vdev);
	return 0;

out_power:
	vfio_pci_power_unregister(vdev);
	vfio_pci_vga_unregister(vdev);
out_sriov:
	vfio_pci_sriov_unregister(vdev);
	return ret;
}
EXPORT_SYMBOL_GPL(vfio_pci_core_register_device);

/**
 * vfio_pci_core_unregister_device() - Take a device back from its users
 * @vdev: the device
 *
 * Waits until the last of them has let go, of virtual functions first.
 *
 * Context: Process context, device_lock held.
 */
void vfio_pci_core_unregister_device(struct vfio_pci_core_device *vdev)
{
	vfio_pci_sriov_disable(vdev);
	vfio_unregister_group_dev(&vdev->vdev);
	vfio_pci_power_unregister(vdev);
	vfio_pci_vga_unregister(vdev);
	vfio_pci_sriov_unregister(vdev);
}
EXPORT_SYMBOL_GPL(vfio_pci_core_unregister_device);

static const struct {
	unsigned int cmd;
	long (*handle)(struct vfio_pci_core_device *vdev, void __user *uarg);
} device_ioctls[] = {
	{ VFIO_DEVICE_GET_INFO, vfio_pci_get_info },
	{ VFIO_DEVICE_GET_REGION_INFO, vfio_pci_get_region_info },
	{ VFIO_DEVICE_GET_IRQ_INFO, vfio_pci_get_irq_info },
	{ VFIO_DEVICE_SET_IRQS, vfio_pci_set_irqs },
	{ VFIO_DEVICE_RESET, vfio_pci_device_reset },
	{ VFIO_DEVICE_GET_PCI_HOT_RESET_INFO, vfio_pci_get_hot_reset_info },
	{ VFIO_DEVICE_PCI_HOT_RESET, vfio_pci_hot_reset },
	{ VFIO_DEVICE_IOEVENTFD, vfio_pci_ioeventfd },
};

/**
 * vfio_pci_core_ioctl() - The ioctls of a PCI device
 * @core_vdev: the device, open and runtime resumed
 * @cmd: VFIO_DEVICE_*
 * @arg: the user's argument
 *
 * Context: Process context that may fault user pages.
 * Return: 0 or an errno as <uapi/linux/vfio.h> says; -ENOTTY for a command that
 * PCI devices do not have.
 */
long vfio_pci_core_ioctl(struct vfio_device *core_vdev, unsigned int cmd,
			 unsigned long arg)
{
	struct vfio_pci_core_device *vdev =
		container_of(core_vdev, struct vfio_pci_core_device, vdev);
	size_t i;

	for (i = 0; i < ARRAY_SIZE(device_ioctls); i++)
		if (device_ioctls[i].cmd == cmd)
			return device_ioctls[i].handle(vdev,
						       (void __user *)arg);
	return -ENOTTY;
}
EXPORT_SYMBOL_GPL(vfio_pci_core_ioctl);

static const struct {
	u32 feature;
	int (*handle)(struct vfio_pci_core_device *vdev, u32 flags,
		      void __user *arg, size_t argsz);
} device_features[] = {
	{ VFIO_DEVICE_FEATURE_PCI_VF_TOKEN, vfio_pci_set_vf_token },
	{ VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY, vfio_pci_low_power_entry },
	{ VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY_WITH_WAKEUP,
	  vfio_pci_low_power_entry_with_wakeup },
	{ VFIO_DEVICE_FEATURE_LOW_POWER_EXIT, vfio_pci_low_power_exit },
};

/**
 * vfio_pci_core_ioctl_feature() - The features of a PCI device
 * @core_vdev: the device, open
 * @flags: VFIO_DEVICE_FEATURE_*
 * @arg: the user's payload
 * @argsz: its size
 *
 * Context: Process context that may fault user pages.
 * Return: 0 or an errno as <uapi/linux/vfio.h> says; -ENOTTY for a feature that
 * the device does not have.
 */
int vfio_pci_core_ioctl_feature(struct vfio_device *core_vdev, u32 flags,
				void __user *arg, size_t argsz)
{
	struct vfio_pci_core_device *vdev =
		container_of(core_vdev, struct vfio_pci_core_device, vdev);
	size_t i;

	for (i = 0; i < ARRAY_SIZE(device_features); i++)
		if (device_features[i].feature ==
		    (flags & VFIO_DEVICE_FEATURE_MASK))
			return device_features[i].handle(vdev, flags, arg,
							 argsz);
	return -ENOTTY;
}
EXPORT_SYMBOL_GPL(vfio_pci_core_ioctl_feature);

/**
 * vfio_pci_core_request() - Ask the user to let go of a device
 * @core_vdev: the device
 * @count: how often that was done before
 *
 * Context: Process context. Takes no lock.
 */
void vfio_pci_core_request(struct vfio_device *core_vdev, unsigned int count)
{
	struct vfio_pci_core_device *vdev =
		container_of(core_vdev, struct vfio_pci_core_device, vdev);
	bool is_heard = vfio_pci_trigger_signal(&vdev->req_trigger);

	if (is_heard && count % 10 == 0)
		pci_notice_ratelimited(vdev->pdev,
				       "asked its user to let go (%u)\n",
				       count);
	else if (!is_heard && !count)
		dev_warn_ratelimited(&vdev->pdev->dev,
				     "removal waits: its user does not listen to requests\n");
}
EXPORT_SYMBOL_GPL(vfio_pci_core_request);

/**
 * vfio_pci_core_aer_err_detected() - PCI Express reported an error
 * @pdev: the PCI device, bound to a driver of VFIO
 * @state: state of the link
 *
 * Tells the user, who knows what to do about it.
 *
 * Context: Process context, under locks of the PCI core. Takes none.
 * Return: PCI_ERS_RESULT_CAN_RECOVER, or PCI_ERS_RESULT_DISCONNECT for a device
 * that is not offered.
 */
pci_ers_result_t vfio_pci_core_aer_err_detected(struct pci_dev *pdev,
						pci_channel_state_t state)
{
	struct vfio_pci_core_device *vdev = pci_get_drvdata(pdev);

	if (!vdev)
		return PCI_ERS_RESULT_DISCONNECT;

	trace_vfio_pci_aer(pdev, (__force int)state);
	vfio_pci_trigger_signal(&vdev->err_trigger);
	return PCI_ERS_RESULT_CAN_RECOVER;
}
EXPORT_SYMBOL_GPL(vfio_pci_core_aer_err_detected);

/** @vfio_pci_core_err_handlers: for drivers that add nothing to them */
const struct pci_error_handlers vfio_pci_core_err_handlers = {
	.error_detected = vfio_pci_core_aer_err_detected,
};
EXPORT_SYMBOL_GPL(vfio_pci_core_err_handlers);

static int __init vfio_pci_core_init(void)
{
	return 0;
}

static void __exit vfio_pci_core_exit(void)
{
	/* Triggers are put by call_rcu(), with our code. */
	rcu_barrier();
}

module_init(vfio_pci_core_init);
module_exit(vfio_pci_core_exit);

MODULE_DESCRIPTION("VFIO for PCI devices: what all drivers share");
MODULE_LICENSE("GPL");
