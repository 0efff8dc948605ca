/* SPDX-License-Identifier: GPL-2.0-only */
/* Groups: the devices that no IOMMU can tell apart, and their node. */
#ifndef VFIO_GROUP_H
#define VFIO_GROUP_H

#include <linux/cdev.h>
#include <linux/device.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/mutex.h>
#include <linux/types.h>

#include "backend.h"
#include "kvm.h"

struct iommu_group;
struct vfio_container;
struct vfio_device;

/**
 * struct vfio_group - An IOMMU group with devices that are bound to VFIO
 *
 * It is made for the first device and leaves the registry with the last one.
 * An open file may keep it longer, without hardware behind it: its
 * @iommu_group is NULL then.
 *
 * Locks: the registry's mutex -> @lock -> the container's lock. @device_lock and
 * @kvm's lock are leaves. The set's lock is not taken with @lock held.
 *
 * @dev: node /dev/vfio/N; its references are the group's
 * @cdev: what opens the node
 * @type: who fences DMA; fixed
 * @number: that of the IOMMU group, N; fixed
 * @registry_entry: link in the registry, guarded by the registry's mutex
 * @device_count: devices that joined, guarded by the registry's mutex
 * @lock: guards @opened_file, @container, @container_users and @is_joining
 * @opened_file: the one open file of the group, or NULL
 * @container: the container it was put into, or NULL
 * @container_users: files of devices that rely on @container and its backend
 * @is_joining: what is mapped in @container is being brought within its reach
 * @container_entry: link in the container, guarded by the container's lock
 * @device_lock: guards @device_list and what its members say of being in sight
 * @device_list: registered devices
 * @iommu_group: with a reference; written under both @lock and @device_lock,
 *	and stable too while the group is in a container or has a device that is
 *	registered
 * @kvm: the VM the file was named to
 */
struct vfio_group {
	struct device dev;
	struct cdev cdev;
	enum vfio_group_type type;
	int number;
	struct list_head registry_entry;
	unsigned int device_count;
	struct mutex lock;		/* the open file and the container */
	struct file *opened_file;
	struct vfio_container *container;
	unsigned int container_users;
	bool is_joining;
	struct list_head container_entry;
	struct mutex device_lock;	/* devices and their hardware; a leaf */
	struct list_head device_list;
	struct iommu_group *iommu_group;
	struct vfio_kvm_hint kvm;
};

#if IS_ENABLED(CONFIG_VFIO_GROUP)
int vfio_group_init(void);
void vfio_group_exit(void);

/* A device and its group, for device.c */
int vfio_device_join_group(struct vfio_device *device,
			   enum vfio_group_type type);
void vfio_device_leave_group(struct vfio_device *device);
void vfio_device_enter_sight(struct vfio_device *device);
void vfio_device_leave_sight(struct vfio_device *device);

/* What others ask of a group */
struct vfio_device *vfio_group_find_device(struct vfio_group *group,
					   char *name);
bool vfio_group_is_viable(struct vfio_group *group);
int vfio_group_claim_dma(struct vfio_group *group);
void vfio_group_release_dma(struct vfio_group *group);
struct iommu_group *vfio_group_get_iommu_group(struct vfio_group *group);
bool vfio_group_enforces_coherency(struct vfio_group *group);
bool vfio_group_has_device(struct vfio_group *group,
			   struct vfio_device *device);

/* group_file.c */
extern const struct file_operations vfio_group_fops;
struct vfio_group *vfio_group_from_file(struct file *file);
#else
static inline int vfio_group_init(void)
{
	return 0;
}

static inline void vfio_group_exit(void)
{
}

static inline int vfio_device_join_group(struct vfio_device *device,
					 enum vfio_group_type type)
{
	return 0;
}

static inline void vfio_device_leave_group(struct vfio_device *device)
{
}

static inline void vfio_device_enter_sight(struct vfio_device *device)
{
}

static inline void vfio_device_leave_sight(struct vfio_device *device)
{
}

static inline struct iommu_group *
vfio_group_get_iommu_group(struct vfio_group *group)
{
	return NULL;
}

static inline bool vfio_group_enforces_coherency(struct vfio_group *group)
{
	return true;
}

static inline bool vfio_group_has_device(struct vfio_group *group,
					 struct vfio_device *device)
{
	return false;
}

static inline struct vfio_group *vfio_group_from_file(struct file *file)
{
	return NULL;
}
#endif

#endif /* VFIO_GROUP_H */
