// SPDX-License-Identifier: GPL-2.0-only
/*
 * First open and last close of a device: one list of steps, walked forwards to
 * enable it and backwards to disable it, or from where enabling failed.
 */
#include <linux/slab.h>

#include "private.h"
#include "trace.h"

static int enable_device(struct vfio_pci_core_device *vdev)
{
	/* No DMA before the user asks for it. */
	pci_clear_master(vdev->pdev);
	return pci_enable_device(vdev->pdev);
}

static void disable_device(struct vfio_pci_core_device *vdev)
{
	pci_disable_device(vdev->pdev);
}

static int save_state(struct vfio_pci_core_device *vdev)
{
	pci_save_state(vdev->pdev);
	vdev->pci_saved_state = pci_store_saved_state(vdev->pdev);
	return vdev->pci_saved_state ? 0 : -ENOMEM;
}

/* The state stays stored: the reset that follows loses it again. */
static void restore_state(struct vfio_pci_core_device *vdev)
{
	struct pci_dev *pdev = vdev->pdev;

	vdev->needs_reset = true;
	pci_load_saved_state(pdev, vdev->pci_saved_state);
	pci_restore_state(pdev);

	/* Nothing reaches the device, nothing comes from it. */
	pci_write_config_word(pdev, PCI_COMMAND, PCI_COMMAND_INTX_DISABLE);
}

/* One half may be missing, and then has nothing to do or to undo. */
struct open_step {
	const char *name;
	int (*enable)(struct vfio_pci_core_device *vdev);
	void (*disable)(struct vfio_pci_core_device *vdev);
};

static const struct open_step open_steps[] = {
	{ "VF token", vfio_pci_vf_token_open, vfio_pci_vf_token_close },
	{ "power", vfio_pci_power_open, vfio_pci_power_close },
	{ "enable", enable_device, disable_device },
	{ "reset", vfio_pci_reset_open, vfio_pci_reset_close },
	{ "save state", save_state, restore_state },
	{ "INTx", vfio_pci_intx_probe, NULL },
	{ "MSI-X", vfio_pci_msix_probe, NULL },
	{ "s390", vfio_pci_zdev_open, vfio_pci_zdev_close },
	{ "config space", vfio_pci_config_open, vfio_pci_config_close },
	{ "BARs", vfio_pci_bars_open, vfio_pci_bars_close },
	{ "ROM", vfio_pci_rom_probe, NULL },
	{ "regions", NULL, vfio_pci_regions_close },
	{ "IGD", vfio_pci_igd_open, NULL },
	{ "EEH", vfio_pci_eeh_open, vfio_pci_eeh_close },
	{ "interrupts", vfio_pci_irqs_open, vfio_pci_irqs_close },
	{ "ioeventfds", NULL, vfio_pci_ioeventfds_close },
	{ "quiesce", NULL, vfio_pci_power_quiesce },
};

static void undo_steps(struct vfio_pci_core_device *vdev, size_t done)
{
	while (done--)
		if (open_steps[done].disable)
			open_steps[done].disable(vdev);
}

/**
 * vfio_pci_core_enable() - Make a device ready for its user
 * @vdev: the device
 *
 * For ->open_device(), which may then do its own work and ends with
 * vfio_pci_core_finish_enable(), or with vfio_pci_core_disable() if it fails.
 *
 * Context: dev_set->lock held.
 * Return: 0; -EAGAIN where somebody else holds the device so that it cannot be
 * reset; or an errno of waking or enabling it, or of reading its config space.
 */
int vfio_pci_core_enable(struct vfio_pci_core_device *vdev)
{
	int ret = 0;
	size_t i;

	lockdep_assert_held(&vdev->vdev.dev_set->lock);

	for (i = 0; i < ARRAY_SIZE(open_steps) && !ret; i++)
		if (open_steps[i].enable)
			ret = open_steps[i].enable(vdev);

	trace_vfio_pci_enable(vdev->pdev, ret ? open_steps[i - 1].name : "all",
			      ret);
	if (ret)
		undo_steps(vdev, i - 1);
	else
		vdev->is_enabled = true;
	return ret;
}
EXPORT_SYMBOL_GPL(vfio_pci_core_enable);

/**
 * vfio_pci_core_finish_enable() - The last of opening a device
 * @vdev: the device, enabled
 *
 * Context: dev_set->lock held. Cannot fail.
 */
void vfio_pci_core_finish_enable(struct vfio_pci_core_device *vdev)
{
	vfio_pci_bars_probe_mmap(vdev);
}
EXPORT_SYMBOL_GPL(vfio_pci_core_finish_enable);

/**
 * vfio_pci_core_disable() - Undo vfio_pci_core_enable()
 * @vdev: the device, enabled; finished or not
 *
 * Resets the device, and its set where nobody else uses it and that is the only
 * way.
 *
 * Context: dev_set->lock held.
 */
void vfio_pci_core_disable(struct vfio_pci_core_device *vdev)
{
	lockdep_assert_held(&vdev->vdev.dev_set->lock);

	undo_steps(vdev, ARRAY_SIZE(open_steps));
	vdev->is_enabled = false;
	vfio_pci_set_try_reset(vdev);
}
EXPORT_SYMBOL_GPL(vfio_pci_core_disable);

/**
 * vfio_pci_core_close_device() - Last close of a device
 * @core_vdev: the device
 *
 * Context: dev_set->lock held.
 */
void vfio_pci_core_close_device(struct vfio_device *core_vdev)
{
	vfio_pci_core_disable(container_of(core_vdev,
					   struct vfio_pci_core_device, vdev));
}
EXPORT_SYMBOL_GPL(vfio_pci_core_close_device);
