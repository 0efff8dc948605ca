// SPDX-License-Identifier: GPL-2.0-only
/*
 * The legacy registers of a display as a region: the addresses of the region are
 * those of memory and I/O ports below 768 KiB.
 *
 * They are no BAR. The VGA arbiter routes them to the device for the time of an
 * access; whether the device decodes its BARs has nothing to say here. Drivers of
 * the host wait for the arbiter, so a user's memory, which may take any time to
 * come, is never touched while it is held.
 */
#include <linux/io.h>
#include <linux/minmax.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/vgaarb.h>

#include "private.h"

struct vga_range {
	u32 first;
	u32 last;
	unsigned int rsrc;
};

static const struct vga_range vga_ranges[] = {
	{ 0x3b0, 0x3bb, VGA_RSRC_LEGACY_IO },
	{ 0x3c0, 0x3df, VGA_RSRC_LEGACY_IO },
	{ 0xa0000, 0xbffff, VGA_RSRC_LEGACY_MEM },
};

static const struct vga_range *find_range(u64 pos)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(vga_ranges); i++)
		if (pos >= vga_ranges[i].first && pos <= vga_ranges[i].last)
			return &vga_ranges[i];
	return NULL;
}

static void __iomem *map_range(const struct vga_range *range)
{
	unsigned long size = range->last - range->first + 1;

	if (range->rsrc == VGA_RSRC_LEGACY_IO)
		return ioport_map(range->first, size);
	return ioremap(range->first, size);
}

static void unmap_range(const struct vga_range *range, void __iomem *io)
{
	if (range->rsrc == VGA_RSRC_LEGACY_IO)
		ioport_unmap(io);
	else
		iounmap(io);
}

/* Does the device have the region? Constant from registration on. */
bool vfio_pci_has_vga(const struct vfio_pci_core_device *vdev)
{
	return pci_is_vga(vdev->pdev) && !vdev->disable_vga;
}

/* Gate and arbiter open no longer than this takes, and no user memory inside. */
static int move_routed(struct vfio_pci_core_device *vdev,
		       const struct vga_range *range, void __iomem *io, u64 off,
		       u8 *buf, size_t count, bool iswrite)
{
	int ret;

	/* Another display may have them for as long as its user wants. */
	ret = vga_get_interruptible(vdev->pdev, range->rsrc);
	if (ret)
		return ret;

	ret = vfio_pci_gate_begin(vdev, VFIO_PCI_GATE_POWER);
	if (!ret) {
		vfio_pci_move_registers(io, VFIO_PCI_IO_WIDTH_4, off, buf,
					count, iswrite);
		vfio_pci_gate_end(vdev);
	}
	vga_put(vdev->pdev, range->rsrc);
	return ret;
}

static ssize_t move_range(struct vfio_pci_core_device *vdev,
			  const struct vga_range *range, void __iomem *io,
			  u64 off, char __user *ubuf, size_t count,
			  u8 *bounce, bool iswrite)
{
	size_t done, len;
	int ret;

	for (done = 0; done < count; done += len) {
		/* The buffer is as aligned as the registers. */
		u8 *buf = bounce + (off + done) % sizeof(u32);

		if (fatal_signal_pending(current))
			break;
		cond_resched();

		len = min_t(size_t, count - done, bounce + PAGE_SIZE - buf);
		if (iswrite && !vfio_pci_fetch(buf, ubuf + done, len))
			return -EFAULT;
		ret = move_routed(vdev, range, io, off + done, buf, len,
				  iswrite);
		if (ret == -ERESTARTSYS && done)
			break;
		if (ret)
			return ret;
		if (!iswrite && !vfio_pci_deliver(ubuf + done, buf, len))
			return -EFAULT;
	}
	return done;
}

ssize_t vfio_pci_vga_rw(struct vfio_pci_core_device *vdev, unsigned int index,
			char __user *buf, size_t count, loff_t *ppos,
			bool iswrite)
{
	u64 pos = *ppos & VFIO_PCI_OFFSET_MASK;
	const struct vga_range *range;
	ssize_t ret = -ENOMEM;
	void __iomem *io;
	u8 *bounce;

	range = vfio_pci_has_vga(vdev) ? find_range(pos) : NULL;
	if (!range)
		return -EINVAL;
	count = min_t(u64, count, range->last - pos + 1);

	bounce = kmalloc(PAGE_SIZE, GFP_KERNEL_ACCOUNT);
	if (!bounce)
		return -ENOMEM;

	io = map_range(range);
	if (io) {
		ret = move_range(vdev, range, io, pos - range->first, buf,
				 count, bounce, iswrite);
		unmap_range(range, io);
	}
	kfree(bounce);

	if (ret > 0)
		*ppos += ret;
	return ret;
}
