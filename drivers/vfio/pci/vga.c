// SPDX-License-Identifier: GPL-2.0-only
/*
 * A display with VFIO among the other displays of the machine.
 *
 * Many displays can answer at the same legacy addresses. The VGA arbiter routes
 * these to one of them at a time, and has to know who answers there. A display
 * also is where firmware left a framebuffer, whose driver must be gone before a
 * user is told that the device is his.
 */
#include <linux/aperture.h>
#include <linux/vgaarb.h>

#include "private.h"

#define LEGACY	(VGA_RSRC_LEGACY_IO | VGA_RSRC_LEGACY_MEM)
#define NORMAL	(VGA_RSRC_NORMAL_IO | VGA_RSRC_NORMAL_MEM)

/* Forgets who searches when there is another. */
static int find_other_vga(struct pci_dev *pdev, void *data)
{
	struct pci_dev **searcher = data;

	if (pdev == *searcher || !pci_is_vga(pdev))
		return 0;

	*searcher = NULL;
	return 1;
}

/*
 * Behind a bridge of its own a display sees legacy accesses only while the
 * bridge lets them pass, so nobody needs to turn the display itself off.
 */
static bool is_alone_behind_bridge(struct pci_dev *pdev)
{
	struct pci_dev *searcher = pdev;

	if (pci_is_root_bus(pdev->bus))
		return false;

	pci_walk_bus(pdev->bus, find_other_vga, &searcher);
	return searcher;
}

/*
 * The arbiter asks what the device answers to. Without a VGA region nobody uses
 * its legacy addresses; but the device decodes them all the same, so it may only
 * be left out of arbitration where a bridge guards it.
 */
static unsigned int tell_decodes(struct pci_dev *pdev, bool unused)
{
	struct vfio_pci_core_device *vdev = pci_get_drvdata(pdev);

	return vdev->answers_vga ? NORMAL | LEGACY : NORMAL;
}

/* Undone by vfio_pci_vga_unregister(). */
int vfio_pci_vga_register(struct vfio_pci_core_device *vdev)
{
	struct pci_dev *pdev = vdev->pdev;
	int ret;

	if (!pci_is_vga(pdev))
		return 0;

	ret = aperture_remove_conflicting_pci_devices(pdev,
						      vdev->vdev.ops->name);
	if (ret)
		return ret;

	vdev->answers_vga = (IS_ENABLED(CONFIG_VFIO_PCI_VGA) &&
			     !vdev->disable_vga) ||
			    !is_alone_behind_bridge(pdev);
	ret = vga_client_register(pdev, tell_decodes);
	if (ret)
		return ret;

	vga_set_legacy_decoding(pdev, tell_decodes(pdev, false));
	return 0;
}

/* No callback runs any more when this returns: the arbiter's lock saw to it. */
void vfio_pci_vga_unregister(struct vfio_pci_core_device *vdev)
{
	if (!pci_is_vga(vdev->pdev))
		return;

	vga_client_unregister(vdev->pdev);
	/* As the arbiter found it. */
	vga_set_legacy_decoding(vdev->pdev, NORMAL | LEGACY);
}
