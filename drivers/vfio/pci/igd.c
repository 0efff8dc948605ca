// SPDX-License-Identifier: GPL-2.0-only
/*
 * Regions for Intel's integrated graphics, whose drivers also look at what is not
 * part of the device: the OpRegion in memory, and the configuration spaces of the
 * host bridge and of the LPC bridge. All are read-only.
 *
 * The device has a register for the OpRegion's address. A user who wrote it could
 * have us map what he likes for whoever opens the device next. So the register is
 * virtual: he finds the host's value in it, and what he writes stays a note.
 */
#include <linux/io.h>
#include <linux/nospec.h>
#include <linux/pci.h>
#include <linux/slab.h>
#include <linux/unaligned.h>

#include "private.h"
#include "config.h"
#include "opregion.h"

#define ASLS		0xfc	/* address of the OpRegion */
#define ASLS_NONE	(~0U)
#define READ_BLOCK	256

#define INTEL_TYPE	(VFIO_REGION_TYPE_PCI_VENDOR_TYPE | PCI_VENDOR_ID_INTEL)

static bool is_igd(struct pci_dev *pdev)
{
	return pdev->vendor == PCI_VENDOR_ID_INTEL && pci_is_vga(pdev) &&
	       pci_is_root_bus(pdev->bus);
}

/* The region that a file offset is in; it was looked up before. */
static struct vfio_pci_region *region_at(struct vfio_pci_core_device *vdev,
					 loff_t pos)
{
	unsigned int i = VFIO_PCI_OFFSET_TO_INDEX(pos) - VFIO_PCI_NUM_REGIONS;

	return &vdev->region[array_index_nospec(i, vdev->num_regions)];
}

/* Fill a block from somewhere in a region; 0 or an errno. */
typedef int (*read_block_fn)(const struct vfio_pci_region *region,
			     unsigned int pos, u8 *buf, size_t count);

static ssize_t read_region(struct vfio_pci_core_device *vdev, char __user *ubuf,
			   size_t count, loff_t *ppos, bool iswrite,
			   read_block_fn read_block)
{
	const struct vfio_pci_region *region = region_at(vdev, *ppos);
	u64 pos = *ppos & VFIO_PCI_OFFSET_MASK;
	u8 block[READ_BLOCK] __aligned(4);
	size_t done, len;
	int ret;

	if (iswrite || pos >= region->size)
		return -EINVAL;
	pos = array_index_nospec(pos, region->size);
	count = min_t(u64, count, region->size - pos);

	for (done = 0; done < count; done += len, pos += len) {
		len = min_t(size_t, count - done,
			    READ_BLOCK - pos % READ_BLOCK);
		ret = read_block(region, pos, block, len);
		if (ret)
			return ret;
		if (copy_to_user(ubuf + done, block, len))
			return -EFAULT;
	}

	*ppos += done;
	return done;
}

static int opregion_block(const struct vfio_pci_region *region,
			  unsigned int pos, u8 *buf, size_t count)
{
	vfio_pci_opregion_copy(region->data, pos, buf, count);
	return 0;
}

static ssize_t opregion_rw(struct vfio_pci_core_device *vdev, char __user *buf,
			   size_t count, loff_t *ppos, bool iswrite)
{
	return read_region(vdev, buf, count, ppos, iswrite, opregion_block);
}

static void drop_opregion(struct vfio_pci_opregion *op)
{
	if (op->vbt)
		memunmap((void *)op->vbt);
	memunmap((void *)op->base);
	kfree(op);
}

static void opregion_release(struct vfio_pci_core_device *vdev,
			     struct vfio_pci_region *region)
{
	drop_opregion(region->data);
}

static const struct vfio_pci_regops opregion_ops = {
	.rw = opregion_rw,
	.release = opregion_release,
};

/* Firmware keeps both out of the memory that the kernel uses. */
static const u8 *map_firmware(u64 addr, size_t size)
{
	if (region_intersects(addr, size, IORESOURCE_SYSTEM_RAM,
			      IORES_DESC_NONE) != REGION_DISJOINT)
		return NULL;
	return memremap(addr, size, MEMREMAP_WB);
}

/* Return: NULL where there is none that can be used, or ERR_PTR(-ENOMEM). */
static struct vfio_pci_opregion *find_opregion(u32 addr)
{
	struct vfio_pci_opregion *op;
	u64 vbt_addr;
	u32 vbt_len;

	if (!addr || addr == ASLS_NONE)
		return NULL;
	op = kzalloc(sizeof(*op), GFP_KERNEL_ACCOUNT);
	if (!op)
		return ERR_PTR(-ENOMEM);

