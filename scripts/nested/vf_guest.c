// SPDX-License-Identifier: GPL-2.0-only
/*
 * Driver for virtual functions of QEMU's igb that shows whether DMA works, before
 * and after a reset of the function by its own means (FLR); it runs in a guest
 * that has the function by assignment.
 *
 * Reading the device's "check" attribute performs everything anew and returns
 * one line a step, each ending in "ok" or "failed".
 */
#include <linux/bits.h>
#include <linux/delay.h>
#include <linux/dma-mapping.h>
#include <linux/etherdevice.h>
#include <linux/io.h>
#include <linux/iopoll.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/sysfs.h>

/* Queue 0 of what the function sends */
#define VF_TDBAL		0x3800
#define VF_TDBAH		0x3804
#define VF_TDLEN		0x3808
#define VF_TDH			0x3810
#define VF_TDT			0x3818
#define VF_TXDCTL		0x3828
#define VF_TXDCTL_ENABLE	BIT(25)

/* A data descriptor that holds all of a frame and is to be reported */
#define VF_DESC_DATA		0x00300000
#define VF_DESC_EOP		BIT(24)
#define VF_DESC_FCS		BIT(25)
#define VF_DESC_REPORT		BIT(27)
#define VF_DESC_ADVANCED	BIT(29)
#define VF_DESC_TOTAL_SHIFT	14
#define VF_DESC_DONE		BIT(0)

#define VF_RING_BYTES		128
#define VF_FRAME_OFFSET		256
#define VF_TIMEOUT_US		(10 * USEC_PER_SEC)

struct vf_desc {
	__le64 address;
	__le32 command;
	__le32 status;
};

struct vf_guest {
	struct pci_dev *pdev;
	void __iomem *registers;
	/* The ring, with a frame behind it. */
	void *memory;
	dma_addr_t memory_dma;
};

static void start_queue(struct vf_guest *vf)
{
	writel(0, vf->registers + VF_TXDCTL);
	writel(lower_32_bits(vf->memory_dma), vf->registers + VF_TDBAL);
	writel(upper_32_bits(vf->memory_dma), vf->registers + VF_TDBAH);
	writel(VF_RING_BYTES, vf->registers + VF_TDLEN);
	writel(0, vf->registers + VF_TDH);
	writel(0, vf->registers + VF_TDT);
	writel(VF_TXDCTL_ENABLE, vf->registers + VF_TXDCTL);
}

static bool is_started(struct vf_guest *vf)
{
	return readl(vf->registers + VF_TXDCTL) & VF_TXDCTL_ENABLE;
}

/* The function reads descriptor and frame, and writes that it is done. */
static bool send_frame(struct vf_guest *vf)
{
	struct vf_desc *desc = vf->memory;
	u32 status;

	memset(vf->memory, 0, PAGE_SIZE);
	eth_broadcast_addr(vf->memory + VF_FRAME_OFFSET);
	desc->address = cpu_to_le64(vf->memory_dma + VF_FRAME_OFFSET);
	desc->command = cpu_to_le32(VF_DESC_DATA | VF_DESC_EOP | VF_DESC_FCS |
				    VF_DESC_REPORT | VF_DESC_ADVANCED | ETH_ZLEN);
	desc->status = cpu_to_le32(ETH_ZLEN << VF_DESC_TOTAL_SHIFT);

	start_queue(vf);
	dma_wmb();
	writel(1, vf->registers + VF_TDT);
	return !read_poll_timeout(le32_to_cpu, status, status & VF_DESC_DONE,
				  1000, VF_TIMEOUT_US, false,
				  READ_ONCE(desc->status));
}

static bool reset_function(struct vf_guest *vf)
{
	bool was_started = is_started(vf);
	int ret;

	pci_save_state(vf->pdev);
	ret = pcie_reset_flr(vf->pdev, PCI_RESET_DO_RESET);
	pci_restore_state(vf->pdev);
	return !ret && was_started && !is_started(vf);
}

static const char *verdict(bool ok)
{
	return ok ? "ok" : "failed";
}

static ssize_t check_show(struct device *dev, struct device_attribute *attr,
			  char *buf)
{
	struct vf_guest *vf = dev_get_drvdata(dev);
	int len = 0;

	len += sysfs_emit_at(buf, len, "DMA of a frame and its status: %s\n",
			     verdict(send_frame(vf)));
	len += sysfs_emit_at(buf, len, "function level reset: %s\n",
			     verdict(reset_function(vf)));
	len += sysfs_emit_at(buf, len, "DMA after the reset: %s\n",
			     verdict(send_frame(vf)));
	return len;
}
static DEVICE_ATTR_RO(check);

static struct attribute *vf_guest_attrs[] = {
	&dev_attr_check.attr,
	NULL
};
ATTRIBUTE_GROUPS(vf_guest);

static int vf_guest_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct vf_guest *vf;
	int ret;

	vf = devm_kzalloc(&pdev->dev, sizeof(*vf), GFP_KERNEL);
	if (!vf)
		return -ENOMEM;
	vf->pdev = pdev;
	pci_set_drvdata(pdev, vf);

	ret = pcim_enable_device(pdev);
	if (ret)
		return ret;
	vf->registers = pcim_iomap(pdev, 0, 0);
	if (!vf->registers)
		return -ENOMEM;

	ret = dma_set_mask_and_coherent(&pdev->dev, DMA_BIT_MASK(64));
	if (ret)
		return ret;
	vf->memory = dmam_alloc_coherent(&pdev->dev, PAGE_SIZE, &vf->memory_dma,
					 GFP_KERNEL);
	if (!vf->memory)
		return -ENOMEM;
	pci_set_master(pdev);
	return 0;
}

static void vf_guest_remove(struct pci_dev *pdev)
{
	pci_clear_master(pdev);
}

static const struct pci_device_id vf_guest_ids[] = {
	{ PCI_DEVICE(PCI_VENDOR_ID_INTEL, 0x10ca) },
	{}
};
MODULE_DEVICE_TABLE(pci, vf_guest_ids);

static struct pci_driver vf_guest_driver = {
	.name		= "vf_guest",
	.id_table	= vf_guest_ids,
	.probe		= vf_guest_probe,
	.remove		= vf_guest_remove,
	.dev_groups	= vf_guest_groups,
};
module_pci_driver(vf_guest_driver);

MODULE_DESCRIPTION("Check of a virtual function of igb, for guests");
MODULE_LICENSE("GPL");
