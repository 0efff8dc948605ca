/* SPDX-License-Identifier: GPL-2.0-only */
/* The migration state machine and the features that drive it. */
#ifndef VFIO_MIGRATION_H
#define VFIO_MIGRATION_H

#include <linux/types.h>

struct vfio_device;

/* 0, or -EINVAL where mig_ops and migration_flags do not fit together. */
int vfio_migration_check(struct vfio_device *device);

/* Feature handlers: payload at arg, argsz bytes of it. */
int vfio_feature_migration(struct vfio_device *device, u32 flags,
			   void __user *arg, size_t argsz);
int vfio_feature_mig_device_state(struct vfio_device *device, u32 flags,
				  void __user *arg, size_t argsz);
int vfio_feature_mig_data_size(struct vfio_device *device, u32 flags,
			       void __user *arg, size_t argsz);

#endif /* VFIO_MIGRATION_H */
