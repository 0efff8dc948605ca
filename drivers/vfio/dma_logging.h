/* SPDX-License-Identifier: GPL-2.0-only */
/* Features that log the memory a device writes by DMA. */
#ifndef VFIO_DMA_LOGGING_H
#define VFIO_DMA_LOGGING_H

#include <linux/types.h>

struct vfio_device;

/* 0, or -EINVAL where log_ops are incomplete. */
int vfio_dma_logging_check(struct vfio_device *device);

/* Feature handlers: payload at arg, argsz bytes of it. */
int vfio_feature_dma_logging_start(struct vfio_device *device, u32 flags,
				   void __user *arg, size_t argsz);
int vfio_feature_dma_logging_stop(struct vfio_device *device, u32 flags,
				  void __user *arg, size_t argsz);
int vfio_feature_dma_logging_report(struct vfio_device *device, u32 flags,
				    void __user *arg, size_t argsz);

#endif /* VFIO_DMA_LOGGING_H */
