// SPDX-License-Identifier: GPL-2.0-only
/*
 * Power states of a device: asleep while nobody has it open, awake while it is,
 * and wherever the user puts it by its power management capability.
 *
 * The user may also give the reference back that keeps an open device resumed:
 * this is low power. From then on the device sleeps whenever nobody needs it.
 * Commands and accesses take a reference of their own and so wake it; mappings,
 * ioeventfds and INTx cannot, and stay out until the user ends low power.
 */
#include <linux/eventfd.h>
#include <linux/pm.h>
#include <linux/pm_runtime.h>
#include <linux/slab.h>

#include "private.h"
#include "trace.h"

static bool loses_config_in_d3hot(struct pci_dev *pdev)
{
	u16 ctl;

	if (!pdev->pm_cap)
		return false;

	pci_read_config_word(pdev, pdev->pm_cap + PCI_PM_CTRL, &ctl);
	return !(ctl & PCI_PM_CTRL_NO_SOFT_RESET);
}

/* Awake from open to close, or already from bind to unbind. */
int vfio_pci_power_open(struct vfio_pci_core_device *vdev)
{
	if (vdev->disable_idle_d3)
		return 0;
	return pm_runtime_resume_and_get(&vdev->pdev->dev);
}

void vfio_pci_power_close(struct vfio_pci_core_device *vdev)
{
	if (!vdev->disable_idle_d3)
		pm_runtime_put(&vdev->pdev->dev);
}

/*
 * Give the reference of power_open() back, until end_low_power() takes it again.
 * Takes over ctx, which may be NULL, on success.
 */
static int begin_low_power(struct vfio_pci_core_device *vdev,
			   struct eventfd_ctx *ctx)
{
	int ret = -EINVAL;

	/* A fault has no way to wake the device. */
	vfio_pci_memory_write_lock(vdev);
	if (!vdev->pm_runtime_engaged) {
		vdev->pm_runtime_engaged = true;
		vdev->pm_wake_eventfd_ctx = ctx;
		/* The ioctl's own reference is the last, and lets it sleep. */
		pm_runtime_put_noidle(&vdev->pdev->dev);
		ret = 0;
	}
	vfio_pci_memory_write_unlock(vdev);

	trace_vfio_pci_low_power_entry(vdev->pdev, ret);
	return ret;
}

/* Return: the eventfd that was to be told, which is the caller's now, or NULL. */
static struct eventfd_ctx *end_low_power(struct vfio_pci_core_device *vdev)
{
	struct eventfd_ctx *ctx = vdev->pm_wake_eventfd_ctx;

	lockdep_assert_held_write(&vdev->memory_lock);

	if (!vdev->pm_runtime_engaged)
		return NULL;

	vdev->pm_runtime_engaged = false;
	vdev->pm_wake_eventfd_ctx = NULL;
	pm_runtime_get_noresume(&vdev->pdev->dev);
	return ctx;
}

/* For whoever keeps the device resumed by other means meanwhile. */
static void leave_low_power(struct vfio_pci_core_device *vdev)
{
	struct eventfd_ctx *ctx;

	scoped_guard(rwsem_write, &vdev->memory_lock)
		ctx = end_low_power(vdev);
	if (ctx)
		eventfd_ctx_put(ctx);
}

/* Return: as vfio_check_feature(), or -ENOTTY where nothing is ever suspended. */
static int check_low_power(struct vfio_pci_core_device *vdev, u32 flags,
			   size_t argsz, size_t minsz)
{
	if (!pm_runtime_enabled(&vdev->pdev->dev))
		return -ENOTTY;
	return vfio_check_feature(flags, argsz, VFIO_DEVICE_FEATURE_SET, minsz);
}

/* VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY */
int vfio_pci_low_power_entry(struct vfio_pci_core_device *vdev, u32 flags,
			     void __user *arg, size_t argsz)
{
	int ret = check_low_power(vdev, flags, argsz, 0);

	return ret <= 0 ? ret : begin_low_power(vdev, NULL);
}

/* VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY_WITH_WAKEUP */
int vfio_pci_low_power_entry_with_wakeup(struct vfio_pci_core_device *vdev,
					 u32 flags, void __user *arg,
					 size_t argsz)
{
	struct vfio_device_low_power_entry_with_wakeup entry;
	struct eventfd_ctx *ctx;
	int ret;

	ret = check_low_power(vdev, flags, argsz, sizeof(entry));
	if (ret <= 0)
		return ret;

	if (copy_from_user(&entry, arg, sizeof(entry)))
		return -EFAULT;
	if (entry.wakeup_eventfd < 0)
		return -EINVAL;

	ctx = eventfd_ctx_fdget(entry.wakeup_eventfd);
	if (IS_ERR(ctx))
		return PTR_ERR(ctx);

	ret = begin_low_power(vdev, ctx);
	if (ret)
		eventfd_ctx_put(ctx);
	return ret;
}

/* VFIO_DEVICE_FEATURE_LOW_POWER_EXIT; the ioctl has woken the device */
int vfio_pci_low_power_exit(struct vfio_pci_core_device *vdev, u32 flags,
			    void __user *arg, size_t argsz)
{
	int ret = check_low_power(vdev, flags, argsz, 0);

	if (ret > 0) {
		leave_low_power(vdev);
		ret = 0;
	}
	return ret;
}

