// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ioctls that tell what a device has: flags, regions and interrupts.
 */
#include <linux/nospec.h>
#include <linux/slab.h>

#include "private.h"

/* Widths of AtomicOps that the root port above a device completes. */
static u32 completed_atomics(struct pci_dev *pdev)
{
	struct pci_dev *port = pcie_find_root_port(pdev);
	struct pci_dev *bridge;
	u32 cap, flags = 0;

	if (!port || pcie_capability_read_dword(port, PCI_EXP_DEVCAP2, &cap))
		return 0;
	if (cap & PCI_EXP_DEVCAP2_ATOMIC_COMP32)
		flags |= VFIO_PCI_ATOMIC_COMP32;
	if (cap & PCI_EXP_DEVCAP2_ATOMIC_COMP64)
		flags |= VFIO_PCI_ATOMIC_COMP64;
	if (cap & PCI_EXP_DEVCAP2_ATOMIC_COMP128)
		flags |= VFIO_PCI_ATOMIC_COMP128;

	/* Every switch on the way has to pass them on, and not to block them. */
	for (bridge = pci_upstream_bridge(pdev); bridge && bridge != port;
	     bridge = pci_upstream_bridge(bridge)) {
		u16 ctl = 0;

		if (pcie_capability_read_dword(bridge, PCI_EXP_DEVCAP2, &cap) ||
		    !(cap & PCI_EXP_DEVCAP2_ATOMIC_ROUTE))
			return 0;
		if (pci_pcie_type(bridge) != PCI_EXP_TYPE_UPSTREAM)
			continue;
		pcie_capability_read_word(bridge, PCI_EXP_DEVCTL2, &ctl);
		if (ctl & PCI_EXP_DEVCTL2_ATOMIC_EGRESS_BLOCK)
			return 0;
	}
	return flags;
}

static int add_atomics(struct vfio_pci_core_device *vdev,
		       struct vfio_info_cap *caps)
{
	struct vfio_device_info_cap_pci_atomic_comp cap = {
		.header.id = VFIO_DEVICE_INFO_CAP_PCI_ATOMIC_COMP,
		.header.version = 1,
	};

	/* A virtual function's requests are enabled by its physical one. */
	if (!pci_is_pcie(vdev->pdev) || vdev->pdev->is_virtfn)
		return 0;

	cap.flags = completed_atomics(vdev->pdev);
	return cap.flags ? vfio_info_add_capability(caps, &cap.header,
						    sizeof(cap)) : 0;
}

long vfio_pci_get_info(struct vfio_pci_core_device *vdev, void __user *uarg)
{
	struct vfio_info_cap caps = {};
	struct vfio_device_info info;
	int ret;

	ret = vfio_uarg_get(&info, sizeof(info),
			    offsetofend(struct vfio_device_info, num_irqs),
			    uarg);
	if (ret)
		return ret;

	info.flags = VFIO_DEVICE_FLAGS_PCI;
	if (vdev->reset_works)
		info.flags |= VFIO_DEVICE_FLAGS_RESET;
	info.num_regions = VFIO_PCI_NUM_REGIONS + vdev->num_regions;
	info.num_irqs = VFIO_PCI_NUM_IRQS;

	ret = add_atomics(vdev, &caps);
	if (!ret)
		ret = vfio_pci_zdev_add_caps(vdev, &caps);
	if (caps.size)
		info.flags |= VFIO_DEVICE_FLAGS_CAPS;

	if (!ret)
		ret = vfio_info_reply(uarg, &info, sizeof(info),
				      &info.cap_offset, &caps);
	kfree(caps.buf);
	return ret;
}

long vfio_pci_get_region_info(struct vfio_pci_core_device *vdev,
			      void __user *uarg)
{
	struct vfio_info_cap caps = {};
	struct vfio_region_info info;
	int ret;

	ret = vfio_uarg_get(&info, sizeof(info), sizeof(info), uarg);
	if (ret)
		return ret;

	info.cap_offset = 0;
	ret = vfio_pci_region_info(vdev, &info, &caps);
	if (!ret)
		ret = vfio_info_reply(uarg, &info, sizeof(info),
				      &info.cap_offset, &caps);
	kfree(caps.buf);
	return ret;
}

static u32 irq_flags(struct vfio_pci_core_device *vdev, unsigned int index)
{
	switch (index) {
	case VFIO_PCI_INTX_IRQ_INDEX:
		return VFIO_IRQ_INFO_EVENTFD | VFIO_IRQ_INFO_MASKABLE |
		       VFIO_IRQ_INFO_AUTOMASKED;
	case VFIO_PCI_MSIX_IRQ_INDEX:
		if (vdev->has_dyn_msix)
			return VFIO_IRQ_INFO_EVENTFD;
		fallthrough;
	default:
		return VFIO_IRQ_INFO_EVENTFD | VFIO_IRQ_INFO_NORESIZE;
	}
}

long vfio_pci_get_irq_info(struct vfio_pci_core_device *vdev,
			   void __user *uarg)
{
	struct vfio_irq_info info;
	int ret;

	ret = vfio_uarg_get(&info, sizeof(info), sizeof(info), uarg);
	if (ret)
		return ret;

	if (info.index >= VFIO_PCI_NUM_IRQS)
		return -EINVAL;
	info.index = array_index_nospec(info.index, VFIO_PCI_NUM_IRQS);

	/* Errors are told of by PCI Express alone. */
	if (info.index == VFIO_PCI_ERR_IRQ_INDEX && !pci_is_pcie(vdev->pdev))
		return -EINVAL;

	info.flags = irq_flags(vdev, info.index);
	info.count = vdev->irq_count[info.index];
	return vfio_info_reply(uarg, &info, sizeof(info), NULL, NULL);
}