	op->base = map_firmware(addr, VFIO_PCI_OPREGION_SIZE);
	if (!op->base) {
		kfree(op);
		return NULL;
	}
	if (!vfio_pci_opregion_is_valid(op->base)) {
		drop_opregion(op);
		return NULL;
	}

	if (vfio_pci_opregion_find_vbt(op->base, addr, &vbt_addr, &vbt_len)) {
		op->vbt = map_firmware(vbt_addr, vbt_len);
		op->vbt_len = op->vbt ? vbt_len : 0;
	}
	return op;
}

static int add_opregion(struct vfio_pci_core_device *vdev, u32 addr)
{
	struct vfio_pci_opregion *op = find_opregion(addr);
	int ret;

	if (IS_ERR(op))
		return PTR_ERR(op);
	if (!op) {
		pci_dbg(vdev->pdev, "no OpRegion at %#x\n", addr);
		return 0;
	}

	ret = vfio_pci_core_register_dev_region(vdev, INTEL_TYPE,
						VFIO_REGION_SUBTYPE_INTEL_IGD_OPREGION,
						&opregion_ops,
						VFIO_PCI_OPREGION_SIZE +
						op->vbt_len,
						VFIO_REGION_INFO_FLAG_READ, op);
	if (ret)
		drop_opregion(op);
	return ret;
}

static int bridge_block(const struct vfio_pci_region *region, unsigned int pos,
			u8 *buf, size_t count)
{
	struct pci_dev *bridge = region->data;
	unsigned int width;
	u32 dword;
	u16 word;
	int ret;

	for (; count; pos += width, buf += width, count -= width) {
		width = vfio_pci_io_width(pos, count, VFIO_PCI_IO_WIDTH_4);
		switch (width) {
		case 4:
			ret = pci_user_read_config_dword(bridge, pos, &dword);
			put_unaligned_le32(dword, buf);
			break;
		case 2:
			ret = pci_user_read_config_word(bridge, pos, &word);
			put_unaligned_le16(word, buf);
			break;
		default:
			ret = pci_user_read_config_byte(bridge, pos, buf);
		}
		if (ret)
			return ret;
	}
	return 0;
}

static ssize_t bridge_rw(struct vfio_pci_core_device *vdev, char __user *buf,
			 size_t count, loff_t *ppos, bool iswrite)
{
	return read_region(vdev, buf, count, ppos, iswrite, bridge_block);
}

static void bridge_release(struct vfio_pci_core_device *vdev,
			   struct vfio_pci_region *region)
{
	pci_dev_put(region->data);
}

static const struct vfio_pci_regops bridge_ops = {
	.rw = bridge_rw,
	.release = bridge_release,
};

static int add_bridge(struct vfio_pci_core_device *vdev, unsigned int devfn,
		      unsigned int class, u32 subtype)
{
	struct pci_dev *bridge;
	int ret;

	bridge = pci_get_slot(vdev->pdev->bus, devfn);
	if (!bridge)
		return 0;
	if (bridge->vendor != PCI_VENDOR_ID_INTEL ||
	    bridge->class >> 8 != class) {
		pci_dev_put(bridge);
		return 0;
	}

	ret = vfio_pci_core_register_dev_region(vdev, INTEL_TYPE, subtype,
						&bridge_ops, bridge->cfg_size,
						VFIO_REGION_INFO_FLAG_READ,
						bridge);
	if (ret)
		pci_dev_put(bridge);
	return ret;
}

/* Return: what the hardware has in the register. */
static u32 keep_asls(struct vfio_pci_core_device *vdev)
{
	struct vfio_pci_config_dword *dword =
		vfio_pci_config_dword(vdev->pci_config_map, ASLS);
	u32 addr = ASLS_NONE;

	pci_read_config_dword(vdev->pdev, ASLS, &addr);
	dword->trap = VFIO_PCI_TRAP_NONE;
	dword->virt = ~0U;
	dword->write = ~0U;
	vfio_pci_vconfig_set(vdev->vconfig, ASLS, addr);
	return addr;
}

/*
 * A step of opening. What it adds goes with all other regions, also where it
 * fails half way.
 */
int vfio_pci_igd_open(struct vfio_pci_core_device *vdev)
{
	int ret;

	if (!is_igd(vdev->pdev))
		return 0;

	ret = add_opregion(vdev, keep_asls(vdev));
	if (!ret)
		ret = add_bridge(vdev, PCI_DEVFN(0, 0), PCI_CLASS_BRIDGE_HOST,
				 VFIO_REGION_SUBTYPE_INTEL_IGD_HOST_CFG);
	if (!ret)
		ret = add_bridge(vdev, PCI_DEVFN(0x1f, 0), PCI_CLASS_BRIDGE_ISA,
				 VFIO_REGION_SUBTYPE_INTEL_IGD_LPC_CFG);
	return ret;
}
