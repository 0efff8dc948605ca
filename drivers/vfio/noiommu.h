/* SPDX-License-Identifier: GPL-2.0-only */
/* Everything about devices that no IOMMU fences. */
#ifndef VFIO_NOIOMMU_H
#define VFIO_NOIOMMU_H

#include <linux/errno.h>
#include <linux/types.h>

#include "backend.h"

struct device;

#ifdef CONFIG_VFIO_NOIOMMU
bool vfio_noiommu_is_enabled(void);
int vfio_noiommu_check_user(enum vfio_group_type type);
void vfio_noiommu_taint(struct device *dev);
void vfio_noiommu_tell_open(struct device *dev);
bool vfio_noiommu_is_backend(const struct vfio_iommu_driver_ops *ops);
int vfio_noiommu_init(void);
void vfio_noiommu_exit(void);
#else
static inline bool vfio_noiommu_is_enabled(void)
{
	return false;
}

static inline int vfio_noiommu_check_user(enum vfio_group_type type)
{
	return 0;
}

static inline void vfio_noiommu_taint(struct device *dev)
{
}

static inline void vfio_noiommu_tell_open(struct device *dev)
{
}

static inline bool
vfio_noiommu_is_backend(const struct vfio_iommu_driver_ops *ops)
{
	return false;
}

static inline int vfio_noiommu_init(void)
{
	return 0;
}

static inline void vfio_noiommu_exit(void)
{
}
#endif

#endif /* VFIO_NOIOMMU_H */
