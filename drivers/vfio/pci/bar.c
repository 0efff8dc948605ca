// SPDX-License-Identifier: GPL-2.0-only
/*
 * The BARs of an open device: claimed, mapped for the kernel, and examined for
 * whether a user may map them.
 *
 * All of it happens at open, where nobody else can be in a BAR yet, so there is
 * no first access that could race. A BAR that cannot be claimed does not keep
 * the device from being opened; it is refused when it is used.
 */
#include <linux/ioport.h>
#include <linux/slab.h>

#include "private.h"

static int claim_bar(struct vfio_pci_core_device *vdev, int bar)
{
	struct pci_dev *pdev = vdev->pdev;
	int ret;

	if (!pci_resource_len(pdev, bar) ||
	    pci_resource_flags(pdev, bar) & IORESOURCE_UNSET)
		return -EINVAL;

	ret = pci_request_selected_regions(pdev, BIT(bar), "vfio-pci");
	if (ret)
		return ret;

	vdev->barmap[bar] = pci_iomap(pdev, bar, 0);
	if (!vdev->barmap[bar]) {
		pci_release_selected_regions(pdev, BIT(bar));
		return -ENOMEM;
	}
	return 0;
}

int vfio_pci_bars_open(struct vfio_pci_core_device *vdev)
{
	int i;

	for (i = 0; i < PCI_STD_NUM_BARS; i++)
		vdev->bar[i].err = claim_bar(vdev, i);
	return 0;
}

/*
 * Reserve the rest of the page that a small BAR begins, so that nothing else
 * is ever placed there and the whole page may go to the user.
 */
static bool reserve_tail(struct vfio_pci_core_device *vdev, int bar)
{
	struct resource *res = &vdev->pdev->resource[bar];
	struct resource *tail;

	if (!PAGE_ALIGNED(res->start) || !res->parent)
		return false;

	tail = kzalloc(sizeof(*tail), GFP_KERNEL_ACCOUNT);
	if (!tail)
		return false;

	tail->name = "vfio sub-page BAR";
	tail->start = res->end + 1;
	tail->end = res->start + PAGE_SIZE - 1;
	tail->flags = res->flags;
	if (request_resource(res->parent, tail)) {
		kfree(tail);
		return false;
	}

	vdev->bar[bar].tail = tail;
	return true;
}

static bool can_mmap_bar(struct vfio_pci_core_device *vdev, int bar)
{
	if (!IS_ENABLED(CONFIG_VFIO_PCI_MMAP) || vdev->bar[bar].err ||
	    !(pci_resource_flags(vdev->pdev, bar) & IORESOURCE_MEM))
		return false;

	return pci_resource_len(vdev->pdev, bar) >= PAGE_SIZE ||
	       reserve_tail(vdev, bar);
}

void vfio_pci_bars_probe_mmap(struct vfio_pci_core_device *vdev)
{
	int i;

	for (i = 0; i < PCI_STD_NUM_BARS; i++)
		vdev->bar[i].can_mmap = can_mmap_bar(vdev, i);
}

static void drop_bar(struct vfio_pci_core_device *vdev, int bar)
{
	struct resource *tail = vdev->bar[bar].tail;

	vdev->bar[bar].can_mmap = false;
	vdev->bar[bar].tail = NULL;
	if (tail) {
		release_resource(tail);
		kfree(tail);
	}

	if (!vdev->bar[bar].err) {
		pci_iounmap(vdev->pdev, vdev->barmap[bar]);
		pci_release_selected_regions(vdev->pdev, BIT(bar));
	}
	vdev->barmap[bar] = NULL;
	vdev->bar[bar].err = -EINVAL;
}

void vfio_pci_bars_close(struct vfio_pci_core_device *vdev)
{
	int i;

	for (i = PCI_STD_NUM_BARS - 1; i >= 0; i--)
		drop_bar(vdev, i);
}

/**
 * vfio_pci_core_setup_barmap() - Make sure that a BAR is mapped for the kernel
 * @vdev: the device, enabled
 * @bar: its BAR, 0 to 5
 *
 * Context: Any, between vfio_pci_core_enable() and vfio_pci_core_disable().
 * Return: 0, and &vfio_pci_core_device.barmap of the BAR may be used; -EINVAL
 * where there is no such BAR, -EBUSY where another driver has claimed it,
 * -ENOMEM where it could not be mapped.
 */
int vfio_pci_core_setup_barmap(struct vfio_pci_core_device *vdev, int bar)
{
	if (bar < 0 || bar >= PCI_STD_NUM_BARS)
		return -EINVAL;

	return vdev->bar[bar].err;
}
EXPORT_SYMBOL_GPL(vfio_pci_core_setup_barmap);

/*
 * Find out once per registration how large the ROM region is. A ROM whose
 * image cannot be read is not shown at all.
 */
int vfio_pci_rom_probe(struct vfio_pci_core_device *vdev)
{
	struct pci_dev *pdev = vdev->pdev;
	struct resource *res = &pdev->resource[PCI_ROM_RESOURCE];
	void __iomem *io;
	size_t image;
	u16 cmd;

	if (vdev->rom_probed)
		return 0;
	vdev->rom_probed = true;

	if (!pci_resource_len(pdev, PCI_ROM_RESOURCE) ||
	    !(res->flags & IORESOURCE_MEM))
		return 0;

	mutex_lock(&vdev->rom_lock);
	down_write(&vdev->memory_lock);
	cmd = vfio_pci_memory_force(vdev);
	io = pci_map_rom(pdev, &image);
	if (io) {
		vdev->rom_size = resource_size(res);
		pci_unmap_rom(pdev, io);
	}
	vfio_pci_memory_restore(vdev, cmd);
	up_write(&vdev->memory_lock);
	mutex_unlock(&vdev->rom_lock);
	return 0;
}
