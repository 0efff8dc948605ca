/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What vfio_floor.ko times: ioctls on /dev/vfio_floor.
 *
 * Mapping memory for a device is pinning it and entering it into the page tables
 * of an IOMMU. The module does just that, as the kernel's functions offer it and
 * without any bookkeeping, so that a bench can tell what is left above it.
 */
#ifndef SELFTESTS_VFIO_FLOOR_H
#define SELFTESTS_VFIO_FLOOR_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define VFIO_FLOOR_NO_DOMAIN	0x1	/* pin and unpin only */
#define VFIO_FLOOR_PHYSICAL	0x2	/* .vaddr is a physical address: nothing to pin */
#define VFIO_FLOOR_LEAVE	0x4	/* free the domain with its entries in it */

enum vfio_floor_step {
	VFIO_FLOOR_PIN,
	VFIO_FLOOR_MAP,
	VFIO_FLOOR_UNMAP,	/* with one flush of the IOTLB */
	VFIO_FLOOR_UNPIN,
	VFIO_FLOOR_RELEASE,	/* detach the domain and free it */
	VFIO_FLOOR_STEPS,
};

struct vfio_floor_leaves {
	char device[32];	/* PCI device whose IOMMU is used; nobody else may own it */
	__u64 vaddr;
	__u64 size;		/* up to 1 GiB [-EINVAL] */
	__u64 leaf;		/* bytes that one pin holds */
	__u64 iova;
	__u32 flags;
	__u32 loops;
	__u64 ticks[VFIO_FLOOR_STEPS];	/* out: of all loops, by get_cycles() */
};

struct vfio_floor_copy {
	__u64 vaddr;
	__u32 size;		/* up to 1 MiB [-EINVAL] */
	__u32 loops;
	__u64 ticks;		/* out: of loops copies from there and as many to it */
};

#define VFIO_FLOOR_LEAVES	_IOWR('>', 0xf0, struct vfio_floor_leaves)
#define VFIO_FLOOR_COPY		_IOWR('>', 0xf1, struct vfio_floor_copy)
/* Copies the first 32 bytes of struct vfio_floor_leaves in, and nothing else. */
#define VFIO_FLOOR_NOTHING	_IOW('>', 0xf2, struct vfio_floor_leaves)

#endif /* SELFTESTS_VFIO_FLOOR_H */
