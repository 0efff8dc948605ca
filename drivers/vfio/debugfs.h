/* SPDX-License-Identifier: GPL-2.0-only */
/* What debugfs shows of each device. */
#ifndef VFIO_DEBUGFS_H
#define VFIO_DEBUGFS_H

struct vfio_device;

#ifdef CONFIG_VFIO_DEBUGFS
void vfio_debugfs_init(void);
void vfio_debugfs_exit(void);
void vfio_debugfs_add_device(struct vfio_device *device);
void vfio_debugfs_remove_device(struct vfio_device *device);
#else
static inline void vfio_debugfs_init(void)
{
}

static inline void vfio_debugfs_exit(void)
{
}

static inline void vfio_debugfs_add_device(struct vfio_device *device)
{
}

static inline void vfio_debugfs_remove_device(struct vfio_device *device)
{
}
#endif

#endif /* VFIO_DEBUGFS_H */
