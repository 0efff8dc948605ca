// SPDX-License-Identifier: GPL-2.0-only
/*
 * Intel's OpRegion: a page or two of memory in which firmware and graphics
 * drivers tell each other about displays, and the video BIOS table (VBT) that
 * describes how they are wired.
 *
 * A table that is too large for its mailbox lies elsewhere. Version 2.0 points to
 * it by a physical address, later ones by its distance from the OpRegion. A user
 * reads both as one, the table right behind the OpRegion, and finds the distance
 * there, with a version that says so: physical addresses mean nothing to him.
 *
 * Nothing here touches a device; words are little endian.
 */
#include <linux/minmax.h>
#include <linux/overflow.h>
#include <linux/string.h>
#include <linux/unaligned.h>

#include "opregion.h"
#include "private.h"

#define SIGNATURE	"IntelGraphicsMem"
#define SIGNATURE_LEN	16
#define OFF_SIZE	0x10	/* dword: KiB */
#define OFF_VERSION	0x16	/* word: major and minor */
#define OFF_MBOXES	0x58	/* dword: mailboxes that are there */
#define MBOX_ASLE	BIT(2)
#define OFF_RVDA	0x3ba	/* qword: where a large VBT is */
#define OFF_RVDS	0x3c2	/* dword: its bytes */

#define VERSION_2_0	0x0200
#define VERSION_2_1	0x0201

/**
 * vfio_pci_opregion_is_valid() - Is this an OpRegion?
 * @base: VFIO_PCI_OPREGION_SIZE bytes
 *
 * Return: whether it says so, and is as large as all of them are.
 */
bool vfio_pci_opregion_is_valid(const u8 *base)
{
	return !memcmp(base, SIGNATURE, SIGNATURE_LEN) &&
	       get_unaligned_le32(base + OFF_SIZE) ==
	       VFIO_PCI_OPREGION_SIZE / SZ_1K;
}

/**
 * vfio_pci_opregion_find_vbt() - Where is the table that did not fit?
 * @base: a valid OpRegion
 * @addr: its physical address
 * @vbt_addr: set to the table's physical address
 * @vbt_len: set to its bytes
 *
 * Return: whether there is one, of a size that can be believed.
 */
bool vfio_pci_opregion_find_vbt(const u8 *base, u64 addr, u64 *vbt_addr,
				u32 *vbt_len)
{
	u16 version = get_unaligned_le16(base + OFF_VERSION);
	u64 rvda = get_unaligned_le64(base + OFF_RVDA);
	u32 rvds = get_unaligned_le32(base + OFF_RVDS);
	u64 end;

	if (version < VERSION_2_0 ||
	    !(get_unaligned_le32(base + OFF_MBOXES) & MBOX_ASLE) ||
	    !rvda || !rvds || rvds > VFIO_PCI_VBT_MAX)
		return false;

	if (version > VERSION_2_0 &&
	    (rvda < VFIO_PCI_OPREGION_SIZE ||
	     check_add_overflow(addr, rvda, &rvda)))
		return false;
	if (check_add_overflow(rvda, (u64)rvds, &end))
		return false;

	*vbt_addr = rvda;
	*vbt_len = rvds;
	return true;
}

/* Put the bytes of a field that are in [pos, pos + count) into buf. */
static void overlay(u64 pos, u8 *buf, size_t count, size_t field,
		    const void *val, size_t len)
{
	size_t common, in_field;
	loff_t in_buf;

	if (vfio_pci_core_range_intersect_range(pos, count, field, len, &in_buf,
						&common, &in_field))
		memcpy(buf + in_buf, val + in_field, common);
}

/**
 * vfio_pci_opregion_copy() - Read OpRegion and table as one
 * @op: both
 * @pos: first byte
 * @buf: filled
 * @count: bytes; @pos + @count is not past the end of both
 */
void vfio_pci_opregion_copy(const struct vfio_pci_opregion *op, u64 pos,
			    u8 *buf, size_t count)
{
	u16 version = get_unaligned_le16(op->base + OFF_VERSION);
	__le64 distance = cpu_to_le64(VFIO_PCI_OPREGION_SIZE);
	__le16 shown = cpu_to_le16(max_t(u16, version, VERSION_2_1));
	size_t first = 0;

	if (pos < VFIO_PCI_OPREGION_SIZE) {
		first = min_t(u64, count, VFIO_PCI_OPREGION_SIZE - pos);
		memcpy(buf, op->base + pos, first);
	}
	if (!op->vbt)
		return;

	overlay(pos, buf, first, OFF_VERSION, &shown, sizeof(shown));
	overlay(pos, buf, first, OFF_RVDA, &distance, sizeof(distance));
	memcpy(buf + first, op->vbt + (pos + first - VFIO_PCI_OPREGION_SIZE),
	       count - first);
}
