// SPDX-License-Identifier: GPL-2.0-only
/*
 * POWER's platform isolates a device that fails (EEH). While a user has the
 * device, the kernel leaves the recovery to him.
 */
#include <linux/io.h>
#include <linux/iommu.h>
#include <linux/pci.h>
#include <linux/spinlock.h>
#include <asm/eeh.h>

#include "private.h"

/* A step of opening. Without the platform's help there is nothing to hand over. */
int vfio_pci_eeh_open(struct vfio_pci_core_device *vdev)
{
	vdev->has_eeh = !eeh_dev_open(vdev->pdev);
	return 0;
}

void vfio_pci_eeh_close(struct vfio_pci_core_device *vdev)
{
	if (vdev->has_eeh)
		eeh_dev_release(vdev->pdev);
}
