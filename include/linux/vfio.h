/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a driver needs to offer a device through VFIO: the device object it
 * embeds, the operations it implements and the services it may call.
 *
 * The ideas behind this API are in Documentation/driver-api/vfio.rst.
 */
#ifndef VFIO_H
#define VFIO_H

#include <linux/build_bug.h>
#include <linux/cdev.h>
#include <linux/completion.h>
#include <linux/device.h>
#include <linux/err.h>
#include <linux/iova_bitmap.h>
#include <linux/iommu.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/poll.h>
#include <linux/refcount.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <uapi/linux/vfio.h>

struct file;
struct inode;
struct iommufd_access;
struct iommufd_ctx;
struct iommufd_device;
struct kvm;
struct pid;
struct rb_root_cached;
struct vfio_container;
struct vfio_device;
struct vfio_group;

/**
 * struct vfio_device_set - Devices that are reset together
 *
 * @set_id: what the members have in common: the key they were joined by
 * @lock: covers first open, last close, bind and hot reset of all members;
 *	nests inside the group's lock and outside the drivers' own locks
 * @device_list: members, linked by &vfio_device.dev_set_list; guarded by @lock
 * @device_count: number of members; guarded by the registry of sets
 */
struct vfio_device_set {
	void *set_id;
	struct mutex lock; /* opens, closes, bind and hot reset of the members */
	struct list_head device_list;
	unsigned int device_count;
};

/**
 * struct vfio_device - A device that user space can drive
 *
 * Drivers embed it as the first member of their own struct and get from one to
 * the other by container_of() only.
 *
 * @dev: the device of the bus that the driver is bound to
 * @ops: the driver's operations
 * @mig_ops: migration operations, or NULL; set before registration
 * @log_ops: DMA logging operations, or NULL; set before registration
 * @migration_flags: VFIO_MIGRATION_* that the driver implements; set before
 *	registration
 * @dev_set: set of devices that reset with this one
 * @dev_set_list: link in &vfio_device_set.device_list
 * @kvm: VM that the opener told of, with a reference held, from before
 *	->open_device() until after ->close_device(); otherwise NULL
 */
struct vfio_device {
	struct device *dev;
	const struct vfio_device_ops *ops;
	const struct vfio_migration_ops *mig_ops;
	const struct vfio_log_ops *log_ops;
	u32 migration_flags;

	struct vfio_device_set *dev_set;
	struct list_head dev_set_list;
	struct kvm *kvm;

	/* private: the core's alone */
	int index;			/* X of vfio-dev/vfioX, fixed at init */
	struct device device;		/* the node in class vfio-dev */
	bool core_owns_memory;		/* born by vfio_alloc_device(); fixed then */
	bool registered;		/* between register and unregister; the driver's calls */
	struct completion released;	/* the last reference on @device is gone */
	refcount_t refcount;		/* registration references; 0 when not registered */
	struct completion unregistered;	/* @refcount fell to zero */
	struct inode *inode;		/* address space of every mmap of the device */
	struct dentry *debug_root;	/* the folder in debugfs, while registered */
	unsigned int open_count;	/* written under dev_set->lock */
	struct pid *opener;		/* process of the first open; dev_set->lock */
	void (*put_kvm)(struct kvm *kvm); /* drops @kvm; dev_set->lock */
#if IS_ENABLED(CONFIG_VFIO_GROUP)
	struct vfio_group *group;	/* fixed while registered */
	struct list_head group_next;	/* group->device_lock */
	bool in_sight;			/* users may find it; group->device_lock */
	struct list_head iommu_entry;	/* the IOMMU backend's list of emulated devices */
#endif
#if IS_ENABLED(CONFIG_IOMMUFD)
	struct iommufd_access *iommufd_access;
	struct iommufd_device *iommufd_device;
	bool iommufd_attached;		/* dev_set->lock */
#endif
	bool cdev_opened;		/* dev_set->lock */
};

