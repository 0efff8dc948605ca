/* SPDX-License-Identifier: GPL-2.0-only */
/* Intel's OpRegion as users of integrated graphics read it. */
#ifndef VFIO_PCI_OPREGION_H
#define VFIO_PCI_OPREGION_H

#include <linux/sizes.h>
#include <linux/types.h>

#define VFIO_PCI_OPREGION_SIZE	SZ_8K
/* No firmware is known whose video BIOS table comes near this. */
#define VFIO_PCI_VBT_MAX	SZ_1M

/**
 * struct vfio_pci_opregion - An OpRegion and what it points to
 * @base: its VFIO_PCI_OPREGION_SIZE bytes; firmware may change them any time
 * @vbt: the video BIOS table that did not fit in there, or NULL
 * @vbt_len: bytes of @vbt
 */
struct vfio_pci_opregion {
	const u8 *base;
	const u8 *vbt;
	size_t vbt_len;
};

bool vfio_pci_opregion_is_valid(const u8 *base);
bool vfio_pci_opregion_find_vbt(const u8 *base, u64 addr, u64 *vbt_addr,
				u32 *vbt_len);
void vfio_pci_opregion_copy(const struct vfio_pci_opregion *op, u64 pos,
			    u8 *buf, size_t count);

#endif /* VFIO_PCI_OPREGION_H */
