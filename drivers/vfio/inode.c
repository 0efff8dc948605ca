// SPDX-License-Identifier: GPL-2.0-only
/*
 * A pseudo file system that gives each device an inode of its own.
 *
 * Device files are anonymous and would all share one inode. With the inode of
 * their device as f_mapping, one unmap_mapping_range() reaches every mapping
 * of the device, by whichever file it was made, and no other device's.
 */
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/mount.h>
#include <linux/pseudo_fs.h>

#include "inode.h"

#define VFIO_FS_MAGIC	0x4f494656	/* "VFIO" */

static struct vfsmount *vfio_mount;

static int start_context(struct fs_context *fc)
{
	return init_pseudo(fc, VFIO_FS_MAGIC) ? 0 : -ENOMEM;
}

/*
 * Without an owner, because the mount would otherwise keep the module that
 * made it from ever being unloaded. vfio_inode_exit() ends the mount before
 * the module goes.
 */
static struct file_system_type vfio_fs_type = {
	.name		 = "vfio",
	.init_fs_context = start_context,
	.kill_sb	 = kill_anon_super,
};

/**
 * vfio_inode_init() - Mount the file system of the inodes
 *
 * Return: 0, or an errno of kern_mount(). Pairs with vfio_inode_exit().
 */
int vfio_inode_init(void)
{
	struct vfsmount *mount = kern_mount(&vfio_fs_type);

	if (IS_ERR(mount))
		return PTR_ERR(mount);
	vfio_mount = mount;
	return 0;
}

/**
 * vfio_inode_exit() - Unmount it; every inode has been dropped
 */
void vfio_inode_exit(void)
{
	kern_unmount(vfio_mount);
}

/**
 * vfio_inode_new() - Make the inode of a device
 *
 * Return: the inode, for iput(), or ERR_PTR(-ENOMEM).
 */
struct inode *vfio_inode_new(void)
{
	return alloc_anon_inode(vfio_mount->mnt_sb);
}