/**
 * struct vfio_device_ops - What a driver does for its device
 *
 * An operation that is NULL is not offered: users get the errno in brackets.
 *
 * @name: driver name, shown in messages and taken as driver_override for VFs
 * @init: fill the driver's part of a fresh object (vfio_alloc_device() only)
 * @release: undo @init, in vfio_put_device()
 * @bind_iommufd: become owned by an iommufd; under dev_set->lock
 * @unbind_iommufd: undo @bind_iommufd
 * @attach_ioas: attach to, or change to, an IOAS or page table; dev_set->lock
 * @detach_ioas: block DMA again; dev_set->lock
 * @open_device: first file of the device is opened; dev_set->lock held.
 *	Optional.
 * @close_device: last file of the device is gone; dev_set->lock held. Optional.
 * @read: read from the device's regions at a file offset [-EINVAL]
 * @write: write to the device's regions at a file offset [-EINVAL]
 * @ioctl: every device ioctl that the core does not handle [-EINVAL]
 * @mmap: map a region [-EINVAL]
 * @request: ask the user to give the device back; called again and again, with
 *	the number of earlier calls, while unregistration waits. Optional.
 * @match: 1 when the name given to VFIO_GROUP_GET_DEVICE_FD means this device,
 *	0 when not, or an errno to refuse it. Default: compare with dev_name().
 * @dma_unmap: IOVAs from iova on, length bytes, go away: unpin them before
 *	returning. Called without the IOMMU backend's lock, from just before
 *	->open_device() until just after ->close_device(), because either may
 *	run while pages are pinned. Needed for vfio_pin_pages().
 * @device_feature: a VFIO_DEVICE_FEATURE that the core does not handle; flags,
 *	payload and its size as user space gave them [-ENOTTY]
 */
struct vfio_device_ops {
	char	*name;
	int	(*init)(struct vfio_device *vdev);
	void	(*release)(struct vfio_device *vdev);
	int	(*bind_iommufd)(struct vfio_device *vdev,
				struct iommufd_ctx *ictx, u32 *out_device_id);
	void	(*unbind_iommufd)(struct vfio_device *vdev);
	int	(*attach_ioas)(struct vfio_device *vdev, u32 *pt_id);
	void	(*detach_ioas)(struct vfio_device *vdev);
	int	(*open_device)(struct vfio_device *vdev);
	void	(*close_device)(struct vfio_device *vdev);
	ssize_t	(*read)(struct vfio_device *vdev, char __user *buf,
			size_t count, loff_t *ppos);
	ssize_t	(*write)(struct vfio_device *vdev, const char __user *buf,
			 size_t count, loff_t *size);
	long	(*ioctl)(struct vfio_device *vdev, unsigned int cmd,
			 unsigned long arg);
	int	(*mmap)(struct vfio_device *vdev, struct vm_area_struct *vma);
	void	(*request)(struct vfio_device *vdev, unsigned int count);
	int	(*match)(struct vfio_device *vdev, char *buf);
	void	(*dma_unmap)(struct vfio_device *vdev, u64 iova, u64 length);
	int	(*device_feature)(struct vfio_device *device, u32 flags,
				  void __user *arg, size_t argsz);
};

/**
 * struct vfio_migration_ops - How a device is saved and restored
 *
 * All are mandatory where @mig_ops is set. The driver serialises them by a
 * mutex of its own.
 *
 * @migration_set_state: go to a state, arc by arc with
 *	vfio_mig_get_next_state(). Returns the data file when the last arc opened
 *	a session, NULL when not, or ERR_PTR() with the device in the state that
 *	@migration_get_state then tells.
 * @migration_get_state: tell the state the device is in
 * @migration_get_data_size: estimate of the bytes of a STOP_COPY stream
 */
struct vfio_migration_ops {
	struct file *(*migration_set_state)(struct vfio_device *device,
					    enum vfio_device_mig_state new_state);
	int (*migration_get_state)(struct vfio_device *device,
				   enum vfio_device_mig_state *curr_state);
	int (*migration_get_data_size)(struct vfio_device *device,
				       unsigned long *stop_copy_length);
};

/**
 * struct vfio_log_ops - How a device logs the memory it writes by DMA
 *
 * All are mandatory where @log_ops is set.
 *
 * @log_start: begin to log the ranges (nnodes interval tree nodes, inclusive
 *	bounds); the driver may split or merge them and writes back the page
 *	size it really uses
 * @log_stop: stop logging and forget
 * @log_read_and_clear: set in dirty what was written within the range since
 *	the last call
 */
struct vfio_log_ops {
	int (*log_start)(struct vfio_device *device,
			 struct rb_root_cached *ranges, u32 nnodes,
			 u64 *page_size);
	int (*log_stop)(struct vfio_device *device);
	int (*log_read_and_clear)(struct vfio_device *device,
				  unsigned long iova, unsigned long length,
				  struct iova_bitmap *dirty);
};

/* Birth and death of a device, see "Lifetime" in vfio.rst */
int vfio_init_group_dev(struct vfio_device *device, struct device *dev,
			const struct vfio_device_ops *ops);
