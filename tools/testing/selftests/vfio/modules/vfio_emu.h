/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What vfio_emu.ko does when a test tells it to: ioctls on the fd of one of its
 * devices.
 *
 * The module makes platform devices vfio_emu.0, vfio_emu.1 and so on (parameter
 * "devices"), each alone in an emulated group. Their driver is a test's hand: it
 * pins, unpins and copies as told, and notes what the core asks of it. Lengths
 * and loops are bounded so that no call runs for ever; nothing else is checked,
 * since what the core makes of bad values is what tests want to see.
 */
#ifndef SELFTESTS_VFIO_EMU_H
#define SELFTESTS_VFIO_EMU_H

#include <linux/ioctl.h>
#include <linux/types.h>

/* How the memory is to be used, and how the call is to be made. */
#define VFIO_EMU_READ		0x1	/* of a pin: IOMMU_READ */
#define VFIO_EMU_WRITE		0x2	/* of a pin: IOMMU_WRITE; of a copy: to memory */
#define VFIO_EMU_KTHREAD	0x4	/* from a kernel thread, which has no mm */
#define VFIO_EMU_RAW		0x8	/* without a note in the table of pins */

/*
 * PIN and UNPIN give the number of pages or a negative errno, as the core's
 * functions do; UNPIN of what the table does not have is -ENOENT and does not
 * reach the core, unless RAW.
 *
 * The table counts pins by page: each is dropped by UNPIN, by a notice that covers
 * it (see below), or when the device is closed.
 */
struct vfio_emu_pin {
	__u64 iova;
	__u32 npages;		/* passed on as an int */
	__u32 flags;
	__u64 pfns;		/* PIN: array of npages __u64 for the frames, or 0 */
};

#define VFIO_EMU_PIN		_IOW('>', 0xe0, struct vfio_emu_pin)
#define VFIO_EMU_UNPIN		_IOW('>', 0xe1, struct vfio_emu_pin)

/*
 * While the user has DMA logging started, pages that a copy wrote are logged; where
 * the kernel has no bitmaps for it (CONFIG_IOMMUFD_DRIVER) the core offers none.
 *
 * RW copies by vfio_dma_rw(), ACCESS through the pages of the table, as a device
 * would [-ENOENT where one is not pinned]. 0 or a negative errno.
 */
#define VFIO_EMU_MAX_LEN	0x100000

struct vfio_emu_rw {
	__u64 iova;
	__u64 buf;
	__u32 len;		/* up to VFIO_EMU_MAX_LEN [-EINVAL] */
	__u32 flags;
};

#define VFIO_EMU_RW		_IOW('>', 0xe2, struct vfio_emu_rw)
#define VFIO_EMU_ACCESS		_IOW('>', 0xe3, struct vfio_emu_rw)

/*
 * What to do with a notice of the core that IOVAs go away, until told otherwise
 * or closed.
 */
enum vfio_emu_action {
	VFIO_EMU_DROP,		/* unpin what the table has of it; the default */
	VFIO_EMU_KEEP,		/* nothing: a driver that breaks its promise */
	VFIO_EMU_DROP_ELSEWHERE,/* DROP by another thread, and wait for it */
	VFIO_EMU_DROP_AND_READ,	/* DROP, then read 8 bytes at .iova by dma_rw */
	VFIO_EMU_DROP_HALF,	/* DROP every second page, the rest at the next */
};

struct vfio_emu_notice {
	__u32 action;		/* enum vfio_emu_action [-EINVAL] */
	__u32 reserved;
	__u64 iova;
};

#define VFIO_EMU_ON_NOTICE	_IOW('>', 0xe4, struct vfio_emu_notice)

/* What the core did to the device since the module was loaded. */
#define VFIO_EMU_LAST		8

struct vfio_emu_state {
	__u32 opens;
	__u32 closes;
	__u32 requests;		/* to give the device back */
	__u32 notices;
	__u32 pinned_pages;	/* in the table, each counted once */
	__s32 read_result;	/* of the last DROP_AND_READ */
	struct {
		__u64 iova;
		__u64 length;
	} last[VFIO_EMU_LAST];	/* notice n in last[n % VFIO_EMU_LAST] */
};

#define VFIO_EMU_STATE		_IOR('>', 0xe5, struct vfio_emu_state)

/*
 * Do it again and again and tell what it took by get_cycles(). The pages come
 * and go within the call and are in no table.
 */
enum vfio_emu_work {
	VFIO_EMU_TIME_PIN,	/* size: pages; ticks of pin and of unpin */
	VFIO_EMU_TIME_RW,	/* size: bytes; ticks[0] */
};

struct vfio_emu_time {
	__u64 iova;
	__u32 work;		/* enum vfio_emu_work [-EINVAL] */
	__u32 flags;
	__u32 size;
	__u32 loops;		/* up to 0x100000 [-EINVAL] */
	__u64 ticks[2];		/* out: of all loops together */
};

#define VFIO_EMU_TIME		_IOWR('>', 0xe6, struct vfio_emu_time)

#endif /* SELFTESTS_VFIO_EMU_H */
