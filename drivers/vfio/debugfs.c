// SPDX-License-Identifier: GPL-2.0-only
/*
 * What debugfs shows: a folder vfio/<device> of each device, in which drivers may
 * add what they know; and migration/state of each one that can be migrated.
 *
 * The files go before the device waits for its users in
 * vfio_unregister_group_dev(); removing them waits for readers, so a reader
 * never sees a device that is gone.
 */
#include <linux/array_size.h>
#include <linux/debugfs.h>
#include <linux/seq_file.h>
#include <linux/vfio.h>

#include "debugfs.h"

static struct dentry *vfio_debugfs_root;

static const char * const state_names[VFIO_DEVICE_STATE_NR] = {
	[VFIO_DEVICE_STATE_ERROR]	 = "ERROR",
	[VFIO_DEVICE_STATE_STOP]	 = "STOP",
	[VFIO_DEVICE_STATE_RUNNING]	 = "RUNNING",
	[VFIO_DEVICE_STATE_STOP_COPY]	 = "STOP_COPY",
	[VFIO_DEVICE_STATE_RESUMING]	 = "RESUMING",
	[VFIO_DEVICE_STATE_RUNNING_P2P]	 = "RUNNING_P2P",
	[VFIO_DEVICE_STATE_PRE_COPY]	 = "PRE_COPY",
	[VFIO_DEVICE_STATE_PRE_COPY_P2P] = "PRE_COPY_P2P",
};

static int state_show(struct seq_file *m, void *unused)
{
	struct vfio_device *device = m->private;
	enum vfio_device_mig_state state;
	int ret;

	ret = device->mig_ops->migration_get_state(device, &state);
	if (ret)
		return ret;

	if ((unsigned int)state >= ARRAY_SIZE(state_names))
		return -EINVAL;
	seq_printf(m, "%s\n", state_names[state]);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(state);

/**
 * vfio_debugfs_add_device() - Show a device that has been registered
 * @device: the device
 *
 * Pairs with vfio_debugfs_remove_device() in vfio_unregister_group_dev().
 */
void vfio_debugfs_add_device(struct vfio_device *device)
{
	struct dentry *migration;

	device->debug_root = debugfs_create_dir(dev_name(device->dev),
						vfio_debugfs_root);
	if (!device->mig_ops)
		return;

	migration = debugfs_create_dir("migration", device->debug_root);
	debugfs_create_file("state", 0400, migration, device, &state_fops);
}

/**
 * vfio_debugfs_remove_device() - Stop showing a device, wait for readers
 * @device: the device
 */
void vfio_debugfs_remove_device(struct vfio_device *device)
{
	debugfs_remove_recursive(device->debug_root);
	device->debug_root = NULL;
}

/* Failures of debugfs are nobody's concern: its functions take error pointers. */
void vfio_debugfs_init(void)
{
	vfio_debugfs_root = debugfs_create_dir("vfio", NULL);
}

void vfio_debugfs_exit(void)
{
	debugfs_remove_recursive(vfio_debugfs_root);
}
