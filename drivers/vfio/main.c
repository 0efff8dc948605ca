// SPDX-License-Identifier: GPL-2.0-only
/*
 * The module: its rooms are set up in the order of one table and taken down in
 * the opposite order.
 */
#include <linux/array_size.h>
#include <linux/init.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/vfio.h>

#include "container.h"
#include "debugfs.h"
#include "device.h"
#include "group.h"
#include "inode.h"
#include "noiommu.h"
#include "virqfd.h"

#define CREATE_TRACE_POINTS
#include "trace.h"

static int start_debugfs(void)
{
	vfio_debugfs_init();
	return 0;
}

/* What users can open comes last: it relies on all that is above it. */
static const struct {
	int (*start)(void);
	void (*stop)(void);
} rooms[] = {
	{ vfio_virqfd_init,	vfio_virqfd_exit },
	{ vfio_inode_init,	vfio_inode_exit },
	{ start_debugfs,	vfio_debugfs_exit },
	{ vfio_device_init,	vfio_device_exit },
	{ vfio_noiommu_init,	vfio_noiommu_exit },
	{ vfio_group_init,	vfio_group_exit },
	{ vfio_container_init,	vfio_container_exit },
};

/* Stops the first so many rooms. */
static void stop_rooms(size_t started)
{
	while (started--)
		rooms[started].stop();
}

static int __init vfio_init(void)
{
	size_t i;
	int ret;

	for (i = 0; i < ARRAY_SIZE(rooms); i++) {
		ret = rooms[i].start();
		if (ret) {
			stop_rooms(i);
			return ret;
		}
	}
	return 0;
}
module_init(vfio_init);

static void __exit vfio_exit(void)
{
	stop_rooms(ARRAY_SIZE(rooms));
}
module_exit(vfio_exit);

MODULE_VERSION("0.4");
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("VFIO: devices driven by user space, fenced by the IOMMU");
MODULE_AUTHOR("The VFIO developers");
MODULE_ALIAS_MISCDEV(VFIO_MINOR);
MODULE_ALIAS("devname:vfio/vfio");
MODULE_SOFTDEP("post: vfio_iommu_type1 vfio_iommu_spapr_tce");