/*
 * Nobody needs the device. The PCI core saves what it needs for the way back,
 * and that has to be the state of D0. A device that does not get there stays
 * up: any other errno would keep it from being used until it is bound anew, even
 * for the reset that it needs.
 */
static int runtime_suspend(struct device *dev)
{
	struct vfio_pci_core_device *vdev = dev_get_drvdata(dev);
	int ret;

	scoped_guard(rwsem_write, &vdev->memory_lock)
		ret = vfio_pci_set_power_state(vdev, PCI_D0);
	if (!ret)
		vfio_pci_intx_suspend(vdev);

	trace_vfio_pci_runtime_suspend(vdev->pdev, ret);
	return ret ? -EBUSY : 0;
}

/* Somebody needs it: whoever asked to be told keeps it awake from here on. */
static int runtime_resume(struct device *dev)
{
	struct vfio_pci_core_device *vdev = dev_get_drvdata(dev);
	struct eventfd_ctx *ctx = NULL;

	scoped_guard(rwsem_write, &vdev->memory_lock)
		if (vdev->pm_wake_eventfd_ctx)
			ctx = end_low_power(vdev);

	trace_vfio_pci_runtime_resume(vdev->pdev, ctx);
	vfio_pci_intx_resume(vdev);
	if (ctx) {
		eventfd_signal(ctx);
		eventfd_ctx_put(ctx);
	}
	return 0;
}

static const struct dev_pm_ops runtime_pm_ops = {
	RUNTIME_PM_OPS(runtime_suspend, runtime_resume, NULL)
};

/*
 * Let the device sleep until it is opened, unless that is not wanted. What
 * disable_idle_d3 says was latched at init, so that this pairs with
 * vfio_pci_power_unregister() whatever becomes of the parameter.
 */
void vfio_pci_power_register(struct vfio_pci_core_device *vdev)
{
	struct pci_dev *pdev = vdev->pdev;

	/*
	 * Drivers built on us have no power management of their own. The
	 * driver is bound and cannot suspend yet; all its devices say the same.
	 */
	if (!pdev->dev.driver->pm)
		WRITE_ONCE(pdev->dev.driver->pm, pm_ptr(&runtime_pm_ops));

	/* The last driver may have left it asleep and unknown to the kernel. */
	pci_set_power_state(pdev, PCI_D0);
	vdev->needs_pm_restore = loses_config_in_d3hot(pdev);

	pm_runtime_allow(&pdev->dev);
	if (!vdev->disable_idle_d3)
		pm_runtime_put(&pdev->dev);
}

void vfio_pci_power_unregister(struct vfio_pci_core_device *vdev)
{
	struct device *dev = &vdev->pdev->dev;

	if (!vdev->disable_idle_d3)
		pm_runtime_get_noresume(dev);
	pm_runtime_forbid(dev);
}

/* The first step of closing: awake, and no more DMA. */
void vfio_pci_power_quiesce(struct vfio_pci_core_device *vdev)
{
	struct pci_dev *pdev = vdev->pdev;

	leave_low_power(vdev);
	/* Waits for a resume or suspend that is under way, too. */
	if (pm_runtime_resume(&pdev->dev) < 0)
		pci_warn(pdev, "closed, but cannot be woken up\n");

	vfio_pci_memory_write_lock(vdev);
	vfio_pci_set_power_state(vdev, PCI_D0);
	kfree(vdev->pm_save);
	vdev->pm_save = NULL;
	pci_clear_master(pdev);
	vfio_pci_memory_write_unlock(vdev);
}

/* A copy of config space, set aside before it may be lost. */
static int save_for_d3(struct vfio_pci_core_device *vdev)
{
	struct pci_saved_state *save;

	pci_save_state(vdev->pdev);
	save = pci_store_saved_state(vdev->pdev);
	if (!save)
		return -ENOMEM;

	kfree(vdev->pm_save);
	vdev->pm_save = save;
	return 0;
}

/**
 * vfio_pci_set_power_state() - Move a device that is open to a power state
 * @vdev: the device
 * @state: PCI_D0 to PCI_D3hot
 *
 * A device that forgets its config space on the way back to D0 gets it
 * restored. Sleep is not granted, silently, while virtual functions depend on
 * the device.
 *
 * Context: memory_lock held for writing, mappings zapped where memory goes away.
 * Return: 0, -ENOMEM, or what pci_set_power_state() gave.
 */
int vfio_pci_set_power_state(struct vfio_pci_core_device *vdev,
			     pci_power_t state)
{
	struct pci_dev *pdev = vdev->pdev;
	pci_power_t before = pdev->current_state;
	bool falls_asleep = !vfio_pci_is_asleep(before) &&
			    vfio_pci_is_asleep(state);
	bool wakes_up = vfio_pci_is_asleep(before) && state == PCI_D0;
	int ret;

	lockdep_assert_held_write(&vdev->memory_lock);

	if (falls_asleep && vdev->sriov_active)
		return 0;

	if (falls_asleep && vdev->needs_pm_restore) {
		ret = save_for_d3(vdev);
		if (ret)
			return ret;
	}

	ret = pci_set_power_state(pdev, state);
	if (!ret && wakes_up && vdev->pm_save) {
		pci_load_and_free_saved_state(pdev, &vdev->pm_save);
		pci_restore_state(pdev);
	}

	if (before != state)
		trace_vfio_pci_power(pdev, (__force int)before,
				     (__force int)state, ret);
	return ret;
}