void vfio_uninit_group_dev(struct vfio_device *device);

struct vfio_device *_vfio_alloc_device(size_t size, struct device *dev,
				       const struct vfio_device_ops *ops);

/**
 * vfio_alloc_device() - Allocate a driver's struct and the device within
 * @dev_struct: type of the driver's struct, without "struct"
 * @member: its &struct vfio_device, which must come first
 * @dev: device of the bus
 * @ops: the driver's operations; ->init() is called before this returns
 *
 * Return: the zeroed and initialised struct, or ERR_PTR() of -ENOMEM, -ENOSPC
 * (no device number left) or what ->init() gave. Pairs with vfio_put_device().
 */
#define vfio_alloc_device(dev_struct, member, dev, ops)				\
	container_of(_vfio_alloc_device(					\
			sizeof(struct dev_struct) +				\
			BUILD_BUG_ON_ZERO(offsetof(struct dev_struct, member)),	\
			dev, ops),						\
		     struct dev_struct, member)

void vfio_put_device(struct vfio_device *device);

int vfio_register_group_dev(struct vfio_device *device);
int vfio_register_emulated_iommu_dev(struct vfio_device *device);
void vfio_unregister_group_dev(struct vfio_device *device);
bool vfio_device_try_get_registration(struct vfio_device *device);
void vfio_device_put_registration(struct vfio_device *device);

/* Device sets */
int vfio_assign_device_set(struct vfio_device *device, void *set_id);
unsigned int vfio_device_set_open_count(struct vfio_device_set *dev_set);
struct vfio_device *
vfio_find_device_in_devset(struct vfio_device_set *dev_set, struct device *dev);

/**
 * vfio_device_cdev_opened() - Was the device opened by its own node?
 * @device: the device
 *
 * Context: dev_set->lock held.
 * Return: true when it was, false when it is not open or came from a group.
 */
static inline bool vfio_device_cdev_opened(struct vfio_device *device)
{
	return device->cdev_opened;
}

/* iommufd operations for &struct vfio_device_ops */
#if IS_ENABLED(CONFIG_IOMMUFD)
struct iommufd_ctx *vfio_iommufd_device_ictx(struct vfio_device *vdev);
int vfio_iommufd_get_dev_id(struct vfio_device *vdev, struct iommufd_ctx *ictx);
int vfio_iommufd_physical_bind(struct vfio_device *vdev,
			       struct iommufd_ctx *ictx, u32 *out_device_id);
void vfio_iommufd_physical_unbind(struct vfio_device *vdev);
int vfio_iommufd_physical_attach_ioas(struct vfio_device *vdev, u32 *pt_id);
void vfio_iommufd_physical_detach_ioas(struct vfio_device *vdev);
int vfio_iommufd_emulated_bind(struct vfio_device *vdev,
			       struct iommufd_ctx *ictx, u32 *out_device_id);
void vfio_iommufd_emulated_unbind(struct vfio_device *vdev);
int vfio_iommufd_emulated_attach_ioas(struct vfio_device *vdev, u32 *pt_id);
void vfio_iommufd_emulated_detach_ioas(struct vfio_device *vdev);
#else
static inline struct iommufd_ctx *
vfio_iommufd_device_ictx(struct vfio_device *vdev)
{
	return NULL;
}

static inline int vfio_iommufd_get_dev_id(struct vfio_device *vdev,
					  struct iommufd_ctx *ictx)
{
	return VFIO_PCI_DEVID_NOT_OWNED;
}

#define VFIO_NO_BIND ((int (*)(struct vfio_device *vdev,			\
			       struct iommufd_ctx *ictx, u32 *id))NULL)
#define VFIO_NO_ATTACH ((int (*)(struct vfio_device *vdev, u32 *pt_id))NULL)
#define VFIO_NO_UNDO ((void (*)(struct vfio_device *vdev))NULL)

#define vfio_iommufd_physical_bind		VFIO_NO_BIND
#define vfio_iommufd_physical_unbind		VFIO_NO_UNDO
#define vfio_iommufd_physical_attach_ioas	VFIO_NO_ATTACH
#define vfio_iommufd_physical_detach_ioas	VFIO_NO_UNDO
#define vfio_iommufd_emulated_bind		VFIO_NO_BIND
#define vfio_iommufd_emulated_unbind		VFIO_NO_UNDO
#define vfio_iommufd_emulated_attach_ioas	VFIO_NO_ATTACH
#define vfio_iommufd_emulated_detach_ioas	VFIO_NO_UNDO
#endif

