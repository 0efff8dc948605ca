/* SPDX-License-Identifier: GPL-2.0-only */
/* Containers: what groups join, and what their open devices use of one. */
#ifndef VFIO_CONTAINER_H
#define VFIO_CONTAINER_H

#include <linux/errno.h>
#include <linux/refcount.h>
#include <linux/types.h>

struct file;
struct page;
struct vfio_container;
struct vfio_device;
struct vfio_group;
struct vfio_iommu_driver_ops;

/**
 * struct vfio_backend - An IOMMU backend at work for a container
 * @users: the container, and every call that is under way
 * @ops: the backend's operations, whose module is held
 * @data: what their ->open() returned
 */
struct vfio_backend {
	refcount_t users;
	const struct vfio_iommu_driver_ops *ops;
	void *data;
};

#if IS_ENABLED(CONFIG_VFIO_CONTAINER)
int vfio_container_init(void);
void vfio_container_exit(void);

struct vfio_container *vfio_container_from_file(struct file *file);

/* A group's membership; group->lock held */
int vfio_container_attach_group(struct vfio_container *container,
				struct vfio_group *group);
void vfio_container_detach_group(struct vfio_group *group);

/* After attaching; no lock held */
int vfio_container_populate(struct vfio_container *container);

/* An open device's use; group->lock held */
int vfio_container_use(struct vfio_group *group);
void vfio_container_unuse(struct vfio_group *group);

/* For a device that is in use. */
struct vfio_backend *vfio_device_backend(struct vfio_device *device);
void vfio_container_register_device(struct vfio_device *device);
void vfio_container_unregister_device(struct vfio_device *device);
#else
static inline int vfio_container_init(void)
{
	return 0;
}

static inline void vfio_container_exit(void)
{
}

static inline struct vfio_container *
vfio_container_from_file(struct file *file)
{
	return NULL;
}

static inline int vfio_container_attach_group(struct vfio_container *container,
					      struct vfio_group *group)
{
	return -EBADFD;
}

static inline void vfio_container_detach_group(struct vfio_group *group)
{
}

static inline int vfio_container_populate(struct vfio_container *container)
{
	return 0;
}

static inline int vfio_container_use(struct vfio_group *group)
{
	return -EINVAL;
}

static inline void vfio_container_unuse(struct vfio_group *group)
{
}

static inline struct vfio_backend *
vfio_device_backend(struct vfio_device *device)
{
	return NULL;
}

static inline void vfio_container_register_device(struct vfio_device *device)
{
}

static inline void vfio_container_unregister_device(struct vfio_device *device)
{
}
#endif

#endif /* VFIO_CONTAINER_H */
