// SPDX-License-Identifier: GPL-2.0-only
/*
 * Power states of a device: asleep while nobody has it open, awake while it is,
 * and wherever the user puts it by its power management capability.
 */
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

/*
 * Let the device sleep until it is opened, unless that is not wanted. What
 * disable_idle_d3 says was latched at init, so that this pairs with
 * vfio_pci_power_unregister() whatever becomes of the parameter.
 */
void vfio_pci_power_register(struct vfio_pci_core_device *vdev)
{
	struct pci_dev *pdev = vdev->pdev;

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

/* Awake from open to close, parameter or not. */
int vfio_pci_power_open(struct vfio_pci_core_device *vdev)
{
	return pm_runtime_resume_and_get(&vdev->pdev->dev);
}

void vfio_pci_power_close(struct vfio_pci_core_device *vdev)
{
	pm_runtime_put(&vdev->pdev->dev);
}

/* The first step of closing: awake, and no more DMA. */
void vfio_pci_power_quiesce(struct vfio_pci_core_device *vdev)
{
	vfio_pci_memory_write_lock(vdev);
	vfio_pci_set_power_state(vdev, PCI_D0);
	kfree(vdev->pm_save);
	vdev->pm_save = NULL;
	pci_clear_master(vdev->pdev);
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