/* Migration and DMA logging */
int vfio_mig_get_next_state(struct vfio_device *device,
			    enum vfio_device_mig_state cur_fsm,
			    enum vfio_device_mig_state new_fsm,
			    enum vfio_device_mig_state *next_fsm);
void vfio_combine_iova_ranges(struct rb_root_cached *root, u32 cur_nodes,
			      u32 req_nodes);

/**
 * vfio_check_feature() - Is what a user asks of a feature what it offers?
 * @flags: flags of the ioctl
 * @argsz: bytes of payload that the user gave
 * @supported_ops: VFIO_DEVICE_FEATURE_GET, _SET or both
 * @minsz: bytes of payload that the feature needs
 *
 * Return: 1 to go on, 0 when the user only probed, or -EINVAL for a direction
 * that is not offered or a payload too small.
 */
static inline int vfio_check_feature(u32 flags, size_t argsz, u32 supported_ops,
				     size_t minsz)
{
	u32 asked = flags & (VFIO_DEVICE_FEATURE_GET | VFIO_DEVICE_FEATURE_SET);

	if (asked & ~supported_ops)
		return -EINVAL;
	if (flags & VFIO_DEVICE_FEATURE_PROBE)
		return 0;
	if (!asked || argsz < minsz)
		return -EINVAL;
	return 1;
}

/* The file API, for KVM and for proof of ownership */
struct iommu_group *vfio_file_iommu_group(struct file *file);
bool vfio_file_is_group(struct file *file);
bool vfio_file_is_valid(struct file *file);
bool vfio_file_enforced_coherent(struct file *file);
void vfio_file_set_kvm(struct file *file, struct kvm *kvm);
bool vfio_file_has_dev(struct file *file, struct vfio_device *device);

/* Memory access for devices without an IOMMU of their own */
#define VFIO_PIN_PAGES_MAX_ENTRIES	(PAGE_SIZE / sizeof(unsigned long))

int vfio_pin_pages(struct vfio_device *device, dma_addr_t iova, int npage,
		   int prot, struct page **pages);
void vfio_unpin_pages(struct vfio_device *device, dma_addr_t iova, int npage);
int vfio_dma_rw(struct vfio_device *device, dma_addr_t iova, void *data,
		size_t len, bool write);

/* Arguments of ioctls that begin with argsz */
int vfio_uarg_get(void *karg, size_t ksize, size_t minsz,
		  const void __user *uarg);

/**
 * struct vfio_info_cap - A chain of capabilities being built for a reply
 * @buf: the chain, or NULL; whoever declares the struct frees it by kfree()
 * @size: bytes used of @buf
 */
struct vfio_info_cap {
	struct vfio_info_cap_header *buf;
	size_t size;
};

struct vfio_info_cap_header *vfio_info_cap_add(struct vfio_info_cap *caps,
					       size_t size, u16 id,
					       u16 version);
void vfio_info_cap_shift(struct vfio_info_cap *caps, size_t offset);
int vfio_info_add_capability(struct vfio_info_cap *caps,
			     struct vfio_info_cap_header *cap, size_t size);
int vfio_info_reply(void __user *uarg, void *info, size_t size,
		    u32 *cap_offset, struct vfio_info_cap *caps);

/* Interrupts */
int vfio_set_irqs_validate_and_prepare(struct vfio_irq_set *hdr,
				       int num_irqs, int max_irq_type,
				       size_t *data_size);

/**
 * struct virqfd - An eventfd whose signal calls a driver back
 *
 * Made by vfio_virqfd_enable(), ended by vfio_virqfd_disable() or by the user
 * closing the eventfd, whichever comes first.
 *
 * @opaque: first argument of the callbacks
 * @data: second argument of the callbacks
 */
struct virqfd {
	void *opaque;
	void *data;
	/* private: virqfd.c */
	struct eventfd_ctx *eventfd;
	int (*handler)(void *opaque, void *data);
	void (*thread)(void *opaque, void *data);
	wait_queue_entry_t wait;
	poll_table pt;
	struct work_struct inject;
	struct work_struct shutdown;
	struct work_struct flush_inject;
	struct virqfd **pvirqfd;
};

int vfio_virqfd_enable(void *opaque, int (*handler)(void *opaque, void *data),
		       void (*thread)(void *opaque, void *data), void *data,
		       struct virqfd **pvirqfd, int fd);
void vfio_virqfd_disable(struct virqfd **pvirqfd);
void vfio_virqfd_flush_thread(struct virqfd **pvirqfd);

#endif /* VFIO_H */
